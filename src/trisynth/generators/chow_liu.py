"""The tree of a table's strongest pairwise dependences (Chow and Liu 1968)."""

import numpy as np

# Parts that a column is cut into, and the rows that its pairs are counted on.
_PARTS, _ROWS = 15, 20_000


def mutual_information(codes: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Mutual information of every pair of columns, in nats, less its bias at independence.

    Parameters
    ----------
    codes : ndarray of int, shape (n, d)
        Part of each cell, in 0..m-1.
    labels : ndarray of int, shape (n,), optional
        Classes; the information is then the mean within classes, I(a; b | label).

    Returns
    -------
    ndarray, shape (d, d)
        Symmetric. The bias (cells beyond the margins) / 2n (Miller 1955) is subtracted, so that columns of many parts
        win no edge by chance.
    """
    if labels is not None:
        parts = [codes[labels == label] for label in np.unique(labels)]
        return sum(len(part) / len(codes) * mutual_information(part) for part in parts)
    n, d = codes.shape
    sizes = codes.max(axis=0) + 1
    starts = np.concatenate([[0], np.cumsum(sizes)])
    indicators = np.zeros((n, starts[-1]), np.float32)
    indicators[np.arange(n)[:, None], starts[:-1] + codes] = 1.0
    # Counts below 2**24 are exact in single precision.
    joint = (indicators.T @ indicators).astype(float)
    seen = np.diagonal(joint)
    terms = np.where(joint > 0, joint * np.log(np.maximum(joint, 1) * n / np.maximum(np.outer(seen, seen), 1)), 0.0)
    used = np.add.reduceat(seen > 0, starts[:-1]) - 1
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


def coarse(tokens: np.ndarray, counts: np.ndarray, ordered: bool) -> np.ndarray:
    """Tokens of one column in at most 15 parts: neighbours of about equal share, or the commonest and the rest.

    Parameters
    ----------
    tokens : ndarray of int, shape (n,)
    counts : ndarray, shape (tokens of the column,)
    ordered : bool
        Whether neighbouring tokens are alike.
    """
    if len(counts) <= _PARTS:
        return tokens
    if ordered:
        middle = np.cumsum(counts) - counts / 2
        return np.minimum((middle / counts.sum() * _PARTS).astype(int), _PARTS - 1)[tokens]
    rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
    return np.minimum(rank, _PARTS - 1)[tokens]


def chow_liu(codes: np.ndarray, labels: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Parents of the Chow-Liu tree over columns of coarse codes, shape (n, d); at most 20,000 rows are counted."""
    if len(codes) > _ROWS:
        rows = rng.permutation(len(codes))[:_ROWS]
        codes, labels = codes[rows], None if labels is None else labels[rows]
    return spanning_tree(mutual_information(codes, labels))
