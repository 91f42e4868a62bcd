"""Lines around a table: comments and titles before it, comments inside it, and a line of units under its header."""

import contextlib
import csv
import io
import re
from collections import Counter

import pandas as pd

from trisynth.data.profile.numbers import is_unit
from trisynth.data.profile.suspects import MISSING

SEPARATORS = ",;\t|"
COMMENT = "#"
_LINES = 60
_ROWS = 500
_NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*([eE][-+]?\d+)?")
# Words under a header that stand for units.
_WORDS = {
    "n",
    "-",
    "yes/no",
    "y/n",
    "text",
    "string",
    "date",
    "code",
    "count",
    "years",
    "days",
    "index",
    "unit",
    "units",
}
_UNIT = re.compile(r"[\[(].{1,12}[\])]|10\^?\d+/[lL]|1/min|/\w+|x?10[⁰-⁹^].*|[\w°µμ%]+/[\w²³^*./·]+|[a-zA-Zµμ]+[²³23]")


def separator_of(text: str) -> str:
    """Return the separator of comma, semicolon, tab, bar and blank that a table has."""
    first = text[: text.find("\n") + 1] or text
    likely = max(SEPARATORS, key=first.count)
    if _modal(text, likely)[0] == len(_row(first, likely)) > 1:
        return likely
    # The first line is not a row of the table: take the separator with the most regular lines.
    # R separates by blanks, which stand in most other files, too.
    if max(map(first.count, SEPARATORS)) == 0 and _modal(text, " ")[1] == 1 and len(_row(first.strip(), " ")) > 1:
        return " "
    shares = {mark: _modal(text, mark) for mark in SEPARATORS}
    best = max(SEPARATORS, key=lambda mark: (shares[mark][0] > 1) * shares[mark][1])
    return best if shares[best][0] > 1 else likely


def without_preamble(text: str, separator: str) -> tuple[str, list[str]]:
    """Remove comments and titles before the header of a table, and comments inside it.

    Returns
    -------
    text : str
    notes : list of str
        What was left out.
    """
    width, _ = _modal(text, separator)
    notes = []
    lines = text[: _start(text, _LINES)].splitlines(keepends=True)
    skipped = 0
    while skipped < len(lines) - 1 and width > 1 and len(_record(lines[skipped:], separator)) != width:
        skipped += 1
    # A comment may have as many separators as the header by chance.
    while skipped < len(lines) - 1 and lines[skipped].startswith(COMMENT) and not _names(lines, skipped, separator):
        skipped += 1
    skipped += _titles(lines[skipped:], separator, width)
    left_out = [line for line in lines[:skipped] if line.strip().strip(separator)]
    if left_out and _regular(lines[skipped:], separator, width):
        text = text[sum(map(len, lines[:skipped])) :]
        notes.append(f"{len(left_out)} lines before the header left out: {_shown(left_out[0])}")
    if text.startswith(COMMENT) and width > 1:
        text = text[1:].lstrip(" ")
    if f"\n{COMMENT}" in text:
        kept, comments, inside = [], 0, _inside(text, separator, width)
        for number, line in enumerate(io.StringIO(text)):
            comment = line.startswith(COMMENT) and number not in inside and len(_row(line, separator)) != width
            comments += comment
            if not comment:
                kept.append(line)
        if comments:
            text = "".join(kept)
            notes.append(f"{comments} comments left out")
    return text, notes


def units_of(frame: pd.DataFrame) -> dict[str, str] | None:
    """Return the units that the first row of a table holds, None if it is a row of data.

    It is one of units where it has a unit or nothing in every column whose other cells are all numbers.
    """
    rest = frame.iloc[1 : _ROWS + 1]
    if len(rest) < 3:
        return None
    first = {name: str(cell).strip() for name, cell in frame.iloc[0].items()}
    numeric = [name for name in frame if _numbers(rest[name])]
    units = {name: first[name] for name in numeric if first[name]}
    known = [text for text in units.values() if _like_unit(text)]
    words = [text for text in units.values() if text.casefold() in _WORDS]
    if not known or len(known) + len(words) < len(units):
        return None
    return {name: text.strip("[]()") for name, text in units.items() if _like_unit(text)}


