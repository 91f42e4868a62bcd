"""Repeated numbers: columns of few values, and point masses of columns that are otherwise continuous."""

import numpy as np

# A value that occurs this often is a repeated one.
REPEATS = 3


def is_discrete(cells: int, distinct: int, most: float = np.inf, repeats: float = REPEATS) -> bool:
    """Decide whether a column is discrete: all of its values are repeated and are modelled as they are.

    Parameters
    ----------
    cells, distinct : int
        Number of cells that are not missing, and of distinct values among them.
    most : float
        Largest number of distinct values.
    repeats : float
        Mean number of cells per value that is needed.
    """
    return distinct <= most and cells >= repeats * distinct


def point_masses(counts: np.ndarray, fractions: np.ndarray | None = None, least: float = 0.0) -> np.ndarray:
    """Mark the distinct values of a column that are point masses, which a density would smear.

    Parameters
    ----------
    counts : ndarray of int, shape (distinct,)
        Cells of each value.
    fractions : ndarray, shape (distinct,), optional
        Fraction of the column that each value stands for; ``counts`` over their sum by default.
    least : float
        Smallest fraction of a point mass.

    Returns
    -------
    ndarray of bool, shape (distinct,)
    """
    if fractions is None:
        fractions = counts / max(counts.sum(), 1)
    return (counts >= REPEATS) & (fractions >= least)
