"""What the columns of a table look like, learned from training rows, and how values return to that look.

Generators work on a *canonical* table: ``float64`` for numbers, with NaN for a missing cell, and pandas
categories for all else. A schema translates to it and back to the original dtypes, steps and bounds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

# Above this magnitude squares overflow, so the canonical values are divided by a power of two.
_LARGE = 1e100
# Steps that dates are recorded in, in seconds: days, hours, minutes, seconds.
_CLOCK = (86_400, 3_600, 60, 1)
_DECIMALS = 8
# Beyond it a float misses whole numbers.
_EXACT = 2**53


@dataclass(frozen=True)
class ColumnSchema:
    """One column as the training rows show it.

    Parameters
    ----------
    name : str
    dtype : dtype
        Original dtype, to be restored.
    categories : Index or None
        Values of a category; None marks a number.
    step : float
        Numbers are multiples of it; 0 where none was found.
    lower, upper : float
        Range of the training rows, in original units; NaN where no value was seen.
    unit : float
        Power of two that canonical values were divided by.
    """

    name: str
    dtype: object
    categories: pd.Index | None = None
    step: float = 0.0
    lower: float = np.nan
    upper: float = np.nan
    unit: float = 1.0

    @classmethod
    def learn(cls, values: pd.Series, category: bool = False) -> "ColumnSchema":
        """Facts of one column of training rows; ``category`` makes even numbers categories."""
        dtype = values.dtype
        if category or not _is_number(dtype):
            return cls(values.name, dtype, _categories(values))
        numbers = _numbers(values)
        finite = numbers[np.isfinite(numbers)]
        if not len(finite):
            return cls(values.name, dtype)
        largest = np.abs(finite).max()
        unit = 2.0 ** np.ceil(np.log2(largest)) if largest > _LARGE and largest < 2.0**1023 else 1.0
        if largest >= 2.0**1023:
            unit = 2.0**1023
        lower, upper = finite.min(), finite.max()
        if types.is_integer_dtype(dtype):
            lower, upper = int(values.min()), int(values.max())
        return cls(values.name, dtype, None, _step(finite, dtype), lower, upper, unit)

    def canonical(self, values: pd.Series) -> pd.Series:
        """The same cells as ``float64`` or as categories; infinities and unknown categories become missing."""
        if self.categories is not None:
            return pd.Series(pd.Categorical(values.astype(object), categories=self.categories), index=values.index)
        numbers = _numbers(values)
        return pd.Series(np.where(np.isfinite(numbers), numbers / self.unit, np.nan), index=values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Canonical cells in the original dtype, on the original step and inside the original range."""
        if self.categories is not None:
            # Each category is turned back once, and not once for each cell.
            codes = values.cat.codes.to_numpy()
            known = list(values.cat.categories) + [np.nan] * bool((codes < 0).any())
            return pd.Series(known, dtype=object).astype(self.dtype).take(codes).set_axis(values.index)
        # Clipped before the product, too: a value far out of range would overflow.
        numbers = np.clip(values.to_numpy(float), self.lower / self.unit, self.upper / self.unit) * self.unit
        if self.step:
            # Decimal steps divide: 3 / 10 prints as 0.3, 3 * .1 does not.
            per_unit = round(1 / self.step) if self.step < 1 else None
            whole = np.rint(numbers * per_unit) if per_unit else np.rint(numbers / self.step)
            numbers = whole / per_unit if per_unit else whole * self.step
        numbers = np.clip(numbers, self.lower, self.upper) if np.isfinite(self.lower) else numbers * np.nan
        restored = _as_dtype(pd.Series(numbers, index=values.index), self.dtype)
        whole = isinstance(self.lower, int) and max(-self.lower, self.upper) > _EXACT
        return restored.clip(self.lower, self.upper) if whole else restored


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in order."""

    columns: tuple[ColumnSchema, ...]

    @classmethod
    def learn(cls, X: pd.DataFrame) -> "Schema":
        """Schema of training rows ``X``, shape (n, d)."""
        return cls(tuple(ColumnSchema.learn(X[name]) for name in X.columns))

    def canonical(self, X: pd.DataFrame) -> pd.DataFrame:
        """``X`` as numbers and categories, same shape and index."""
        return self._table({c.name: c.canonical(X[c.name]) for c in self.columns}, X.index)

    def restore(self, table: pd.DataFrame) -> pd.DataFrame:
        """A canonical table in the original dtypes, steps, bounds and column order."""
        return self._table({c.name: c.restore(table[c.name]) for c in self.columns}, table.index)

    def _table(self, columns: dict, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(columns, index=index, columns=[c.name for c in self.columns])


def _is_number(dtype: object) -> bool:
    return (types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)) or types.is_datetime64_any_dtype(dtype)


def _numbers(values: pd.Series) -> np.ndarray:
    if types.is_datetime64_any_dtype(values.dtype):
        naive = values.dt.tz_convert(None) if isinstance(values.dtype, pd.DatetimeTZDtype) else values
        seconds = (naive.astype("datetime64[ns]").to_numpy() - np.datetime64(0, "ns")) / np.timedelta64(1, "s")
        return seconds
    return values.to_numpy(dtype=float, na_value=np.nan)


def _as_dtype(numbers: pd.Series, dtype: object) -> pd.Series:
    if types.is_datetime64_any_dtype(dtype):
        dates = pd.to_datetime(numbers, unit="s").astype("datetime64[ns]")
        zone = getattr(dtype, "tz", None)
        return (dates.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else dates).astype(dtype)
    if types.is_integer_dtype(dtype):
        size = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
        most = np.nextafter(float(size.max), 0) if size.max > _EXACT else size.max
        numbers = pd.Series(np.clip(numbers.to_numpy(), size.min, most), index=numbers.index)
        return numbers.astype("Int64").astype(dtype) if numbers.isna().any() else numbers.astype(dtype)
    return numbers.astype(dtype)


def _categories(values: pd.Series) -> pd.Index:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.dtype.categories
    seen = values.dropna().unique()
    return pd.Index(sorted(seen, key=lambda value: (type(value).__name__, value)), dtype=object)


def _step(finite: np.ndarray, dtype: object) -> float:
    if types.is_datetime64_any_dtype(dtype):
        return next((float(step) for step in _CLOCK if not np.any(finite % step)), 0.0)
    if types.is_integer_dtype(dtype):
        return 1.0
    finite = finite.astype(getattr(dtype, "numpy_dtype", dtype))
    for decimals in range(_DECIMALS + 1):
        # Beyond _EXACT (2**24 in single precision) every float is whole, which says nothing about the column.
        if float(np.abs(finite).max()) * 10**decimals > 2 / np.finfo(finite.dtype).eps:
            return 0.0
        if np.array_equal(np.round(finite, decimals), finite):
            return 10.0**-decimals
    return 0.0
