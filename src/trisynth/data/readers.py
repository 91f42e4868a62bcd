"""Readers of raw tables: every cell as the file has it, nothing cleaned."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from trisynth.errors import InputError
from trisynth.places import reader

Labels = Mapping[str, Mapping[str, str]]


@reader
def delimited(
    path: str | Path,
    separator: str | None = None,
    header: bool = True,
    names: Sequence[str] | None = None,
    labels: Labels | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read a CSV-like text file, every cell a text.

    Parameters
    ----------
    path : path
    separator : str or None, default=None
        None takes the one of comma, semicolon, tab and bar that the first line has most of.
    header : bool, default=True
        Whether the first line holds names.
    names : sequence of str or None, default=None
        Names to use, in the file's order, in place of its own.
    labels : mapping of str to mapping or None, default=None
        For a column by its name here, the documented meaning of each code.
    encoding : str or None, default=None
        None takes UTF-16 if the file is marked so, else UTF-8 if it can be, else Windows-1252.

    Returns
    -------
    DataFrame of str

    Raises
    ------
    InputError
        If the file is missing, empty, undecodable or ragged (with the line), or ``names`` has another length.
    """
    return _table(path, _text(path, encoding), separator, header, names, labels)


@reader
def keel(path: str | Path, names: Sequence[str] | None = None, labels: Labels | None = None) -> pd.DataFrame:
    """Read a KEEL ``.dat`` file (Alcala-Fdez et al. 2011): ``@attribute`` lines, then rows after ``@data``.

    Parameters
    ----------
    path, names, labels
        As in :func:`delimited`; without ``names`` the declared attribute names are used.

    Returns
    -------
    DataFrame of str
    """
    head, *rest = re.split(r"(?im)^@data\s*$", _text(path, None), maxsplit=1)
    declared = re.findall(r"(?im)^@attribute\s+('[^']*'|[^\s{\[]+)", head)
    if not rest or not rest[0].strip() or not declared:
        raise InputError("dataset.path", str(path), "has no @attribute lines or no rows after @data; use KEEL's format")
    return _table(path, rest[0].lstrip(), ",", False, names or [name.strip("'") for name in declared], labels)


@reader
def parquet(path: str | Path) -> pd.DataFrame:
    """Read a Parquet file, with the file's own dtypes.

    Raises
    ------
    InputError
        If the file is missing or is no Parquet file.
    """
    try:
        return pyarrow.parquet.read_table(path).to_pandas()
    except FileNotFoundError:
        raise InputError("dataset.path", str(path), "no such file; check the spelling") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError("dataset.path", str(path), f"is not a readable Parquet file ({_line(error)})") from error


@reader
def openml(data_id: int) -> pd.DataFrame:
    """Fetch table number ``data_id`` of OpenML (Vanschoren et al. 2014); needs the network.

    Raises
    ------
    InputError
        If OpenML cannot be reached or has no such table.
    """
    from sklearn.datasets import fetch_openml

    try:
        return fetch_openml(data_id=int(data_id), as_frame=True, parser="pandas").frame
    except Exception as error:  # the client raises whatever its transport raises
        remedy = f"the download from OpenML failed ({_line(error)}); check the number and the network"
        raise InputError("dataset.data_id", data_id, remedy) from error


def _text(path: str | Path, encoding: str | None) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError("dataset.path", str(path), f"cannot be read ({error.strerror}); check the name") from None
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    guesses = ["utf-16"] if marked else ["utf-8-sig", "cp1252"]
    for name in [encoding] if encoding else guesses:
        try:
            text = content.decode(name)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    else:
        remedy = f"is not text in {encoding or ' or '.join(guesses)}; set dataset.read.encoding"
        raise InputError("dataset.path", str(path), remedy)
    if not text.strip():
        raise InputError("dataset.path", str(path), "is empty; give a file with at least one row")
    return text


def _table(path, text, separator, header, names, labels) -> pd.DataFrame:
    text = text.lstrip("\r\n")
    first = text[: text.find("\n") + 1] or text
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise InputError("dataset.read.separator", separator, "must be one character, such as ';'")
    separator = separator or max(",;\t|", key=first.count)
    own = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=separator))]
    names = list(names or (own if header else (f"column_{i}" for i in range(len(own)))))
    if len(names) != len(own):
        remedy = f"{len(names)} names for the {len(own)} columns of {path}; give one each"
        raise InputError("dataset.read.names", names, remedy)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(text.encode()),
            pyarrow.csv.ReadOptions(autogenerate_column_names=True),
            pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types={f"f{i}": pa.string() for i in range(len(own))}),
        )
    except pa.ArrowInvalid as error:
        remedy = _ragged(text, separator, len(own)) or f"cannot be read as a table ({_line(error)})"
        raise InputError("dataset.path", str(path), remedy) from None
    frame = table.slice(int(header)).to_pandas()
    # An unnamed column is most often a row number that a program wrote.
    frame.columns = [name or f"column_{i}" for i, name in enumerate(names)]
    return labelled(frame, labels)


def _ragged(text: str, separator: str, width: int) -> str:
    """Describe the first line with another number of cells; empty if there is none."""
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    for cells in rows:
        if cells and len(cells) != width:
            return f"line {rows.line_num} has {len(cells)} cells and the first has {width}; correct that line"
    return ""


def labelled(frame: pd.DataFrame, labels: Labels | None) -> pd.DataFrame:
    """Replace codes by their documented meaning in place; a code without one stays, for cleaning to find."""
    for name, meaning in (labels or {}).items():
        if name not in frame:
            raise InputError(f"dataset.read.labels.{name}", dict(meaning), "no such column; correct the name")
        meaning = {str(code): label for code, label in meaning.items()}
        frame[name] = frame[name].map(lambda cell, meaning=meaning: meaning.get(cell.strip(), cell))
    return frame


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
