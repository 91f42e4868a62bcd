"""Base of the private generators that model noisy tables of pairs of columns with the label."""

from abc import abstractmethod
from itertools import combinations

import numpy as np
import pandas as pd

from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables import pairs, tree
from trisynth.generators.private.tables.columns import Columns, classes, queries
from trisynth.generators.private.tables.leaves import groups
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

_SINGLE, _LABELLED = "single columns", "columns with the label"
_CLASSES = 6
# Rows of a group of cells at least, and of a cell of a table on average, per noise to the power of 1.5: fewer groups
# carry less noise in all, and the more noise there is, the more that counts.
_GROUP, _CELL = 1.1, 0.4
# Parts of the budget for single columns, columns with the label, choices of pairs and their tables.
_WEIGHTS = (1.0, 1.0, 1.0, 4.0)


class PairwiseGenerator(PrivateGenerator):
    """Base of generators of noisy tables of (column, column, label), of all pairs where the budget allows it.

    1. Single columns are counted on nested grids, with a sixth of the budget in units of zero-concentrated differential
       privacy, and every column with the label, with another sixth.
    2. The rest counts pairs of columns with the label. All pairs are counted where the noise of so many tables is small
       beside the declared rows. Otherwise a part of it chooses as many as it allows by the exponential mechanism,
       first a spanning tree and then those with the largest dependence within labels.

    Subclasses model the tables, and read no rows.
    """

    @abstractmethod
    def _model(
        self,
        ones: list[np.ndarray],
        totals: np.ndarray,
        tables: pairs.Tables,
        edges: list[pairs.Pair],
        sigma: float,
        rng: np.random.Generator,
    ) -> None:
        """Model noisy tables.

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

    @abstractmethod
    def _draw(self, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Draw the groups of all columns for rows of the given labels."""

    @abstractmethod
    def _fitted(self, label: int, codes: list[int]) -> tuple[list[float], dict[pairs.Pair, float]]:
        """Return the modelled rows with a label and the group of each column, and of each pair."""

    def _learn(self, records: Records, noise: Noise) -> None:
        inner = len(self.axes_) - self.numeric_target_
        kinds = _CLASSES if self.numeric_target_ else len(self.labels_)
        rest = {
            _SINGLE: Share(_WEIGHTS[0], queries(self.axes_) + (not self.numeric_target_)),
            _LABELLED: Share(_WEIGHTS[1], inner),
        }
        ledger = self.ledger_ = Ledger.open(self._budget, pairs.plan(inner, kinds, self._budget, rest, *_WEIGHTS[2:]))
        counts, rows_of = records.singles(self.axes_, len(self.labels_))
        columns = self.columns_ = Columns.count(self.axes_, counts, ledger, _SINGLE, noise)
        totals, members = self._classes(rows_of, ledger, noise)
        rows, sigma = totals.sum(), ledger.sigma(pairs.TABLES if inner > 1 else _LABELLED)
        columns.group(rows, len(totals), sigma, _GROUP * sigma**0.5, _CELL * sigma**0.5)
        if self.numeric_target_:
            columns.groups[-1] = members
        counted = columns.with_label(records, len(totals), inner, members)
        ones = [ledger.noisy(_LABELLED, counted.pop(i), noise) for i in range(inner)]
        own, alone = ledger.sigma(_LABELLED), ledger.sigma(_SINGLE)

        def balanced(tables: pairs.Tables) -> list[np.ndarray]:
            found = []
            for i, one in enumerate(ones):
                counts, variance = pairs.margins(i, one, own, tables, sigma)
                due = columns.combined(i, counts.sum(0), variance * len(totals), alone, rows)
                found.append(tree.balanced(counts, due, totals))
            return found

        tables, edges = pairs.count(counted, balanced({}), ledger, noise) if inner > 1 else ({}, [])
        self.totals_ = totals
        # Draws need no privacy, but a stream of their own.
        rng = np.random.default_rng(int(noise.uniform(1)[0] * 2**53))
        self._model(balanced(tables), totals, tables, edges, sigma, rng)

    def _classes(self, rows_of: np.ndarray, ledger: Ledger, noise: Noise) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the estimated rows of each class, and the class of each leaf of a number."""
        if not self.numeric_target_:
            self.counts_ = totals = classes(rows_of, ledger, _SINGLE, noise)
            return totals, None
        last = self.columns_.leaves[-1]
        members = groups(self.axes_[-1], last, _CLASSES, 0.0)
        totals = np.bincount(members, last.weights)
        self.counts_ = totals.sum(keepdims=True)
        return totals, members

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        codes = self.columns_.codes(positions)
        label = int((codes[-1] if self.numeric_target_ else labels)[0])
        inner = len(codes) - self.numeric_target_
        ones, both = self._fitted(label, [int(code[0]) for code in codes[:inner]])
        both = [both[pair] for pair in combinations(range(inner), 2)]
        return np.array([*self.columns_.traces(positions), *ones, *both, self.totals_[label]], dtype=float)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        if self.numeric_target_:
            labels = tree.pick(self.totals_[None, :] + 1e-12, np.zeros(len(labels), int), rng)
        drawn = self._draw(labels, rng)
        return self.columns_.cells([*drawn, *[labels] * self.numeric_target_], self._kinds(), rng)
