"""Normal scores of a column, and the way back to its values."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

# A number held by fewer training rows is interpolated, never repeated.
MASS = 5
# Scores of the ends of a column that begins or ends with a point mass.
_REACH = 8.0


@dataclass(frozen=True)
class NormalScores:
    """Standard normal quantiles of the ranks of one column.

    A value has the interval of ranks of its rows. A value of at least five rows is a point mass: every score in its
    interval stands for it. Any other is one score, in the middle of its interval, and scores in between stand for
    numbers between neighbouring values.

    Parameters
    ----------
    values : ndarray, shape (k,)
        Distinct values, in increasing order.
    middle : ndarray, shape (k,)
        Score of each value.
    scores, levels : ndarray, shape (knots,)
        Knots of the quantile function: scores, and the values at them.
    """

    values: np.ndarray
    middle: np.ndarray
    scores: np.ndarray
    levels: np.ndarray

    @classmethod
    def learn(cls, cells: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> tuple["NormalScores", tuple]:
        """Learn from training cells without NaN.

        Parameters
        ----------
        cells, weights : ndarray, shape (n,)
        rng : Generator
            Breaks ties.

        Returns
        -------
        NormalScores
        tuple of ndarray, shape (n,)
            Score of each cell with ties broken at random, and number of rows that hold its value.
        """
        values, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
        upper = np.cumsum(np.bincount(place, weights))
        lower, upper = np.r_[0.0, upper[:-1]] / upper[-1], upper / upper[-1]
        middle = ndtri((lower + upper) / 2)
        mass = counts >= MASS
        ends = np.column_stack([np.where(mass, ndtri(lower), middle), np.where(mass, ndtri(upper), middle)])
        knots = np.clip(ends[np.column_stack([np.ones_like(mass), mass])], -_REACH, _REACH)
        spread = np.where(counts > 1, upper - lower, 0.0)[place] * (rng.random(len(cells)) - 0.5)
        scores = ndtri(np.clip((lower + upper)[place] / 2 + spread, 1e-12, 1 - 1e-12))
        return cls(values, middle, knots, np.repeat(values, 1 + mass)), (scores, counts[place])

    def of(self, cells: np.ndarray) -> np.ndarray:
        """Return the scores of numbers, shape (n,), interpolated between those of the training values."""
        return np.interp(cells, self.values, self.middle)

    def restore(self, scores: np.ndarray) -> np.ndarray:
        """Return the numbers of scores, shape (n,); those beyond the first or last value are reflected."""
        low, high = self.scores[0], self.scores[-1]
        scores = np.where(scores < low, np.minimum(2 * low - scores, high), scores)
        scores = np.where(scores > high, np.maximum(2 * high - scores, low), scores)
        return np.interp(scores, self.scores, self.levels)
