"""Sampling from class-conditional circuits by the alias method, many rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.decision_regions import DecisionRegions
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.region_evidence import RegionEvidence, RegionParameters

# Rows drawn at once: few enough for their states to stay in the processor's cache.
_ROWS = 16_384
# Largest sample that is stratified. Independent draws would add as much noise as the training rows have, and
# classifiers trained on them would lose by it; in larger samples the noise is small.
STRATIFIED_ROWS = 65_536


@dataclass(frozen=True)
class AliasTable:
    """Categorical distributions, one per row, as alias tables with draws in constant time (Walker 1977; Vose 1991).

    Parameters
    ----------
    cut : ndarray of float, shape (rows, size)
        Fraction of the cell that belongs to its own outcome.
    other : ndarray of int, shape (rows, size)
        Outcome that the rest of the cell belongs to.
    """

    cut: np.ndarray
    other: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray) -> "AliasTable":
        """Build tables of distributions proportional to non-negative ``weights``, shape (rows, size)."""
        rows, size = weights.shape
        excess = weights.astype(float) * (size / weights.sum(axis=1, keepdims=True))
        order = np.argsort(excess, axis=1)
        every = np.arange(rows)
        cut, other = np.ones((rows, size)), np.tile(np.arange(size, dtype=np.int32), (rows, 1))
        # Sweep from both ends of the sorted cells: the open small cell is filled up by the open large one, which
        # becomes the small one once it has given so much that it is small itself.
        low, high = np.zeros(rows, int), np.full(rows, size - 1)
        small = order[:, 0]
        for _ in range(size - 1):
            large = order[every, high]
            need = 1.0 - excess[every, small]
            open_ = (low < high) & (need > 0)
            cut[every, small] = np.where(open_, excess[every, small], 1.0)
            other[every, small] = np.where(open_, large, small)
            excess[every, large] -= np.where(open_, need, 0.0)
            spent = open_ & (excess[every, large] < 1.0)
            high -= spent
            low += ~spent
            small = np.where(spent, large, order[every, np.minimum(low, size - 1)])
        return cls(cut.astype(np.float32), other.astype(np.min_scalar_type(size - 1)))

    def draw(self, rows: np.ndarray, rng: np.random.Generator, stratified: bool = False) -> np.ndarray:
        """Draw an outcome from the distribution of each of ``rows``, shape (n,).

        Stratified draws from one distribution take one place in each of as many equal parts of its cells. Each draw
        has the same distribution as an independent one, but together they meet the probabilities more closely.
        """
        size = self.cut.shape[1]
        place = self._stratified(rows, rng) if stratified else rng.random(len(rows), dtype=np.float32)
        place *= size
        own = place.astype(np.int32)
        np.minimum(own, size - 1, out=own)
        place -= own
        cell = rows * np.int32(size) + own
        return np.where(place < self.cut.ravel().take(cell), own, self.other.ravel().take(cell))

    def _stratified(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw numbers from 0 to 1, shape (n,); those of equal ``rows`` lie one in each of as many equal parts."""
        size = len(self.cut)
        order = rng.permutation(len(rows))
        # numpy sorts short whole numbers by their digits, in linear time.
        order = order[np.argsort(rows[order].astype(np.min_scalar_type(size - 1)), kind="stable")]
        counts = np.bincount(rows, minlength=size)
        rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = np.empty(len(rows), np.float32)
        place[order] = (rank + rng.random(len(rows))) / np.repeat(counts, counts)
        return place


@dataclass(frozen=True)
class Sampler:
    """Alias tables of the circuits of all labels within all regions; a pair of label and region is a component.

    Parameters
    ----------
    order, parents : ndarray of int, shape (d,)
        Of the tree.
    components : AliasTable
        Distribution of the region, one per label.
    roots : AliasTable
        Distributions of the root's state.
    transitions, leaves : list of AliasTable
        For each column, the distributions of its state given the parent's, and of its token given its state.
    transition_rows, leaf_rows : list of ndarray of int32, shape (components,)
        Row of the component's state 0 in these tables; for the root, its row in ``roots``.
    """

    order: np.ndarray
    parents: np.ndarray
    components: AliasTable
    roots: AliasTable
    transitions: list
    leaves: list
    transition_rows: list
    leaf_rows: list

    @classmethod
    def of(
        cls, circuits: Sequence[LatentTree], regions: DecisionRegions, evidence: RegionEvidence, starts: np.ndarray
    ) -> "Sampler":
        """Build the tables of one circuit per label, restricted to each region.

        Parameters
        ----------
        circuits : sequence of LatentTree
        regions : DecisionRegions
        evidence : RegionEvidence
            Of the leaves of ``regions``.
        starts : ndarray of int, shape (d + 1,)
            First token of each column.
        """
        tree, k = circuits[0].tree, circuits[0].states
        weights = np.exp(evidence.log_probabilities(list(circuits)) + regions.log_weights[regions.leaves])
        parts = [RegionParameters.of(circuit, evidence, starts) for circuit in circuits]

        def rows(numbers: np.ndarray, each: int) -> np.ndarray:
            size = numbers.max() + 1
            return (np.add.outer(np.arange(len(circuits)) * size, numbers).ravel() * each).astype(np.int32)

        def table(distributions: list[np.ndarray]) -> AliasTable:
            return AliasTable.of(np.concatenate([part.reshape(-1, part.shape[-1]) for part in distributions]))

        return cls(
            tree.order,
            tree.parents,
            AliasTable.of(weights.T),
            AliasTable.of(np.concatenate([part.root for part in parts])),
            [table([part.transitions[v] for part in parts]) for v in range(len(tree.order))],
            [table([part.leaves[v].transpose(0, 2, 1) for part in parts]) for v in range(len(tree.order))],
            [rows(n, 1 if tree.parents[v] < 0 else k) for v, n in enumerate(evidence.subtree_numbers(tree).T)],
            [rows(n, k) for n in evidence.set_numbers().T],
        )

    def draw(
        self, labels: np.ndarray, discretizer: TableDiscretizer, rng: np.random.Generator, even: bool = True
    ) -> list[np.ndarray]:
        """Draw rows with the given ``labels``, shape (n,), and return the decoded cells of each column, shape (n,).

        ``even`` stratifies samples of up to ``STRATIFIED_ROWS`` rows.
        """
        drawn = [np.empty(len(labels), float if c.categories is None else c.code_type) for c in discretizer.columns]
        regions, stratified = self.components.cut.shape[1], even and len(labels) <= STRATIFIED_ROWS
        step = STRATIFIED_ROWS if stratified else _ROWS
        for start in range(0, len(labels), step):
            component = labels[start : start + step].astype(np.int32)
            if regions > 1:
                component = component * np.int32(regions) + self.components.draw(component, rng, stratified)
            states: list = [None] * len(self.transitions)
            for v in self.order:
                parent, row = self.parents[v], self.transition_rows[v].take(component)
                table, row = (self.roots, row) if parent < 0 else (self.transitions[v], row + states[parent])
                states[v] = table.draw(row, rng, stratified)
                tokens = self.leaves[v].draw(self.leaf_rows[v].take(component) + states[v], rng, stratified)
                drawn[v][start : start + step] = discretizer.columns[v].decode(tokens, rng)
        return drawn
