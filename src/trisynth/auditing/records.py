"""Numeric records of training, held-out and synthetic rows, and Gower's distance between their ranks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.data.kinds import Kind

# Most rows of a table that are compared.
MOST = 100_000
# Cells of the distances that are held at once, and cells that one attack by nearness compares on both sides.
_CELLS, _COMPARED = 2_000_000, 2_000_000_000
# Fewest attacked rows of a side in a table that is too large for all attacks.
_FEWEST = 100


def with_rows(dataset: Dataset, more: pd.DataFrame) -> Dataset:
    """Return a data set with more rows at its end, of whom nothing is learned but their cells."""
    joined = pd.concat([dataset.frame, more], ignore_index=True).astype(dataset.frame.dtypes)
    return replace(Dataset.of(joined, dataset.spec), columns=dataset.columns)


@dataclass(frozen=True)
class Records:
    """Rows of three canonical tables as numbers, missing cells as NaN.

    Parameters
    ----------
    train, control, synthetic : ndarray, shape (n, d)
        Training, held-out and synthetic records; of categories the codes. Training and held-out ones are equally many.
    is_category : ndarray of bool, shape (d,)
    is_point : ndarray of bool, shape (d,)
        Columns of dates, whose values have no natural zero.
    names : list of str
    train_used, synthetic_used : float, default=1.0
        Fractions of all training and of all synthetic rows that are records.
    """

    train: np.ndarray
    control: np.ndarray
    synthetic: np.ndarray
    is_category: np.ndarray
    is_point: np.ndarray
    names: list
    train_used: float = 1.0
    synthetic_used: float = 1.0

    @classmethod
    def of(cls, tables: Sequence[pd.DataFrame], kinds: Sequence[Kind], seed: int, most: int = MOST) -> "Records":
        """Draw records from canonical training, held-out and synthetic tables of the given kinds.

        Both sides of real rows have the size of the smaller one, and no part has more than ``most`` rows, so that the
        attacks on training and on held-out rows differ in nothing but membership. Synthetic rows are left out only
        beyond that, since the copy of an attacked row may be any of them.
        """
        rng = seeds.stream(seed, "auditing.records")
        size = min(len(tables[0]), len(tables[1]), most)
        bound = min(most, _COMPARED // (2 * _FEWEST * max(len(kinds), 1)))
        sizes = size, size, min(len(tables[2]), bound)
        parts = [
            np.column_stack([_numbers(table[name]) for name in table])[np.sort(rng.permutation(len(table))[:n])]
            for table, n in zip(tables, sizes, strict=True)
        ]
        is_category = np.array([kind.categories is not None for kind in kinds])
        is_point = np.array([kind.kind == "date" for kind in kinds])
        used = [n / max(len(table), 1) for table, n in zip(tables, sizes, strict=True)]
        return cls(*parts, is_category, is_point, [kind.name for kind in kinds], used[0], used[2])

    @cached_property
    def spreads(self) -> np.ndarray:
        """Range of each column without its hundredth of smallest and of largest values, shape (d,)."""
        columns = map(_present, np.vstack([self.train, self.control, self.synthetic]).T)
        return np.array([np.subtract(*np.quantile(each, [0.99, 0.01])) if len(each) else 0.0 for each in columns])

    @cached_property
    def distinct(self) -> np.ndarray:
        """Positions of synthetic rows of which no two are equal; missing cells are equal."""
        return np.sort(np.unique(self.codes(self.synthetic), axis=0, return_index=True)[1])

    def attacked(self, side: np.ndarray, attacks: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the rows of a side that are attacked; fewer than ``attacks`` where comparisons would be too many."""
        affordable = _COMPARED // (2 * max(self.synthetic.size, 1))
        return side[np.sort(rng.permutation(len(side))[: min(attacks, max(affordable, _FEWEST))])]

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """Encode rows as whole numbers, of numbers twice the rank among synthetic cells; of missing cells -1."""
        found = np.empty(rows.shape, np.int32)
        for i, known in enumerate(self._sorted):
            cells = rows[:, i]
            given = cells if self.is_category[i] else sum(np.searchsorted(known, cells, s) for s in ("left", "right"))
            found[:, i] = np.where(np.isnan(cells), -1, given)
        return found

    @cached_property
    def _sorted(self) -> list[np.ndarray]:
        return [np.sort(column[~np.isnan(column)]) for column in self.synthetic.T]

    def batches(self, targets: np.ndarray, others: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield some targets at a time, as their positions, and their distances to all others by column.

        Distances of shape (d, targets, others) between codes (see :meth:`codes`): of numbers the synthetic cells
        between them, so that one extreme cell changes no others, of categories 0 or the largest; a missing cell equals
        a missing one and differs from all others (Gower 1971, with ranks). They are whole numbers: ties are exact.
        """
        largest = np.int32(2 * max(len(self.synthetic), 1))
        missing = (others < 0).any(0) | (targets < 0).any(0)
        columns = np.ascontiguousarray(others.T)
        step = max(1, _CELLS // max(others.size, 1))
        for start in range(0, len(targets), step):
            part = targets[start : start + step]
            found = np.empty((part.shape[1], len(part), len(others)), np.int32)
            for i, column in enumerate(columns):
                cells = part[:, i][:, None]
                if self.is_category[i]:
                    np.multiply(cells != column, largest, out=found[i])
                    continue
                np.abs(np.subtract(cells, column, out=found[i]), out=found[i])
                if missing[i]:
                    found[i][(cells < 0) != (column < 0)] = largest
            yield np.arange(start, start + len(part)), found


def nearest(distances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each row of distances the place of the least one, of equal ones a random one."""
    found = distances.argmin(1)
    tied = distances == distances[np.arange(len(found)), found][:, None]
    for row in np.flatnonzero(tied.sum(1) > 1):
        found[row] = rng.choice(np.flatnonzero(tied[row]))
    return found


def _numbers(cells: pd.Series) -> np.ndarray:
    if isinstance(cells.dtype, pd.CategoricalDtype):
        codes = cells.cat.codes.to_numpy().astype(float)
        return np.where(codes < 0, np.nan, codes)
    return cells.to_numpy(float)


def _present(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
