"""Spanning tree of columns: edges chosen by the exponential mechanism, and their noisy tables."""

from itertools import combinations

import numpy as np

from trisynth.generators.private import tree
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

CHOICES, TABLES = "edges of the tree", "tables along the tree"


def plan(nodes: int, choices: float, tables: float) -> dict[str, Share]:
    """Plan the queries of a spanning tree of so many columns, with the weights of its choices and of its tables."""
    return {CHOICES: Share(choices, max(0, nodes - 1), choice=True), TABLES: Share(tables, max(0, nodes - 1))}


def span(
    codes: list[np.ndarray], labels: np.ndarray, ones: list[np.ndarray], ledger: Ledger, noise: Noise
) -> list[tuple[int, int, np.ndarray]]:
    """Choose and count the edges of a spanning tree, as in Kruskal's algorithm.

    Parameters
    ----------
    codes : list of ndarray of int, shape (n,)
        Groups of the cells of each column.
    labels : ndarray of int, shape (n,)
    ones : list of ndarray, shape (labels, groups)
        Estimated rows of each column.
    ledger : Ledger
    noise : Noise

    Returns
    -------
    list of (int, int, ndarray)
        Two columns and their table, shape (labels, groups of the first, groups of the second).
    """
    kinds, nodes = len(ones[0]), len(codes)
    if nodes == 1:
        return []
    counted, scores, sigma = {}, {}, ledger.sigma(TABLES)
    totals = np.maximum(ones[0].sum(1), 1e-9)[:, None, None]
    sizes = [one.shape[1] for one in ones]
    for a, b in combinations(range(nodes), 2):
        flat = (labels * sizes[a] + codes[a]) * sizes[b] + codes[b]
        table = np.bincount(flat, minlength=kinds * sizes[a] * sizes[b]).reshape(kinds, sizes[a], sizes[b])
        counted[a, b] = table
        independent = ones[a][:, :, None] * ones[b][:, None, :] / totals
        # One row changes the distance by 1. What noise adds to a larger table is public.
        scores[a, b] = np.abs(table - independent).sum() - np.sqrt(2 / np.pi) * sigma * table.size
    part, found = list(range(nodes)), []
    for _ in range(nodes - 1):
        open_ = [pair for pair in scores if part[pair[0]] != part[pair[1]]]
        a, b = open_[ledger.choose(CHOICES, np.array([scores[pair] for pair in open_]), noise)]
        found.append((a, b, tree.fitted(ledger.noisy(TABLES, counted[a, b], noise), ones[a], ones[b])))
        part = [part[a] if p == part[b] else p for p in part]
    return found
