"""Histograms of all columns, and the groups of their cells between which dependence is measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from trisynth.data.kinds import Kind
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables import spanning, tree
from trisynth.generators.private.tables.axes import Axis
from trisynth.generators.private.tables.leaves import Leaves, build, groups, projected
from trisynth.privacy.ledger import Ledger
from trisynth.privacy.noise import Noise

# Groups of a column, and the average rows of a cell of a table in standard deviations of its noise.
_FEWEST, _MOST, _CELL = 4, 32, 1.0
# A group holds at least so many standard deviations of the noise of a table.
_GROUP = 8.0


def queries(axes: Sequence[Axis]) -> int:
    """Return the number of counting queries that the histograms of some columns take."""
    return sum(len(axis.levels) for axis in axes)


@dataclass
class Columns:
    """Histograms of columns, each with the group of each leaf.

    Parameters
    ----------
    axes : tuple of Axis
    leaves : list of Leaves
    groups : list of ndarray of int
        Group of each leaf of each column.
    """

    axes: tuple[Axis, ...]
    leaves: list[Leaves] = field(default_factory=list)
    groups: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def count(
        cls, axes: tuple[Axis, ...], counts: list[list[np.ndarray]], ledger: Ledger, name: str, noise: Noise
    ) -> "Columns":
        """Build the histograms from counts of each grid of each column, by the query ``name`` of a ledger."""
        sigma = ledger.sigma(name)
        found = []
        for axis, grids in zip(axes, counts, strict=True):
            found.append(build(axis, [ledger.noisy(name, each, noise) for each in grids], sigma))
        return cls(axes, found)

    def group(
        self,
        rows: float,
        labels: int,
        sigma: float,
        least: float = _GROUP,
        cell: float = _CELL,
        numbers: int = _MOST,
    ) -> None:
        """Join the cells of each column to groups, fewer of them the fewer ``rows`` and the more noise there are.

        Parameters
        ----------
        rows : float
            Estimated rows.
        labels : int
            Tables of two columns that these rows are divided among.
        sigma : float
            Standard deviation of the noise of a cell of such a table.
        least : float, default=8.0
            Rows of a group at least, in such standard deviations.
        cell : float, default=1.0
            Average rows of a cell of such a table, likewise.
        numbers : int, default=32
            Maximum number of groups of a column that is not a category.
        """
        most = int(np.clip(np.sqrt(rows / labels / max(cell * sigma, 0.2)), _FEWEST, _MOST))
        self.groups = [
            groups(axis, leaves, most if axis.is_category else min(most, numbers), least * sigma)
            for axis, leaves in zip(self.axes, self.leaves, strict=True)
        ]

    @property
    def sizes(self) -> list[int]:
        """Number of groups of each column."""
        return [int(found.max()) + 1 for found in self.groups]

    def codes(self, positions: np.ndarray) -> list[np.ndarray]:
        """Return the group of each cell, by column."""
        return [
            found[leaves.of(cells)] for found, leaves, cells in zip(self.groups, self.leaves, positions, strict=True)
        ]

    def with_label(
        self, records: Records, kinds: int, inner: int, members: np.ndarray | None = None
    ) -> dict[int | tuple[int, int], np.ndarray]:
        """Count groups with the label in one pass: tables of each of the first ``inner`` columns, and of their pairs.

        Parameters
        ----------
        records : Records
        kinds : int
            Labels.
        inner : int
        members : ndarray of int, optional
            Label of each leaf of the last column, a numeric target.
        """

        def count(positions: np.ndarray, labels: np.ndarray) -> dict:
            if members is not None:
                labels = members[self.leaves[-1].of(positions[-1])]
            codes, sizes = self.codes(positions)[:inner], self.sizes
            ones = {
                i: np.bincount(labels * size + code, minlength=kinds * size).reshape(kinds, size).astype(float)
                for i, (code, size) in enumerate(zip(codes, sizes, strict=False))
            }
            return {**ones, **spanning.tables(codes, labels, kinds, sizes)}

        return records.counted(count)

    def traces(self, positions: np.ndarray) -> list[float]:
        """Return the weight of the leaf of each cell of one row, per finest cell."""
        found = []
        for leaves, cells in zip(self.leaves, positions, strict=True):
            leaf = leaves.of(cells)[0]
            found.append(float(leaves.weights[leaf] / leaves.sizes[leaf]))
        return found

    def rows(self, column: int, total: float) -> np.ndarray:
        """Return the estimated rows of each group of a column, ``total`` in all."""
        found = np.bincount(self.groups[column], self.leaves[column].weights)
        return found * total / max(found.sum(), 1e-9)

    def combined(self, column: int, counts: np.ndarray, variance: float, sigma: float, total: float) -> np.ndarray:
        """Return the estimated rows of each group of a column, from its histogram and from noisy counts of the groups.

        A group of many leaves has the noise of all of them; the counts then weigh more.

        Parameters
        ----------
        column : int
        counts : ndarray, shape (groups,)
            Noisy counts.
        variance : float
            That of their noise.
        sigma : float
            Standard deviation of the noise of a leaf.
        total : float
            Sum of the result.
        """
        own = self.rows(column, total)
        if not sigma:
            return own
        weight = variance / (variance + sigma**2 * np.bincount(self.groups[column]))
        found = np.where(own > 0, weight * own + (1 - weight) * counts, 0.0)
        # Where the histogram has no row, noise must not bring one back.
        return np.where(own > 0, projected(found, max(total, 1e-9)), 0.0)

    def cells(self, drawn: list[np.ndarray], kinds: Sequence[Kind], rng: np.random.Generator) -> pd.DataFrame:
        """Draw a canonical table of the given groups: a leaf by its weight, and a place inside by its public shape."""
        columns = {}
        for axis, leaves, members, codes, kind in zip(self.axes, self.leaves, self.groups, drawn, kinds, strict=True):
            inside = np.where(members[None, :] == np.arange(members.max() + 1)[:, None], leaves.weights + 1e-9, 0.0)
            chosen = tree.pick(inside, codes, rng)
            starts = leaves.starts[chosen]
            missing = starts >= axis.cells
            if axis.is_category:
                positions = np.where(missing, -1, starts)
                columns[axis.name] = pd.Categorical.from_codes(positions, categories=kind.categories)
            else:
                columns[axis.name] = np.where(missing, np.nan, axis.values(starts, leaves.sizes[chosen], rng))
        return pd.DataFrame(columns)


def classes(counts: np.ndarray, ledger: Ledger, name: str, noise: Noise) -> np.ndarray:
    """Estimate the rows of each class from their counts, by the query ``name`` of a ledger."""
    noisy = ledger.noisy(name, counts, noise)
    return projected(noisy, max(noisy.sum(), 1.0))
