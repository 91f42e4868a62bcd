"""Interquartile mean over data sets with a stratified bootstrap interval.

References
----------
Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice,
https://arxiv.org/abs/2108.13264.
"""

import numpy as np
import pandas as pd
from scipy.stats import trim_mean

from trisynth import seeds
from trisynth.statistics.estimate import Estimate


def interquartile_mean(values: pd.Series, seed: int = 0, repeats: int = 1_000) -> Estimate:
    """Estimate the mean of the middle half of all values; a few extreme data sets do not decide it.

    The 95 % interval is a percentile bootstrap: values of each data set are drawn again from those of the same data
    set. It shows what other seeds on the *same* data sets would give, and is narrower than an interval over data sets;
    with a single value for each data set it is undefined.

    Parameters
    ----------
    values : Series
        With the level ``dataset``, one value for each seed.
    seed : int, default=0
        Seed of the stream ``bootstrap``.
    repeats : int, default=1000

    Returns
    -------
    Estimate
        Half of its width is the longer arm of the interval.
    """
    groups = [part.to_numpy(float) for _, part in values.groupby(level="dataset", sort=False)]
    whole = np.concatenate(groups)
    mean = float(trim_mean(whole, 0.25))
    if max(map(len, groups)) < 2:
        return Estimate(mean, float("nan"), len(whole))
    rng = seeds.stream(seed, "bootstrap")
    drawn = np.hstack([part[rng.integers(len(part), size=(repeats, len(part)))] for part in groups])
    low, high = np.quantile(trim_mean(drawn, 0.25, axis=1), [0.025, 0.975])
    return Estimate(mean, float(max(mean - low, high - mean)), len(whole))
