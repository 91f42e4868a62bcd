"""Readers of raw tables: every cell as the file has it, nothing cleaned."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from trisynth.cache import require_file
from trisynth.data.reading import around, gaps, unpacked
from trisynth.data.reading.arrow import to_frame
from trisynth.data.reading.content import text_of
from trisynth.data.reading.dialect import Dialect
from trisynth.data.reading.folder import Folder, error_of_quantiles
from trisynth.errors import InputError, require_whole
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
    """Read a CSV-like text file, with every cell as text.

    Files that are compressed (gzip, bz2, xz, or zip with one table) are unpacked. Comments and titles before the
    header, comments after ``#`` and a line of units under the header are left out; ``attrs`` of the table lists that.

    Parameters
    ----------
    path : path
    separator : str or None, default=None
        None takes whichever of comma, semicolon, tab and vertical bar is most frequent in the first lines.
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
    text, encoding, notes = text_of(path, encoding)
    units = header and names is None
    return _table(path, text, separator, header, names, labels, units=units, notes=notes, encoding=encoding)


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
    head, *rest = re.split(r"(?im)^@data\s*$", text_of(path)[0], maxsplit=1)
    declared = re.findall(r"(?im)^@attribute\s+('[^']*'|[^\s{\[]+)", head)
    if not rest or not rest[0].strip() or not declared:
        raise InputError("dataset.path", str(path), "has no @attribute lines or no rows after @data; use KEEL's format")
    return _table(path, rest[0].lstrip(), ",", False, names or [name.strip("'") for name in declared], labels)


@reader
def orange(path: str | Path) -> pd.DataFrame:
    """Read a tab-separated file of Orange (Demsar et al. 2013), whose second and third line hold types and roles.

    Parameters
    ----------
    path : path

    Returns
    -------
    DataFrame of str

    Raises
    ------
    InputError
        If the file has no such lines, or as in :func:`delimited`.
    """
    lines = text_of(path)[0].split("\n")
    if len(lines) < 4 or len({line.count("\t") for line in lines[:3]}) != 1:
        raise InputError("dataset.path", str(path), "has no three lines of names, types and roles; use Orange's format")
    # The table may begin with an empty line, which the files of the library have.
    return _table(path, "\n".join([lines[0], *filter(str.strip, lines[3:])]), "\t", True, None, None)


@reader
def parquet(path: str | Path, sample: int = 100_000, seed: int = 0) -> pd.DataFrame:
    """Read a Parquet file, or a sample of the rows of a folder of such files, with the files' own dtypes.

    Parameters
    ----------
    path : path
        A folder's files have equal columns; names that begin with ``_`` or a dot are left out.
    sample : int, default=100000
        Maximum number of rows that are read from a folder: a random sample without replacement.
    seed : int, default=0
        Seed of the sample.

    Raises
    ------
    InputError
        If the file is missing or is no Parquet file, or the files of a folder do not belong together.
    """
    require_file(path, "dataset.path")
    if Path(path).is_dir():
        return _sampled(Folder.open(path), sample, seed)
    try:
        if Path(path).is_file():
            unpacked.require_moderate(path)
        return to_frame(pyarrow.parquet.read_table(path))
    except FileNotFoundError:
        raise InputError("dataset.path", str(path), "no such file; check the spelling") from None
    except (pa.ArrowException, OSError) as error:
        gaps.refuse(path)
        raise InputError("dataset.path", str(path), f"is not a readable Parquet file ({_line(error)})") from error


def _sampled(folder: Folder, rows: int, seed: int) -> pd.DataFrame:
    """Sample a folder, and note how many of its rows that are."""
    require_whole("dataset.read.sample", rows, 2)
    frame = to_frame(folder.sample(rows, seed))
    if len(frame) < folder.rows:
        off = f"{100 * error_of_quantiles(len(frame)):.2g} percentage points"
        frame.attrs["notes"] = [
            f"a sample of {len(frame):,} of {folder.rows:,} rows; its quantiles are off by at most {off} (95 %)"
        ]
    return frame


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


def _table(path, text, separator, header, names, labels, units=False, notes=(), encoding="utf-8") -> pd.DataFrame:
    text, notes = text.lstrip("\r\n"), list(notes)
    # Lines of old programs end with a carriage return alone.
    returns = "\n" not in text and "\r" in text.rstrip("\r")
    text = text.replace("\r", "\n") if returns else text
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise InputError("dataset.read.separator", separator, "must be one character, such as ';'")
    separator = separator or around.separator_of(text)
    if header:
        text, left_out = around.without_preamble(text, separator)
        notes += left_out
    try:
        written = next(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise InputError("dataset.path", str(path), f"cannot be read as a table ({_line(error)})") from None
    own = [name.strip() for name in written]
    # The table is written with the names that its header has.
    padded = tuple(
        pair for pair in zip(own, written, strict=True) if header and not names and pair[0] not in ("", pair[1])
    )
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
    dialect = Dialect.of(text, separator, encoding, bool(header))
    dialect = replace(dialect, line_end="\r") if returns else dialect
    del text
    # Texts of Arrow need a fraction of the memory of Python's.
    frame = table.slice(int(header)).to_pandas(types_mapper={pa.string(): pd.ArrowDtype(pa.string())}.get)
    # An unnamed column is most often a row number that a program wrote.
    frame.columns = [name or f"column_{i}" for i, name in enumerate(names)]
    rows = around.questions_of(frame) if units else 0
    if rows:
        frame = frame.iloc[rows:].reset_index(drop=True)
        notes.append(f"{rows} lines under the header left out: questions of a survey")
    if units and around.second_header(frame):
        remedy = "has two lines of names above its rows; delete the one that you do not need"
        raise InputError("dataset.path", str(path), remedy)
    found = around.units_of(frame) if units and frame.columns.is_unique and len(frame) else None
    if found:
        frame = frame.iloc[1:].reset_index(drop=True)
        listed = ", ".join(f"{name} in {unit}" for name, unit in found.items())
        notes.append(f"the line under the header is read as units: {listed}")
    frame = labelled(frame, labels)
    unnamed = tuple(f"column_{i}" for i, name in enumerate(names) if not name)
    frame.attrs = {"notes": notes, "units": found or {}, "dialect": replace(dialect, unnamed=unnamed, padded=padded)}
    return frame


def _ragged(text: str, separator: str, width: int) -> str:
    """Describe the first line with another number of cells; empty if there is none."""
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for cells in rows:
            if cells and len(cells) != width:
                return f"line {rows.line_num} has {len(cells)} cells and the first has {width}; correct that line"
    except csv.Error as error:
        return f"line {rows.line_num} cannot be read ({_line(error)}); correct that line"
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
