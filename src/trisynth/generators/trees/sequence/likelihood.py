"""Likelihood of a known cell given the earlier ones, by the leaf of a tree that the row falls into."""

import numpy as np

from trisynth.generators.trees.chain import Step
from trisynth.generators.trees.donors import Codes, Numbers, Residuals
from trisynth.generators.trees.draws import Draws

# Neighbours on each side of a number whose spread estimates the density.
_NEIGHBOURS = 2
# Likelihood of a cell that no row of the leaf allows, so that a row with such a cell still has an answer.
_FLOOR = 1e-6


def likelihood(step: Step, earlier: list[np.ndarray], labels: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Compute the likelihood of known cells, shape (n,): probabilities of codes and point masses, densities of others.

    Parameters
    ----------
    step : Step
    earlier : list of ndarray, shape (n,)
        Features of the step.
    labels : ndarray of int, shape (n,)
    cells : ndarray, shape (n,)
        Codes, numbers or residuals, as ``step.draw`` returns them.
    """
    leaf = step.tree.apply(step.predictors.features(earlier, step.tree.features))
    if step.cells is None:
        return _within(step.draws, leaf, labels, cells, cells + 1) + _FLOOR
    owner = np.searchsorted(step.draws.leaves.start, step.draws.leaves.end) - 1
    if isinstance(step.cells, Residuals):
        free = np.ones(len(owner), bool)
        return _density(step, owner, free, cells, leaf, labels) + _FLOOR
    numbers: Numbers = step.cells
    free = np.isnan(numbers.value)
    ranks = (
        np.interp(cells, numbers.knots, np.arange(len(numbers.knots))) if len(numbers.knots) else np.zeros(len(cells))
    )
    found = _density(step, owner, free, ranks, leaf, labels)
    masses, place = np.unique(numbers.value[~free], return_inverse=True)
    mass = np.isin(cells, masses)
    if mass.any():
        # An item of a point mass is found by its leaf and its place among the masses.
        items, keys = np.flatnonzero(~free), owner[~free] * len(masses) + place
        wanted = leaf[mass] * len(masses) + np.searchsorted(masses, cells[mass])
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        item = np.where(keys[at] == wanted, items[at], -1)
        found[mass] = _within(step.draws, leaf[mass], labels[mass], item, item + 1)
    return found + _FLOOR


def _density(
    step: Step, owner: np.ndarray, free: np.ndarray, places: np.ndarray, leaf: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Compute the density at places, shape (n,): weight of the nearest items of the leaf over their width."""
    items = np.flatnonzero(free)
    found = np.zeros(len(leaf))
    if not len(items):
        return found
    first, last = np.searchsorted(owner[items], leaf), np.searchsorted(owner[items], leaf, side="right") - 1
    low, high = step.cells.low[items], step.cells.high[items]
    rows = np.flatnonzero(last >= first)
    # Intervals of one leaf adjoin, so that the last one which begins before a place holds it.
    order = np.lexsort([np.r_[low, places[rows]], np.r_[owner[items], leaf[rows]]])
    before = np.cumsum(order < len(items))
    position = np.empty(len(order), dtype=np.int64)
    position[order] = before - 1
    at = np.clip(position[len(items) :], first[rows], last[rows])
    inside = (places[rows] >= low[first[rows]]) & (places[rows] <= high[last[rows]])
    a, b = np.maximum(at - _NEIGHBOURS, first[rows]), np.minimum(at + _NEIGHBOURS, last[rows])
    weight = _within(step.draws, leaf[rows], labels[rows], items[a], items[b] + 1, free)
    found[rows] = np.where(inside, weight / np.maximum(high[b] - low[a], 1e-9), 0.0)
    return found


def _within(
    draws: Draws,
    leaf: np.ndarray,
    labels: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    counted: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the probability that the draw of each leaf and label is an item from ``low`` to below ``high``."""
    found = _fraction(draws.leaves, leaf, low, high, counted)
    if draws.own is None:
        return found
    key = leaf.astype(np.int64) * draws.classes + labels
    cell = np.minimum(np.searchsorted(draws.cells, key), len(draws.cells) - 1)
    weight = np.where((draws.cells[cell] == key) & (labels < draws.classes), draws.weight[cell], 0.0)
    if not weight.any():
        return found
    total = np.maximum(weight + draws.strength, 1e-12)
    return (weight * _fraction(draws.own, cell, low, high, counted) + draws.strength * found) / total


def _fraction(
    codes: Codes, group: np.ndarray, low: np.ndarray, high: np.ndarray, counted: np.ndarray | None
) -> np.ndarray:
    """Return the fraction of the weight of each group that codes from ``low`` to below ``high`` have."""
    size = int(max(codes.code.max(), high.max())) + 2
    key = (np.searchsorted(codes.start, codes.end) - 1).astype(np.int64) * size + codes.code + 1
    weights = np.diff(codes.end, prepend=0.0)
    if counted is not None:
        weights = weights * counted[codes.code]
    total = np.r_[0.0, np.cumsum(weights)]
    base = group.astype(np.int64) * size + 1
    a, b = np.searchsorted(key, base + low), np.searchsorted(key, base + high)
    return (total[b] - total[a]) / (codes.start[group + 1] - codes.start[group])
