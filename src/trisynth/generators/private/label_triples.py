"""Label triples: a tree of columns whose tables all contain the label."""

from itertools import combinations

import numpy as np
import pandas as pd

from trisynth.generators.private import tree
from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.leaves import Leaves, build, counts_of, groups, projected
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

# Groups of a column, and the average rows of a cell of a triple in standard deviations of its noise.
_FEWEST, _MOST, _CELL = 4, 32, 1.0
# A category with fewer rows, in standard deviations of a pair's noise, joins the others of that kind.
_JOINED = 2.0
# Classes of a numeric target.
_CLASSES = 6


class LabelTriples(PrivateGenerator):
    """Noisy tables of (column, column, label) along a tree, and of every column alone.

    One third of the budget, in units of zero-concentrated differential privacy, counts single columns on nested
    grids, one sixth counts (column, label), one sixth chooses a spanning tree of columns by the exponential
    mechanism on the dependence that is left within labels, and one third counts (column, column, label) along it.
    Every table knows the label, so a classifier finds in synthetic rows what it finds in real ones. Bins follow from
    the noisy counts: fine where there are rows.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.

    Notes
    -----
    Source: the tree of noisy two-way tables is that of MST (McKenna, Miklau & Sheldon 2021, Winning the NIST Contest,
    https://doi.org/10.29012/jpc.778). The label in every table, and bins from noisy nested grids, are ours.
    """

    def __init__(self, privacy: Budget | None = None):
        super().__init__(privacy)

    def _learn(self, positions: np.ndarray, labels: np.ndarray, noise: Noise) -> None:
        axes, count = self.axes_, len(self.axes_)
        grids = sum(len(axis.levels) for axis in axes)
        plan = {
            "single columns": Share(2.0, grids + (not self.numeric_target_)),
            "columns with the label": Share(1.0, count - self.numeric_target_),
            "edges of the tree": Share(1.0, max(0, count - 1 - self.numeric_target_), choice=True),
            "pairs with the label": Share(2.0, max(0, count - 1 - self.numeric_target_)),
        }
        ledger = self.ledger_ = Ledger.open(self._budget, plan)
        exact = self._budget.epsilon is None
        sigma = 0.0 if exact else ledger.sigma("single columns")
        self.leaves_: list[Leaves] = []
        for axis, cells in zip(axes, positions, strict=True):
            counted = [counts_of(axis, cells, width) for width in axis.levels]
            noisy = [ledger.noisy("single columns", each, noise) for each in counted]
            self.leaves_.append(build(axis, noisy, sigma))
        if self.numeric_target_:
            shares = self.leaves_[-1].weights
            classes = groups(axes[-1], self.leaves_[-1], _CLASSES, 0.0)
            labels = classes[self.leaves_[-1].of(positions[-1])]
            totals = np.bincount(classes, shares)
            self.counts_ = np.array([totals.sum()])
        else:
            counted = np.bincount(labels, minlength=len(self.labels_)).astype(float)
            noisy = ledger.noisy("single columns", counted, noise)
            totals = projected(noisy, max(noisy.sum(), 1.0))
            self.counts_ = totals
        inner = axes[: count - self.numeric_target_]
        rows, kinds = totals.sum(), len(totals)
        cell = 0.0 if exact else ledger.sigma("pairs with the label") if len(inner) > 1 else sigma
        most = int(np.clip(np.sqrt(rows / kinds / max(_CELL * cell, 0.2)), _FEWEST, _MOST))
        least = 0.0 if exact else _JOINED * ledger.sigma("columns with the label")
        self.groups_ = [groups(axis, found, most, least) for axis, found in zip(inner, self.leaves_, strict=False)]
        if self.numeric_target_:
            self.groups_.append(classes)
        codes = [g[leaves.of(cells)] for g, leaves, cells in zip(self.groups_, self.leaves_, positions, strict=True)]
        sizes = [int(g.max()) + 1 for g in self.groups_]
        self.pairs_, noisy_pairs = [], []
        for i in range(len(inner)):
            counted = np.bincount(labels * sizes[i] + codes[i], minlength=kinds * sizes[i]).reshape(kinds, -1)
            noisy = ledger.noisy("columns with the label", counted, noise)
            noisy_pairs.append(noisy)
            single = np.bincount(self.groups_[i], self.leaves_[i].weights, minlength=sizes[i])
            single = single * rows / max(single.sum(), 1e-9)
            self.pairs_.append(tree.balanced(noisy, single, totals))
        edges = self._edges(codes, labels, sizes, cell, noise)
        self.edges_ = tree.rooted(edges, self.pairs_)

    def _edges(self, codes, labels, sizes, sigma, noise) -> list[tuple[int, int, np.ndarray]]:
        """Choose and count the edges of a spanning tree."""
        kinds, ledger = self.pairs_[0].shape[0], self.ledger_
        counted, scores = {}, {}
        totals = np.maximum(self.pairs_[0].sum(1), 1e-9)[:, None, None]
        for a, b in combinations(range(len(self.pairs_)), 2):
            flat = (labels * sizes[a] + codes[a]) * sizes[b] + codes[b]
            table = np.bincount(flat, minlength=kinds * sizes[a] * sizes[b]).reshape(kinds, sizes[a], sizes[b])
            counted[a, b] = table
            due = self.pairs_[a][:, :, None] * self.pairs_[b][:, None, :] / totals
            # A larger table costs more noise.
            scores[a, b] = np.abs(table - due).sum() - np.sqrt(2 / np.pi) * sigma * table.size
        part = list(range(len(self.pairs_)))
        found = []
        for _ in range(len(self.pairs_) - 1):
            open_ = [pair for pair in scores if part[pair[0]] != part[pair[1]]]
            chosen = ledger.choose("edges of the tree", np.array([scores[pair] for pair in open_]), noise)
            a, b = open_[chosen]
            noisy = ledger.noisy("pairs with the label", counted[a, b], noise)
            found.append((a, b, tree.fitted(noisy, self.pairs_[a], self.pairs_[b])))
            part = [part[a] if p == part[b] else p for p in part]
        return found

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        drawn = []
        if self.numeric_target_:
            last = self.leaves_[-1]
            shares = np.bincount(self.groups_[-1], last.weights)
            labels = tree.pick(shares[None, :] + 1e-12, np.zeros(len(labels), int), rng)
        drawn = tree.draw(self.edges_, self.pairs_, labels, rng)
        if self.numeric_target_:
            drawn.append(labels)
        kinds = {kind.name: kind for kind in self.schema_.columns}
        columns = {}
        for axis, leaves, members, codes in zip(self.axes_, self.leaves_, self.groups_, drawn, strict=True):
            inside = np.where(members[None, :] == np.arange(members.max() + 1)[:, None], leaves.weights + 1e-9, 0.0)
            chosen = tree.pick(inside, codes, rng)
            starts = leaves.starts[chosen]
            missing = starts >= axis.cells
            if axis.is_category:
                cells = np.where(missing, -1, starts)
                columns[axis.name] = pd.Categorical.from_codes(cells, categories=kinds[axis.name].categories)
            else:
                values = axis.values(starts, leaves.sizes[chosen], rng)
                columns[axis.name] = np.where(missing, np.nan, values)
        return pd.DataFrame(columns)
