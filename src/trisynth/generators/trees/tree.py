"""One decision tree as arrays: saved without pickle, and applied to many rows at once."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tree:
    """Splits of one tree; all arrays have the shape (nodes,), and node 0 is the root.

    Parameters
    ----------
    feature : ndarray of int
        Feature that a node splits on, -1 for a leaf.
    threshold : ndarray of float
        Rows whose feature is at most this go left.
    left, right : ndarray of int
        Children of a node; for a leaf, ``left`` is its number among the leaves.
    missing_left : ndarray of bool
        Whether rows without the feature go left.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray

    @classmethod
    def of(cls, tree) -> "Tree":
        """Copy the splits of a fitted ``sklearn.tree._tree.Tree``."""
        inner = tree.children_left >= 0
        left = np.where(inner, tree.children_left, np.cumsum(~inner) - 1)
        feature = np.where(inner, tree.feature, -1).astype(np.int32)
        missing_left = tree.missing_go_to_left.astype(bool)
        return cls(feature, tree.threshold, left.astype(np.int32), tree.children_right.astype(np.int32), missing_left)

    @classmethod
    def cut(cls, tree, ends: np.ndarray) -> "Tree":
        """Copy the splits of a fitted tree down to the nodes ``ends``, at which rows of each node end."""
        kept = np.flatnonzero(ends == np.arange(tree.node_count))
        # An end is a leaf: nodes below it end there, too.
        leaf = (tree.children_left[kept] < 0) | (ends[tree.children_left[kept]] == kept)
        number = np.zeros(tree.node_count, dtype=np.int32)
        number[kept] = np.arange(len(kept))
        left = np.where(leaf, np.cumsum(leaf) - 1, number[tree.children_left[kept]])
        right = np.where(leaf, 0, number[tree.children_right[kept]])
        feature = np.where(leaf, -1, tree.feature[kept]).astype(np.int32)
        missing_left = tree.missing_go_to_left[kept].astype(bool)
        return cls(feature, tree.threshold[kept], left.astype(np.int32), right.astype(np.int32), missing_left)

    @classmethod
    def root(cls) -> "Tree":
        """Return the tree of a single leaf."""
        node = np.zeros(1, dtype=np.int32)
        return cls(node - 1, np.zeros(1), node, node, np.zeros(1, dtype=bool))

    @property
    def features(self) -> np.ndarray:
        """Features that some node splits on, in increasing order."""
        return np.unique(self.feature[self.feature >= 0])

    def apply(self, features: np.ndarray) -> np.ndarray:
        """Return the leaf of each row, numbered from 0.

        Parameters
        ----------
        features : ndarray of float32, shape (d, n)
            One row per feature, NaN where it is missing.

        Returns
        -------
        ndarray of int, shape (n,)
        """
        node = np.zeros(features.shape[1], dtype=np.int32)
        rows = np.arange(len(node)) if self.feature[0] >= 0 else np.empty(0, dtype=np.intp)
        while len(rows):
            at = node[rows]
            cells = features[self.feature[at], rows]
            left = cells <= self.threshold[at]
            missing = np.isnan(cells)
            if missing.any():
                left[missing] = self.missing_left[at[missing]]
            at = np.where(left, self.left[at], self.right[at])
            node[rows] = at
            rows = rows[self.feature[at] >= 0]
        return self.left[node]
