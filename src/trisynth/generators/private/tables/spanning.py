"""Spanning tree of columns: edges chosen by the exponential mechanism, and their noisy tables."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from trisynth.generators.private.tables import tree
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

CHOICES, TABLES = "edges of the tree", "tables along the tree"

Pair = tuple[int, int]


def plan(nodes: int, choices: float, tables: float) -> dict[str, Share]:
    """Plan the queries of a spanning tree of so many columns, with the weights of its choices and of its tables."""
    return {CHOICES: Share(choices, max(0, nodes - 1), choice=True), TABLES: Share(tables, max(0, nodes - 1))}


def span(
    counted: dict[Pair, np.ndarray], ones: list[np.ndarray], ledger: Ledger, noise: Noise
) -> list[tuple[int, int, np.ndarray]]:
    """Choose and count the edges of a spanning tree, as in Kruskal's algorithm.

    Parameters
    ----------
    counted : dict of (int, int) to ndarray, shape (labels, groups, groups)
        See ``tables``; secret.
    ones : list of ndarray, shape (labels, groups)
        Estimated rows of each column.
    ledger : Ledger
    noise : Noise

    Returns
    -------
    list of (int, int, ndarray)
        Two columns and their table, shape (labels, groups of the first, groups of the second).
    """
    nodes = len(ones)
    if nodes == 1:
        return []
    sigma = ledger.sigma(TABLES)
    scores = {pair: dependence(pair, table, ones, sigma) for pair, table in counted.items()}
    part, found = list(range(nodes)), []
    for _ in range(nodes - 1):
        open_ = apart(scores, part)
        pair = open_[ledger.choose(CHOICES, np.array([scores[each] for each in open_]), noise)]
        found.append((*pair, tree.fitted(ledger.noisy(TABLES, counted[pair], noise), *(ones[i] for i in pair))))
        part = joined(part, pair)
    return found


def flat(pair: Pair, labels: np.ndarray, codes: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """Return the cell of each row in the table (label, first column, second column), as one number."""
    return (labels * sizes[pair[0]] + codes[pair[0]]) * sizes[pair[1]] + codes[pair[1]]


def tables(codes: list[np.ndarray], labels: np.ndarray, kinds: int, sizes: list[int]) -> dict[Pair, np.ndarray]:
    """Count the tables of all pairs of columns with the label; see ``exact``."""
    return {pair: exact(pair, codes, labels, kinds, sizes) for pair in combinations(range(len(codes)), 2)}


def exact(pair: Pair, codes: list[np.ndarray], labels: np.ndarray, kinds: int, sizes: list[int]) -> np.ndarray:
    """Count the table (label, first column, second column); its numbers are secret until noise is added."""
    shape = kinds, sizes[pair[0]], sizes[pair[1]]
    return np.bincount(flat(pair, labels, codes, sizes), minlength=int(np.prod(shape))).reshape(shape).astype(float)


def independent(pair: Pair, ones: list[np.ndarray]) -> np.ndarray:
    """Return the table of two columns that are independent within labels."""
    totals = np.maximum(ones[pair[0]].sum(1), 1e-9)[:, None, None]
    return ones[pair[0]][:, :, None] * ones[pair[1]][:, None, :] / totals


def dependence(pair: Pair, table: np.ndarray, ones: list[np.ndarray], sigma: float) -> float:
    """Return the distance of a table from independent columns, less what noise adds to it, which is public.

    One row changes the distance by 1.
    """
    return np.abs(table - independent(pair, ones)).sum() - np.sqrt(2 / np.pi) * sigma * table.size


def apart(pairs: Iterable[Pair], part: list[int]) -> list[Pair]:
    """Return the pairs whose columns are in different parts of a forest."""
    return [pair for pair in pairs if part[pair[0]] != part[pair[1]]]


def joined(part: list[int], pair: Pair) -> list[int]:
    """Return the parts of the columns after an edge has joined two of them."""
    return [part[pair[0]] if each == part[pair[1]] else each for each in part]
