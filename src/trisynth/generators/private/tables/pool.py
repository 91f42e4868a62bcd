"""Pool of rows of groups, drawn down a tree of tables, with weights that meet the tables of many pairs."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trisynth.generators.private.tables import pairs, spanning, tree

# Rows of a pool for each estimated row, and their least and largest number.
_EACH, _FEWEST, _MOST = 4.0, 4_000, 80_000
# Rounds over all tables, and the largest factor of one step.
_ROUNDS, _STEP = 8, 10.0


@dataclass(frozen=True)
class Pool:
    """Weighted rows of groups.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        In ascending order.
    codes : ndarray of int, shape (columns, n)
        Group of the cell of each column.
    weights : ndarray, shape (n,)
        Estimated rows, above 0.
    """

    labels: np.ndarray
    codes: np.ndarray
    weights: np.ndarray

    @classmethod
    def raked(
        cls,
        ones: list[np.ndarray],
        totals: np.ndarray,
        tables: pairs.Tables,
        edges: list[tuple[int, int]],
        sigma: float,
        rng: np.random.Generator,
    ) -> "Pool":
        """Draw rows down a tree and rake their weights.

        Parameters
        ----------
        ones : list of ndarray, shape (labels, groups)
            Estimated rows of each column.
        totals : ndarray, shape (labels,)
        tables : dict of (int, int) to ndarray, shape (labels, groups, groups)
            Noisy tables.
        edges : list of (int, int)
            Pairs that form a tree.
        sigma : float
            Standard deviation of the noise of the tables.
        rng : Generator
        """
        sizes, rows = [one.shape[1] for one in ones], max(totals.sum(), 1e-9)
        targets = {
            pair: pairs.fitted(pair, pairs.shrunk(tables[pair], spanning.independent(pair, ones), sigma), ones)
            for pair in edges
        }
        size = np.clip(_EACH * rows, _FEWEST, _MOST)
        each = np.maximum(np.rint(size * totals / rows), 1).astype(int)
        labels = np.repeat(np.arange(len(totals)), each)
        rooted = tree.rooted([(*pair, targets[pair]) for pair in edges], ones)
        codes = tree.draw(rooted, ones, labels, rng)
        weights = np.maximum(totals / each, 1e-9)[labels]
        places = {pair: spanning.flat(pair, labels, codes, sizes).astype(np.int32) for pair in tables}
        for pair, table in tables.items():
            if pair not in targets:
                model = np.bincount(places[pair], weights, table.size).reshape(table.shape)
                targets[pair] = pairs.fitted(pair, pairs.shrunk(table, model, sigma), ones)
        for _ in range(_ROUNDS):
            for pair, due in targets.items():
                found = np.bincount(places[pair], weights, due.size)
                factors = due.ravel() / np.maximum(found, 1e-12)
                weights = weights * np.clip(factors, 1 / _STEP, _STEP)[places[pair]]
        smallest = np.min_scalar_type(max(sizes))
        return cls(labels.astype(np.int32), np.array(codes).astype(smallest), np.maximum(weights, 1e-9))

    def draw(self, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Draw the groups of all columns for rows of the given labels, evenly over the weights."""
        chosen = np.empty(len(labels), int)
        starts = np.searchsorted(self.labels, np.arange(int(self.labels[-1]) + 2))
        for label in np.unique(labels):
            own = np.flatnonzero(labels == label)
            reach = np.cumsum(self.weights[starts[label] : starts[label + 1]])
            # One draw in each of as many equal parts: the sample meets the tables more closely than independent draws.
            at = (np.arange(len(own)) + rng.random(len(own))) / len(own) * reach[-1]
            chosen[own] = starts[label] + rng.permutation(np.minimum(np.searchsorted(reach, at), len(reach) - 1))
        return [column[chosen].astype(np.int64) for column in self.codes]

    def rows(self, label: int, codes: list[int]) -> tuple[list[float], dict[pairs.Pair, float]]:
        """Return the weight of the rows with the label and the given group of each column, and of each pair."""
        own = self.labels == label
        weights = self.weights[own]
        same = [column[own] == code for column, code in zip(self.codes, codes, strict=True)]
        both = {(i, j): float(weights[same[i] & same[j]].sum()) for i, j in combinations(range(len(same)), 2)}
        return [float(weights[each].sum()) for each in same], both
