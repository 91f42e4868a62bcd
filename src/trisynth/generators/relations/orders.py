"""Orders of columns: a number or date that is never below others, of which the difference is modelled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Date, Kind
from trisynth.generators.columns import fresh_name, with_column
from trisynth.generators.relations.base import Grid, Relation
from trisynth.generators.relations.computed import dropped, flagged, helper_of

# Most likely chance that independent columns are in order in every row, as a negative logarithm; smallest fraction of
# rows that would break the order then; fewest distinct values of a column.
_EVIDENCE, _SHARE, _DISTINCT = 11.0, 0.05, 6
# Largest difference of a local clock from UTC, in seconds.
_ZONES = 14 * 3600.0
# Fewest rows and distinct distances that show a step of them, and the largest whole number that floats hold.
_STEPPED, _FEW, _EXACT = 30, 3, 2.0**53


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
    origin : float, optional
        Start of the distance in rows without any lower cell; None where the upper cell is missing in such rows.
    ranges : tuple of (float, float), default=()
        With an origin: range of the distance from each lower column.
    every : float, default=0.0
        The distance is ``least`` or a multiple of this above it, such as whole weeks; 0 where none was found.
    """

    derived: object
    lowers: tuple
    least: float
    most: float
    helper: str = ""
    strict: bool = False
    origin: float | None = None
    ranges: tuple = ()
    every: float = 0.0

    @property
    def names(self) -> tuple:
        """Upper column and lower ones."""
        return (self.derived, *self.lowers)

    @property
    def _slack(self) -> float:
        """Lowest distance that keeps the order: below zero only for clocks of different zones."""
        return min(self.least, 0.0)

    def _base(self, table: pd.DataFrame) -> np.ndarray:
        return _largest(table, self.lowers, self.origin is not None)

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace the upper column by its distance."""
        value, base = table[self.derived].to_numpy(float), self._base(table)
        distance = np.maximum(value - base, self.least)
        if self.origin is not None:
            distance = np.where(np.isnan(base), value - self.origin, distance)
        if self.helper:
            # Any distance under the helper's flag: the typical one bends the least.
            free = np.isnan(distance) & (~np.isnan(base) | (self.origin is not None))
            reduced = dropped(table, self.derived, self.helper)
            filled = np.where(free, np.nanmedian(distance), distance)
            reduced.insert(table.columns.get_loc(self.derived), self.derived, filled)
            return reduced
        return with_column(table, self.derived, distance)

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Add the distance to the largest lower column, upwards to the step, within the range."""
        grid, base = grids[self.derived], self._base(table)
        drawn = table[self.derived].to_numpy(float)
        distance = self._stepped(np.clip(drawn, self.least, self.most))
        value = grid.rounded(base + distance)
        low = value < base + (self.least if self.strict else self._slack)
        value = np.where(low, grid.rounded(base + distance, "up"), value)
        value = np.where(value > grid.upper, np.maximum(grid.upper, base + self._slack), value)
        if self.every:
            # What the upper end shortens, it shortens by whole steps.
            value = np.where(value < base + distance, base + self._stepped(value - base, "down"), value)
        if self.origin is not None:
            value = self._within_ranges(table, value, grid)
            alone = np.clip(grid.rounded(self.origin + drawn), grid.lower, grid.upper)
            value = np.where(np.isnan(base), alone, value)
        if self.helper:
            value = np.where(flagged(table[self.helper]), np.nan, value)
            table = table.drop(columns=self.helper)
        return with_column(table, self.derived, value)

    def _stepped(self, distance: np.ndarray, how: str = "nearest") -> np.ndarray:
        if not self.every:
            return distance
        steps = (distance - self.least) / self.every
        return self.least + np.maximum(np.floor(steps) if how == "down" else np.rint(steps), 0) * self.every

    def _within_ranges(self, table: pd.DataFrame, value: np.ndarray, grid: Grid) -> np.ndarray:
        """Move cells into the ranges from all known lower cells; where the ranges are apart, the order decides."""
        for name, (_, most) in zip(self.lowers, self.ranges, strict=True):
            highest = grid.rounded(table[name].to_numpy(float) + most, "down")
            value = np.where(value > highest, highest, value)
        for name, (least, _) in zip(self.lowers, self.ranges, strict=True):
            lowest = grid.rounded(table[name].to_numpy(float) + least, "up")
            value = np.where(value < lowest, lowest, value)
        return value

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Compare the cells."""
        value, base = table[self.derived].to_numpy(float), self._base(table)
        met = value > base if self.strict else value >= base + self._slack
        return met | np.isnan(value) | np.isnan(base)

    def __str__(self) -> str:
        """Write the comparison."""
        zones = f" - {-self._slack / 3600:.3g} h (other zones)" if self._slack else ""
        return " and ".join(f"{self.derived} {'>' if self.strict else '>='} {name}{zones}" for name in self.lowers)


def declared(table: pd.DataFrame, derived: object, lowers: dict) -> Order | None:
    """Return the order of declared lower columns, each with whether equality breaks it; None if no row meets it."""
    return _order(table, derived, tuple(lowers), any(lowers.values()))


def _order(
    table: pd.DataFrame, derived: object, lowers: tuple, strict: bool = False, slack: float = 0.0
) -> Order | None:
    """Return the order of an upper column and lower ones; None if no row with both is in that order.

    With ``slack``, a row is in order if the upper cell is less than that below the lower ones.
    """
    known = ~table[derived].isna().to_numpy()
    lowers = tuple(name for name in lowers if (known & ~table[name].isna().to_numpy()).any())
    if not lowers:
        return None
    helper, alone = helper_of(table, derived, lowers), False
    if helper is None:
        # The upper column is known where lower ones are missing, and so has gaps of its own in any row.
        alone = True
        helper = fresh_name(table, f"{derived} is missing") if table[derived].isna().any() else ""
    base = _largest(table, lowers, alone)
    distance = table[derived].to_numpy(float) - base
    met = distance[distance > 0] if strict else distance[distance >= -slack]
    if not len(met):
        return None
    least = float(met.min())
    most = float(max(met.max(), least))
    if not alone:
        return Order(derived, lowers, least, most, helper, strict, every=_every(met))
    # Rows that break a declared order do not widen the ranges.
    value, met = table[derived].to_numpy(float), distance >= least
    gaps = [(value - table[name].to_numpy(float))[met] for name in lowers]
    ranges = tuple((float(np.nanmin(gap)), float(np.nanmax(gap))) for gap in gaps)
    return Order(derived, lowers, least, most, helper, strict, float(np.nanmedian(base)), ranges)


def _every(distances: np.ndarray) -> float:
    """Return the step of whole distances, such as seven days; 0 where they show none."""
    distinct = np.unique(distances)
    if len(distances) < _STEPPED or len(distinct) < _FEW or (distinct != np.rint(distinct)).any():
        return 0.0
    if distinct.max() > _EXACT:
        return 0.0
    step = float(np.gcd.reduce((distinct - distinct[0]).astype(np.int64)))
    return step if step > 1 else 0.0


def _largest(table: pd.DataFrame, lowers: Sequence, alone: bool) -> np.ndarray:
    """Return the largest lower cell of each row: with ``alone`` of those that are known, else missing if any is."""
    largest = np.fmax if alone else np.maximum
    return largest.reduce([table[name].to_numpy(float) for name in lowers])


def below(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> dict[object, set]:
    """Return the columns that are never above each numeric column of the same kind.

    An order is accepted if no row breaks it although 5 % of the rows would if the columns were independent, and the
    chance that none does is below 2 in 100,000. Far-apart ranges and constants therefore give none; with both cells
    known in as few as 16 rows, an order can be found.

    Parameters
    ----------
    table : DataFrame
        Canonical table.
    kinds : sequence of Kind
        Of the columns that may take part.
    grids : mapping of column to Grid
    """
    numeric = [kind for kind in kinds if kind.name in grids and _varied(table[kind.name].to_numpy(float))]
    values = {kind.name: table[kind.name].to_numpy(float) for kind in numeric}
    ranked = {name: np.sort(column[~np.isnan(column)]) for name, column in values.items()}
    found: dict = {}
    if not numeric:
        return found
    head = np.array([values[kind.name][:64] for kind in numeric])
    for upper in numeric:
        # Looking at a few rows of all columns first saves most of the time.
        slack = _ZONES if isinstance(upper, Date) else 0.0
        possible = np.flatnonzero(~(head - slack > values[upper.name][:64]).any(axis=1))
        for lower in (numeric[i] for i in possible):
            if upper is lower or upper.kind != lower.kind:
                continue
            a, b = values[lower.name] - _offset(lower, upper), values[upper.name]
            if (a > b).any() or np.array_equal(a, b, equal_nan=True):
                continue
            known = int((~(np.isnan(a) | np.isnan(b))).sum())
            above = np.searchsorted(ranked[upper.name], ranked[lower.name] - _offset(lower, upper), side="left")
            share = above.mean() / len(ranked[upper.name])
            if known and share >= max(_SHARE, -np.expm1(-_EVIDENCE / known)):
                found.setdefault(upper.name, set()).add(lower.name)
    # What lies below a lower column needs no evidence of its own.
    for name in list(_from_the_top(found))[::-1]:
        further = set().union(*(found.get(middle, ()) for middle in found[name])) - {name}
        found[name] |= {low for low in further if not (values[low] > values[name]).any()}
    return found


def direct(table: pd.DataFrame, found: Mapping[object, set], name: object) -> set:
    """Return the lower columns of one column without those that follow from another lower column."""
    # An order does not follow from one over a column with gaps.
    links = [other for other in found[name] if helper_of(table, name, (other,)) is not None]
    return found[name] - {low for other in links for low in found.get(other, ())}


def search(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping, uppers: Sequence) -> list[Order]:
    """Find orders among numeric columns of one kind; see ``below``.

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
    lowers, found = below(table, kinds, grids), []
    for name in _from_the_top(lowers):
        if name not in uppers:
            continue
        own = direct(table, lowers, name) - {order.derived for order in found}
        upper = next(kind for kind in kinds if kind.name == name)
        slack = max((_offset(kind, upper) for kind in kinds if kind.name in own), default=0.0)
        order = _order(table, name, tuple(kind.name for kind in kinds if kind.name in own), slack=slack)
        if order is not None:
            found.append(order)
    return found


def _from_the_top(lowers: Mapping[object, set]) -> Iterator:
    """Yield the upper columns so that each is replaced while its lower ones are whole."""
    left = dict(lowers)
    while left:
        lower = set().union(*left.values())
        # Columns that are equal where both are known are below each other.
        name = next((name for name in left if name not in lower), max(left, key=lambda name: len(left[name])))
        yield name
        del left[name]


def _offset(lower: Kind, upper: Kind) -> float:
    """Return the seconds by which clocks may differ: of dates, where one has a zone and the other is local."""
    if not isinstance(lower, Date) or not isinstance(upper, Date):
        return 0.0
    local = [getattr(getattr(kind.dtype, "pyarrow_dtype", kind.dtype), "tz", None) is None for kind in (lower, upper)]
    return _ZONES if local[0] != local[1] else 0.0


def _varied(values: np.ndarray) -> bool:
    return len(np.unique(values[~np.isnan(values)])) >= _DISTINCT
