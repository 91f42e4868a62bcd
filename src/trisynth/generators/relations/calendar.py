"""Numbers that one date determines: an age on a fixed day, the year of birth, a month, a weekday."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.kinds import Date, Kind
from trisynth.generators.relations.base import Grid
from trisynth.generators.relations.computed import Computed

# Fraction of the rows that must agree on one day of reference or a part of the date, and rows of a first screening.
_HOLDS, _FIRST = 0.9, 64
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
