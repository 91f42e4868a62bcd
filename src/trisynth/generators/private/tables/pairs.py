"""Noisy tables of pairs of columns with the label: as many of them as the noise allows."""

import numpy as np

from trisynth.generators.private.tables import tree
from trisynth.generators.private.tables.leaves import projected
from trisynth.generators.private.tables.spanning import Pair, apart, dependence, joined
from trisynth.privacy.budget import Budget
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

CHOICES, TABLES = "choices of pairs", "tables of pairs"
# Most pairs, and groups of both columns of the coarsest useful table, whose cells hold so many standard deviations.
_MOST, _COARSE, _CELL = 600, 16, 2.0
# Candidates of the relative error of a model's cells, of which the noisy counts choose.
_MISFITS = np.array([0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0])

Tables = dict[Pair, np.ndarray]


def plan(columns: int, kinds: int, budget: Budget, rest: dict[str, Share], choices: float, tables: float) -> dict:
    """Plan the tables of pairs beside the rest of a plan, from public numbers alone.

    All pairs are counted where their noise is small beside the declared rows. Otherwise there are fewer of them, at
    least as many as a spanning tree has, and a part of the budget chooses them.

    Parameters
    ----------
    columns, kinds : int
        Columns, and labels.
    budget : Budget
        Settled.
    rest : dict of str to Share
    choices, tables : float
        Weights of the choices and of the tables.
    """
    every = columns * (columns - 1) // 2
    most = min(every, max(_MOST, columns - 1))
    if budget.epsilon is None or not every:
        wanted = most
    else:
        # Where no rows are declared, delta stands for 1 / (n sqrt n).
        rows = budget.rows or budget.delta ** (-2 / 3)
        trial = Ledger.open(Budget(budget.epsilon, budget.delta), {**rest, TABLES: Share(tables, most)})
        due = rows / (kinds * _COARSE * _CELL) / budget.sensitivity
        # The noise grows with the square root of the number of tables.
        wanted = int(min(most, max(columns - 1, most * (due / trial.sigma(TABLES)) ** 2)))
    found = {**rest, TABLES: Share(tables, wanted)}
    return found if wanted == every else {**found, CHOICES: Share(choices, wanted, choice=True)}


def count(counted: Tables, ones: list[np.ndarray], ledger: Ledger, noise: Noise) -> tuple[Tables, list[Pair]]:
    """Count pairs with the label; return their noisy tables and those of them that form a spanning tree.

    Parameters
    ----------
    counted : dict of (int, int) to ndarray, shape (labels, groups, groups)
        Of all pairs, see ``spanning.tables``; secret.
    ones : list of ndarray, shape (labels, groups)
        Estimated rows of each column.
    ledger : Ledger
    noise : Noise
    """
    sigma = ledger.sigma(TABLES)
    if CHOICES not in ledger.plan:
        found = {pair: ledger.noisy(TABLES, table, noise) for pair, table in counted.items()}
        scores = {pair: dependence(pair, table, ones, sigma) for pair, table in found.items()}
        return found, _spanning(scores, len(ones))
    scores = {pair: dependence(pair, table, ones, sigma) for pair, table in counted.items()}
    part, chosen, edges = list(range(len(ones))), [], []
    for _ in range(ledger.plan[CHOICES].times):
        # A spanning tree comes first, so that no column stands alone.
        open_ = apart(scores, part)
        joins = bool(open_)
        open_ = open_ or [pair for pair in scores if pair not in chosen]
        pair = open_[ledger.choose(CHOICES, np.array([scores[each] for each in open_]), noise)]
        chosen.append(pair)
        if joins:
            edges.append(pair)
            part = joined(part, pair)
    return {pair: ledger.noisy(TABLES, counted[pair], noise) for pair in chosen}, edges


def _spanning(scores: dict[Pair, float], nodes: int) -> list[Pair]:
    part, found = list(range(nodes)), []
    for pair in sorted(scores, key=lambda each: (-scores[each], each)):
        if part[pair[0]] != part[pair[1]]:
            found.append(pair)
            part = joined(part, pair)
    return found


def margins(column: int, own: np.ndarray, sigma: float, tables: Tables, noise: float) -> tuple[np.ndarray, float]:
    """Combine all noisy counts of (label, group) of a column, each weighted by the inverse of its variance.

    The variance of the result is returned as well.

    Parameters
    ----------
    column : int
    own : ndarray, shape (labels, groups)
        Its own noisy table.
    sigma : float
        Standard deviation of the noise of ``own``.
    tables : dict of (int, int) to ndarray
    noise : float
        Standard deviation of their noise.
    """
    if not sigma:
        return own, 0.0
    total, weight = own / sigma**2, 1 / sigma**2
    for pair, table in tables.items():
        if column in pair:
            other = 2 if pair[0] == column else 1
            each = 1 / (noise**2 * table.shape[other])
            total, weight = total + each * table.sum(other), weight + each
    return total / weight, 1 / weight


def shrunk(table: np.ndarray, model: np.ndarray, sigma: float) -> np.ndarray:
    """Draw a noisy table towards that of a model, in each cell by the variances of noise and of the model's misfit.

    The misfit is a part of the cell, the same in the whole table, and has the largest normal likelihood.
    """
    if not sigma:
        return table
    model = np.maximum(model, 0)
    variances = (_MISFITS[:, None] * model.ravel()) ** 2
    total = variances + sigma**2
    fits = (np.log(total) + (table - model).ravel() ** 2 / total).sum(axis=1)
    best = int(np.argmin(fits))
    share = (variances[best] / total[best]).reshape(model.shape)
    return projected(model + share * (table - model), max(model.sum(), 1e-9))


def fitted(pair: Pair, table: np.ndarray, ones: list[np.ndarray]) -> np.ndarray:
    """Fit the table of a pair to those of its columns."""
    return tree.fitted(table, ones[pair[0]], ones[pair[1]])
