"""Dialect of a text file: what its reader recognised, and rows written in the same way."""

import csv
import io
from dataclasses import dataclass

import pandas as pd

# Encodings that mark the beginning of a file, and what follows the mark.
_MARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}
_LINES = 20


@dataclass(frozen=True)
class Dialect:
    """Conventions of a text file.

    Parameters
    ----------
    separator, encoding, line_end : str
    header : bool
    quote_all : bool
    unnamed : tuple of str
        Columns whose name in the file is empty.
    padded : tuple of (str, str)
        Columns whose name in the file has blanks around it, and that name.
    """

    separator: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    header: bool = True
    quote_all: bool = False
    unnamed: tuple[str, ...] = ()
    padded: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str, separator: str, encoding: str, header: bool) -> "Dialect":
        """Recognise line ends and quotes of a text whose other conventions are known."""
        lines = text.split("\n", _LINES)[:_LINES]
        # A name in quotes may have another line break.
        line_end = "\r\n" if 2 * sum(line.endswith("\r") for line in lines) > len(lines) else "\n"
        cells = [line.rstrip("\r") for line in lines if line.strip()]
        quoted = all(line.startswith('"') and line.endswith('"') for line in cells)
        return cls(separator, encoding, line_end, header, quoted)

    def texts(self, table: pd.DataFrame, header: bool) -> bytes:
        """Write a table of texts; a missing cell is empty."""
        quoting = csv.QUOTE_ALL if self.quote_all else csv.QUOTE_MINIMAL
        target = io.StringIO()
        options = {"sep": self.separator, "lineterminator": self.line_end, "quoting": quoting}
        table = table.rename(columns={**dict.fromkeys(self.unnamed, ""), **dict(self.padded)})
        table.to_csv(target, index=False, header=header and self.header, **options)
        # The mark belongs before the first line only.
        encoding = self.encoding if header else _MARKED.get(self.encoding, self.encoding)
        return target.getvalue().encode(encoding, errors="xmlcharrefreplace")
