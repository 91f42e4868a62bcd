"""Pruning of a tree by rows that it was not grown on, and merging of its small leaves."""

import numpy as np

# A split stays if the loss of its children is below the loss of the node times 1 + _SLACK / rows.
_SLACK = 0.0


def pruned(tree, grown: np.ndarray, unseen: np.ndarray, seen_outcome: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Return which nodes keep their split, shape (nodes,).

    From the leaves to the root, a split is kept if the unseen rows are nearer to the means of its children than to that
    of the node (reduced-error pruning, Quinlan 1987).

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
    grown, unseen : ndarray of int
        Leaves of the rows that the tree was grown on, and of those it was not.
    seen_outcome, outcome : ndarray, shape (rows, outcomes)
        Outcomes of both.
    """
    size, levels = tree.node_count, _levels(tree)
    means, rows = _sums(tree, levels, grown, seen_outcome, size)
    means /= np.maximum(rows, 1)[:, None]
    first, count = _sums(tree, levels, unseen, outcome, size)
    second, _ = _sums(tree, levels, unseen, outcome**2, size)
    loss = (second - 2 * means * first + count[:, None] * means**2).sum(axis=1)
    keep = tree.children_left >= 0
    for level in reversed(levels):
        inner = level[tree.children_left[level] >= 0]
        below = loss[tree.children_left[inner]] + loss[tree.children_right[inner]]
        good = (below < loss[inner] * (1 + _SLACK / np.maximum(count[inner], 1))) & (count[inner] > 0)
        keep[inner] = good
        loss[inner[good]] = below[good]
    return keep


def ends(tree, keep: np.ndarray, size: int) -> np.ndarray:
    """Return the node at which a row of each node ends, shape (nodes,).

    Only splits that ``keep`` marks and both of whose children have ``size`` rows count.
    """
    inner = np.flatnonzero(tree.children_left >= 0)
    rows = tree.n_node_samples
    keep = keep.copy()
    keep[inner] &= np.minimum(rows[tree.children_left[inner]], rows[tree.children_right[inner]]) >= size
    found = np.arange(tree.node_count)
    for level in _levels(tree):
        inner = level[tree.children_left[level] >= 0]
        cut = inner[(found[inner] != inner) | ~keep[inner]]
        found[tree.children_left[cut]] = found[tree.children_right[cut]] = found[cut]
    return found


def _levels(tree) -> list[np.ndarray]:
    """Return the nodes of each depth."""
    levels, level = [], np.zeros(1, dtype=np.intp)
    while len(level):
        levels.append(level)
        inner = level[tree.children_left[level] >= 0]
        level = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
    return levels


def _sums(tree, levels: list, leaf: np.ndarray, outcome: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of the outcomes and numbers of rows in every node."""
    table = np.column_stack([outcome, np.ones(len(outcome))])
    sums = np.column_stack([np.bincount(leaf, column, size) for column in table.T])
    for level in reversed(levels):
        inner = level[tree.children_left[level] >= 0]
        sums[inner] = sums[tree.children_left[inner]] + sums[tree.children_right[inner]]
    return sums[:, :-1], sums[:, -1]
