"""Regions of a table as evidence: sets of tokens per column, and a circuit's exact restriction to them."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from trisynth.generators.circuit.latent_tree import LatentTree, Tree

_TINY = 1e-30


@dataclass(frozen=True)
class RegionEvidence:
    """Regions as set-valued evidence: an unknown cell of a row in a region shows one of the ``sets`` like a token.

    Parameters
    ----------
    sets : ndarray of bool, shape (sets, tokens)
        Tokens of one column each.
    cells : ndarray of int, shape (2, regions, d)
        Evidence on each column of a row that lies in the region, as a row of the leaves of ``extended``. The second
        entry is the evidence if the cell is known not to be missing.
    """

    sets: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(cls, allowed: np.ndarray, starts: np.ndarray, missing: list[bool]) -> "RegionEvidence":
        """Build the evidence of regions that allow the given tokens.

        Parameters
        ----------
        allowed : ndarray of bool, shape (regions, tokens)
        starts : ndarray of int, shape (d + 1,)
        missing : list of bool, length d
            Whether the column's first token stands for a missing cell that a value could replace.
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
        """Return the number of regions."""
        return self.cells.shape[1]

    def extended(self, circuit: LatentTree) -> LatentTree:
        """Return the circuit with a further leaf row for each set: the probability of its tokens."""
        sums = self.sets.astype(float) @ circuit.leaves[:-1].astype(float)
        return replace(circuit, leaves=np.concatenate([circuit.leaves, sums.astype(circuit.leaves.dtype)]))

    def log_probabilities(self, circuits: list[LatentTree]) -> np.ndarray:
        """Compute the log-probability of each region under each circuit, shape (regions, circuits)."""
        return np.stack([self.extended(circuit).log_likelihood(self.cells[0]) for circuit in circuits], axis=1)

    def subtree_numbers(self, tree: Tree) -> np.ndarray:
        """Assign numbers to the distinct bounds of each column's subtree, shape (regions, d).

        Regions of equal number have the same conditional distribution of that subtree.
        """
        numbers = np.zeros((len(self), len(tree.parents)), int)
        for v in tree.order[::-1]:
            below = np.flatnonzero(tree.parents == v)
            bounds = np.column_stack([self.cells[0][:, v], numbers[:, below]])
            numbers[:, v] = np.unique(bounds, axis=0, return_inverse=True)[1].ravel()
        return numbers

    def set_numbers(self) -> np.ndarray:
        """Assign to each region the number of its set among those of the column, shape (regions, d)."""
        return np.stack([np.unique(column, return_inverse=True)[1].ravel() for column in self.cells[0].T], axis=1)


@dataclass(frozen=True)
class RegionParameters:
    """Parameters of a circuit given each region; parameters that several regions share are kept once.

    Parameters
    ----------
    root : ndarray, shape (distinct numbers of the root, K)
    transitions : list of ndarray, shape (distinct numbers of the column, K, K)
        The root's entry is not used.
    leaves : list of ndarray, shape (sets of the column, tokens of the column, K)
    """

    root: np.ndarray
    transitions: list
    leaves: list

    @classmethod
    def of(cls, circuit: LatentTree, evidence: RegionEvidence, starts: np.ndarray) -> "RegionParameters":
        """Compute parameters in the order of ``subtree_numbers`` and, for leaves, of ``set_numbers``."""
        tree, numbers = circuit.tree, evidence.subtree_numbers(circuit.tree)
        extended = replace(evidence.extended(circuit), transitions=circuit.transitions.astype(float))
        below, _, _ = extended.upward(evidence.cells[0])
        root, transitions, leaves = np.zeros(0), [], []
        for v, (start, stop) in enumerate(pairwise(starts)):
            one = np.unique(numbers[:, v], return_index=True)[1]
            if tree.parents[v] < 0:
                root = below[v][one] * circuit.root
                transitions.append(np.zeros((0, circuit.states, circuit.states)))
            else:
                # A state from which the region is out of reach is never entered; any distribution will do.
                transitions.append(extended.transitions[v] * below[v][one][:, None, :] + _TINY)
            shown = np.unique(evidence.cells[0][:, v])
            inside = np.ones((len(shown), stop - start))
            bounded = shown > starts[-1]
            inside[bounded] = evidence.sets[shown[bounded] - starts[-1] - 1, start:stop]
            own = inside[:, :, None] * circuit.leaves[start:stop]
            # The same holds for a state without a token in the region.
            own = np.where(own.sum(axis=1, keepdims=True) > 0, own, inside[:, :, None])
            leaves.append(own)
        return cls(root, transitions, leaves)
