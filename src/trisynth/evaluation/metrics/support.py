"""Synthetic rows in the support of the real rows: precision, recall and their levels.

References
----------
Kynkäänniemi et al. (2019), https://arxiv.org/abs/1904.06991; Alaa et al. (2022), https://arxiv.org/abs/2102.08921.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from trisynth import seeds
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import CopyingMetric, FidelityMetric
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.copying import squared_distances

# Levels at which alpha-precision and beta-recall are compared with their ideal values.
_LEVELS = np.linspace(0, 1, 31)[1:-1]


@dataclass(frozen=True)
class SupportPrecision(FidelityMetric):
    """Precision and recall of supports, in the encoder's space without the target.

    A support is estimated by balls around its rows, each up to the k-th neighbour. ``support_precision`` is the
    fraction of synthetic rows in the support of held-out rows, ``support_recall`` the fraction of held-out rows in that
    of synthetic ones. As many rows of both are used; both are left out where these are too few.

    Parameters
    ----------
    n_neighbors : int, default=5
        The k of a ball.
    max_rows : int, default=1000
        Maximum number of rows of either side; the standard error of a fraction is then below 0.016.
    """

    n_neighbors: int = 5
    max_rows: int = 1_000

    def __post_init__(self):
        """Check the arguments."""
        _check(self.n_neighbors, self.max_rows)

    def _score(self, context):
        both = _encoded(context, self.n_neighbors, self.max_rows, "metrics.support")
        if both is None:
            return {}
        real, generated = both
        return {
            "support_precision": inside(generated, real, self.n_neighbors),
            "support_recall": inside(real, generated, self.n_neighbors),
        }


@dataclass(frozen=True)
class AlphaPrecision(FidelityMetric):
    """Alpha-precision and beta-recall, integrated over their levels, in the encoder's space without the target.

    The alpha-support of held-out rows is the ball around their mean that holds the fraction alpha of them; at every
    level, the same fraction of synthetic rows should lie in it. ``alpha_precision`` is one minus twice the mean
    difference. ``beta_recall`` is the same for the fraction of held-out rows whose nearest synthetic row lies in the
    beta-support of the synthetic rows, and is no farther than their k-th held-out neighbour. The reference takes the
    first neighbour, with which fresh rows reach only 0.5; with the fifth they reach about 0.97.

    Parameters
    ----------
    n_neighbors : int, default=5
        The k of the neighbourhood.
    max_rows : int, default=1000
        Maximum number of rows of either side.
    """

    n_neighbors: int = 5
    max_rows: int = 1_000

    def __post_init__(self):
        """Check the arguments."""
        _check(self.n_neighbors, self.max_rows)

    def _score(self, context):
        both = _encoded(context, self.n_neighbors, self.max_rows, "metrics.alpha_precision")
        if both is None:
            return {}
        real, generated = both
        reach = np.quantile(_from_centre(real, real), _LEVELS)
        precision = (_from_centre(generated, real)[:, None] <= reach).mean(axis=0)
        distance, nearest = NearestNeighbors(n_neighbors=1).fit(generated).kneighbors(real)
        near = distance[:, 0] <= _radius(real, self.n_neighbors)
        depth = _from_centre(generated, generated)
        recall = (near[:, None] & (depth[nearest[:, 0], None] <= np.quantile(depth, _LEVELS))).mean(axis=0)
        return {"alpha_precision": _agreement(precision), "beta_recall": _agreement(recall)}


@dataclass(frozen=True)
class Authenticity(CopyingMetric):
    """Fraction of synthetic rows that are farther from their nearest training row than its nearest training row is.

    Copies score 0. ``authenticity_base`` is the score of held-out rows, the value without copying. The encoder's space
    is that of the other copy detectors, without the target, and like them the metric does not establish privacy.

    Parameters
    ----------
    max_rows : int, default=2000
        Maximum number of rows that are scored; the standard error of a fraction is then below 0.012. All training rows
        are compared.
    """

    max_rows: int = 2_000

    def __post_init__(self):
        """Check the argument."""
        require_whole("max_rows", self.max_rows, 1)

    def _score(self, context):
        if len(context.train) < 2 or not len(context.synthetic):
            return {}
        rng = seeds.stream(context.seed, "metrics.authenticity")
        train = context.encoder.transform(context.train.X)
        found = {}
        for name, part in {"authenticity": context.synthetic, "authenticity_base": context.test}.items():
            rows = context.encoder.transform(part.X.iloc[rng.permutation(len(part))[: self.max_rows]])
            found[name] = self._authentic(rows, train)
        return found

    def _authentic(self, rows: np.ndarray, train: np.ndarray) -> float:
        parts = [(squared.argmin(axis=1), squared.min(axis=1)) for squared in squared_distances(rows, train)]
        nearest, distance = (np.concatenate(each) for each in zip(*parts, strict=True))
        # The smallest distance of a training row is that to itself; the second is to another.
        unique, place = np.unique(nearest, return_inverse=True)
        others = [np.partition(squared, 1, axis=1)[:, 1] for squared in squared_distances(train[unique], train)]
        return float((distance > np.concatenate(others)[place]).mean())


def _check(n_neighbors: int, max_rows: int) -> None:
    require_whole("n_neighbors", n_neighbors, 1)
    require_whole("max_rows", max_rows, 2)


def _encoded(context: Context, k: int, most: int, stream: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return as many encoded held-out as synthetic rows, None if they have no k-th neighbour."""
    rng = seeds.stream(context.seed, stream)
    size = min(len(context.test), len(context.synthetic), most)
    if size <= k:
        return None
    chosen = (part.X.iloc[rng.permutation(len(part))[:size]] for part in (context.test, context.synthetic))
    real, generated = (context.encoder.transform(rows) for rows in chosen)
    return real, generated


def _radius(rows: np.ndarray, k: int) -> np.ndarray:
    return NearestNeighbors(n_neighbors=k).fit(rows).kneighbors()[0][:, -1]


def inside(rows: np.ndarray, support: np.ndarray, k: int) -> float:
    """Return the fraction of rows within the ball of some row of the support."""
    radius = _radius(support, k) ** 2
    squared = np.sum(rows**2, axis=1)[:, None] + np.sum(support**2, axis=1) - 2 * rows @ support.T
    # Rounding must not exclude a row that equals the neighbour on the edge.
    return float((squared <= radius + 1e-9).any(axis=1).mean())


def _from_centre(rows: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rows - of.mean(axis=0), axis=1)


def _agreement(fractions: np.ndarray) -> float:
    return float(max(1 - 2 * np.abs(fractions - _LEVELS).mean(), 0.0))
