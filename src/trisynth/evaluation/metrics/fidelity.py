"""Distances between the distributions of synthetic and real held-out rows; 0 is a perfect match throughout.

Scales and bins come from the training rows. A score without a column of its kind is left out of the result. A score
can only be interpreted between its floor and its ceiling, which ``references`` gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import wasserstein_distance

from trisynth.errors import InputError, require_number, require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.context import N_BINS, Context
from trisynth.statistics.dependence import association_matrix, pairs


@dataclass(frozen=True)
class Moments(FidelityMetric):
    """Differences of means, variances and fractions of missing cells, each averaged over columns.

    ``standardized_mean_difference`` is |mean difference| / standard deviation and ``variance_gap``
    |variance difference| / variance, over numbers; ``missing_gap`` is the difference of the fractions of missing cells,
    over all columns.
    """

    def _score(self, context):
        _, real, synthetic = context.tables
        found = {"missing_gap": float((real.isna().mean() - synthetic.isna().mean()).abs().mean())}
        both = list(_present(context))
        if both:
            means = [abs(a.mean() - b.mean()) for a, b in both]
            variances = [abs(a.var() - b.var()) for a, b in both]
            found |= {"standardized_mean_difference": float(np.mean(means)), "variance_gap": float(np.mean(variances))}
        return found


@dataclass(frozen=True)
class Distances(FidelityMetric):
    """Distances between the marginal distributions, averaged over columns.

    ``ks`` is the Kolmogorov-Smirnov statistic and ``wasserstein`` the 1-Wasserstein distance in standard deviations,
    both over the present cells of numbers; ``tv`` is the total variation distance of categories, a missing cell
    being one of them.
    """

    def _score(self, context):
        both = list(_present(context))
        found = {}
        if both:
            found["ks"] = float(np.mean([ks(a, b) for a, b in both]))
            found["wasserstein"] = float(np.mean([wasserstein_distance(a, b) for a, b in both]))
        if context.categories:
            frequencies = [_frequencies(context, name) for name in context.categories]
            found["tv"] = float(np.mean([np.abs(p - q).sum() / 2 for p, q in frequencies]))
        return found


@dataclass(frozen=True)
class Divergences(FidelityMetric):
    """Kullback-Leibler divergence of real from synthetic in nats, and Jensen-Shannon divergence in bits, by column.

    Missing cells have a bin of their own. Jensen-Shannon lies between 0 and 1.

    Parameters
    ----------
    n_bins : int, default=20
        Numbers are cut at this many quantiles of the training rows.
    smoothing : float, default=0.5
        Pseudo-count of each bin, which keeps the divergence finite; the default is Jeffreys'.
    """

    n_bins: int = N_BINS
    smoothing: float = 0.5

    def __post_init__(self):
        """Check the arguments."""
        require_whole("n_bins", self.n_bins, 2)
        require_number("smoothing", self.smoothing, 0)
        if not self.smoothing:
            raise InputError(
                "smoothing", self.smoothing, "must be above 0; otherwise an empty bin makes the divergence infinite"
            )

    def _score(self, context):
        bins = [_frequencies(context, name, self.smoothing, self.n_bins) for name in context.tables[0]]
        return {"kl": float(np.mean([kl(p, q) for p, q in bins])), "js": float(np.mean([js(p, q) for p, q in bins]))}


@dataclass(frozen=True)
class Correlation(FidelityMetric):
    """Mean absolute difference of the association of all pairs of columns, ``correlation_gap``.

    Weak pairs and the target are included; see ``association_matrix``. The score is not defined for a single column.
    """

    def _score(self, context):
        _, real, synthetic = context.tables
        if real.shape[1] < 2:
            return {}
        gaps = pairs(association_matrix(real)) - pairs(association_matrix(synthetic))
        return {"correlation_gap": float(np.abs(gaps).mean())}


def ks(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the Kolmogorov-Smirnov statistic: the largest difference of the distribution functions of two samples."""
    # scipy's test computes a p-value along with it, which takes longer and fails on single rows.
    points = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(sample), points, side="right") / len(sample) for sample in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def kl(p: np.ndarray, q: np.ndarray) -> float:
    """Compute the Kullback-Leibler divergence sum p log(p / q) of two distributions, in nats; q > 0 where p > 0."""
    some = p > 0
    return float(np.sum(p[some] * np.log(p[some] / q[some])))


def js(p: np.ndarray, q: np.ndarray) -> float:
    """Compute the Jensen-Shannon divergence of two distributions (Lin 1991), in bits."""
    middle = (p + q) / 2
    return (kl(p, middle) + kl(q, middle)) / (2 * np.log(2))


def _present(context: Context) -> Iterator[list[np.ndarray]]:
    """Yield pairs of real and synthetic cells of each number, in standard deviations, where both have any."""
    _, real, synthetic = context.tables
    for name in context.numbers:
        both = [table[name].dropna().to_numpy() / context.scales[name] for table in (real, synthetic)]
        if len(both[0]) and len(both[1]):
            yield both


def _frequencies(
    context: Context, name: str, smoothing: float = 0.0, n_bins: int = N_BINS
) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for table in context.tables[1:]:
        codes, size = context.bins(name, table, n_bins)
        counts = np.bincount(codes, minlength=size) + smoothing
        found.append(counts / counts.sum())
    return found[0], found[1]
