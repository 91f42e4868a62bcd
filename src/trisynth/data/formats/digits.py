"""Formats whose digits are those of another script, such as Arabic-Indic or Devanagari ones."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from trisynth.data.formats.base import OR, Format, listed

# At the end of a format: the zero of the digits, and the Arabic decimal mark where it is written.
_END = re.compile(r"(?P<inner>.+) #(?P<zero>[^\x00-\x7f])(?P<mark>٫?)")
_MARKS = {".": "٫", ",": "٬"}
_MOST = 0.9


@dataclass(frozen=True)
class Digits:
    """Digits of a script, whether decimals and thousands have Arabic marks, and the fraction of usual digits."""

    zero: str
    marks: bool = False
    usual: float = 0.0

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Digits | None":
        """Return the digits of another script that texts are written with, all or some; None if there are none."""
        if all(text.isascii() for text in texts):
            return None
        zeros = Counter(frozenset(map(_zero, text)) - {""} for text in texts)
        scripts = set().union(*zeros) - {"0"}
        known = sum(count for zero, count in zeros.items() if zero)
        # A cell with digits of two scripts is no number.
        if len(scripts) != 1 or known < _MOST * len(texts) or any(len(zero) > 1 for zero in zeros):
            return None
        usual = zeros[frozenset("0")] / len(texts)
        return cls(scripts.pop(), any("٫" in text or "٬" in text for text in texts), usual)

    def form(self, plain: str) -> str:
        """Return the format with these digits; the more frequent ones come first."""
        end = f" #{self.zero}" + "٫" * self.marks
        other = OR.join(part + end for part in plain.split(OR))
        if not self.usual:
            return other
        return OR.join([other, plain] if self.usual < 0.5 else [plain, other])

    def plain(self, texts: Iterable[str]) -> list[str]:
        """Write texts with the usual digits and marks."""
        table = {ord(self.zero) + i: str(i) for i in range(10)}
        if self.marks:
            table |= {ord(mark): plain for plain, mark in _MARKS.items()}
        return [text.translate(table) for text in texts]

    def written(self, texts: pd.Series) -> pd.Series:
        """Write texts with these digits and marks."""
        table = {ord(str(i)): chr(ord(self.zero) + i) for i in range(10)}
        if self.marks:
            table |= {ord(plain): mark for plain, mark in _MARKS.items()}
        return texts.map(lambda text: text.translate(table), na_action="ignore")


@dataclass(frozen=True)
class OtherDigits(Format):
    """Format with other digits.

    Parameters
    ----------
    inner : Format
        The same with the usual digits.
    digits : Digits
    """

    inner: Format
    digits: Digits

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts, whose digits may be the usual ones, too."""
        return self.inner.parse(self.digits.plain(listed(texts)))

    def print(self, values: pd.Series) -> pd.Series:
        """Write values."""
        return self.digits.written(self.inner.print(values))


def split(text: str) -> tuple[str, Digits | None]:
    """Split a format into that of the usual digits and those that it is written with."""
    found = _END.fullmatch(text)
    if not found or unicodedata.decimal(found["zero"], None) != 0:
        return text, None
    return found["inner"], Digits(found["zero"], bool(found["mark"]))


def _zero(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return "" if value is None else chr(ord(sign) - value)