def second_header(frame: pd.DataFrame) -> bool:
    """Return whether the first row of a table holds names: texts in each column of numbers, all different."""
    rest = frame.iloc[1 : _ROWS + 1]
    if len(rest) < 3:
        return False
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    first = [str(cells.iloc[0] or "").strip() for cells in columns]
    numeric = [i for i, cells in enumerate(columns) if _numbers(cells.iloc[1 : _ROWS + 1])]
    # Longer words such as height begin with a unit by chance. Under names that repeat or lack, units would not do.
    named = frame.columns.is_unique and not any(f"column_{i}" == name for i, name in enumerate(frame.columns) if i)
    known = named and any(
        (len(first[i]) < 6 and _like_unit(first[i])) or first[i].casefold() in _WORDS | MISSING for i in numeric
    )
    if len(numeric) < 2 or known or not all(first) or len(set(first)) < len(first):
        return False
    return all(any(sign.isalpha() for sign in first[i]) and not _NUMBER.fullmatch(first[i]) for i in numeric)


def questions_of(frame: pd.DataFrame) -> int:
    """Return how many rows under the header hold the questions and the keys of a survey, as Qualtrics exports them."""
    for row in range(min(2, len(frame))):
        if all(re.fullmatch(r'\{"ImportId":.*\}', str(cell).strip()) for cell in frame.iloc[row]):
            return row + 1
    return 0


def _numbers(cells: pd.Series) -> bool:
    present = [cell.strip() for cell in cells if cell and cell.strip()]
    return bool(present) and all(map(_NUMBER.fullmatch, present))


def _like_unit(text: str) -> bool:
    return text.casefold() not in MISSING and bool(is_unit(text) or _UNIT.fullmatch(text))


def _titles(lines: list[str], separator: str, width: int) -> int:
    """Count titles above the header that spreadsheets fill up with separators, such as ``Export of May;;``."""
    count = 0
    while count < len(lines) - 1:
        cells = [cell.strip() for cell in _row(lines[count], separator)]
        if sum(map(bool, cells)) > 1 or (cells and len(cells) != width):
            break
        count += 1
    titles = [line.strip().strip(separator) for line in lines[:count]]
    # An unnamed column may follow a named one, as in a header of two cells.
    sure = width > 2 or "" in titles or any(" " in title for title in titles)
    header = [cell.strip() for cell in _row(lines[count], separator)]
    names = len(set(header)) == width and all(header) and not any(map(_NUMBER.fullmatch, header))
    return count if any(titles) and sure and names else 0


def _names(lines: list[str], i: int, separator: str) -> bool:
    """Return whether a line after ``#`` holds the names of the columns, as many as the next line has cells."""
    if not lines[i].startswith(COMMENT) or i + 1 >= len(lines):
        return False
    below = _row(lines[i + 1], separator)
    if lines[i + 1].startswith(COMMENT) or len(_row(lines[i], separator)) != len(below) or len(below) < 2:
        return False
    return any(re.fullmatch(r"[-+]?[\d.,]*\d[\d.,]*", cell.strip()) for cell in below)


def _regular(lines: list[str], separator: str, width: int) -> bool:
    rows = [row for row in csv.reader(io.StringIO("".join(lines)), delimiter=separator) if row][:-1]
    return not rows or sum(len(row) == width for row in rows) >= 0.8 * len(rows)


def _modal(text: str, separator: str) -> tuple[int, float]:
    """Return the most frequent number of cells among the first lines, and the fraction of lines that have it."""
    rows = csv.reader(io.StringIO(text[: _start(text, _LINES)]), delimiter=separator)
    widths = Counter()
    try:
        widths.update(len(row) for row in rows if row)
    except csv.Error:
        return 0, 0.0
    if not widths:
        return 0, 0.0
    width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return width, count / sum(widths.values())


def _start(text: str, lines: int) -> int:
    """Return where the first lines end."""
    end = 0
    for _ in range(lines):
        found = text.find("\n", end)
        if found < 0:
            return len(text)
        end = found + 1
    return end


def _row(line: str, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=separator), [])


def _record(lines: list[str], separator: str) -> list[str]:
    """Return the cells of the first record, whose names in quotes may have line breaks."""
    try:
        return _row("".join(lines), separator)
    except csv.Error:
        return _row(lines[0], separator)


def _inside(text: str, separator: str, width: int) -> set[int]:
    """Return the numbers of the lines that begin inside a cell of a whole row."""
    inside, begun = set(), 0
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    with contextlib.suppress(csv.Error):
        for row in rows:
            if len(row) == width:
                inside.update(range(begun + 1, rows.line_num))
            begun = rows.line_num
    return inside


def _shown(line: str) -> str:
    text = line.strip()
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
