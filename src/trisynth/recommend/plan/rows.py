"""Rows that a table must have before it can be divided into the folds of a search."""

import numpy as np

from trisynth.data.dataset import Dataset
from trisynth.data.splits.folds import require_no_time, strata
from trisynth.errors import InputError


def require_rows(dataset: Dataset, folds: int) -> None:
    """Refuse a table that cannot be divided into the folds, because its rows or classes are too few or it has a time.

    Raises
    ------
    InputError
        With the largest number of folds that would do, or the reason why none does.
    """
    require_no_time(dataset)
    rows = len(dataset)
    if not dataset.X.shape[1]:
        remedy = "leaves no column to learn from: all others are identifiers, texts or ignored; declare their kinds"
        raise InputError("dataset.target", dataset.spec.target, remedy)
    if dataset.spec.task == "regression":
        least, what = rows // 2, f"{rows} rows are too few"
    else:
        sizes = np.sort(np.bincount(strata(dataset)))
        if np.count_nonzero(sizes) < 2:
            raise InputError("dataset.target", dataset.spec.target, "has one class; a recommendation needs two or more")
        least = int(sizes[-2])
        what = f"the second largest class of {dataset.spec.target} has {least} rows, which are too few"
    if least < folds:
        remedy = f"set recommend.folds={least}" if least >= 5 else "add rows: at least 5 folds are needed"
        raise InputError("recommend.folds", folds, f"{what}; {remedy}")
