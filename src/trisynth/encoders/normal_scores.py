"""Normal scores of numbers with repeated values, which turn a point mass into an interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from trisynth.encoders.point_masses import point_masses

# A column is transformed when repeated values hold at least this fraction of its cells.
_FRACTION = 0.05


@dataclass(frozen=True)
class NormalScores:
    """Normal scores of one number (randomised quantile residuals, Dunn & Smyth 1996).

    A value that holds a fraction of the cells occupies the same fraction of the scale, and each of its cells has a
    random place there. A network whose outputs are slightly blurred still reproduces the value's frequency, whether
    it is the zero of a count, a rounded number or a grid point of the scale.

    Parameters
    ----------
    distinct : ndarray, shape (k,)
        Distinct training values, sorted.
    counts : ndarray of int, shape (k,)
        Cells of each.
    """

    distinct: np.ndarray
    counts: np.ndarray

    @classmethod
    def learn(cls, cells: np.ndarray) -> "NormalScores | None":
        """Learn from ``cells``, shape (n,), without NaN; return None where too few repeat or all are equal."""
        distinct, counts = np.unique(cells, return_counts=True)
        repeated = point_masses(counts)
        if len(distinct) < 2 or counts[repeated].sum() < _FRACTION * len(cells):
            return None
        return cls(distinct, counts)

    def encode(self, cells: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Return scores of training cells, shape (n,), from one uniform number per cell."""
        place = np.searchsorted(self.distinct, cells)
        rank = np.cumsum(self.counts)[place] - uniform * self.counts[place]
        # Scores stay finite, and no further out than those of as many normal draws.
        return special.ndtri(np.clip(rank / self.counts.sum(), 0.5 / len(cells), 1 - 0.5 / len(cells)))

    def decode(self, scores: np.ndarray) -> np.ndarray:
        """Return values of any scores; scores between two values that do not repeat are interpolated."""
        ends = np.cumsum(self.counts)
        repeated = point_masses(self.counts)
        middle = ends - self.counts / 2
        # A repeated value is a flat stretch of the quantile function, any other value one point of it.
        ranks = np.column_stack([np.where(repeated, ends - self.counts, middle), np.where(repeated, ends, middle)])
        return np.interp(special.ndtr(scores) * ends[-1], ranks.ravel(), np.repeat(self.distinct, 2))
