"""Orders of columns: a number or date that is never below others, of which the difference is modelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Kind
from trisynth.generators.relations.base import Grid, Relation, with_column
from trisynth.generators.relations.computed import dropped, flagged, helper_of

# Fewest rows that would break an order if the two columns were independent, and their smallest fraction; fewest
# distinct values of a column.
_BROKEN, _SHARE, _DISTINCT = 25, 0.05, 6
_ROWS = 100


@dataclass(frozen=True)
class Order(Relation):
    """Column that is at least as large as others; the generator sees its distance from the largest of them.

    Parameters
    ----------
    derived : object
        The upper column.
    lowers : tuple
    least, most : float
        Range of the distance.
    helper : str
        Column that marks which cells are missing although a lower one is known; empty where there are none.
    strict : bool, default=False
        Whether equal cells break the order.
    """

    derived: object
    lowers: tuple
    least: float
    most: float
    helper: str = ""
    strict: bool = False

    @property
    def names(self) -> tuple:
        """Upper column and lower ones."""
        return (self.derived, *self.lowers)

    def _base(self, table: pd.DataFrame) -> np.ndarray:
        return np.maximum.reduce([table[name].to_numpy(float) for name in self.lowers])

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace the upper column by its distance."""
        distance = np.maximum(table[self.derived].to_numpy(float) - self._base(table), self.least)
        if self.helper:
            # Any distance under the helper's flag: the typical one bends the least.
            reduced = dropped(table, self.derived, self.helper)
            filled = np.where(np.isnan(distance) & ~np.isnan(self._base(table)), np.nanmedian(distance), distance)
            reduced.insert(table.columns.get_loc(self.derived), self.derived, filled)
            return reduced
        return with_column(table, self.derived, distance)

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Add the distance to the largest lower column, upwards to the step, within the range."""
        grid, base = grids[self.derived], self._base(table)
        distance = np.clip(table[self.derived].to_numpy(float), self.least, self.most)
        value = grid.rounded(base + distance)
        low = value < base + (self.least if self.strict else 0.0)
        value = np.where(low, grid.rounded(base + distance, "up"), value)
        value = np.where(value > grid.upper, np.maximum(grid.upper, base), value)
        if self.helper:
            value = np.where(flagged(table[self.helper]), np.nan, value)
            table = table.drop(columns=self.helper)
        return with_column(table, self.derived, value)

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Compare the cells."""
        value, base = table[self.derived].to_numpy(float), self._base(table)
        met = value > base if self.strict else value >= base
        return met | np.isnan(value) | np.isnan(base)

    def __str__(self) -> str:
        """Write the comparison."""
        return " and ".join(f"{self.derived} {'>' if self.strict else '>='} {name}" for name in self.lowers)


def declared(table: pd.DataFrame, derived: object, lowers: dict) -> Order | None:
    """Return the order of declared lower columns, each with whether equality breaks it; None where gaps forbid it."""
    helper = helper_of(table, derived, tuple(lowers))
    if helper is None:
        return None
    strict = any(lowers.values())
    base = np.maximum.reduce([table[name].to_numpy(float) for name in lowers])
    distance = table[derived].to_numpy(float) - base
    met = distance[distance > 0] if strict else distance[distance >= 0]
    if not len(met):
        return None
    least = float(met.min())
    return Order(derived, tuple(lowers), least, float(max(met.max(), least)), helper, strict)


def search(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping, uppers: Sequence) -> list[Order]:
    """Find orders among numeric columns of one kind.

    An order is accepted if no row breaks it although 5 % of the rows, and at least 25, would if the columns were
    independent. Far-apart ranges and constants therefore give none.

    Parameters
    ----------
    table : DataFrame
        Canonical table.
    kinds : sequence of Kind
        Of the columns that may take part.
    grids : mapping of column to Grid
    uppers : sequence
        Columns that may be replaced by a distance.
    """
    if len(table) < _ROWS:
        return []
    numeric = [kind for kind in kinds if kind.name in grids and _varied(table[kind.name].to_numpy(float))]
    values = {kind.name: table[kind.name].to_numpy(float) for kind in numeric}
    ranked = {name: np.sort(column[~np.isnan(column)]) for name, column in values.items()}
    below: dict = {}
    for upper in numeric:
        for lower in numeric:
            if upper is lower or upper.kind != lower.kind:
                continue
            a, b = values[lower.name], values[upper.name]
            # Looking at a few rows first saves most of the time.
            if (a[:64] > b[:64]).any() or (a > b).any() or np.array_equal(a, b, equal_nan=True):
                continue
            known = ~(np.isnan(a) | np.isnan(b))
            # A distance needs the lower cell; an order that lacks one must not take the place of those below it.
            if known.sum() < _ROWS or helper_of(table, upper.name, (lower.name,)) is None:
                continue
            above = np.searchsorted(ranked[upper.name], ranked[lower.name], side="left")
            share = above.mean() / len(ranked[upper.name])
            if share >= max(_SHARE, _BROKEN / known.sum()):
                below.setdefault(upper.name, set()).add(lower.name)
    found = []
    # From the top of a chain down, so that each column is replaced while its lower ones are whole.
    for name in sorted(below, key=lambda name: -len(below[name])):
        lowers = below[name] - {low for other in below[name] for low in below.get(other, ())}
        lowers = tuple(kind.name for kind in numeric if kind.name in lowers)
        helper = helper_of(table, name, lowers)
        if name not in uppers or helper is None:
            continue
        distance = values[name] - np.maximum.reduce([values[low] for low in lowers])
        distance = distance[~np.isnan(distance)]
        if len(distance):
            found.append(Order(name, lowers, float(distance.min()), float(distance.max()), helper))
    return found


def _varied(values: np.ndarray) -> bool:
    return len(np.unique(values[~np.isnan(values)])) >= _DISTINCT
