"""Draws from many categorical laws at once, in constant time each (Walker 1977; Vose 1991)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AliasTable:
    """One law per row, cut into equal cells of at most two outcomes each.

    Parameters
    ----------
    cut : ndarray of float, shape (rows, size)
        Share of the cell that belongs to its own outcome.
    other : ndarray of int, shape (rows, size)
        Outcome that the rest of the cell belongs to.
    """

    cut: np.ndarray
    other: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray) -> "AliasTable":
        """Tables of laws proportional to ``weights``, shape (rows, size), non-negative."""
        rows, size = weights.shape
        excess = weights.astype(float) * (size / weights.sum(axis=1, keepdims=True))
        order = np.argsort(excess, axis=1)
        every = np.arange(rows)
        cut, other = np.ones((rows, size)), np.tile(np.arange(size, dtype=np.int32), (rows, 1))
        # Sweep from both ends of the sorted cells: the open small cell is filled up by the open large one, which
        # becomes the small one once it has given so much that it is small itself.
        low, high = np.zeros(rows, int), np.full(rows, size - 1)
        small = order[:, 0]
        for _ in range(size - 1):
            large = order[every, high]
            need = 1.0 - excess[every, small]
            open_ = (low < high) & (need > 0)
            cut[every, small] = np.where(open_, excess[every, small], 1.0)
            other[every, small] = np.where(open_, large, small)
            excess[every, large] -= np.where(open_, need, 0.0)
            spent = open_ & (excess[every, large] < 1.0)
            high -= spent
            low += ~spent
            small = np.where(spent, large, order[every, np.minimum(low, size - 1)])
        return cls(cut.astype(np.float32), other.astype(np.min_scalar_type(size - 1)))

    def draw(self, rows: np.ndarray, rng: np.random.Generator, evenly: bool = False) -> np.ndarray:
        """An outcome of the law of each of ``rows``, shape (n,): independent ones, or ``evenly`` spread ones.

        The draws of a law that are spread evenly take one place in each of as many equal parts of its cells (stratified
        sampling). Each follows the law as any other draw does, but together they meet its shares more closely.
        """
        size = self.cut.shape[1]
        place = self._spread(rows, rng) if evenly else rng.random(len(rows), dtype=np.float32)
        place *= size
        own = place.astype(np.int32)
        np.minimum(own, size - 1, out=own)
        place -= own
        cell = rows * np.int32(size) + own
        return np.where(place < self.cut.ravel().take(cell), own, self.other.ravel().take(cell))

    def _spread(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Numbers from 0 to 1, shape (n,); those of equal ``rows`` lie one in each of as many equal parts."""
        laws = len(self.cut)
        order = rng.permutation(len(rows))
        # numpy sorts short whole numbers by their digits, in linear time.
        order = order[np.argsort(rows[order].astype(np.min_scalar_type(laws - 1)), kind="stable")]
        counts = np.bincount(rows, minlength=laws)
        rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = np.empty(len(rows), np.float32)
        place[order] = (rank + rng.random(len(rows))) / np.repeat(counts, counts)
        return place
