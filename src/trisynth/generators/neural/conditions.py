"""Conditional vectors and training by sampling (Xu et al. 2019, section 4.3)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


class Conditions:
    """Training by sampling: a discrete column, a category of it, and a row that has it.

    Parameters
    ----------
    codes : ndarray of int, shape (n, columns)
        Category of each row in each discrete column.
    sizes : sequence of int
        Number of categories of each column.
    log_frequency : bool
        Whether a category is drawn by the logarithm of its count, and not by the count.
    """

    def __init__(self, codes: np.ndarray, sizes: Sequence[int], log_frequency: bool):
        self.codes, self.width = codes, int(sum(sizes))
        self.starts = np.cumsum([0, *sizes[:-1]])
        self.rows = np.argsort(codes, axis=0, kind="stable")
        self.counts = [np.bincount(column, minlength=size) for column, size in zip(codes.T, sizes, strict=True)]
        weights = [np.log1p(counts) if log_frequency else counts.astype(float) for counts in self.counts]
        self.cumulative = [np.cumsum(weight) / weight.sum() for weight in weights]

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw columns, categories and rows, each of shape (n,)."""
        column = rng.integers(len(self.starts), size=n)
        category, row = np.empty(n, dtype=int), np.empty(n, dtype=int)
        uniform = rng.random((2, n))
        for i in range(len(self.starts)):
            at = np.flatnonzero(column == i)
            counts = self.counts[i]
            category[at] = chosen = np.searchsorted(self.cumulative[i], uniform[0, at], side="right")
            first = np.cumsum(counts) - counts
            row[at] = self.rows[first[chosen] + (uniform[1, at] * counts[chosen]).astype(int), i]
        return column, category, row

    def vector(self, column: np.ndarray | int, category: np.ndarray) -> Tensor:
        """Return conditional vectors, shape (n, width): one indicator of all columns' categories is 1."""
        place = torch.from_numpy(np.asarray(self.starts[column] + category))
        return functional.one_hot(place, self.width).float()


def condition_loss(raw: Tensor, spans: Sequence[tuple[int, int]], column: np.ndarray, category: np.ndarray) -> Tensor:
    """Return the cross-entropy of the condition's category in its column, averaged over rows of raw outputs."""
    total = raw.new_zeros(())
    for i, (start, stop) in enumerate(spans):
        rows = torch.from_numpy(np.flatnonzero(column == i)).to(raw.device)
        target = torch.from_numpy(category[column == i]).to(raw.device)
        total = total + functional.cross_entropy(raw[rows, start:stop], target, reduction="sum")
    return total / len(raw)
