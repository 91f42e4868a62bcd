"""Numbers: integers, floats and decimals of every width."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind

# Above this magnitude squares overflow, so the canonical values are divided by a power of two.
_LARGE = 1e100
_DECIMALS = 8
# Beyond it a float misses whole numbers.
_EXACT = 2**53
# Last bits that a sum or a difference of numbers may be off.
_NOISE = 8
# Fraction of the cells that have the digits exactly where others miss them by last bits.
_MOSTLY = 0.5


def contents(values: pd.Series) -> str:
    """Describe the cells of an object column as ``pandas.api.types.infer_dtype`` does; empty for other columns."""
    return types.infer_dtype(values, skipna=True) if types.is_object_dtype(values.dtype) else ""


def is_decimal(dtype: object) -> bool:
    """Return whether a dtype is one of Arrow's decimals."""
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_decimal(dtype.pyarrow_dtype)


@dataclass(frozen=True)
class Number(Kind):
    """Numbers, on the step and inside the range of the training rows.

    Parameters
    ----------
    step : float
        Numbers are multiples of it; 0 where none was found.
    lower, upper : float
        Range of the training rows, in original units; NaN where no value was seen.
    unit : float
        Power of two that canonical values were divided by.
    """

    step: float = 0.0
    lower: float = np.nan
    upper: float = np.nan
    unit: float = 1.0

    kind: ClassVar[str] = "number"

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take integers, floats and decimals, but no booleans."""
        numeric = types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype)
        return numeric or contents(values) == "decimal"

    @classmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Number":
        """Learn step, range and unit; infinities count as missing."""
        dtype = values.dtype
        numbers = cls._floats(values)
        finite = numbers[np.isfinite(numbers)]
        if not len(finite):
            return cls(values.name, dtype, facts)
        largest = np.abs(finite).max()
        unit = 2.0 ** np.ceil(np.log2(largest)) if largest > _LARGE and largest < 2.0**1023 else 1.0
        if largest >= 2.0**1023:
            unit = 2.0**1023
        lower, upper = finite.min(), finite.max()
        if types.is_integer_dtype(dtype):
            lower, upper = int(values.min()), int(values.max())
        step = 1.0 if facts.integer else cls._step(finite, dtype)
        return cls(values.name, dtype, facts, step, lower, upper, unit)

    def canonical(self, values: pd.Series) -> pd.Series:
        """Translate to ``float64``; infinities become missing."""
        return pd.Series(self._scaled(self._floats(values)), index=values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Translate to the original dtype, on the step and inside the range of the training rows."""
        restored = self._typed(pd.Series(self._stepped(values.to_numpy(float)), index=values.index))
        whole = isinstance(self.lower, int) and max(-self.lower, self.upper) > _EXACT
        return restored.clip(self.lower, self.upper) if whole else restored

    def settled(self, cells: np.ndarray) -> np.ndarray:
        """Return canonical numbers as they are after their way to the original dtype and back."""
        # Without a change of dtype the way is one of arrays.
        plain = isinstance(self.dtype, np.dtype) and self.dtype == float
        return self._scaled(self._stepped(np.asarray(cells, float))) if plain else super().settled(cells)

    def _scaled(self, numbers: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(numbers), numbers / self.unit, np.nan)

    def _stepped(self, cells: np.ndarray) -> np.ndarray:
        # Clipped before the product, too: a value far out of range would overflow.
        numbers = np.clip(cells, self.lower / self.unit, self.upper / self.unit) * self.unit
        if self.step:
            # Decimal steps divide: 3 / 10 prints as 0.3, 3 * 0.1 does not.
            per_unit = round(1 / self.step) if self.step < 1 else None
            whole = np.rint(numbers * per_unit) if per_unit else np.rint(numbers / self.step)
            numbers = whole / per_unit if per_unit else whole * self.step
        return np.clip(numbers, self.lower, self.upper) if np.isfinite(self.lower) else numbers * np.nan

    @staticmethod
    def _floats(values: pd.Series) -> np.ndarray:
        return values.to_numpy(dtype=float, na_value=np.nan)

    def _typed(self, numbers: pd.Series) -> pd.Series:
        if is_decimal(self.dtype) or types.is_object_dtype(self.dtype):
            return self._decimals(numbers)
        if types.is_integer_dtype(self.dtype):
            size = np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype))
            most = np.nextafter(float(size.max), 0) if size.max > _EXACT else size.max
            numbers = pd.Series(np.clip(numbers.to_numpy(), size.min, most), index=numbers.index)
            return numbers.astype("Int64").astype(self.dtype) if numbers.isna().any() else numbers.astype(self.dtype)
        return numbers.astype(self.dtype)

    def _decimals(self, numbers: pd.Series) -> pd.Series:
        """Write floats as decimals with the digits of the training rows, or those of an Arrow type."""
        scale = getattr(getattr(self.dtype, "pyarrow_dtype", None), "scale", None)
        digits = max(0, round(-np.log10(self.step))) if scale is None and self.step else scale or 0
        cells = [None if np.isnan(number) else Decimal(f"{number:.{digits}f}") for number in numbers]
        return pd.Series(cells, index=numbers.index, dtype=object).astype(self.dtype)

    @staticmethod
    def _step(finite: np.ndarray, dtype: object) -> float:
        if types.is_integer_dtype(dtype):
            return 1.0
        if not is_decimal(dtype) and not types.is_object_dtype(dtype):
            finite = finite.astype(getattr(dtype, "numpy_dtype", dtype))
        largest = np.abs(finite).max()
        for decimals in range(_DECIMALS + 1):
            # Beyond _EXACT (2**24 in single precision) every float is whole, whatever the column's step.
            if float(largest) * 10**decimals > 2 / np.finfo(finite.dtype).eps:
                return 0.0
            rounded = np.round(finite, decimals)
            exact = rounded == finite
            # A computed number such as 0.95 - 0.93 misses the digits of the others by a few last bits.
            noise = min(_NOISE * float(np.spacing(largest)), 10.0**-decimals / 1000)
            if exact.all() or (
                exact.mean() >= _MOSTLY and (np.abs(rounded - finite) <= noise).all() and (rounded != 0)[~exact].all()
            ):
                return 10.0**-decimals
        return 0.0
