"""Public discretisation of columns: every grid follows from declared bounds, steps and categories."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Kind

# Most cells of the finest grid, most cells of the coarsest one, and cells of one grid in a cell of the next.
_FINEST, _COARSEST, _BRANCHES = 2**17, 128, 32
# Cells of a column of numbers without a step.
_CONTINUOUS = 2**12


@dataclass(frozen=True)
class Axis:
    """Grid of one column.

    Parameters
    ----------
    name : hashable
    cells : int
        Cells of the finest grid; categories have one each.
    gaps : bool
        Whether one more cell stands for missing ones.
    lower, width : float
        Position of the first cell and width of each, in canonical units; of categories 0 and 0.
    step : float
        Declared step of the numbers, 0 if there is none.
    upper : float
    levels : tuple of int
        Number of finest cells in a cell of each grid that is counted, from coarse to fine; the last is 1.
    """

    name: object
    cells: int
    gaps: bool
    lower: float = 0.0
    width: float = 0.0
    step: float = 0.0
    upper: float = 0.0
    levels: tuple[int, ...] = (1,)

    @classmethod
    def of(cls, kind: Kind) -> "Axis":
        """Lay the grid of a column that is declared."""
        gaps = bool(kind.facts.gaps)
        if kind.categories is not None:
            return cls(kind.name, len(kind.categories), gaps)
        lower, upper, step = kind.lower / kind.unit, kind.upper / kind.unit, kind.step / kind.unit
        span = upper - lower
        if not step:
            cells = _CONTINUOUS if span else 1
            width = span / cells or 1.0
        else:
            steps = int(np.floor(span / step + 0.5)) + 1
            each = -(-steps // _FINEST)
            cells, width = -(-steps // each), step * each
        lower = np.ceil(lower / step - 1e-9) * step if step else lower
        levels = [1]
        while -(-cells // levels[0]) > _COARSEST:
            levels.insert(0, levels[0] * _BRANCHES)
        return cls(kind.name, cells, gaps, lower, width, step, upper, tuple(levels))

    @property
    def is_category(self) -> bool:
        """True where the cells are categories."""
        return not self.width

    def positions(self, cells: pd.Series) -> np.ndarray:
        """Place canonical cells on the finest grid; ``cells`` is a missing one, where gaps are declared."""
        if self.is_category:
            found = cells.cat.codes.to_numpy().astype(np.int64)
            missing = found < 0
        else:
            values = cells.to_numpy(float)
            missing = np.isnan(values)
            # Numbers with a step lie in the middle of the first part of their cell.
            shift = 0.5 * self.step
            with np.errstate(invalid="ignore"):
                found = np.floor((values - self.lower + shift) / self.width)
            found = np.where(missing, 0, np.clip(found, 0, self.cells - 1)).astype(np.int64)
        if not missing.any():
            return found
        # A missing cell that is not declared counts as one in the middle, so that no row is lost.
        return np.where(missing, self.cells if self.gaps else self.cells // 2, found)

    def values(self, positions: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw canonical numbers, uniform over ``spread`` finest cells from each position, on the declared step."""
        start = positions * self.width
        size = spread * self.width
        if self.step:
            steps = np.maximum(np.rint(size / self.step), 1)
            offset = np.floor(rng.random(len(positions)) * steps) * self.step
        else:
            offset = rng.random(len(positions)) * size
        return np.minimum(self.lower + start + offset, self.upper)
