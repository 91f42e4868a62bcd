"""Findings of cleaning as lines: what was changed, what is doubtful, and the line of yaml that settles it."""

from collections.abc import Iterator

import pandas as pd

from trisynth.data.dataset import Dataset

_ROWS, _FILE = "(rows)", "(file)"


def lines(report: pd.DataFrame, all_of: bool = False) -> Iterator[str]:
    """Yield a line for each finding of a report.

    Parameters
    ----------
    report : DataFrame
        See :func:`trisynth.data.clean.clean`.
    all_of : bool, default=False
        Also those where cells were neither changed nor are doubtful.
    """
    for row in report.itertuples():
        if not all_of and row.treatment.startswith("kept") and not row.remedy:
            continue
        remedy = " and ".join(filter(None, row.remedy.split("\n")))
        end = f" (to change that: {remedy})" if remedy else ""
        if row.column == _FILE:
            yield f"{row.problem}{end}"
        elif row.column == _ROWS:
            yield f"{row.cells:,} rows: {row.problem}; {row.treatment}{end}"
        else:
            unit = "rows" if row.problem.startswith("row ") else "cells"
            yield f"{row.column}: {row.cells:,} {unit}: {row.problem}; {row.treatment}{end}"


def of_own_table(dataset: Dataset) -> Iterator[str]:
    """Yield the lines of a user's table; of a shipped data set, everything is known."""
    if dataset.layout is not None and dataset.report is not None:
        yield from lines(dataset.report)
