"""Functional columns: every value of one column goes with one value of another."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.generators.columns import with_column
from trisynth.generators.relations.base import Grid, Relation

# Fewest rows that repeat a value of the source, those apart that go with the most frequent value of the derived
# column, and rows for each value of the source.
_ROWS, _OTHERS, _EACH = 100, 30, 5
# Most intervals of a number that a column may depend on, and fewest rows in each.
_INTERVALS, _WITHIN = 20, 10


@dataclass(frozen=True)
class Functional(Relation):
    """Column that is a function of another one, as a table of values.

    Parameters
    ----------
    source, derived : object
    edges : ndarray of float, or None
        Boundaries between the values of a numeric source; None for categories.
    values : ndarray, shape (levels + 1,)
        Derived cell for each value of the source, the last for a missing one: codes of a category, or numbers.
    categories : Index or None
        Of the derived column.
    source_categories : Index or None
        Of the source.
    """

    source: object
    derived: object
    edges: np.ndarray | None
    values: np.ndarray
    categories: pd.Index | None
    source_categories: pd.Index | None = None

    @property
    def names(self) -> tuple:
        """Source and derived column."""
        return self.source, self.derived

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the derived column."""
        return table.drop(columns=self.derived)

    def evidence(self, table: pd.DataFrame) -> pd.DataFrame:
        """Go back to the category that a known derived cell goes with, where there is one alone."""
        if self.derived not in table or self.edges is not None:
            return super().evidence(table)
        derived = table[self.derived]
        cells = derived.cat.codes.to_numpy() if self.categories is not None else derived.to_numpy(float)
        goes = self.values[:-1]
        single = {value: int(np.flatnonzero(goes == value)[0]) for value in goes if (goes == value).sum() == 1}
        back = pd.Series([single.get(cell, -1) for cell in cells], index=table.index)
        categories = self.source_categories
        found = pd.Series(pd.Categorical.from_codes(back, categories), index=table.index)
        if self.source in table:
            found = table[self.source].where(table[self.source].notna(), found)
        return super().evidence(with_column(table, self.source, found))

    def _value(self, table: pd.DataFrame) -> np.ndarray:
        cells, last = table[self.source], len(self.values) - 1
        if self.edges is None:
            codes = cells.cat.codes.to_numpy().astype(int)
        else:
            numbers = cells.to_numpy(float)
            codes = np.where(np.isnan(numbers), -1, np.searchsorted(self.edges, numbers))
        return self.values[np.where(codes < 0, last, codes)]

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Look the derived cells up."""
        value = self._value(table)
        if self.categories is not None:
            value = pd.Categorical.from_codes(value.astype(int), self.categories)
        return with_column(table, self.derived, value)

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Compare with the cells that the source goes with."""
        value, cells = self._value(table), table[self.derived]
        if self.categories is not None:
            return value == cells.cat.codes.to_numpy()
        numbers = cells.to_numpy(float)
        return (value == numbers) | (np.isnan(value) & np.isnan(numbers))

    def __str__(self) -> str:
        """Name both columns."""
        return f"{self.source} determines {self.derived}"


@dataclass(frozen=True)
class _Levels:
    """Distinct cells of one column: their number in each row, how many there are, and whether one is missing."""

    codes: np.ndarray
    count: int
    distinct: np.ndarray | pd.Index

    @classmethod
    def of(cls, values: pd.Series) -> "_Levels":
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy().astype(int)
            distinct = values.cat.categories
        else:
            numbers = values.to_numpy(float)
            distinct, codes = np.unique(numbers[~np.isnan(numbers)], return_inverse=True)
            found = np.full(len(numbers), -1)
            found[~np.isnan(numbers)] = codes
            codes = found
        return cls(np.where(codes < 0, len(distinct), codes), len(distinct) + 1, distinct)


def search(table: pd.DataFrame, free: list) -> list[Functional]:
    """Find functional columns among ``free`` ones, in an order in which they can be left out.

    A function is accepted if no row breaks it, at least 100 rows repeat a value of the source, 30 of them outside the
    most frequent value of the derived column, and the source has at most one value for five rows; or if the derived
    column is constant in at most 20 intervals of a number with 10 rows each.
    """
    if len(table) < _ROWS:
        return []
    levels = {name: _Levels.of(table[name]) for name in free}
    used = {name: len(np.unique(level.codes)) for name, level in levels.items()}
    found: list[Functional] = []
    gone: set = set()
    position = {name: i for i, name in enumerate(free)}

    def preferred(name: object) -> tuple:
        return used[name], levels[name].distinct.dtype.kind in "fiu", position[name]

    # The coarsest columns are left out first; of two columns that determine each other, the later one, or the number.
    for derived in sorted(free, key=lambda name: (used[name], *[-int(part) for part in preferred(name)[1:]])):
        if used[derived] < 2:
            continue
        sources = (name for name in free if name != derived and name not in gone and used[name] >= used[derived])
        for source in sorted(sources, key=preferred):
            relation = _function(table, source, derived, levels, used)
            if relation is not None:
                found.append(relation)
                gone.add(derived)
                break
    return found


def _function(table: pd.DataFrame, source: object, derived: object, levels: dict, used: dict) -> Functional | None:
    of, to = levels[source], levels[derived]
    numeric = not isinstance(table[source].dtype, pd.CategoricalDtype)
    first = np.full(of.count, -1)
    first[of.codes[::-1]] = to.codes[::-1]
    if not np.array_equal(first[of.codes], to.codes):
        return None
    sizes = np.bincount(of.codes, minlength=of.count)
    repeats = np.bincount(np.maximum(first, 0), np.maximum(sizes - 1, 0), minlength=to.count)
    # Numbers of many values follow a formula, or none that a table of values would continue.
    if numeric and not isinstance(table[derived].dtype, pd.CategoricalDtype) and used[derived] > _INTERVALS:
        return None
    enough = repeats.sum() >= _ROWS and repeats.sum() - repeats.max() >= _OTHERS
    if not (enough and used[source] * _EACH <= len(table)) and not (numeric and _intervals(of, to)):
        return None
    # A value without a row goes with the most frequent cell; a missing source only where training rows show it.
    common = int(np.bincount(to.codes).argmax())
    first[first < 0] = common
    category = isinstance(table[derived].dtype, pd.CategoricalDtype)
    cells = np.append(np.arange(to.count - 1) if category else to.distinct.astype(float), -1 if category else np.nan)
    edges = (of.distinct[1:] + of.distinct[:-1]) / 2 if numeric else None
    values = cells[first]
    if edges is not None and used[source] * _EACH > len(table):
        kept = np.flatnonzero(np.diff(first[:-1]))
        edges, values = edges[kept], np.append(values[:-1][np.append(kept, len(first) - 2)], values[-1])
    return Functional(
        source,
        derived,
        edges,
        values,
        table[derived].cat.categories if category else None,
        None if numeric else table[source].cat.categories,
    )


def _intervals(of: _Levels, to: _Levels) -> bool:
    """Decide whether the derived column is constant in few intervals of a numeric source, with many rows each."""
    order = np.argsort(of.codes, kind="stable")
    known = order[of.codes[order] < of.count - 1]
    if len(known) < _ROWS:
        return False
    cells = to.codes[known]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    sizes = np.diff(np.append(starts, len(cells)))
    return 2 <= len(starts) <= _INTERVALS and sizes.min() >= _WITHIN and len(starts) == len(np.unique(cells))
