"""Tree-structured model of groups of cells, for each label: estimated from noisy tables, sampled down the tree."""

from dataclasses import dataclass

import numpy as np

from trisynth.generators.private.tables.leaves import projected

_ROUNDS = 30
# Rows by which a fitted table may miss those of its axes.
_MET = 1e-3


@dataclass(frozen=True)
class Edge:
    """Noisy table of two axes and the label.

    Parameters
    ----------
    parent, child : int
        Numbers of the axes; the parent of a root is -1.
    table : ndarray, shape (labels, groups of the parent, groups of the child)
        Estimated rows.
    """

    parent: int
    child: int
    table: np.ndarray


def balanced(pair: np.ndarray, ones: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Fit a noisy table of shape (labels, groups) to the rows of each group and label."""
    found = projected(pair, labels.sum()) + 1e-6
    for _ in range(_ROUNDS):
        found *= _ratio(labels, found.sum(1))[:, None]
        found *= _ratio(ones, found.sum(0))[None, :]
    return found * _ratio(labels, found.sum(1))[:, None]


def fitted(triple: np.ndarray, parent: np.ndarray, child: np.ndarray) -> np.ndarray:
    """Fit a noisy table of shape (labels, groups, groups) to the tables of its axes, each of shape (labels, groups)."""
    found = projected(triple, parent.sum()) + 1e-9
    for _ in range(_ROUNDS):
        found *= _ratio(child, found.sum(1))[:, None, :]
        along = found.sum(2)
        found *= _ratio(parent, along)[:, :, None]
        if np.abs(along - parent).max() < _MET:
            break
    return found


def _ratio(due: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.divide(due, found, out=np.zeros_like(due), where=found > 1e-12)


def rooted(edges: list[tuple[int, int, np.ndarray]], pairs: list[np.ndarray], root: int = 0) -> list[Edge]:
    """Direct the edges of a forest away from a root, in the order of sampling.

    Parameters
    ----------
    edges : list of (int, int, ndarray)
        Two axes and their table of shape (labels, groups of the first, groups of the second).
    pairs : list of ndarray
        Table of each axis, shape (labels, groups).
    root : int, default=0
    """
    waiting = {axis: [] for axis in range(len(pairs))}
    for first, second, table in edges:
        waiting[first].append((second, table))
        waiting[second].append((first, table.transpose(0, 2, 1)))
    found, seen = [], set()
    for start in (root, *range(len(pairs))):
        if start in seen:
            continue
        seen.add(start)
        found.append(Edge(-1, start, pairs[start][:, None, :]))
        open_ = [start]
        while open_:
            parent = open_.pop()
            for child, table in waiting[parent]:
                if child not in seen:
                    seen.add(child)
                    found.append(Edge(parent, child, table))
                    open_.append(child)
    return found


def draw(
    edges: list[Edge], pairs: list[np.ndarray], labels: np.ndarray, rng: np.random.Generator, given: dict | None = None
) -> list[np.ndarray]:
    """Draw the groups of all axes for rows of the given labels; ``given`` axes keep the groups that it names."""
    found: list = [None] * len(pairs)
    for edge in edges:
        if given and edge.child in given:
            found[edge.child] = given[edge.child]
            continue
        table = edge.table
        empty = table.sum(2, keepdims=True) <= 1e-9
        # Where no row is estimated, the axis by itself is the best guess.
        table = np.where(empty, pairs[edge.child][:, None, :] + 1e-12, table)
        rows = labels * table.shape[1] + (0 if edge.parent < 0 else found[edge.parent])
        found[edge.child] = pick(table.reshape(-1, table.shape[2]), rows, rng)
    return found


def traces(edges: list[Edge], codes: list[np.ndarray], labels: np.ndarray) -> list[float]:
    """Return the estimated rows at the groups of one row, in the order of the children of the edges."""
    found = {}
    for edge in edges:
        parent = 0 if edge.parent < 0 else int(codes[edge.parent][0])
        found[edge.child] = float(edge.table[int(labels[0]), parent, int(codes[edge.child][0])])
    return [found[child] for child in sorted(found)]


def pick(table: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column of ``table`` for each of the given rows of it, in proportion to its cells."""
    shares = np.cumsum(table, axis=1)
    shares /= shares[:, -1:]
    shares[:, -1] = 1.0
    flat = (shares + np.arange(len(table))[:, None]).ravel()
    found = np.searchsorted(flat, rows + rng.random(len(rows)), side="right")
    return np.minimum(found - rows * table.shape[1], table.shape[1] - 1)
