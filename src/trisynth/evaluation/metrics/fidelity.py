"""How near the synthetic rows' law is to the real one, against held-out rows; 0 is a perfect match throughout.

Scales and bins come from the training rows. A metric without a column of its kind is left out of the result. No
score means anything alone: see ``reference`` for its floor and its ceiling.
"""

import numpy as np
from scipy.stats import wasserstein_distance

from trisynth.evaluation.metrics.association import association_matrix, pairs
from trisynth.evaluation.metrics.context import Context

# Jeffreys' pseudo-count: an empty bin does not make the divergence infinite.
_SMOOTHING = 0.5


def moments(context: Context) -> dict[str, float]:
    """Differences of means, variances and missing shares, each averaged over columns.

    ``standardized_mean_difference`` is |mean difference| / standard deviation, ``variance_gap``
    |variance difference| / variance, over numbers; ``missing_gap`` is the difference of the fractions of missing cells,
    over all columns.

    Parameters
    ----------
    context : Context

    Returns
    -------
    dict of str to float
    """
    _, real, synthetic = context.tables
    found = {"missing_gap": float((real.isna().mean() - synthetic.isna().mean()).abs().mean())}
    both = list(_present(context))
    if both:
        means = [abs(a.mean() - b.mean()) for a, b in both]
        variances = [abs(a.var() - b.var()) for a, b in both]
        found |= {"standardized_mean_difference": float(np.mean(means)), "variance_gap": float(np.mean(variances))}
    return found


def distances(context: Context) -> dict[str, float]:
    """Distances of one column's law, averaged over columns.

    ``ks`` is the Kolmogorov-Smirnov statistic and ``wasserstein`` the 1-Wasserstein distance in standard deviations,
    both over the present cells of numbers; ``tv`` is the total variation distance of categories, a missing cell
    being one of them.

    Parameters
    ----------
    context : Context

    Returns
    -------
    dict of str to float
    """
    both = list(_present(context))
    found = {}
    if both:
        found["ks"] = float(np.mean([ks(a, b) for a, b in both]))
        found["wasserstein"] = float(np.mean([wasserstein_distance(a, b) for a, b in both]))
    if context.categories:
        shares = [_shares(context, name, smoothing=0.0) for name in context.categories]
        found["tv"] = float(np.mean([np.abs(p - q).sum() / 2 for p, q in shares]))
    return found


def divergences(context: Context) -> dict[str, float]:
    """Kullback-Leibler divergence of real from synthetic in nats, and Jensen-Shannon divergence in bits, by column.

    Numbers are cut at the quantiles of the training rows, missing cells have a bin of their own, and every bin gets
    half a pseudo-count. Jensen-Shannon lies between 0 and 1.

    Parameters
    ----------
    context : Context

    Returns
    -------
    dict of str to float
    """
    shares = [_shares(context, name, _SMOOTHING) for name in context.tables[0]]
    return {"kl": float(np.mean([kl(p, q) for p, q in shares])), "js": float(np.mean([js(p, q) for p, q in shares]))}


def correlation(context: Context) -> dict[str, float]:
    """Mean absolute difference of the association of all pairs of columns, weak pairs and the target included.

    Parameters
    ----------
    context : Context

    Returns
    -------
    dict of str to float
        ``correlation_gap``; empty for a table of one column.
    """
    _, real, synthetic = context.tables
    if real.shape[1] < 2:
        return {}
    gaps = pairs(association_matrix(real)) - pairs(association_matrix(synthetic))
    return {"correlation_gap": float(np.abs(gaps).mean())}


def ks(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov-Smirnov statistic: the largest difference of the distribution functions of two samples."""
    # scipy's test computes a p-value along with it, which takes longer and fails on single rows.
    points = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(sample), points, side="right") / len(sample) for sample in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def kl(p: np.ndarray, q: np.ndarray) -> float:
    """Kullback-Leibler divergence sum p log(p / q) of two distributions, in nats; q > 0 where p > 0."""
    some = p > 0
    return float(np.sum(p[some] * np.log(p[some] / q[some])))


def js(p: np.ndarray, q: np.ndarray) -> float:
    """Jensen-Shannon divergence of two distributions (Lin 1991), in bits."""
    middle = (p + q) / 2
    return (kl(p, middle) + kl(q, middle)) / (2 * np.log(2))


def _present(context: Context):
    """Pairs of real and synthetic cells of each number, in standard deviations, where both have any."""
    _, real, synthetic = context.tables
    for name in context.numbers:
        both = [table[name].dropna().to_numpy() / context.scales[name] for table in (real, synthetic)]
        if len(both[0]) and len(both[1]):
            yield both


def _shares(context: Context, name: str, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    shares = []
    for table in context.tables[1:]:
        codes, size = context.bins(name, table)
        counts = np.bincount(codes, minlength=size) + smoothing
        shares.append(counts / counts.sum())
    return shares[0], shares[1]
