"""Values of their own, which interpolation would smear: missing cells, frequent numbers, and categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.kinds import Category, Kind
from trisynth.data.profile import suspects
from trisynth.generators.columns import fresh_name, with_column
from trisynth.generators.relations.base import Grid, Relation

# Fraction of the rows, and rows, from which a value is one of its own; and most values of a column.
_SHARE, _ROWS, _MOST = 0.05, 5, 30
# Most different whole numbers of a column that has no others, such as answers from 1 to 5.
_FEW = 12


@dataclass(frozen=True)
class Masses(Relation):
    """Column of which some values, and missing cells, are columns of 0 and 1 in the reduced table.

    Parameters
    ----------
    derived : object
        The column; its other cells stay in the reduced table.
    values : tuple
        Numbers or categories; NaN for a missing cell.
    helpers : tuple of str
        Columns of 0 and 1, one for each value.
    filler : object
        Cell of the reduced table where one of the values is.
    categories : Index or None
        Of a column of categories.
    whole : bool
        Whether every cell has one of the values, so that the reduced table lacks the column.
    apart : bool, default=False
        Whether every cell has one of the values, and a row's value is drawn with its marks as probabilities. A table of
        such columns alone would otherwise repeat whole rows: every column would be that of the nearer end.
    """

    derived: object
    values: tuple
    helpers: tuple
    filler: object
    categories: pd.Index | None
    whole: bool
    apart: bool = False

    reported: ClassVar[bool] = False

    @property
    def names(self) -> tuple:
        """The column."""
        return (self.derived,)

    @property
    def taken(self) -> tuple:
        """Nothing: other cells are drawn as those of any column."""
        return ()

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Mark the values, and fill the cells that have them."""
        cells = table[self.derived]
        own = [cells.isna() if pd.isna(value) else cells == value for value in self.values]
        flags = np.array(own, dtype=float).T
        place = table.columns.get_loc(self.derived)
        left = cells.where(~flags.any(axis=1), self.filler)
        rest = table.drop(columns=self.derived) if self.whole else with_column(table, self.derived, left)
        made = pd.DataFrame(flags, index=table.index, columns=list(self.helpers))
        return pd.concat([rest.iloc[:, :place], made, rest.iloc[:, place:]], axis=1)

    def drawn(self, marks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a single mark for each row, with its marks of shape (n, len(helpers)) as probabilities.

        A cell is missing only where that mark is the larger one, so that the fraction of missing cells stays.
        """
        gap = np.array([bool(pd.isna(value)) for value in self.values])
        missing = marks[:, gap].sum(axis=1, keepdims=True) > 0.5
        edges = np.where(missing == gap, marks.clip(0), 0).cumsum(axis=1)
        chosen = (edges <= rng.random((len(marks), 1)) * edges[:, -1:]).sum(axis=1)
        return np.eye(len(self.helpers))[chosen.clip(max=len(self.helpers) - 1)]

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Give each row the value with the largest mark, unless those of the other cells are larger."""
        marks = table[list(self.helpers)].to_numpy(float)
        rest = np.full((len(table), 1), -np.inf) if self.whole else 1 - marks.sum(axis=1, keepdims=True)
        chosen = np.hstack([marks, rest]).argmax(axis=1)
        table = table.drop(columns=list(self.helpers))
        if self.categories is None:
            values = np.array([*self.values, np.nan], dtype=float)[chosen]
            return with_column(table, self.derived, np.where(chosen < len(self.values), values, table[self.derived]))
        codes = np.append(self.categories.get_indexer(list(self.values)), -1)[chosen]
        if not self.whole:
            drawn = table[self.derived].cat.codes.to_numpy()
            codes = np.where(chosen < len(self.values), codes, drawn)
        return with_column(table, self.derived, pd.Categorical.from_codes(codes, categories=self.categories))

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Return true for every row; values exclude no row."""
        return np.ones(len(table), bool)

    def __str__(self) -> str:
        """Name the column and the values."""
        return f"{self.derived} in {list(self.values)}"


def search(table: pd.DataFrame, kinds: Sequence[Kind]) -> list[Masses]:
    """Find the values of each column that have 5 % of the rows, codes that stand apart, and missing cells.

    A table of categories alone has none: nothing would be left to interpolate, and its rows would be copied.

    Parameters
    ----------
    table : DataFrame
        Canonical table.
    kinds : sequence of Kind
        Of the columns that may take part.
    """
    if all(isinstance(kind, Category) for kind in kinds):
        return []
    found = [_categories(table, kind) if isinstance(kind, Category) else _numbers(table, kind) for kind in kinds]
    return [masses for masses in found if masses is not None]


def _numbers(table: pd.DataFrame, kind: Kind) -> Masses | None:
    cells = table[kind.name].to_numpy(float)
    values, counts = np.unique(cells[~np.isnan(cells)], return_counts=True)
    codes = suspects.numbers(values * kind.unit, counts).codes
    few = 1 < len(values) <= _FEW and bool((values == np.rint(values)).all())
    own = few | (counts >= max(_SHARE * len(cells), _ROWS)) | (np.isin(values * kind.unit, codes) & (counts >= _ROWS))
    chosen = values[own][np.argsort(-counts[own], kind="stable")][:_MOST].tolist()
    left = cells[~np.isnan(cells) & ~np.isin(cells, chosen)]
    chosen += [np.nan] * bool(np.isnan(cells).any())
    if not chosen:
        return None
    # Where nothing is left, any number fills the cells.
    filler = float(np.median(left if len(left) else cells[~np.isnan(cells)])) if len(values) else np.nan
    return None if np.isnan(filler) else _masses(table, kind.name, chosen, filler, None, False, few)


def _categories(table: pd.DataFrame, kind: Category) -> Masses | None:
    cells = table[kind.name]
    counts = cells.value_counts()
    # A cell of the pool is drawn anew before the marks are read.
    counts = counts[(counts > 0) & (counts.index != kind.pool)]
    if len(counts) > _MOST:
        counts = counts[counts >= _SHARE * len(cells)]
    chosen = counts.index.tolist()
    left = cells[cells.notna() & ~cells.isin(chosen)]
    chosen += [np.nan] * bool(cells.isna().any())
    if not chosen or (len(chosen) == 1 and left.empty):
        return None
    filler = left.mode().iloc[0] if len(left) else None
    return _masses(table, kind.name, chosen, filler, cells.cat.categories, left.empty, left.empty)


def _masses(
    table: pd.DataFrame,
    name: object,
    values: list,
    filler: object,
    categories: pd.Index | None,
    whole: bool,
    apart: bool,
) -> Masses:
    helpers: list = []
    for value in values:
        helper = fresh_name(table, f"{name} is {'missing' if pd.isna(value) else value}")
        while helper in helpers:
            helper += "'"
        helpers.append(helper)
    return Masses(name, tuple(values), tuple(helpers), filler, categories, whole, apart)
