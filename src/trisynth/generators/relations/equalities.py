"""Partial equality: two columns that are equal in a fraction of the rows far beyond chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Kind
from trisynth.generators.columns import fresh_name, with_column
from trisynth.generators.relations.base import Grid, Relation, flagged, flags

# Fewest equal rows, their smallest fraction, and how many times more frequent equality must be than each small
# difference of the same size.
_ROWS, _SHARE, _TIMES = 30, 0.02, 5.0
# A value in more than this fraction of the cells is a point mass, whose coincidences do not count.
_MASS = 0.01
# Fewest distinct values of a column, and most pairs.
_DISTINCT, _PAIRS = 20, 12


@dataclass(frozen=True)
class Equality(Relation):
    """Column that equals another one in some rows, which a further category of the reduced table marks.

    Parameters
    ----------
    source, derived : object
    helper : str
        Name of the category.
    share : float
        Fraction of the training rows in which the two are equal, coincidences of common values apart.
    common : ndarray
        Values that either column often has, such as zero: two of them are modelled like any other cells.
    """

    source: object
    derived: object
    helper: str
    share: float
    common: np.ndarray

    @property
    def names(self) -> tuple:
        """Both columns."""
        return self.source, self.derived

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the category."""
        return with_column(table, self.helper, flags(self.equal(table)))

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Set the two columns equal where the category marks them and the range allows it."""
        source, derived = table[self.source].to_numpy(float), table[self.derived].to_numpy(float)
        equal = flagged(table[self.helper]) & self._able(source, grids)
        table = table.drop(columns=self.helper)
        table[self.derived] = np.where(equal, source, derived)
        return table

    def _able(self, source: np.ndarray, grids: Mapping[object, Grid]) -> np.ndarray:
        return grids[self.derived].inside(source) & ~np.isnan(source) & ~np.isin(source, self.common)

    def balanced(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Move flags from rows that cannot follow them to those whose two cells are nearest."""
        source, flag = table[self.source].to_numpy(float), flagged(table[self.helper])
        able = self._able(source, grids)
        open_ = np.flatnonzero(able & ~flag)
        count = min(int((flag & ~able).sum()), len(open_))
        if not count:
            return table
        distance = np.abs(source[open_] - table[self.derived].to_numpy(float)[open_])
        flag = flag & able
        flag[open_[np.argsort(distance, kind="stable")[:count]]] = True
        return with_column(table, self.helper, flags(flag))

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Return true for every row, since equality in some rows excludes no row."""
        return np.ones(len(table), bool)

    def evidence(self, table: pd.DataFrame) -> pd.DataFrame:
        """Mark whether the two are equal where both are known; one alone is evidence as any other column."""
        if not {self.source, self.derived} <= set(table):
            return table
        reduced = self.reduce(table)
        unknown = table[[self.source, self.derived]].isna().any(axis=1)
        reduced[self.helper] = reduced[self.helper].mask(unknown)
        return reduced

    def agreeing(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Find the rows in which the two columns are equal; see ``equal``."""
        return self.equal(table)

    def equal(self, table: pd.DataFrame) -> np.ndarray:
        """Find the rows in which the two columns are equal, coincidences of common values apart."""
        source = table[self.source].to_numpy(float)
        return (source == table[self.derived].to_numpy(float)) & ~np.isin(source, self.common)

    def __str__(self) -> str:
        """Write the equality with its fraction."""
        return f"{self.derived} = {self.source} in {self.share:.1%} of the rows"


def search(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping, free: Sequence) -> list[Equality]:
    """Find pairs of numeric columns of one kind that are often equal.

    Coincidences at point masses, such as two zeros, do not count. Equality must be five times as frequent as each of
    the differences of one to three steps, in 2 % of the rows and in 30 rows.
    """
    numeric = [kind for kind in kinds if kind.name in grids and kind.name in free]
    values, light, common = {}, {}, {}
    for kind in numeric:
        column = table[kind.name].to_numpy(float)
        distinct, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
        if len(distinct) >= _DISTINCT:
            values[kind.name] = column
            rare = counts <= max(_MASS * len(column), 1)
            light[kind.name], common[kind.name] = rare[inverse], distinct[~rare]
    kind_of = {kind.name: kind.kind for kind in numeric}
    steps = {name: grids[name].step for name in values}
    pairs = []
    names, cells = list(values), np.array(list(values.values()))
    for i, source in enumerate(names):
        # One comparison with all further columns leaves few pairs of a thousand columns.
        often = np.flatnonzero((cells[i + 1 :] == cells[i]).sum(axis=1) >= _ROWS)
        for derived in (names[i + 1 + k] for k in often):
            if kind_of[source] != kind_of[derived]:
                continue
            equal = values[source] == values[derived]
            counted = light[source] & light[derived]
            times = int((equal & counted).sum())
            if times < max(_ROWS, _SHARE * len(table)) or equal.all():
                continue
            step = max(steps[source], steps[derived])
            if step and times < _TIMES * _nearby(values[source][counted], values[derived][counted], step):
                continue
            pairs.append((times, source, derived))
    found: list[Equality] = []
    written: set = set()
    for times, source, derived in sorted(pairs, key=lambda pair: -pair[0]):
        if derived in written:
            continue
        if len(found) == _PAIRS:
            break
        written.add(derived)
        both = np.union1d(common[source], common[derived])
        both = both[~np.isnan(both)]
        name = fresh_name(table, f"{derived} = {source}")
        found.append(Equality(source, derived, name, times / len(table), both))
    # A source is whole before it is copied.
    order = list(values)
    return sorted(found, key=lambda relation: -order.index(relation.derived))


def _nearby(a: np.ndarray, b: np.ndarray, step: float) -> int:
    """Count the rows of the most frequent difference of one to three steps."""
    with np.errstate(invalid="ignore"):
        steps = np.rint((b - a) / step)
    return max(int((steps == k).sum()) for k in (-3, -2, -1, 1, 2, 3))
