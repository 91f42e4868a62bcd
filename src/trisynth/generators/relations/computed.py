"""Columns that others determine: powers, weighted sums, spans of time, and declared equalities."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.generators.columns import fresh_name, with_column
from trisynth.generators.relations.base import Grid, Relation, flagged, flags

_DAY = 86_400.0
# Names of spans of time in seconds.
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3_600.0, "days": _DAY, "weeks": 7 * _DAY}
UNITS |= {"months": 365.25 / 12 * _DAY, "years": 365.25 * _DAY}


@dataclass(frozen=True)
class Computed(Relation):
    """Column that is computed from others and rounded to its step.

    Parameters
    ----------
    form : str
        ``power``: the constant times the inputs to the powers ``weights``. ``sum``: the constant plus the inputs times
        ``weights``. ``clock``: the same of two times of the day, past midnight. ``birthdays``: whole calendar years
        from the first to the second input, plus the constant.
    derived : object
    inputs : tuple
    weights : tuple of float
    constant : float
    rounding : str, default="nearest"
        Or ``down`` or ``up``.
    helper : str, default=""
        Column of the reduced table that marks which derived cells are missing although the inputs are known; empty
        where there are none.
    share : float, default=1
        Fraction of the training rows that agree. Below one, the generator sees the difference from the formula, so
        that as many synthetic rows agree; otherwise the column is left out.
    step : float, default=0
        Step of the column, to which the formula is rounded before a difference from it is taken.
    timed : bool, default=False
        Whether the constant is a time in seconds.
    """

    form: str
    derived: object
    inputs: tuple
    weights: tuple
    constant: float
    rounding: str = "nearest"
    helper: str = ""
    share: float = 1.0
    step: float = 0.0
    timed: bool = False

    @property
    def names(self) -> tuple:
        """Derived column and inputs."""
        return (self.derived, *self.inputs)

    def value(self, table: Mapping) -> np.ndarray:
        """Compute the column, without rounding."""
        columns = [np.asarray(table[name], dtype=float) for name in self.inputs]
        if self.form == "birthdays":
            return _birthdays(*columns) + self.constant
        with np.errstate(all="ignore"):
            if self.form == "power":
                found = np.full(len(columns[0]), float(self.constant))
                for values, power in zip(columns, self.weights, strict=True):
                    found = found * values**power
                return found
            found = sum((w * values for values, w in zip(columns, self.weights, strict=True)), self.constant)
            return np.mod(found, _DAY * abs(self.weights[0])) if self.form == "clock" else found

    def _rounded(self, table: pd.DataFrame) -> np.ndarray:
        return Grid(self.step, -np.inf, np.inf, True).rounded(self.value(table), self.rounding)

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the column; where its gaps do not follow from the inputs, keep a category of them."""
        if self.share < 1:
            return with_column(table, self.derived, table[self.derived].to_numpy(float) - self._rounded(table))
        return dropped(table, self.derived, self.helper)

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Compute the column."""
        if self.share < 1:
            drawn = self._rounded(table) + table[self.derived].to_numpy(float)
            return with_column(table, self.derived, grids[self.derived].rounded(drawn))
        return restored(table, self.derived, grids[self.derived].rounded(self.value(table), self.rounding), self.helper)

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Compare with the computed column, to the last digit, unless some rows may differ."""
        return self.agreeing(table, grids) | (self.share < 1)

    def agreeing(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Compare with the computed column, to the last digit."""
        grid, value = grids[self.derived], self.value(table)
        if self.rounding != "nearest":
            value = grid.rounded(value, self.rounding)
        return agrees(table[self.derived].to_numpy(float), value, grid)

    def __str__(self) -> str:
        """Write the formula."""
        return self.formula() + (f" in {self.share:.1%} of the rows" if self.share < 1 else "")

    def formula(self) -> str:
        """Write the formula alone."""
        if self.form == "birthdays":
            return f"{self.derived} = whole years from {self.inputs[0]} to {self.inputs[1]}"
        if self.form == "power":
            factors = [
                f"{name}^{power:g}" if power != 1 else f"{name}"
                for name, power in zip(self.inputs, self.weights, strict=True)
            ]
            constant = [f"{self.constant:.6g}"] if self.constant != 1 else []
            return f"{self.derived} = {' * '.join(constant + factors)}"
        terms = "".join(
            f" {'-' if weight < 0 else '+'} {_coefficient(abs(weight))}{name}"
            for name, weight in zip(self.inputs, self.weights, strict=True)
        )
        amount = _span(abs(self.constant)) if self.timed else f"{abs(self.constant):.6g}"
        constant = f" {'-' if self.constant < 0 else '+'} {amount}" if self.constant else ""
        mode = "" if self.rounding == "nearest" else f", rounded {self.rounding}"
        mode += ", also past midnight" * (self.form == "clock")
        return f"{self.derived} = {(terms + constant).strip().removeprefix('+ ')}{mode}"


def _coefficient(weight: float) -> str:
    for name, unit in UNITS.items():
        if name != "seconds" and np.isclose(weight * unit, 1.0, rtol=1e-9):
            return f"1/{name[:-1]} * "
    return "" if weight == 1 else f"{weight:.6g} * "


def _span(seconds: float) -> str:
    """Write a time in the largest unit up to days that divides it."""
    name = next((name for name in ("days", "hours", "minutes") if seconds % UNITS[name] == 0), "seconds")
    count = seconds / UNITS[name]
    return f"{count:.6g} {name if count != 1 else name[:-1]}"


def _birthdays(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Count whole calendar years between two times in seconds since 1970."""
    found = np.full(len(start), np.nan)
    known = ~(np.isnan(start) | np.isnan(end))
    first, last = (pd.to_datetime(pd.Series(times[known]), unit="s") for times in (start, end))
    before = (last.dt.month * 100 + last.dt.day) < (first.dt.month * 100 + first.dt.day)
    found[known] = (last.dt.year - first.dt.year - before).to_numpy(float)
    return found


def agrees(values: np.ndarray, computed: np.ndarray, grid: Grid) -> np.ndarray:
    """Find which computed cells agree with recorded ones to their last digit; a missing cell agrees."""
    with np.errstate(invalid="ignore"):
        near = np.abs(values - computed) <= grid.tolerance(values)
    return near | np.isnan(values) | np.isnan(computed)


def dropped(table: pd.DataFrame, name: object, helper: str) -> pd.DataFrame:
    """Drop a column, and put a category of its gaps in its place if ``helper`` names one."""
    if not helper:
        return table.drop(columns=name)
    place = table.columns.get_loc(name)
    reduced = table.drop(columns=name)
    reduced.insert(place, helper, flags(table[name].isna().to_numpy()))
    return reduced


def restored(table: pd.DataFrame, name: object, values: np.ndarray, helper: str) -> pd.DataFrame:
    """Put a column back, with the gaps of its helper."""
    values = np.where(np.isfinite(values), values, np.nan)
    if helper:
        values = np.where(flagged(table[helper]), np.nan, values)
        table = table.drop(columns=helper)
    return with_column(table, name, values)


def helper_of(table: pd.DataFrame, derived: object, inputs: tuple) -> str | None:
    """Return the name of the helper that a derived column needs, empty for none.

    None means that the column is known in more than a few rows in which an input is missing, so that it cannot be
    left out.
    """
    missing = table[derived].isna().to_numpy()
    unknown = table[list(inputs)].isna().to_numpy().any(axis=1)
    lost = (~missing & unknown).sum()
    if lost > 0.01 * len(table) or (lost and not missing.any()):
        return None
    return fresh_name(table, f"{derived} is missing") if (missing & ~unknown).any() else ""
