"""Distribution of one column within each leaf of a tree, from the training rows that fell into it."""

from dataclasses import dataclass

import numpy as np

from trisynth.encoders.point_masses import point_masses
from trisynth.generators.draws import uniform_by_group

# A number held by fewer training rows is interpolated, never repeated.
_LEAST = 5


@dataclass(frozen=True)
class Codes:
    """Codes of a category, or any whole numbers, by leaf.

    Parameters
    ----------
    start : ndarray of float, shape (leaves + 1,)
        Weight of the training rows before each leaf.
    end : ndarray of float, shape (donors,)
        Cumulative weight of the donors: the distinct codes of each leaf, in order of leaf and code.
    code : ndarray of int, shape (donors,)
    """

    start: np.ndarray
    end: np.ndarray
    code: np.ndarray

    @classmethod
    def learn(cls, leaf: np.ndarray, code: np.ndarray, weights: np.ndarray) -> "Codes":
        """Collect the codes of training rows; all arrays have the shape (n,), and every leaf has rows."""
        order = np.lexsort([code, leaf])
        leaf, code, weights = leaf[order], code[order], weights[order]
        first = np.flatnonzero(np.r_[True, (np.diff(leaf) > 0) | (np.diff(code) > 0)])
        end = np.cumsum(np.add.reduceat(weights, first))
        start = np.r_[0.0, end][np.searchsorted(leaf[first], np.arange(leaf[-1] + 2))]
        return cls(start, end, code[first])

    def donor(self, leaf: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Return the donor for each leaf and uniform number, both of shape (n,)."""
        place = self.start[leaf] + uniform * (self.start[leaf + 1] - self.start[leaf])
        # Rounding must not reach into the next leaf.
        return np.minimum(
            np.searchsorted(self.end, place, side="right"), np.searchsorted(self.end, self.start[leaf + 1])
        )

    def draw(self, leaf: np.ndarray, rng: np.random.Generator, even: bool = False) -> np.ndarray:
        """Draw one code for each leaf of shape (n,)."""
        return self.code[self.donor(leaf, uniform_by_group(leaf, rng, even))]


@dataclass(frozen=True)
class Numbers:
    """Numbers by leaf, drawn between the neighbouring values of a leaf.

    A value of at least five training rows is a point mass and is drawn as it is. Any other is drawn between its
    neighbours in the leaf, evenly in ranks: the quantile function of the column turns a rank into a number, so that
    no number falls into a gap of the column.

    Parameters
    ----------
    donors : Codes
        Codes are places among the column's distinct values.
    low, high : ndarray, shape (donors,)
        Ranks that a donor is drawn between; equal for a point mass.
    value : ndarray, shape (donors,)
        Value of a point mass, NaN for other donors.
    knots : ndarray, shape (k,)
        Value of each rank: the distinct values that are not point masses.
    """

    donors: Codes
    low: np.ndarray
    high: np.ndarray
    value: np.ndarray
    knots: np.ndarray

    @classmethod
    def learn(cls, leaf: np.ndarray, values: np.ndarray, weights: np.ndarray) -> "Numbers":
        """Collect the values of training rows, without NaN; all arrays have the shape (n,), every leaf has rows."""
        distinct, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        mass = point_masses(counts) & (counts >= _LEAST)
        donors = Codes.learn(leaf, places, weights)
        rank = (np.cumsum(~mass) - 1).astype(float)[donors.code]
        owner = np.searchsorted(donors.start, donors.end) - 1
        light = np.flatnonzero(~mass[donors.code])
        low, high = rank - 0.5, rank + 0.5
        near = np.flatnonzero(np.diff(owner[light]) == 0)
        middle = (rank[light[near]] + rank[light[near + 1]]) / 2
        high[light[near]], low[light[near + 1]] = middle, middle
        return cls(donors, low, high, np.where(mass, distinct, np.nan)[donors.code], distinct[~mass])

    def draw(self, leaf: np.ndarray, rng: np.random.Generator, even: bool = False) -> np.ndarray:
        """Draw one number for each leaf of shape (n,)."""
        return self.decode(self.donors.donor(leaf, uniform_by_group(leaf, rng, even)), rng)

    def items(self, leaf: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return the donor of each training row, shape (n,), in increasing order of the values of a leaf."""
        places = np.unique(values, return_inverse=True)[1]
        size = places.max() + 1
        owner = np.searchsorted(self.donors.start, self.donors.end) - 1
        return np.searchsorted(owner * size + self.donors.code, leaf.astype(np.int64) * size + places)

    def decode(self, donor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one number for each donor of shape (n,)."""
        numbers = self.value[donor]
        free = np.flatnonzero(np.isnan(numbers))
        if not len(free):
            return numbers
        low, high = self.low[donor[free]], self.high[donor[free]]
        rank = np.abs(low + rng.random(len(free)) * (high - low))
        last = len(self.knots) - 1
        # Ranks beyond the smallest and the largest value are reflected, so that neither is repeated.
        numbers[free] = np.interp(np.where(rank > last, 2 * last - rank, rank), np.arange(last + 1), self.knots)
        return numbers


@dataclass(frozen=True)
class Residuals:
    """Residuals by leaf, drawn between the neighbouring residuals of a leaf.

    Parameters
    ----------
    low, high : ndarray, shape (n,)
        Ends of the interval of each residual, in order of leaf and residual.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def learn(cls, leaf: np.ndarray, residuals: np.ndarray) -> tuple["Residuals", np.ndarray]:
        """Collect the residuals of training rows, arrays of shape (n,); return them and the item of each row."""
        order = np.lexsort([residuals, leaf])
        leaf, sorted_ = leaf[order], residuals[order]
        near = np.flatnonzero(leaf[1:] == leaf[:-1])
        half = (sorted_[near + 1] - sorted_[near]) / 2
        low, high = sorted_.copy(), sorted_.copy()
        # The outermost intervals end half a distance beyond their residual.
        low[near], high[near + 1] = sorted_[near] - half, sorted_[near + 1] + half
        high[near] = low[near + 1] = sorted_[near] + half
        inner = near[np.isin(near, near + 1)]
        low[inner] = high[inner - 1]
        items = np.empty(len(order), dtype=np.int64)
        items[order] = np.arange(len(order))
        return cls(low, high), items

    def decode(self, item: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one residual for each item of shape (n,)."""
        return self.low[item] + rng.random(len(item)) * (self.high[item] - self.low[item])
