"""Numeric records of training, held-out and synthetic rows, and Gower's distance between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data.kinds import Kind

# Cells of the distances that are held at once.
_CELLS = 4_000_000


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
    """

    train: np.ndarray
    control: np.ndarray
    synthetic: np.ndarray
    is_category: np.ndarray
    is_point: np.ndarray
    names: list

    @classmethod
    def of(cls, tables: Sequence[pd.DataFrame], kinds: Sequence[Kind], seed: int, most: int = 2_000) -> "Records":
        """Draw records from canonical training, held-out and synthetic tables of the given kinds.

        Both sides of real rows have the size of the smaller one, and no part has more than ``most`` rows, so that the
        attacks on training and on held-out rows differ in nothing but membership.
        """
        rng = seeds.stream(seed, "auditing.records")
        size = min(len(tables[0]), len(tables[1]), most)
        sizes = size, size, min(len(tables[2]), most)
        parts = [
            np.column_stack([_numbers(table[name]) for name in table])[np.sort(rng.permutation(len(table))[:n])]
            for table, n in zip(tables, sizes, strict=True)
        ]
        is_category = np.array([kind.categories is not None for kind in kinds])
        is_point = np.array([kind.kind == "date" for kind in kinds])
        return cls(*parts, is_category, is_point, [kind.name for kind in kinds])

    @property
    def ranges(self) -> np.ndarray:
        """Largest minus smallest value of each column over real and synthetic records, shape (d,); at least 1e-12."""
        return np.array([max(np.ptp(each), 1e-12) if len(each) else 1.0 for each in map(_present, self._columns())])

    def _columns(self):
        return np.vstack([self.train, self.control, self.synthetic]).T

    def batches(self, targets: np.ndarray, others: np.ndarray):
        """Yield some targets at a time, as their positions, and their distances to all others by column.

        Distances of shape (d, targets, others): of numbers the difference over the range, of categories 0 or 1; a
        missing cell equals a missing one and differs from all others (Gower 1971).
        """
        step = max(1, _CELLS // max(others.size, 1))
        ranges = self.ranges
        for start in range(0, len(targets), step):
            part = targets[start : start + step]
            found = np.empty((part.shape[1], len(part), len(others)), np.float32)
            for i in range(part.shape[1]):
                a, b = part[:, i][:, None], others[:, i][None, :]
                if self.is_category[i]:
                    found[i] = a != b
                else:
                    found[i] = np.abs(a - b) / ranges[i]
                gaps = np.isnan(a), np.isnan(b)
                if gaps[0].any() or gaps[1].any():
                    found[i] = np.where(gaps[0] | gaps[1], gaps[0] != gaps[1], found[i])
            yield np.arange(start, start + len(part)), found


def _numbers(cells: pd.Series) -> np.ndarray:
    if isinstance(cells.dtype, pd.CategoricalDtype):
        codes = cells.cat.codes.to_numpy().astype(float)
        return np.where(codes < 0, np.nan, codes)
    return cells.to_numpy(float)


def _present(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
