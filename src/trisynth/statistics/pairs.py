"""Pairs on several data sets: mean gains, win rates and whether they are chance; each data set counts once.

Seeds of one data set share its rows, so that they are no independent evidence.
"""

import math

import numpy as np
import pandas as pd
from scipy.stats import t, ttest_1samp

from trisynth.statistics.estimates import Estimate


def by_dataset(values: pd.Series) -> Estimate:
    """Mean over data sets of the mean within each, with a 95 % t interval over the data sets."""
    means = values.groupby(level="dataset", sort=False).mean()
    k = len(means)
    half = float(t.ppf(0.975, k - 1) * means.std(ddof=1) / math.sqrt(k)) if k > 1 else math.nan
    return Estimate(float(means.mean()), half, len(values))


def win_rate(gains: pd.Series) -> Estimate:
    """Share of positive gains, ties one half, the mean over data sets, with a 95 % interval.

    Wilson's score interval (1927), which is not empty where all pairs are won, with t quantiles for the number of
    data sets k and as many independent pairs as the spread between data sets allows: at least k, at most all. Its
    longer arm is reported for both.
    """
    rates = ((np.sign(gains) + 1) / 2).groupby(level="dataset", sort=False).mean()
    k, p = len(rates), float(rates.mean())
    if k < 2:
        return Estimate(p, math.nan, len(gains))
    variance = float(rates.var(ddof=1)) / k
    n = np.clip(p * (1 - p) / variance, k, len(gains)) if variance > 0 else k
    square = float(t.ppf(0.975, k - 1)) ** 2
    centre = (p + square / (2 * n)) / (1 + square / n)
    half = math.sqrt(square * (p * (1 - p) / n + square / (4 * n**2))) / (1 + square / n)
    return Estimate(p, float(half + abs(p - centre)), len(gains))


def p_value(values: pd.Series) -> float:
    """Two-sided t test that the mean over data sets is zero; 1 for a single data set."""
    means = values.groupby(level="dataset", sort=False).mean().to_numpy()
    if len(means) < 2:
        return 1.0
    # Where data sets agree to the last digit there is no spread to test against.
    return float(ttest_1samp(means, 0.0).pvalue) if np.ptp(means) > 0 else float(means[0] == 0)
