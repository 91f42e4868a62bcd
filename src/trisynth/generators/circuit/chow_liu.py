"""The tree of a table's strongest pairwise dependences (Chow and Liu 1968)."""

import numpy as np

from trisynth.generators.circuit.codec import Codec

# Most parts that a column is cut into, parts of all columns together, and cells that pairs are counted on.
_PARTS, _WIDTH, _CELLS = 15, 4_000, 10_000_000


def mutual_information(codes: np.ndarray) -> np.ndarray:
    """Mutual information of every pair of columns, in nats, less its bias at independence.

    Parameters
    ----------
    codes : ndarray of int, shape (n, d)
        Part of each cell, in 0..m-1.

    Returns
    -------
    ndarray, shape (d, d)
        Symmetric. The bias (cells beyond the margins) / 2n (Miller 1955) is subtracted, so that columns of many parts
        win no edge by chance.
    """
    n = len(codes)
    sizes = codes.max(axis=0) + 1
    starts = np.concatenate([[0], np.cumsum(sizes)])
    indicators = np.zeros((n, starts[-1]), np.float32)
    indicators[np.arange(n)[:, None], starts[:-1] + codes] = 1.0
    # Counts below 2**24 are exact in single precision.
    joint = (indicators.T @ indicators).astype(float)
    seen = np.diagonal(joint)
    terms = np.where(joint > 0, joint * np.log(np.maximum(joint, 1) * n / np.maximum(np.outer(seen, seen), 1)), 0.0)
    used = np.add.reduceat((seen > 0).astype(int), starts[:-1]) - 1
    information = np.add.reduceat(np.add.reduceat(terms, starts[:-1], axis=0), starts[:-1], axis=1) / n
    return information - np.outer(used, used) / (2 * n)


def spanning_tree(weights: np.ndarray) -> np.ndarray:
    """Parent of each node in the spanning tree of the largest total weight; -1 marks the root.

    Parameters
    ----------
    weights : ndarray, shape (d, d)
        Symmetric. The root is the node of the largest total weight (Prim 1957).

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


def coarse(tokens: np.ndarray, counts: np.ndarray, ordered: bool, most: int = _PARTS) -> np.ndarray:
    """Tokens of one column in at most ``most`` parts: neighbours of about equal share, or the commonest and the rest.

    Parameters
    ----------
    tokens : ndarray of int, shape (n,)
    counts : ndarray, shape (tokens of the column,)
    ordered : bool
        Whether neighbouring tokens are alike.
    most : int
    """
    if len(counts) <= most:
        return tokens
    if ordered:
        middle = np.cumsum(counts) - counts / 2
        return np.minimum((middle / counts.sum() * most).astype(int), most - 1)[tokens]
    rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
    return np.minimum(rank, most - 1)[tokens]


def chow_liu(codec: Codec, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Parents in the Chow-Liu tree of a table's columns, shape (d,).

    Parameters
    ----------
    codec : Codec
    tokens : ndarray of int, shape (n, d)
        What ``codec`` made of the table. Many columns are cut more coarsely and counted on fewer rows, drawn by
        ``rng``, so that memory and time stay bounded.
    rng : Generator
    """
    n, d = tokens.shape
    most = int(np.clip(_WIDTH // d, 3, _PARTS))
    rows = rng.permutation(n)[: max(_CELLS // (d * most), 500)]
    parts = [
        coarse(tokens[rows, j] - start, column.counts, column.ordered, most)
        for j, (column, start) in enumerate(zip(codec.columns, codec.starts, strict=False))
    ]
    return spanning_tree(mutual_information(np.stack(parts, axis=1)))
