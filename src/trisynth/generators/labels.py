"""Labels of rows: classes, or quantile bins of a numeric target, and those of the rows that a user requests."""

from collections.abc import Mapping

import numpy as np

from trisynth.errors import InputError
from trisynth.generators.inputs import check_count

# A numeric target is cut into at most this many quantile bins, each with at least this many training rows.
_BINS, _ROWS_PER_BIN = 10, 20
# What becomes of the arrays of a class of few rows, where they are drawn from all rows and where they are not.
_ARRAYS = {
    True: "; they are drawn as all rows are, whatever their class",
    False: "; their arrays may come back almost unchanged: merge such classes, or leave them out",
    None: "",
}


def quantile_bins(y: np.ndarray) -> np.ndarray:
    """Assign each value of a numeric target, shape (n,), to one of its quantile bins, numbered from 0."""
    bins = int(np.clip(len(y) // _ROWS_PER_BIN, 1, _BINS))
    edges = np.unique(np.quantile(y, np.linspace(0, 1, bins + 1)[1:-1]))
    codes = np.searchsorted(edges, y, side="right")
    return np.unique(codes, return_inverse=True)[1]


def rare_classes(
    labels: np.ndarray, counts: np.ndarray, name: object, rare: int, pooled: bool | None, of: str = "rows"
) -> list[str]:
    """Return a sentence about the classes of fewer than ``rare`` rows, or what else is counted, if there are any.

    With ``pooled``, their arrays are drawn from the rows of all classes; it is None where there are no arrays.
    """
    few = [f"{label} ({n})" for label, n in zip(labels, counts, strict=True) if n < rare]
    listed = ", ".join(few[:5]) + (", ..." if len(few) > 5 else "")
    return [f"{name}: classes of fewer than {rare} {of} are kept: {listed}{_ARRAYS[pooled]}"] if few else []


def sources(labels: np.ndarray, rare: int, persons: np.ndarray | None = None) -> list[np.ndarray]:
    """Return the training rows that rows of each label are drawn from.

    They are those of the label. The rows of a label of fewer than ``rare`` rows, or persons, would come back almost
    unchanged, so that all rows are taken.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    rare : int
    persons : ndarray of int, shape (n,), optional
        Number of the person of each row.

    Returns
    -------
    list of ndarray of int
        In the order of the labels.

    Raises
    ------
    InputError
        If all rows are of fewer than ``rare``, too, so that there is nothing to take instead.
    """
    whole, of = (len(labels), "rows") if persons is None else (len(np.unique(persons)), "persons")
    if whole < rare:
        remedy = f"are too few: rows drawn from them would be almost copies; give at least {rare} {of}"
        raise InputError("X", f"{whole} {of}", remedy)
    held = owners(labels, persons)
    return [np.flatnonzero(labels == label) if n >= rare else np.arange(len(labels)) for label, n in enumerate(held)]


def owners(labels: np.ndarray, persons: np.ndarray | None) -> np.ndarray:
    """Count the rows of each label, or the persons where rows belong to such, shape (k,)."""
    return np.bincount(labels if persons is None else np.unique(np.column_stack([labels, persons]), axis=0)[:, 0])


def proportional(n: int, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Label ``n`` rows in the proportions of the training rows, in order.

    Systematic sampling meets the proportions up to one row, and a single row is not always of the largest class.
    """
    check_count(n)
    edges = np.cumsum(counts) / counts.sum() * n + rng.random()
    return np.repeat(np.arange(len(counts)), np.diff(np.floor(edges).astype(int), prepend=0))[:n]


def per_class(n: Mapping, classes: np.ndarray) -> np.ndarray:
    """Label the rows of a request such as ``{"ill": 70}``, in the order of the classes.

    Raises
    ------
    InputError
        If a class does not exist, or a number of rows is not a whole number >= 0.
    """
    # Classes are also found by their text, so that a command line can name the class 1 as "1".
    by_text = {str(label): i for i, label in enumerate(classes)}
    # 1.0 and true are the class 1, too.
    by_value = dict(zip(classes.tolist(), range(len(classes)), strict=True))
    counts = [0] * len(classes)
    for label, count in n.items():
        place = by_text.get(str(label), by_value.get(label))
        if place is None:
            remedy = f"no training row has the class {label!r}; classes: {', '.join(by_text)}, named as in the table"
            raise InputError("n", dict(n), remedy)
        check_count(count)
        counts[place] += int(count)
    return np.repeat(np.arange(len(classes)), counts)
