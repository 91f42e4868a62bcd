"""Choice of the leaf size by the likelihood of held-out rows."""

from collections.abc import Sequence

import numpy as np

from trisynth.generators.trees.growing import grow, is_codes, pooled

# Fraction of the rows that are held out.
_HELD = 0.3
# Bins of equal frequency whose probability is the likelihood of a number; as many common codes of a category.
_BINS = 20
# Pseudo-rows of a column's overall frequencies in each leaf.
_PRIOR = 1.0


def chosen_size(
    cells: list[np.ndarray], weights: np.ndarray, sizes: Sequence[int], rng: np.random.Generator, seed: int
) -> int:
    """Choose the leaf size under which held-out rows are most likely.

    One tree per column is grown on the other rows with the smallest size. For a larger size, a node is
    split only if both of its children have enough rows, so that one tree serves for all sizes.

    Parameters
    ----------
    cells : list of ndarray, shape (n,)
        Columns in the order of the sequence, as in :func:`grow`; the first is given.
    weights : ndarray, shape (n,)
    sizes : sequence of int
        In increasing order.
    rng : Generator
        Draws the held-out rows.
    seed : int

    Returns
    -------
    int
    """
    held = rng.random(len(weights)) < _HELD
    if len(sizes) == 1 or (~held).sum() < 2 * sizes[0] or not held.any():
        return sizes[0]
    total = np.zeros(len(sizes))
    for place in range(1, len(cells)):
        earlier, response = cells[:place], _binned(cells[place])
        train = [column[~held] for column in earlier]
        tree, predictors = grow(train, response[~held], weights[~held], sizes[0], seed)
        nodes = tree.apply(np.ascontiguousarray(predictors.features(earlier, range(place)).T))
        total += [_likelihood(ends[nodes], response, held, weights) for ends in _coarser(tree, sizes)]
    return sizes[int(np.argmax(total))]


def _binned(cells: np.ndarray) -> np.ndarray:
    """Return codes of a column: those of a category, or of bins of equal frequency and of missing numbers."""
    if is_codes(cells):
        return pooled(cells, _BINS)
    seen = ~np.isnan(cells)
    edges = np.unique(np.quantile(cells[seen], np.linspace(0, 1, _BINS + 1)[1:-1])) if seen.any() else []
    return np.where(seen, np.searchsorted(edges, cells), len(edges) + 1).astype(np.int64)


def _coarser(tree, sizes: Sequence[int]) -> list[np.ndarray]:
    """Return, for each size, the node at which a row of each node ends, arrays of shape (nodes,)."""
    inner = np.flatnonzero(tree.children_left >= 0)
    rows = tree.n_node_samples
    ends = []
    for size in sizes:
        end = np.arange(tree.node_count)
        # A node comes before its children.
        for node in inner:
            left, right = tree.children_left[node], tree.children_right[node]
            if end[node] != node or min(rows[left], rows[right]) < size:
                end[left] = end[right] = end[node]
        ends.append(end)
    return ends


def _likelihood(leaf: np.ndarray, response: np.ndarray, held: np.ndarray, weights: np.ndarray) -> float:
    """Compute the weighted mean log-likelihood of held-out codes, given the other rows of their leaves."""
    k, size = response.max() + 1, leaf.max() + 1
    pair = leaf * k + response
    counts = np.bincount(pair[~held], weights[~held], size * k)
    overall = np.bincount(response[~held], weights[~held], k)
    overall = (overall + 1 / k) / (overall.sum() + 1)
    rows = np.bincount(leaf[~held], weights[~held], size)
    probability = (counts[pair[held]] + _PRIOR * overall[response[held]]) / (rows[leaf[held]] + _PRIOR)
    return float(np.average(np.log(probability), weights=weights[held]))
