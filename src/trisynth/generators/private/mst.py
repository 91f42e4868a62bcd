"""MST: a tree of noisy tables of two columns each, with the label as one of the columns."""

import numpy as np
import pandas as pd

from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables import spanning, tree
from trisynth.generators.private.tables.columns import Columns, classes, queries
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

_SINGLE = "single columns"
# Groups of a column of numbers at most: chance makes a table of many cells look dependent, so that pairs of finely
# divided numbers would be chosen before pairs that depend on each other.
_NUMBERS = 16


class MST(PrivateGenerator):
    """Maximum spanning tree of columns, with noisy tables of single columns and of the pairs along the tree.

    A third of the budget, in units of zero-concentrated differential privacy, goes to single columns, a third to the
    choice of the edges by the exponential mechanism, a third to the tables of the edges. Rows are drawn from the
    label down the tree.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.

    Notes
    -----
    Source: McKenna, Miklau & Sheldon (2021), Winning the NIST Contest, https://doi.org/10.29012/jpc.778. On a tree the
    distribution of largest entropy is the product of its tables, so that proportional fitting replaces general
    inference. Nested grids of single columns, and accounting by privacy loss distributions, are ours. The tree treats
    the label like any other column: a column that depends more on another column than on the label carries little about
    it, whatever the budget.
    """

    def __init__(self, privacy: Budget | None = None):
        super().__init__(privacy)

    def _learn(self, records: Records, noise: Noise) -> None:
        self.has_label_ = len(self.labels_) > 1
        nodes = len(self.axes_) + self.has_label_
        plan = {_SINGLE: Share(1.0, queries(self.axes_) + self.has_label_), **spanning.plan(nodes, 1.0, 1.0)}
        ledger = self.ledger_ = Ledger.open(self._budget, plan)
        counts, rows_of = records.singles(self.axes_, len(self.labels_))
        columns = self.columns_ = Columns.count(self.axes_, counts, ledger, _SINGLE, noise)
        totals = np.array([np.median([leaves.weights.sum() for leaves in columns.leaves])])
        if self.has_label_:
            totals = classes(rows_of, ledger, _SINGLE, noise)
        rows = totals.sum()
        sigma = ledger.sigma(spanning.TABLES) if nodes > 1 else ledger.sigma(_SINGLE)
        columns.group(rows, 1, sigma, numbers=_NUMBERS)
        ones = [columns.rows(i, rows)[None] for i in range(len(self.axes_))]
        if self.has_label_:
            ones.append(totals[None])
        sizes = [one.shape[1] for one in ones]

        def count(positions: np.ndarray, labels: np.ndarray) -> dict:
            codes = [*columns.codes(positions), *[labels] * self.has_label_]
            return spanning.tables(codes, np.zeros(len(labels), int), 1, sizes)

        edges = spanning.span(records.counted(count), ones, ledger, noise)
        self.counts_, self.ones_, self.edges_ = totals, ones, tree.rooted(edges, ones, root=nodes - 1)

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        codes = [*self.columns_.codes(positions), *[labels] * self.has_label_]
        found = tree.traces(self.edges_, codes, np.zeros(1, int))
        return np.array([*self.columns_.traces(positions), *found, *self.counts_[labels]])

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        given = {len(self.axes_): labels} if self.has_label_ else {}
        drawn = tree.draw(self.edges_, self.ones_, np.zeros(len(labels), int), rng, given)
        return self.columns_.cells(drawn[: len(self.axes_)], self._kinds(), rng)
