"""Draws from the leaves of a tree: from the training rows of the own label where there are enough, evenly."""

from dataclasses import dataclass

import numpy as np

from trisynth.generators.draws import uniform_by_group
from trisynth.generators.trees.donors import Codes


@dataclass(frozen=True)
class Draws:
    """Items of training rows by leaf, and by leaf and label.

    In a leaf with training rows of weight w that have the label of the row, the draw is from these with probability
    w / (w + strength), and from all rows of the leaf otherwise.

    Parameters
    ----------
    leaves : Codes
        Items by leaf.
    own : Codes or None
        Items by cell, a leaf and label that training rows have; None where labels have no part.
    cells : ndarray of int, shape (cells,)
        ``leaf * classes + label``, increasing.
    weight : ndarray, shape (cells,)
    classes : int
    strength : float
    """

    leaves: Codes
    own: Codes | None
    cells: np.ndarray
    weight: np.ndarray
    classes: int
    strength: float

    @classmethod
    def learn(
        cls, leaf: np.ndarray, items: np.ndarray, weights: np.ndarray, labels: np.ndarray | None, strength: float
    ) -> "Draws":
        """Collect the items of training rows, arrays of shape (n,); items of a leaf are ordered by their value."""
        leaves = Codes.learn(leaf, items, weights)
        if labels is None:
            return cls(leaves, None, np.empty(0, int), np.empty(0), 1, strength)
        classes = int(labels.max()) + 1
        cells, cell = np.unique(leaf.astype(np.int64) * classes + labels, return_inverse=True)
        return cls(leaves, Codes.learn(cell, items, weights), cells, np.bincount(cell, weights), classes, strength)

    def draw(self, leaf: np.ndarray, labels: np.ndarray, rng: np.random.Generator, even: bool = True) -> np.ndarray:
        """Draw one item for each leaf and label, arrays of shape (n,)."""
        if self.own is None:
            return self.leaves.code[self.leaves.donor(leaf, uniform_by_group(leaf, rng, even))]
        key = leaf.astype(np.int64) * self.classes + labels
        cell = np.minimum(np.searchsorted(self.cells, key), len(self.cells) - 1)
        weight = np.where((self.cells[cell] == key) & (labels < self.classes), self.weight[cell], 0.0)
        mine = rng.random(len(leaf)) * (weight + self.strength) < weight
        found = np.empty(len(leaf), dtype=np.int64)
        for codes, groups, rows in ((self.own, cell, mine), (self.leaves, leaf, ~mine)):
            if rows.any():
                found[rows] = codes.code[codes.donor(groups[rows], uniform_by_group(groups[rows], rng, even))]
        return found
