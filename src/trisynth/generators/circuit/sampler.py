"""Rows drawn from circuits of one tree, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.generators.circuit.alias import AliasTable
from trisynth.generators.circuit.boxes import Boxes, Pieces, bounds
from trisynth.generators.circuit.codec import Codec
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.regions import Cuts

# Rows drawn at once: few enough for their states to stay in the processor's cache.
_ROWS = 16_384
# Up to so many rows are spread evenly over the law. Independent draws would add as much noise as the training rows
# have, and classifiers trained on them would lose by it; of more rows than that, the noise is small.
_EVENLY = 65_536


@dataclass(frozen=True)
class Sampler:
    """Alias tables of the circuits of all labels inside all boxes; a label and a box are a part.

    Parameters
    ----------
    order, parents : ndarray of int, shape (d,)
        Of the tree.
    parts : AliasTable
        A row of boxes for each label.
    roots : AliasTable
        Laws of the root's state.
    moves, leaves : list of AliasTable
        For each column, the laws of its state given the parent's, and of its token given its state.
    move_rows, leaf_rows : list of ndarray of int32, shape (parts,)
        Row of the part's state 0 in these tables; of the root, its row in ``roots``.
    """

    order: np.ndarray
    parents: np.ndarray
    parts: AliasTable
    roots: AliasTable
    moves: list
    leaves: list
    move_rows: list
    leaf_rows: list

    @classmethod
    def of(cls, circuits: Sequence[LatentTree], cuts: Cuts, boxes: Boxes, starts: np.ndarray) -> "Sampler":
        """Tables of one circuit per label, whose columns' tokens begin at ``starts``, in the ``boxes`` of ``cuts``."""
        tree, k = circuits[0].tree, circuits[0].states
        shares = np.exp(boxes.log_chances(list(circuits)) + cuts.log_weights[cuts.leaves])
        pieces = [Pieces.of(circuit, boxes, starts) for circuit in circuits]

        def rows(numbers: np.ndarray, each: int) -> np.ndarray:
            laws = numbers.max() + 1
            return (np.add.outer(np.arange(len(circuits)) * laws, numbers).ravel() * each).astype(np.int32)

        def table(laws: list[np.ndarray]) -> AliasTable:
            return AliasTable.of(np.concatenate([law.reshape(-1, law.shape[-1]) for law in laws]))

        return cls(
            tree.order,
            tree.parents,
            AliasTable.of(shares.T),
            AliasTable.of(np.concatenate([p.root for p in pieces])),
            [table([p.transitions[v] for p in pieces]) for v in range(len(tree.order))],
            [table([p.leaves[v].transpose(0, 2, 1) for p in pieces]) for v in range(len(tree.order))],
            [rows(n, 1 if tree.parents[v] < 0 else k) for v, n in enumerate(boxes.shared(tree).T)],
            [rows(n, k) for n in bounds(boxes).T],
        )

    def draw(self, labels: np.ndarray, codec: Codec, rng: np.random.Generator) -> list[np.ndarray]:
        """Decoded cells of each column, shape (n,), of rows with ``labels``."""
        drawn = [np.empty(len(labels), float if c.categories is None else c.code_type) for c in codec.columns]
        boxes, evenly = self.parts.cut.shape[1], len(labels) <= _EVENLY
        step = _EVENLY if evenly else _ROWS
        for start in range(0, len(labels), step):
            part = labels[start : start + step].astype(np.int32)
            if boxes > 1:
                part = part * np.int32(boxes) + self.parts.draw(part, rng, evenly)
            states: list = [None] * len(self.moves)
            for v in self.order:
                parent, row = self.parents[v], self.move_rows[v].take(part)
                law, row = (self.roots, row) if parent < 0 else (self.moves[v], row + states[parent])
                states[v] = law.draw(row, rng, evenly)
                tokens = self.leaves[v].draw(self.leaf_rows[v].take(part) + states[v], rng, evenly)
                drawn[v][start : start + step] = codec.columns[v].decode(tokens, rng)
        return drawn
