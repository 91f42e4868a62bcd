"""Further metrics of arrays: lengths and predictability of series, and the distance of distributions by a kernel."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist, pdist
from scipy.stats import wasserstein_distance

from trisynth import seeds
from trisynth.data import sequences, tensors
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.kinds.arrays import NetworkScore, columns, series, unequal


@dataclass(frozen=True)
class SequenceLength(FidelityMetric):
    """Wasserstein distance of the lengths of synthetic sequences from those of held-out ones, ``length_distance``.

    It is given in standard deviations of the training rows' lengths, and the mean over columns.
    """

    def _score(self, context):
        found = []
        for column in unequal(context) if len(context.synthetic) else ():
            parts = (context.train, context.test, context.synthetic)
            train, real, synthetic = (sequences.lengths(part.X[column.name]) for part in parts)
            found.append(wasserstein_distance(real, synthetic) / (train.std() or 1.0))
        return {"length_distance": float(np.mean(found))} if found else {}


@dataclass(frozen=True)
class PredictiveScore(NetworkScore):
    """Error of a recurrent network that predicts the next step of held-out series and was trained on synthetic ones.

    ``predictive_score`` is the mean absolute error over steps and channels, in standard deviations of the training
    rows, and the mean over ``repeats`` networks (after Yoon et al. 2019, who predict one channel and scale by the
    range). Several series are the mean over their columns; they must be of equal lengths.

    Parameters
    ----------
    repeats : int, default=3
    steps : int, default=300
        Optimiser steps of a network, each on 128 rows.
    max_rows : int, default=2000
        Maximum number of rows of either side.
    """

    def _score(self, context):
        from trisynth.evaluation.networks import fitted_predictor

        found = []
        for column in columns(context) if len(context.synthetic) else ():
            if not column.is_series or column.shape[0] < 2:
                continue
            real, synthetic = (part[: self.max_rows] for part in series(context, column)[1:])
            rng = seeds.stream(context.seed, "metrics.predictive", column.name)
            for _ in range(self.repeats):
                predict = fitted_predictor(synthetic, self.steps, rng)
                found.append(np.abs(predict(real[:, :-1]) - real[:, 1:]).mean())
        return {"predictive_score": float(np.mean(found))} if found else {}


@dataclass(frozen=True)
class KernelDistance(FidelityMetric):
    """Squared maximum mean discrepancy of synthetic and held-out series or images, ``array_mmd``.

    The kernel is Gaussian; its bandwidth is the median distance of training rows, which are not compared (as Esteban et
    al. 2017 fit theirs on another split). The estimate is unbiased (Gretton et al. 2012), so that it is around 0, and
    may be below, where the distributions are equal; it is the mean over columns.

    Parameters
    ----------
    max_rows : int, default=1000
        Maximum number of rows of either side, and of those that give the bandwidth.
    """

    max_rows: int = 1_000

    def __post_init__(self):
        """Check the argument."""
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        found = []
        for column in columns(context) if min(len(context.test), len(context.synthetic)) > 1 else ():
            parts = (context.train, context.test, context.synthetic)
            cells = [tensors.values(part.X[column.name])[: self.max_rows].astype(float) for part in parts]
            found.append(squared_mmd(cells[1], cells[2], np.median(pdist(cells[0])) or 1.0))
        return {"array_mmd": float(np.mean(found))} if found else {}


def squared_mmd(a: np.ndarray, b: np.ndarray, bandwidth: float) -> float:
    """Estimate the squared maximum mean discrepancy of two samples, shape (n, d), under a Gaussian kernel."""

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.exp(-cdist(x, y, "sqeuclidean") / (2 * bandwidth**2))

    def within(x: np.ndarray) -> float:
        return (kernel(x, x).sum() - len(x)) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())
