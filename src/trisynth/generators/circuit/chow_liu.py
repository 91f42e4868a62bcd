"""Chow-Liu tree: the spanning tree of largest pairwise mutual information (Chow and Liu 1968)."""

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.statistics.association import mutual_information

# Most bins of a column and of all columns together, and most cells that pairs are counted on.
_BINS, _WIDTH, _CELLS = 15, 4_000, 10_000_000


def spanning_tree(weights: np.ndarray) -> np.ndarray:
    """Find the maximum spanning tree (Prim 1957) and return the parent of each node, -1 for the root.

    Parameters
    ----------
    weights : ndarray, shape (d, d)
        Symmetric. The root is the node of the largest total weight.

    Returns
    -------
    ndarray of int, shape (d,)
    """
    d = len(weights)
    root = int(np.argmax(weights.sum(axis=0) - np.diagonal(weights)))
    parents = np.full(d, root)
    parents[root] = -1
    best = weights[root].copy()
    outside = np.arange(d) != root
    for _ in range(d - 1):
        node = int(np.argmax(np.where(outside, best, -np.inf)))
        outside[node] = False
        nearer = outside & (weights[node] > best)
        parents[nearer], best[nearer] = node, weights[node][nearer]
    return parents


def coarsened(tokens: np.ndarray, counts: np.ndarray, ordered: bool, most: int = _BINS) -> np.ndarray:
    """Merge the tokens of one column into at most ``most`` bins.

    Ordered tokens are merged with their neighbours into bins of about equal frequency; of others the most frequent
    tokens stay and the rest become one bin.

    Parameters
    ----------
    tokens : ndarray of int, shape (n,)
    counts : ndarray, shape (tokens of the column,)
    ordered : bool
        Whether tokens are ordered.
    most : int
    """
    if len(counts) <= most:
        return tokens
    if ordered:
        middle = np.cumsum(counts) - counts / 2
        return np.minimum((middle / counts.sum() * most).astype(int), most - 1)[tokens]
    rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
    return np.minimum(rank, most - 1)[tokens]


def chow_liu(discretizer: TableDiscretizer, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Find the Chow-Liu tree of a table's columns and return the parent of each, shape (d,).

    Parameters
    ----------
    discretizer : TableDiscretizer
    tokens : ndarray of int, shape (n, d)
        The discretized table. Many columns get fewer bins and are counted on fewer rows, drawn by ``rng``, so that
        memory and time stay bounded.
    rng : Generator
    """
    n, d = tokens.shape
    most = int(np.clip(_WIDTH // d, 3, _BINS))
    rows = rng.permutation(n)[: max(_CELLS // (d * most), 500)]
    parts = [
        coarsened(tokens[rows, j] - start, column.counts, column.ordered, most)
        for j, (column, start) in enumerate(zip(discretizer.columns, discretizer.starts, strict=False))
    ]
    return spanning_tree(mutual_information(np.stack(parts, axis=1)))
