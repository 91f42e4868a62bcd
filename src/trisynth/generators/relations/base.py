"""Base class of the relations between columns, and the grid of values that a column may take."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.kinds import Category, Date, Kind
from trisynth.errors import InputError
from trisynth.generators.columns import with_column

# Relative rounding error of computed numbers, the one of floats alone, and that of points in time in seconds.
ROUNDING = 1e-6
_FLOAT, _MOMENT = 1e-12, 1e-6
# Beyond it a float misses whole numbers.
_EXACT = 2.0**53


@dataclass(frozen=True)
class Grid:
    """Values that a numeric column takes: multiples of a step within the range of the training rows.

    Parameters
    ----------
    step : float
        0 where none was found.
    lower, upper : float
        Of the training rows, in canonical units.
    gaps : bool
        Whether training cells are missing.
    moments : bool, default=False
        Whether they are points in time, which lie far from their origin.
    """

    step: float
    lower: float
    upper: float
    gaps: bool
    moments: bool = False

    def rounded(self, values: np.ndarray, how: str = "nearest") -> np.ndarray:
        """Round to the step: to the nearest multiple, ``down`` or ``up``."""
        if not self.step:
            return values
        # Decimal steps divide: 3 / 10 prints as 0.3, 3 * 0.1 does not.
        per_unit = round(1 / self.step) if self.step < 1 else None
        steps = values * per_unit if per_unit else values / self.step
        if how == "nearest":
            whole = np.rint(steps)
        else:
            # A product such as 0.29 * 100 is 28.999999999999996.
            near = ROUNDING * np.maximum(1.0, np.abs(steps)) * 1e-3
            whole = np.floor(steps + near) if how == "down" else np.ceil(steps - near)
        return whole / per_unit if per_unit else whole * self.step

    def settled(self, values: np.ndarray) -> np.ndarray:
        """Round to the step and clip to the range."""
        return np.clip(self.rounded(np.clip(values, self.lower, self.upper)), self.lower, self.upper)

    def inside(self, values: np.ndarray) -> np.ndarray:
        """Find which values are within the range; a missing one is where training cells are missing, too."""
        near = ROUNDING * self.step
        within = (values >= self.lower - near) & (values <= self.upper + near)
        return within | np.isnan(values) if self.gaps else within

    def error(self, values: np.ndarray) -> float:
        """Return the rounding error of floats of that size."""
        return _MOMENT if self.moments and self.step < 1 else 1e-9 * float(np.abs(values).max())

    def tolerance(self, values: np.ndarray) -> np.ndarray:
        """Return how far from a computed number a recorded one may be."""
        if self.moments:
            return np.full(np.shape(values), self.step / 2 + _MOMENT)
        # A millionth of a large number, or of the seconds since 1970, is more than its last digit.
        relative = _FLOAT if self.step else ROUNDING
        return np.maximum(self.step / 2 * (1 + ROUNDING), relative * np.abs(values))


class Relation(ABC):
    """Relation that removes a column from the table that a generator models, and restores it in drawn rows.

    Attributes
    ----------
    names : tuple
        All columns concerned.
    derived : object
        The column that is taken out, or replaced.
    reported : bool
        Whether reports list it: not a declared constraint, nor a representation for one family of generators.
    """

    names: tuple
    derived: object
    reported: ClassVar[bool] = True

    @property
    def taken(self) -> tuple:
        """Columns that are taken out or replaced."""
        return (self.derived,)

    @abstractmethod
    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the canonical table without what the relation determines."""

    @abstractmethod
    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Return the table with what the relation determines."""

    @abstractmethod
    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Decide for each row of a whole table whether the relation holds; a missing cell breaks none."""

    def agreeing(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Decide for each row whether it is as the formula states, of a relation that only a part of the rows meets."""
        return self.holds(table, grids)

    def evidence(self, table: pd.DataFrame) -> pd.DataFrame:
        """Reduce a table of some columns, whose missing cells are unknown.

        Raises
        ------
        InputError
            If a column is known without those that it is modelled by: its distribution has no closed form then.
        """
        given = [name for name in self.taken if name in table]
        if not given:
            return table
        others = [name for name in self.names if name not in self.taken]
        known = table.reindex(columns=others).notna().all(axis=1)
        for name in given:
            if (table[name].notna() & ~known).any():
                remedy = f"follows from {self}; give {', '.join(map(str, others))} as well"
                raise InputError("X", name, remedy)
        if not set(others) <= set(table):
            return table.drop(columns=given)
        reduced = self.reduce(table)
        # A blank cell is to be filled, and no gap.
        if helper := getattr(self, "helper", ""):
            reduced = with_column(reduced, helper, flags(np.zeros(len(table), bool)))
        for name in given:
            if name in reduced:
                reduced = with_column(reduced, name, reduced[name].mask(table[name].isna()))
        return reduced

    @abstractmethod
    def __str__(self) -> str:
        """Write the relation as a formula."""


def grids_of(table: pd.DataFrame, kinds: Iterable[Kind]) -> dict[object, Grid]:
    """Return the grids of the numeric columns that relations may contain, by name."""
    found = {}
    for kind in kinds:
        if isinstance(kind, Category) or kind.unit != 1.0 or not np.isfinite(float(kind.lower)):
            continue
        if max(abs(float(kind.lower)), abs(float(kind.upper))) < _EXACT:
            gaps = bool(table[kind.name].isna().any())
            found[kind.name] = Grid(kind.step, float(kind.lower), float(kind.upper), gaps, isinstance(kind, Date))
    return found


def flags(truth: np.ndarray) -> pd.Categorical:
    """Return booleans as a category, which generators model as such."""
    return pd.Categorical.from_codes(np.asarray(truth).astype(np.int8), categories=["no", "yes"])


def flagged(values: pd.Series) -> np.ndarray:
    """Return the booleans of a category made by ``flags``, or of a number that stands for it."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values.to_numpy(float) > 0.5
    return (values.astype(str) == "yes").to_numpy()
