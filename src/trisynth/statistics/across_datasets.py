"""Means, win rates and tests across data sets; each data set counts once.

Seeds of one data set share its rows and are not independent observations, so data sets are the sampling units. Values
are indexed by the level ``dataset`` and any others.
"""

import math

import numpy as np
import pandas as pd
from scipy import special

from trisynth.statistics.estimate import Estimate


def mean_over_datasets(values: pd.Series) -> Estimate:
    """Estimate the mean over data sets of the mean within each, with a 95 % t interval over the data sets."""
    means = values.groupby(level="dataset", sort=False).mean()
    k = len(means)
    half = float(special.stdtrit(k - 1, 0.975) * means.std(ddof=1) / math.sqrt(k)) if k > 1 else math.nan
    return Estimate(float(means.mean()), half, len(values))


def win_rate(differences: pd.Series) -> Estimate:
    """Estimate the fraction of positive differences, the mean over data sets; a tie counts one half.

    The 95 % interval is Wilson's score interval (1927), which is not empty where all pairs are won. It uses t quantiles
    for the number k of data sets, and an effective number of independent pairs derived from the variance between data
    sets, at least k and at most the number of pairs. The longer arm is reported for both sides.
    """
    rates = ((np.sign(differences) + 1) / 2).groupby(level="dataset", sort=False).mean()
    k, p = len(rates), float(rates.mean())
    if k < 2:
        return Estimate(p, math.nan, len(differences))
    variance = float(rates.var(ddof=1)) / k
    n = np.clip(p * (1 - p) / variance, k, len(differences)) if variance > 0 else k
    square = float(special.stdtrit(k - 1, 0.975)) ** 2
    centre = (p + square / (2 * n)) / (1 + square / n)
    half = math.sqrt(square * (p * (1 - p) / n + square / (4 * n**2))) / (1 + square / n)
    return Estimate(p, float(half + abs(p - centre)), len(differences))


def p_value(values: pd.Series) -> float:
    """Test with a two-sided t test that the mean over data sets is zero; 1 for a single data set."""
    # Half a second of imports, which a table of means does not need.
    from scipy.stats import ttest_1samp

    means = values.groupby(level="dataset", sort=False).mean().to_numpy()
    if len(means) < 2:
        return 1.0
    # The t statistic is undefined where all data sets have the same mean.
    return float(ttest_1samp(means, 0.0).pvalue) if np.ptp(means) > 0 else float(means[0] == 0)


def wilcoxon_p(values: pd.Series) -> float:
    """Test with Wilcoxon's two-sided signed-rank test that the means over data sets are symmetric about zero.

    The test is exact where no two means have the same size. 1 for fewer than two data sets, or where all means are 0.
    """
    from scipy.stats import wilcoxon

    means = values.groupby(level="dataset", sort=False).mean().to_numpy()
    return float(wilcoxon(means).pvalue) if len(means) > 1 and means.any() else 1.0


def holm(p_values: pd.Series) -> pd.Series:
    """Adjust p-values for their number by Holm's method (1979), with the index of ``p_values``."""
    ordered = p_values.sort_values(kind="stable")
    factors = np.arange(len(ordered), 0, -1)
    return (ordered * factors).cummax().clip(upper=1.0).reindex(p_values.index)
