"""Boxes of rows, a set of tokens for each column, and what a circuit says of them exactly."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from trisynth.generators.circuit.latent_tree import LatentTree, Tree

_TINY = 1e-30


@dataclass(frozen=True)
class Boxes:
    """Boxes as evidence: a column whose cell is only known to lie in a box shows one of the ``sets``, as if a token.

    Parameters
    ----------
    sets : ndarray of bool, shape (sets, tokens)
        Tokens of one column each.
    cells : ndarray of int, shape (2, boxes, d)
        What each column of a row that is somewhere in the box shows, as a row of ``extended`` leaves; in the second
        place if its cell is known not to be missing.
    """

    sets: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(cls, allowed: np.ndarray, starts: np.ndarray, missing: list[bool]) -> "Boxes":
        """Boxes that allow the given tokens, shape (boxes, tokens).

        Parameters
        ----------
        allowed : ndarray of bool, shape (boxes, tokens)
        starts : ndarray of int, shape (d + 1,)
        missing : list of bool, length d
            Whether the column's first token stands for a missing cell that could have a value instead.
        """
        sets: list[np.ndarray] = []
        cells = np.full((2, len(allowed), len(missing)), starts[-1])
        for j, (start, stop, gap) in enumerate(zip(starts[:-1], starts[1:], missing, strict=True)):
            found, which = np.unique(allowed[:, start:stop], axis=0, return_inverse=True)
            for place in range(1 + gap):
                tokens = np.zeros((len(found), allowed.shape[1]), bool)
                tokens[:, start:stop] = found
                tokens[:, start] &= place == 0
                row = starts[-1] + 1 + sum(map(len, sets)) + np.arange(len(found))
                # A column without bounds is unobserved, which costs nothing.
                row[tokens[:, start:stop].all(axis=1)] = starts[-1]
                cells[place, :, j] = row[which.ravel()]
                sets.append(tokens)
            if not gap:
                cells[1, :, j] = cells[0, :, j]
        return cls(np.concatenate(sets), cells)

    def __len__(self) -> int:
        return self.cells.shape[1]

    def extended(self, circuit: LatentTree) -> LatentTree:
        """The circuit with a further leaf row for each set: the probability of its tokens."""
        sums = self.sets.astype(float) @ circuit.leaves[:-1].astype(float)
        return replace(circuit, leaves=np.concatenate([circuit.leaves, sums.astype(circuit.leaves.dtype)]))

    def log_chances(self, circuits: list[LatentTree]) -> np.ndarray:
        """Log-probability of each box under each circuit, shape (boxes, circuits)."""
        return np.stack([self.extended(circuit).log_likelihood(self.cells[0]) for circuit in circuits], axis=1)

    def shared(self, tree: Tree) -> np.ndarray:
        """Numbers of equal bounds at and below each column, shape (boxes, d): where equal, so is the circuit's law."""
        numbers = np.zeros((len(self), len(tree.parents)), int)
        for v in tree.order[::-1]:
            below = np.flatnonzero(tree.parents == v)
            bounds = np.column_stack([self.cells[0][:, v], numbers[:, below]])
            numbers[:, v] = np.unique(bounds, axis=0, return_inverse=True)[1].ravel()
        return numbers


@dataclass(frozen=True)
class Pieces:
    """A circuit's laws inside boxes, each law kept once.

    Parameters
    ----------
    root : ndarray, shape (laws of the root, K)
    transitions : list of ndarray, shape (laws of the column, K, K)
        The root's entry is not used.
    leaves : list of ndarray, shape (sets of the column, tokens of the column, K)
    """

    root: np.ndarray
    transitions: list
    leaves: list

    @classmethod
    def of(cls, circuit: LatentTree, boxes: Boxes, starts: np.ndarray) -> "Pieces":
        """Laws in the order of ``boxes.shared`` and, of the leaves, of ``bounds``."""
        tree, numbers = circuit.tree, boxes.shared(circuit.tree)
        extended = replace(boxes.extended(circuit), transitions=circuit.transitions.astype(float))
        below, _, _ = extended.upward(boxes.cells[0])
        root, transitions, leaves = np.zeros(0), [], []
        for v, (start, stop) in enumerate(pairwise(starts)):
            one = np.unique(numbers[:, v], return_index=True)[1]
            if tree.parents[v] < 0:
                root = below[v][one] * circuit.root
                transitions.append(np.zeros((0, circuit.states, circuit.states)))
            else:
                # A state from which the box cannot be reached is never entered; any law will do.
                transitions.append(extended.transitions[v] * below[v][one][:, None, :] + _TINY)
            shown = np.unique(boxes.cells[0][:, v])
            inside = np.ones((len(shown), stop - start))
            bounded = shown > starts[-1]
            inside[bounded] = boxes.sets[shown[bounded] - starts[-1] - 1, start:stop]
            own = inside[:, :, None] * circuit.leaves[start:stop]
            # The same of a state that has no token in the box.
            own = np.where(own.sum(axis=1, keepdims=True) > 0, own, inside[:, :, None])
            leaves.append(own)
        return cls(root, transitions, leaves)


def bounds(boxes: Boxes) -> np.ndarray:
    """Number of each box's set among its column's, shape (boxes, d)."""
    return np.stack([np.unique(column, return_inverse=True)[1].ravel() for column in boxes.cells[0].T], axis=1)
