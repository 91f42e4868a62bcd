"""Numbers with repeated values as normal scores of their ranks, so that a spike is a stretch and not a point."""

from dataclasses import dataclass

import numpy as np
from scipy import special

# A value that comes this often is one that repeats.
_REPEATS = 3
# A column is treated as repeating when such values hold at least this share of its cells.
_SHARE = 0.05


@dataclass(frozen=True)
class Ranks:
    """Normal scores of one number (randomised quantile residuals, Dunn & Smyth 1996).

    A value that holds a share of the cells takes as much of the scale, and each of its cells a random place there. A
    network that smears its outputs a little still gives the value its share, whether it is the zero of a count, a
    favourite digit or a step of the scale.

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
    def learn(cls, cells: np.ndarray) -> "Ranks | None":
        """Ranks of ``cells``, shape (n,), without NaN; None where too few of them repeat, or nothing else is there."""
        distinct, counts = np.unique(cells, return_counts=True)
        repeating = counts >= _REPEATS
        if len(distinct) < 2 or counts[repeating].sum() < _SHARE * len(cells):
            return None
        return cls(distinct, counts)

    def encode(self, cells: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Scores of training cells, shape (n,), by one uniform number per cell."""
        place = np.searchsorted(self.distinct, cells)
        rank = np.cumsum(self.counts)[place] - uniform * self.counts[place]
        # Scores stay finite, and no further out than those of so many normal draws.
        return special.ndtri(np.clip(rank / self.counts.sum(), 0.5 / len(cells), 1 - 0.5 / len(cells)))

    def decode(self, scores: np.ndarray) -> np.ndarray:
        """Values of any scores; between values that do not repeat there are others."""
        ends = np.cumsum(self.counts)
        repeating = self.counts >= _REPEATS
        middle = ends - self.counts / 2
        # A repeating value is a flat stretch of the quantile function, any other one point of it.
        ranks = np.column_stack([np.where(repeating, ends - self.counts, middle), np.where(repeating, ends, middle)])
        return np.interp(special.ndtr(scores) * ends[-1], ranks.ravel(), np.repeat(self.distinct, 2))
