"""Findings of cleaning as lines: what was changed, what is doubtful, and the line of yaml that settles it."""

import textwrap
from collections.abc import Collection, Iterator

import pandas as pd

from trisynth.data.dataset import Column, Dataset

_ROWS, _FILE = "(rows)", "(file)"
_WIDTH = 80


def lines(report: pd.DataFrame, all_of: bool = False) -> Iterator[str]:
    """Yield a line for each finding of a report.

    Parameters
    ----------
    report : DataFrame
        See :func:`trisynth.data.cleaning.clean.clean`.
    all_of : bool, default=False
        Also those where cells were neither changed nor are doubtful.
    """
    for row in report.itertuples():
        if not all_of and row.treatment.startswith("kept") and not row.remedy:
            continue
        remedy = " and ".join(filter(None, row.remedy.split("\n")))
        end = f" (to change that: {remedy})" if remedy else ""
        column = "" if row.column in (_FILE, _ROWS) else f"{row.column}: "
        yield f"{column}{described(row)}{end}"


def page(dataset: Dataset, report: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a list of all columns, with the findings of each and the lines of yaml that settle them.

    Parameters
    ----------
    dataset : Dataset
        Its columns give order, kind, format and unit.
    report : DataFrame
        See :func:`trisynth.data.cleaning.clean.clean`.
    """
    columns = dataset.columns or dataset.facts
    for name, fact in columns.items():
        yield f"{name}: {_described(fact)}"
        yield from _items(report[report["column"] == name])
    rest = report[~report["column"].isin(list(columns))]
    if len(rest):
        yield "all columns"
        yield from _items(rest)


def _items(report: pd.DataFrame) -> Iterator[str]:
    for row in report.itertuples():
        end = "; to change that:" if row.remedy else ""
        yield from textwrap.wrap(
            f"- {described(row)}{end}",
            _WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        # Not wrapped, and indented as in the yaml file, so that the line can be pasted there.
        yield from (f"    {line}" for line in row.remedy.split("\n") if line)


def described(row: tuple) -> str:
    """Return number of cells, problem and treatment of a finding in short."""
    if row.column == _FILE:
        return row.problem
    unit = "row" if row.column == _ROWS or row.problem.startswith("row ") else "cell"
    unit += "s" * (row.cells != 1)
    return f"{row.cells:,} {unit}: {row.problem}; {row.treatment}"


def _described(column: Column) -> str:
    """Return kind, format and unit of a column in short."""
    parts = [column.kind or "", column.unit and f"in {column.unit}", column.format and f"written as {column.format}"]
    return ", ".join(filter(None, parts))


def of_own_table(dataset: Dataset, without: Collection = ()) -> Iterator[str]:
    """Yield the lines of a user's table; none for a shipped data set, whose facts are documented.

    ``without`` names columns of identifiers and free text that are described elsewhere, where that is declared.
    """
    if dataset.layout is not None and dataset.report is not None:
        report = dataset.report
        known = report["column"].isin(list(without)) & report["problem"].str.startswith("declared as")
        yield from lines(report[~known])
