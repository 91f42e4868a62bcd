"""Label triples: a tree of columns whose tables all contain the label."""

import numpy as np
import pandas as pd

from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables import spanning, tree
from trisynth.generators.private.tables.columns import Columns, classes, queries
from trisynth.generators.private.tables.leaves import groups
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

_SINGLE, _LABELLED = "single columns", "columns with the label"
# Classes of a numeric target.
_CLASSES = 6


class LabelTriples(PrivateGenerator):
    """Noisy tables of (column, column, label) along a tree, and of every column with and without the label.

    One third of the budget, in units of zero-concentrated differential privacy, counts single columns on nested
    grids, one sixth counts (column, label), one sixth chooses a spanning tree of columns by the exponential
    mechanism on the dependence that is left within labels, and one third counts (column, column, label) along it.
    Every table has the label, so a classifier finds in synthetic rows what it finds in real ones. Bins follow from
    the noisy counts: fine where there are rows.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.

    Notes
    -----
    Source: the tree of noisy tables of two columns is that of MST (McKenna, Miklau & Sheldon 2021, Winning the NIST
    Contest, https://doi.org/10.29012/jpc.778). The label in every table, and bins from noisy nested grids, are ours.
    """

    def __init__(self, privacy: Budget | None = None):
        super().__init__(privacy)

    def _learn(self, records: Records, noise: Noise) -> None:
        inner = len(self.axes_) - self.numeric_target_
        singles = queries(self.axes_) + (not self.numeric_target_)
        plan = {_SINGLE: Share(2.0, singles), _LABELLED: Share(1.0, inner), **spanning.plan(inner, 1.0, 2.0)}
        ledger = self.ledger_ = Ledger.open(self._budget, plan)
        counts, rows_of = records.singles(self.axes_, len(self.labels_))
        columns = self.columns_ = Columns.count(self.axes_, counts, ledger, _SINGLE, noise)
        members = None
        if self.numeric_target_:
            last = columns.leaves[-1]
            members = groups(self.axes_[-1], last, _CLASSES, 0.0)
            totals = np.bincount(members, last.weights)
            self.counts_ = totals.sum(keepdims=True)
        else:
            self.counts_ = totals = classes(rows_of, ledger, _SINGLE, noise)
        rows, kinds = totals.sum(), len(totals)
        columns.group(rows, kinds, ledger.sigma(spanning.TABLES if inner > 1 else _LABELLED))
        if self.numeric_target_:
            columns.groups[-1] = members
        counted = columns.with_label(records, kinds, inner, members)
        self.ones_ = []
        for i in range(inner):
            noisy = ledger.noisy(_LABELLED, counted.pop(i), noise)
            self.ones_.append(tree.balanced(noisy, columns.rows(i, rows), totals))
        edges = spanning.span(counted, self.ones_, ledger, noise)
        self.totals_, self.edges_ = totals, tree.rooted(edges, self.ones_)

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        codes = self.columns_.codes(positions)
        labels = codes[-1] if self.numeric_target_ else labels
        found = tree.traces(self.edges_, codes, labels)
        ones = [one[labels[0], code[0]] for one, code in zip(self.ones_, codes, strict=False)]
        return np.array([*self.columns_.traces(positions), *ones, *found, self.totals_[labels[0]]])

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        if self.numeric_target_:
            labels = tree.pick(self.totals_[None, :] + 1e-12, np.zeros(len(labels), int), rng)
        drawn = tree.draw(self.edges_, self.ones_, labels, rng)
        return self.columns_.cells([*drawn, *[labels] * self.numeric_target_], self._kinds(), rng)
