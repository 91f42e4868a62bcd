"""Numbers and times on a step of their own: doses that are multiples of 5, odd numbers, times at each quarter hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Date, Duration, Kind
from trisynth.generators.columns import with_column
from trisynth.generators.relations.base import ROUNDING, Grid, Relation

# Fewest cells and distinct values that show a step.
_CELLS, _DISTINCT = 30, 5


@dataclass(frozen=True)
class Multiple(Relation):
    """Column of numbers that are whole steps from the first one.

    Parameters
    ----------
    derived : object
    every, first : float
        Step, and smallest number of the training rows.
    unit : str, default=""
    """

    derived: object
    every: float
    first: float
    unit: str = ""

    @property
    def names(self) -> tuple:
        """The column."""
        return (self.derived,)

    @property
    def taken(self) -> tuple:
        """None: a generator models the numbers as they are."""
        return ()

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Leave the table as it is."""
        return table

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Round to the step within the range."""
        grid, values = grids[self.derived], table[self.derived].to_numpy(float)
        most = np.floor((grid.upper - self.first) / self.every + ROUNDING)
        least = np.ceil((grid.lower - self.first) / self.every - ROUNDING)
        steps = np.clip(np.rint((values - self.first) / self.every), least, max(least, most))
        return with_column(table, self.derived, grid.rounded(self.first + steps * self.every))

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Compare the cells with the step."""
        steps = (table[self.derived].to_numpy(float) - self.first) / self.every
        return np.isnan(steps) | (np.abs(steps - np.rint(steps)) < ROUNDING * np.maximum(1.0, np.abs(steps)))

    def __str__(self) -> str:
        """Write the step."""
        unit = f" {self.unit}".rstrip()
        start = "" if self.first % self.every == 0 else f", counted from {self.first:g}{unit}"
        return f"{self.derived} is a multiple of {self.every:g}{unit}{start}"


def search(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping[object, Grid]) -> list[Multiple]:
    """Find numbers whose distances are all multiples of more than one step of their last digit.

    Parameters
    ----------
    table : DataFrame
        Canonical table.
    kinds : sequence of Kind
        Of the columns that may take part.
    grids : mapping of column to Grid
    """
    found = []
    for kind in kinds:
        grid, clock = grids.get(kind.name), isinstance(kind, Duration)
        if grid is None or not grid.step or isinstance(kind, Date) or not (clock or kind.kind == "number"):
            continue
        values = table[kind.name].to_numpy(float)
        values = values[~np.isnan(values)]
        distinct = np.unique(np.rint(values / grid.step)).astype(np.int64)
        if len(values) < _CELLS or len(distinct) < _DISTINCT:
            continue
        steps = int(np.gcd.reduce(distinct - distinct[0]))
        if steps > 1:
            first = float(grid.rounded(np.array([distinct[0] * grid.step]))[0])
            every = float(grid.rounded(np.array([steps * grid.step]))[0])
            found.append(Multiple(kind.name, every, first, "s" * clock))
    return found
