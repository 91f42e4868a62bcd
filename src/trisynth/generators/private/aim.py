"""AIM: tables of the label with two columns are chosen one after another, where the model is worst."""

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from trisynth.errors import require_whole
from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables import tree
from trisynth.generators.private.tables.columns import Columns, classes, queries
from trisynth.generators.private.tables.junction import JunctionTree, Measured, Scope, cells
from trisynth.generators.private.tables.leaves import groups
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

_SINGLE, _ROUNDS = "single columns", "rounds"
# Classes of a numeric target, and groups of a column of numbers at most.
_CLASSES, _NUMBERS = 6, 16
# Rounds for each column that the first noise is planned for, and the part of a round's budget that its table takes.
_PLANNED, _TABLE = 16, 0.9
# Rounds for each column in which the noise has usually become small, for the sizes of groups.
_USUAL = 2
# Steps of the last fit.
_LAST = 200
# Rows of a cell without any.
_NONE = 1e-60
# Without noise: rounds for each column, and the mean misfit of a table, as a part of the rows, that is good enough.
_FREE, _GOOD = 4, 0.01


class AIM(PrivateGenerator):
    """Adaptive and iterative mechanism: each round measures the table that the current model reproduces worst.

    The workload is all tables (column, column, label), or all pairs without a label. Single columns are counted
    first. Each round then chooses one table of the workload, or a part of one, by the exponential mechanism: on its
    distance from the model, less the noise to be expected, times the part of the workload that it serves. The table
    is counted, and a junction tree is fitted to all counts. Where a round has changed the model by no more than noise
    would, the next ones have four times the budget. Tables that would make the tree too large are not candidates.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.
    max_cells : int, default=65536
        Maximum number of cells in all tables of the junction tree.

    Notes
    -----
    Source: McKenna, Mullins, Sheldon & Miklau (2022), AIM: an adaptive and iterative mechanism for differentially
    private synthetic data, https://doi.org/10.14778/3551793.3551817, with the workload that it calls TARGET. The model
    is that of McKenna, Sheldon & Miklau (2019), Graphical-model based estimation and inference for differential
    privacy, https://arxiv.org/abs/1901.09136. Nested grids of single columns are ours, and the junction tree is
    smaller than the 80 MB of the paper, which are ten million cells. Noise depends on earlier answers, so that the
    accounting is by concentrated differential privacy.
    """

    def __init__(self, privacy: Budget | None = None, max_cells: int = 65_536):
        super().__init__(privacy)
        self.max_cells = max_cells

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        require_whole("generator.max_cells", self.max_cells, 1_000)

    def _learn(self, records: Records, noise: Noise) -> None:
        inner = len(self.axes_) - self.numeric_target_
        singles = queries(self.axes_) + (not self.numeric_target_)
        rounds = _PLANNED * (inner + 1)
        # The paper gives single columns what as many rounds would have.
        plan = {_SINGLE: Share(_TABLE * len(self.axes_) / rounds, singles), _ROUNDS: Share(1.0, adaptive=True)}
        ledger = self.ledger_ = Ledger.open(self._budget, plan)
        counts, rows_of = records.singles(self.axes_, len(self.labels_))
        columns = self.columns_ = Columns.count(self.axes_, counts, ledger, _SINGLE, noise)
        members = None
        if self.numeric_target_:
            members = groups(self.axes_[-1], columns.leaves[-1], _CLASSES, 0.0)
            totals = np.bincount(members, columns.leaves[-1].weights)
            self.counts_ = totals.sum(keepdims=True)
        else:
            self.counts_ = totals = classes(rows_of, ledger, _SINGLE, noise)
        self.totals_, rows = totals, max(totals.sum(), 1e-9)
        usual = ledger.sigma(_ROUNDS, ledger.left(_ROUNDS) / (_USUAL * (inner + 1)))
        columns.group(rows, len(totals), usual, numbers=_NUMBERS)
        if members is not None:
            columns.groups[-1] = members
        secret = columns.with_label(records, len(totals), inner, members)
        self.sizes_ = [*columns.sizes[:inner], len(totals)]
        noises = ledger.sigma(_SINGLE) ** 2
        measured = {(inner,): Measured((inner,), totals, _precision(noises))}
        for i in range(inner):
            leaves = len(columns.leaves[i].weights) / self.sizes_[i]
            measured[i,] = Measured((i,), columns.rows(i, rows), _precision(noises * leaves))
        self.model_ = self._rounds(measured, secret, ledger, noise, rows)

    def _rounds(self, measured: dict, secret: dict, ledger: Ledger, noise: Noise, rows: float) -> JunctionTree:
        """Measure tables until the budget is used up; return the fitted model."""
        inner, free = len(self.sizes_) - 1, ledger.budget.epsilon is None
        weights = _workload(inner, self.sizes_[inner] > 1)
        # Independent columns meet the counts of single ones; where those have no row, noise must not bring one back.
        model = JunctionTree.of(
            self.sizes_, rows, {scope: np.log(np.maximum(each.table, _NONE)) for scope, each in measured.items()}
        )
        model.fit(measured)
        budget = 1.0 if free else ledger.left(_ROUNDS)
        each = 1.0 if free else budget / (_PLANNED * (inner + 1))
        for _ in range((_FREE if free else _PLANNED) * (inner + 1)):
            if not free:
                left = ledger.left(_ROUNDS)
                if left <= 1e-9 * budget:
                    break
                # What would not be enough for two rounds is spent on one.
                each = left if left < 2 * each else each
            sigma = ledger.sigma(_ROUNDS, _TABLE * each)
            used = 1.0 if free else (budget - left + each) / budget
            open_ = list(self._candidates(weights, measured, model, used))
            scores = np.array([self._score(scope, weights[scope], secret, model, sigma) for scope in open_])
            if free and scores.max() < _GOOD * rows * max(weights.values()):
                break
            choice = ledger.choose(_ROUNDS, scores, noise, max(weights.values()), (1 - _TABLE) * each)
            scope = open_[choice]
            counted = ledger.noisy(_ROUNDS, _exact(scope, secret, inner), noise, rho=_TABLE * each)
            new = Measured(scope, counted, _precision(sigma**2))
            measured[scope] = measured[scope].joined(new) if scope in measured else new
            before = model.table(scope)
            model = model.grown(scope)
            model.fit(measured)
            if np.abs(model.table(scope) - before).sum() <= math.sqrt(2 / math.pi) * sigma * counted.size:
                each *= 4
        model.fit(measured, _LAST)
        return model.rooted(inner)

    def _candidates(self, weights: dict, measured: dict, model: JunctionTree, used: float) -> Iterator[Scope]:
        """Yield the tables that the junction tree has room for, of which a part grows with the budget that is used."""
        inside = [set(scope) for scope in model.scopes]
        for scope in weights:
            if (
                any(set(scope) <= own for own in inside)
                or cells(self.sizes_, [*measured, scope]) <= used * self.max_cells
            ):
                yield scope

    def _score(self, scope: Scope, weight: float, secret: dict, model: JunctionTree, sigma: float) -> float:
        table = _exact(scope, secret, len(self.sizes_) - 1)
        return weight * (np.abs(table - model.table(scope)).sum() - math.sqrt(2 / math.pi) * sigma * table.size)

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        codes = self.columns_.codes(positions)
        inner = len(self.sizes_) - 1
        at = [*(int(code[0]) for code in codes[:inner]), int((codes[-1] if self.numeric_target_ else labels)[0])]
        scopes = [*((i, inner) for i in range(inner)), *((i, j, inner) for i, j in combinations(range(inner), 2))]
        found = [float(self.model_.table(scope)[tuple(at[i] for i in scope)]) for scope in scopes]
        return np.array([*self.columns_.traces(positions), *found, self.totals_[at[inner]]])

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        if self.numeric_target_:
            labels = tree.pick(self.totals_[None, :] + 1e-12, np.zeros(len(labels), int), rng)
        inner = len(self.sizes_) - 1
        drawn = self.model_.draw(len(labels), rng, {inner: labels})[:inner]
        return self.columns_.cells([*drawn, *[labels] * self.numeric_target_], self._kinds(), rng)


def _precision(variance: float) -> float:
    return 1 / variance if variance else 1.0


def _workload(inner: int, labelled: bool) -> dict[Scope, float]:
    """Return all parts of the tables of the workload, with the columns that they share with each of them, in sum."""
    last = (inner,) if labelled else ()
    pairs = list(combinations(range(inner), 2)) or [(0,)]
    targets = [{*pair, *last} for pair in pairs]
    parts = {tuple(sorted(part)) for target in targets for k in (1, 2, 3) for part in combinations(target, k)}
    return {part: float(sum(len(target & set(part)) for target in targets)) for part in sorted(parts)}


def _exact(scope: Scope, secret: dict, inner: int) -> np.ndarray:
    """Return the table of a scope from those that have the label first; its counts are secret until noise is added."""
    features = [column for column in scope if column < inner]
    if not features:
        return secret[0].sum(1)
    found = secret[features[0]] if len(features) == 1 else secret[tuple(features)]
    return np.moveaxis(found, 0, -1) if inner in scope else found.sum(0)
