"""Ranks of several methods over data sets: Friedman's test, Nemenyi's critical difference, and wins.

Every function takes a table of scores, one row per data set and one column per method. Data sets are the sampling
units: average over seeds before. Cells may not be missing: a rank among fewer methods is another rank.

References
----------
Demšar (2006), https://jmlr.org/papers/v7/demsar06a.html; Iman and Davenport (1980) for the F statistic.
"""

import math

import numpy as np
import pandas as pd
from scipy import stats

from trisynth.errors import InputError


def complete(scores: pd.DataFrame) -> pd.DataFrame:
    """Check that scores can be ranked: at least two methods and two data sets, and no missing cell.

    Raises
    ------
    InputError
        It names the first data set and method that lack a score.
    """
    missing = scores.isna()
    if missing.any(axis=None):
        row, column = np.argwhere(missing.to_numpy())[0]
        dataset, method = scores.index[row], scores.columns[column]
        remedy = f"has no score of {method} ({int(missing.to_numpy().sum())} missing in all); leave out one of the two"
        raise InputError("dataset", dataset, remedy)
    if min(scores.shape) < 2:
        raise InputError("scores", f"{len(scores)} x {scores.shape[1]}", "must have two data sets and two methods")
    return scores


def ranks(scores: pd.DataFrame, lower_is_better: bool = False) -> pd.DataFrame:
    """Rank the methods on each data set, 1 the best; ties have their mean rank."""
    return complete(scores).rank(axis=1, ascending=lower_is_better)


def friedman(scores: pd.DataFrame) -> tuple[float, float]:
    """Test that all methods have the same mean rank; return the F statistic of Iman and Davenport and its p-value."""
    found = ranks(scores)
    n, k = found.shape
    means = found.mean().to_numpy()
    # Ties reduce the variance of the ranks: it is taken from the ranks themselves (Conover 1999).
    variance = float((found.to_numpy() ** 2).sum() - n * k * (k + 1) ** 2 / 4)
    if variance <= 0:
        return 0.0, 1.0
    chi2 = (k - 1) * n**2 * float(((means - (k + 1) / 2) ** 2).sum()) / variance
    if chi2 >= n * (k - 1) - 1e-9:
        return math.inf, 0.0
    f = (n - 1) * chi2 / (n * (k - 1) - chi2)
    return f, float(stats.f.sf(f, k - 1, (k - 1) * (n - 1)))


def critical_difference(methods: int, datasets: int, level: float = 0.05) -> float:
    """Compute the difference of two mean ranks that Nemenyi's test calls significant at ``level``."""
    quantile = float(stats.studentized_range.ppf(1 - level, methods, np.inf))
    return quantile / math.sqrt(2) * math.sqrt(methods * (methods + 1) / (6 * datasets))


def groups(means: pd.Series, difference: float) -> list[list[str]]:
    """List the largest groups of methods whose mean ranks differ by less than the critical difference."""
    ordered = means.sort_values(kind="stable")
    found: list[list[str]] = []
    for first in range(len(ordered)):
        near = ordered.index[first:][(ordered.iloc[first:] - ordered.iloc[first] < difference).to_numpy()]
        if len(near) > 1 and not (found and set(near) <= set(found[-1])):
            found.append(list(near))
    return found


def wins(differences: pd.Series, rope: float = 0.0) -> tuple[int, int, int]:
    """Count the data sets of which the difference is above, within and below ``-rope`` to ``rope``."""
    return int((differences > rope).sum()), int((differences.abs() <= rope).sum()), int((differences < -rope).sum())
