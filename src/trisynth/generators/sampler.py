"""Rows drawn from circuits of one tree, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trisynth.generators.alias import AliasTable
from trisynth.generators.codec import Codec
from trisynth.generators.latent_tree import LatentTree

# Rows drawn at once: few enough for their states to stay in the processor's cache.
_ROWS = 16_384


@dataclass(frozen=True)
class Sampler:
    """Alias tables of the circuits of all labels; row K x label + state of a table belongs to the label's circuit.

    Parameters
    ----------
    states : int
        K.
    order, parents : ndarray of int, shape (d,)
        Of the tree.
    roots : AliasTable
        A row for each label.
    moves, leaves : list of AliasTable
        For each column, the laws of its state given the parent's, and of its token given its state.
    """

    states: int
    order: np.ndarray
    parents: np.ndarray
    roots: AliasTable
    moves: list
    leaves: list

    @classmethod
    def of(cls, circuits: Sequence[LatentTree], starts: np.ndarray) -> "Sampler":
        """Tables of one circuit per label, whose columns' tokens begin at ``starts``."""
        roots = AliasTable.of(np.stack([c.root for c in circuits]))
        moves = [AliasTable.of(np.concatenate(parts)) for parts in zip(*(c.transitions for c in circuits), strict=True)]
        leaves = [AliasTable.of(np.concatenate([c.leaves[a:b].T for c in circuits])) for a, b in pairwise(starts)]
        tree = circuits[0].tree
        return cls(circuits[0].states, tree.order, tree.parents, roots, moves, leaves)

    def draw(self, labels: np.ndarray, codec: Codec, rng: np.random.Generator) -> list[np.ndarray]:
        """Decoded cells of each column, shape (n,), of rows with ``labels``."""
        drawn = [np.empty(len(labels), float if c.categories is None else c.code_type) for c in codec.columns]
        for start in range(0, len(labels), _ROWS):
            first = labels[start : start + _ROWS].astype(np.int32)
            base = first * np.int32(self.states)
            states: list = [None] * len(self.moves)
            for v in self.order:
                parent = self.parents[v]
                states[v] = self.roots.draw(first, rng) if parent < 0 else self.moves[v].draw(states[parent], rng)
                states[v] += base
                tokens = self.leaves[v].draw(states[v], rng)
                drawn[v][start : start + _ROWS] = codec.columns[v].decode(tokens, rng)
        return drawn
