"""Numbers and categories that one date determines: an age on a fixed day, the year of birth, the name of a weekday."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Category, Date, Kind
from trisynth.generators.relations.base import Grid
from trisynth.generators.relations.computed import Computed
from trisynth.generators.relations.functional import Functional

# Fraction of the rows that must agree on one day of reference or a part of the date, and rows of a first screening.
_HOLDS, _FIRST = 0.9, 64
# Parts of a date that have names; fewest rows, those apart from the most frequent category and for each value of the
# part, and most categories.
_NAMED = ("weekday", "month", "quarter", "year", "hour")
_ROWS, _OTHERS, _EACH, _LEVELS = 100, 10, 5, 60
# Longest age in years.
_OLDEST = 150

_PARTS = {
    "year": lambda dates: dates.year,
    "quarter": lambda dates: dates.quarter,
    "month": lambda dates: dates.month,
    "week": lambda dates: dates.isocalendar().week.to_numpy(float),
    "day": lambda dates: dates.day,
    "day of the year": lambda dates: dates.dayofyear,
    "weekday": lambda dates: dates.dayofweek,
    "hour": lambda dates: dates.hour,
}


@dataclass(frozen=True)
class Calendar(Computed):
    """Number computed from one date; see ``Computed``.

    The form is ``age``: whole calendar years from the date to the day of reference, the constant in seconds since 1970.
    Or it is a part of the date, such as ``year``, times the weight, plus the constant.
    """

    def value(self, table: Mapping) -> np.ndarray:
        """Compute the column."""
        times = np.asarray(table[self.inputs[0]], dtype=float)
        found, known = np.full(len(times), np.nan), ~np.isnan(times)
        dates = _dates(times[known])
        if self.form == "age":
            reference = _dates(np.array([self.constant]))
            # A day as a number in the order of the calendar: 20240131.
            found[known] = (_day(reference) - _day(dates)) // 10_000
        else:
            found[known] = self.weights[0] * np.asarray(_PARTS[self.form](dates), float) + self.constant
        return found

    def formula(self) -> str:
        """Write the formula alone."""
        if self.form == "age":
            return (
                f"{self.derived} = whole years from {self.inputs[0]} to {_dates(np.array([self.constant]))[0]:%Y-%m-%d}"
            )
        part = f"{self.form} of {self.inputs[0]}"
        if self.weights[0] < 0:
            return f"{self.derived} = {self.constant:g} - {part}"
        return f"{self.derived} = {part}" + (f" + {self.constant:g}" if self.constant else "")


@dataclass(frozen=True)
class Named(Functional):
    """Category that a part of a date determines, such as the name of its weekday or the season of its month.

    The edges are the values of the part; see ``Functional``.
    """

    part: str = "weekday"

    def _value(self, table: pd.DataFrame) -> np.ndarray:
        found, known = _part(self.part, table[self.source].to_numpy(float))
        codes = np.full(len(known), len(self.values) - 1)
        # A year that no training row has takes the category of the next one.
        codes[known] = np.minimum(np.searchsorted(self.edges, found), len(self.edges) - 1)
        return self.values[codes]

    def __str__(self) -> str:
        """Name both columns."""
        return f"{self.part} of {self.source} determines {self.derived}"


def names(table: pd.DataFrame, kinds: Sequence[Kind]) -> Iterator[Named]:
    """Yield the categories that a part of a date determines in every row, one for each category."""
    dates = [kind.name for kind in kinds if isinstance(kind, Date)]
    for kind in kinds if dates and len(table) >= _ROWS else ():
        cells = table[kind.name]
        if not isinstance(kind, Category) or getattr(kind, "pool", None):
            continue
        codes, options = cells.cat.codes.to_numpy(), ((date, part) for date in dates for part in _NAMED)
        if not 2 <= len(np.unique(codes)) <= _LEVELS or (codes < 0).any():
            continue
        found = next(filter(None, (_named(table, *option, kind.name, codes) for option in options)), None)
        if found:
            yield found


def _named(table: pd.DataFrame, date: object, part: str, name: object, codes: np.ndarray) -> Named | None:
    found, known = _part(part, table[date].to_numpy(float))
    parts, place = np.unique(found, return_inverse=True)
    if not known.all() or len(parts) < 2 or len(found) < _EACH * len(parts):
        return None
    first = np.zeros(len(parts), int)
    first[place] = codes
    # By chance, no row beyond the first of each part would have to agree in a column with one frequent value.
    others = len(codes) - np.bincount(codes).max()
    if (first[place] != codes).any() or others < _OTHERS:
        return None
    values = np.append(first, np.bincount(codes).argmax())
    return Named(date, name, parts, values, table[name].cat.categories, part=part)


def _part(part: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = ~np.isnan(times)
    return np.asarray(_PARTS[part](_dates(times[known])), float), known


def candidates(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping[object, Grid]) -> Iterator[Calendar]:
    """Yield what seems to be computed from one date, of numbers that are whole."""
    dates = [kind.name for kind in kinds if isinstance(kind, Date)]
    numbers = [kind.name for kind in kinds if kind.kind == "number" and grids[kind.name].step >= 1]
    for date in dates:
        times = table[date].to_numpy(float)
        for name in numbers:
            values = table[name].to_numpy(float)
            known = np.flatnonzero(~(np.isnan(times) | np.isnan(values)))
            if not len(known) or len(np.unique(values[known])) < 3:
                continue
            some = known[np.unique(np.linspace(0, len(known) - 1, _FIRST).astype(int))]
            if _reference(times[some], values[some]) is not None:
                reference = _reference(times[known], values[known])
                if reference is not None:
                    yield Calendar("age", name, (date,), (), reference)
                    continue
            yield from _parts(date, name, times[some], values[some])


def _parts(date: object, name: object, times: np.ndarray, values: np.ndarray) -> Iterator[Calendar]:
    """Yield the parts of a date that differ from the numbers by a constant, or add up to one."""
    dates = _dates(times)
    for form, part in _PARTS.items():
        found = np.asarray(part(dates), float)
        # Years turn into ages as well; a month that is counted backwards is unheard of.
        for weight in (1.0, -1.0) if form == "year" else (1.0,):
            rest = values - weight * found
            constant = float(np.median(rest))
            if np.ptp(found) and (rest == constant).mean() >= _HOLDS and (form == "year" or constant in (0, 1)):
                yield Calendar(form, name, (date,), (weight,), constant)


def _reference(times: np.ndarray, ages: np.ndarray) -> float | None:
    """Return the first day on which almost all are so many whole years old, in seconds since 1970; None without any."""
    if ages.min() < 0 or ages.max() > _OLDEST:
        return None
    begin = _day(_dates(times)) + 10_000 * ages.astype(np.int64)
    days, change = np.unique(np.concatenate([begin, begin + 10_000]), return_inverse=True)
    sign = np.repeat([1, -1], len(begin))
    covered = np.cumsum(np.bincount(change, weights=sign, minlength=len(days)))
    best = int(np.argmax(covered))
    if covered[best] < _HOLDS * len(ages):
        return None
    year, month, day = days[best] // 10_000, days[best] // 100 % 100, days[best] % 100
    if not 1 <= year - 1_600 <= 1_000:
        return None
    # The 29th of February of a year without one is the 1st of March.
    first = pd.Timestamp(int(year), int(month), 1) + pd.Timedelta(int(day) - 1, "D")
    return first.timestamp()


def _dates(times: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(times, unit="s"))


def _day(dates: pd.DatetimeIndex) -> np.ndarray:
    return (dates.year * 10_000 + dates.month * 100 + dates.day).to_numpy(np.int64)
