"""Leaves of a forest: bounds, and distributions of columns that are independent within a leaf."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from trisynth.generators.draws import uniform_by_group


def partition(tree, features: np.ndarray, min_samples_leaf: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Partition rows into the leaves of one tree; leaves with too few rows are merged with their sibling.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
    features : ndarray of float32, shape (n, d)
        NaN where a cell is missing.
    min_samples_leaf : int
        With fewer rows in total there is one leaf.

    Returns
    -------
    leaf : ndarray of int, shape (n,)
        Leaf of each row, numbered from 0.
    lower, upper : ndarray, shape (leaves, d)
        Bounds of each leaf; infinite where there is no split.
    """
    size = tree.node_count
    lower = np.full((size, features.shape[1]), -np.inf, dtype=np.float32)
    upper = -lower
    node, rows = np.zeros(len(features), dtype=np.intp), np.arange(len(features))
    while len(rows):
        rows = rows[tree.feature[node[rows]] >= 0]
        at = node[rows]
        cells = features[rows, tree.feature[at]]
        left = np.where(np.isnan(cells), tree.missing_go_to_left[at] == 1, cells <= tree.threshold[at])
        lefts, rights = np.bincount(at[left], minlength=size), np.bincount(at[~left], minlength=size)
        stays, split = np.maximum(lefts, rights) < min_samples_leaf, np.minimum(lefts, rights) >= min_samples_leaf
        left = np.where(split[at], left, (lefts >= rights)[at])
        go = ~stays[at]
        rows, at, left = rows[go], at[go], left[go]
        node[rows] = np.where(left, tree.children_left[at], tree.children_right[at])
        parents, first = np.unique(at, return_index=True)
        sides = np.where(left[first], tree.children_left[parents], tree.children_right[parents])
        cut = split[parents]
        for bounds in (lower, upper):
            bounds[sides[~cut]] = bounds[parents[~cut]]
            bounds[tree.children_left[parents[cut]]] = bounds[tree.children_right[parents[cut]]] = bounds[parents[cut]]
        column, threshold = tree.feature[parents[cut]], tree.threshold[parents[cut]]
        # A split of missing from other cells has an infinite threshold, which must not undo an earlier bound.
        child = tree.children_left[parents[cut]], column
        upper[child] = np.minimum(upper[child], threshold)
        child = tree.children_right[parents[cut]], column
        lower[child] = np.maximum(lower[child], threshold)
    kept, leaf = np.unique(node, return_inverse=True)
    return leaf, lower[kept], upper[kept]


@dataclass(frozen=True)
class Frequencies:
    """Distribution of a discrete outcome within each group of rows, as counts.

    Parameters
    ----------
    start : ndarray of int, shape (groups + 1,)
        Rows before each group, in order of groups.
    key : ndarray of int, shape (pairs,)
        ``group * size + outcome`` of the observed pairs, increasing.
    end : ndarray of int, shape (pairs,)
        Cumulative counts of the pairs.
    size : int
        Number of outcomes.
    smoothing : float
        Pseudo-rows of the outcome's distribution over all rows that are added to each group.
    """

    start: np.ndarray
    key: np.ndarray
    end: np.ndarray
    size: int
    smoothing: float = 0.0

    @classmethod
    def of(cls, groups: np.ndarray, outcomes: np.ndarray, size: int, smoothing: float = 0.0) -> "Frequencies":
        """Count pairs of ``groups`` and ``outcomes``, shape (rows,); every group has rows."""
        key, counts = np.unique(groups.astype(np.int64) * size + outcomes, return_counts=True)
        start = np.concatenate([[0], np.cumsum(np.bincount(groups))])
        return cls(start, key, np.cumsum(counts), size, smoothing)

    def draw(self, groups: np.ndarray, rng: np.random.Generator, even: bool = False) -> np.ndarray:
        """Draw one outcome for each of ``groups``, shape (n,)."""
        first, rows = self.start[groups], self.start[groups + 1] - self.start[groups]
        place = uniform_by_group(groups, rng, even)
        if self.smoothing:
            anywhere = rng.random(len(groups)) * (rows + self.smoothing) < self.smoothing
            first, rows = np.where(anywhere, 0, first), np.where(anywhere, self.start[-1], rows)
        return self.key[np.searchsorted(self.end, first + (place * rows).astype(np.int64), side="right")] % self.size

    def probability(self, groups: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
        """Compute the probability of ``outcomes`` in ``groups``; the two broadcast."""
        key = groups * self.size + outcomes
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        counts = np.diff(self.end, prepend=0)
        own = np.where(self.key[place] == key, counts[place], 0)
        pooled = np.bincount(self.key % self.size, counts, self.size) / self.start[-1]
        rows = self.start[groups + 1] - self.start[groups]
        return (own + self.smoothing * pooled[outcomes]) / (rows + self.smoothing)


@dataclass(frozen=True)
class TruncatedNormals:
    """Normal distributions truncated to the bounds of leaves; all arrays have the shape (leaves,).

    Parameters
    ----------
    mean, deviation : ndarray
        Mean and standard deviation of the leaf's rows, the parameters before truncation; deviation 0 is a point mass.
    lower, upper : ndarray
    """

    mean: np.ndarray
    deviation: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, leaves: np.ndarray, values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> "TruncatedNormals":
        """Estimate from the leaf and value of each row, shape (rows,), without NaN values, and the leaves' bounds."""
        present = ~np.isnan(values)
        leaves, values = leaves[present], values[present]
        rows = np.bincount(leaves, minlength=len(lower))
        # A leaf of missing cells gets a number within its bounds.
        mean = np.where(rows > 0, np.bincount(leaves, values, len(lower)) / np.maximum(rows, 1), lower)
        squares = np.bincount(leaves, np.square(values - mean[leaves]), len(lower))
        # Rounding must not turn equal values into a distribution with variance.
        deviation = np.sqrt(squares / np.maximum(rows, 1))
        return cls(mean, np.where(deviation > 1e-9 * np.abs(mean), deviation, 0.0), lower, upper)

    def draw(self, leaves: np.ndarray, rng: np.random.Generator, even: bool = False) -> np.ndarray:
        """Draw one value for each of ``leaves``, shape (n,)."""
        lower, upper = self._mass(leaves)
        normal = ndtri(lower + uniform_by_group(leaves, rng, even) * (upper - lower))
        values = self.mean[leaves] + np.where(self.deviation[leaves] > 0, self.deviation[leaves] * normal, 0.0)
        return np.clip(values, self.lower[leaves], self.upper[leaves])

    def density(self, leaves: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Compute the density of ``values`` in ``leaves``, which broadcast; a point mass has density 1 at its point."""
        lower, upper = self._mass(leaves)
        deviation = np.where(self.deviation[leaves] > 0, self.deviation[leaves], 1.0)
        standard = (values - self.mean[leaves]) / deviation
        smooth = np.exp(-0.5 * standard**2) / (np.sqrt(2 * np.pi) * deviation * (upper - lower))
        inside = (values > self.lower[leaves]) & (values <= self.upper[leaves])
        point = np.isclose(standard, 0.0, atol=1e-9)
        return np.where(self.deviation[leaves] > 0, smooth * inside, point)

    def _mass(self, leaves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        deviation = np.where(self.deviation > 0, self.deviation, 1.0)
        return tuple(ndtr((bound - self.mean) / deviation)[leaves] for bound in (self.lower, self.upper))
