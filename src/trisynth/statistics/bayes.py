"""Bayesian correlated t test of two methods on one data set, with a region of practical equivalence (ROPE).

References
----------
Corani and Benavoli (2015), https://doi.org/10.1007/s10994-015-5486-z; Benavoli, Corani, Demšar and Zaffalon (2017),
https://jmlr.org/papers/v18/16-305.html. The posterior has a closed form, so that no sampler is needed.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from trisynth.errors import require_number
from trisynth.statistics.resampling import corrected_variance

# Half of the width of the ROPE: a difference of one hundredth of a score.
ROPE = 0.01


@dataclass(frozen=True)
class Posterior:
    """Posterior probabilities of a mean difference.

    Parameters
    ----------
    worse, equivalent, better : float
        Below, within and above the region of practical equivalence; they sum to 1.
    """

    worse: float
    equivalent: float
    better: float


def correlated_t(differences: np.ndarray | pd.Series, test_size: float, rope: float = ROPE) -> Posterior:
    """Compute the posterior of a mean difference over random splits of the same rows.

    It is Student's t with k - 1 degrees of freedom, the mean of the differences, and the corrected variance of Nadeau
    and Bengio as its squared scale: the correlation of two splits is taken as ``test_size``.

    Parameters
    ----------
    differences : array, shape (k,)
        One for each split, at least two. Higher is better.
    test_size : float
        Fraction of the rows that each split tests.
    rope : float, default=0.01
        Differences between ``-rope`` and ``rope`` are practically none.

    Returns
    -------
    Posterior
        NaN for fewer than two splits.
    """
    require_number("rope", rope, 0)
    found = np.asarray(differences, dtype=float)
    if len(found) < 2:
        return Posterior(math.nan, math.nan, math.nan)
    mean = float(found.mean())
    scale = math.sqrt(corrected_variance(found, test_size / (1 - test_size)))
    if scale == 0:
        return Posterior(float(mean < -rope), float(-rope <= mean <= rope), float(mean > rope))
    worse, better = (float(stats.t.sf((rope + sign * mean) / scale, len(found) - 1)) for sign in (1, -1))
    return Posterior(worse, max(1.0 - worse - better, 0.0), better)
