"""Means of resampled scores: splits of one data set share training rows, and the variance allows for it.

References
----------
Nadeau and Bengio (2003), Inference for the generalization error, https://doi.org/10.1023/A:1024068626366; for repeated
cross-validation Bouckaert and Frank (2004), https://doi.org/10.1007/978-3-540-24775-3_3.
"""

import math

import numpy as np
import pandas as pd
from scipy import special

from trisynth.statistics.estimate import Estimate


def corrected_variance(scores: np.ndarray | pd.Series, test_train_ratio: float) -> float:
    """Estimate the variance of the mean of k scores, one for each random split of the same rows.

    The usual s² / k is too small where training sets overlap; the corrected variance is s² (1 / k + n_test / n_train).

    Parameters
    ----------
    scores : array, shape (k,)
        At least two.
    test_train_ratio : float
        Test rows per training row, n_test / n_train.

    Returns
    -------
    float
    """
    return float(np.var(np.asarray(scores, dtype=float), ddof=1) * (1 / len(scores) + test_train_ratio))


def estimate(scores: np.ndarray | pd.Series, test_size: float, confidence: float = 0.95) -> Estimate:
    """Estimate a mean with its corrected resampled t interval, with k - 1 degrees of freedom.

    Parameters
    ----------
    scores : array, shape (k,)
        One score per split.
    test_size : float
        Fraction of the rows that each split tests.
    confidence : float
        Of the two-sided interval.

    Returns
    -------
    Estimate
        The interval of a single score is undefined.
    """
    scores = np.asarray(scores, dtype=float)
    k = len(scores)
    if k < 2:
        return Estimate(float(scores.mean()), math.nan, k)
    error = math.sqrt(corrected_variance(scores, test_size / (1 - test_size)))
    return Estimate(float(scores.mean()), float(special.stdtrit(k - 1, (1 + confidence) / 2) * error), k)


def difference(one: pd.Series, other: pd.Series, test_size: float) -> Estimate:
    """Estimate ``one - other``, paired by index over the splits that both have."""
    both = one.index.intersection(other.index)
    return estimate(one[both] - other[both], test_size) if len(both) else Estimate(math.nan, math.nan, 0)


def p_value(differences: np.ndarray | pd.Series, test_size: float) -> float:
    """Test with the corrected resampled t test, two-sided, that the mean difference over splits is zero.

    1 for fewer than two splits, or where all differences are 0.
    """
    found = estimate(differences, test_size)
    if found.count < 2:
        return 1.0
    error = math.sqrt(corrected_variance(differences, test_size / (1 - test_size)))
    if error == 0:
        return float(found.mean == 0)
    return float(2 * special.stdtr(found.count - 1, -abs(found.mean) / error))
