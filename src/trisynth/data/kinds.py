"""Column kinds: the types of cells, their canonical form for generators, and the way back to the original dtype.

Generators work on a *canonical* table: ``float64`` for numbers and dates, with NaN for a missing cell, and pandas
categories for all else. Each kind learns one column from declared facts and training rows, and translates its cells
to the canonical ones and back. A further kind is one class here: an entry in ``KINDS`` makes tables use it.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data.dataset import Column
from trisynth.errors import InputError

# Above this magnitude squares overflow, so the canonical values are divided by a power of two.
_LARGE = 1e100
# Steps that dates are recorded in, in seconds: days, hours, minutes, seconds.
_CLOCK = (86_400, 3_600, 60, 1)
_DECIMALS = 8
# Beyond it a float misses whole numbers.
_EXACT = 2**53


@dataclass(frozen=True)
class Kind(ABC):
    """Base of the kinds: one column as its declared facts and its training rows show it.

    Parameters
    ----------
    name : str
    dtype : dtype
        Original dtype, to be restored.
    facts : Column
        Declared facts. Declared bounds are kept here and do not widen the range that rows are clipped to.

    Attributes
    ----------
    kind : str
        Name of the kind, as it is declared and as generators list it.
    """

    name: str
    dtype: object
    facts: Column

    kind: ClassVar[str] = ""
    # Only a category has them; None marks a quantity.
    categories: ClassVar[pd.Index | None] = None

    @classmethod
    @abstractmethod
    def takes(cls, dtype: object) -> bool:
        """Tell whether cells of a dtype are of this kind where nothing is declared."""

    @classmethod
    @abstractmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Kind":
        """Learn a column from its declared facts and training rows of shape (n,)."""

    @abstractmethod
    def canonical(self, values: pd.Series) -> pd.Series:
        """Translate cells to canonical ones with the same index; what cannot be translated becomes missing."""

    @abstractmethod
    def restore(self, values: pd.Series) -> pd.Series:
        """Translate canonical cells back to the original dtype."""


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
    def takes(cls, dtype: object) -> bool:
        """Take integers and floats, but no truth values."""
        return types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)

    @classmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Number":
        """Learn step, range and unit; infinities are no values."""
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
        numbers = self._floats(values)
        return pd.Series(np.where(np.isfinite(numbers), numbers / self.unit, np.nan), index=values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Translate to the original dtype, on the step and inside the range of the training rows."""
        # Clipped before the product, too: a value far out of range would overflow.
        numbers = np.clip(values.to_numpy(float), self.lower / self.unit, self.upper / self.unit) * self.unit
        if self.step:
            # Decimal steps divide: 3 / 10 prints as 0.3, 3 * 0.1 does not.
            per_unit = round(1 / self.step) if self.step < 1 else None
            whole = np.rint(numbers * per_unit) if per_unit else np.rint(numbers / self.step)
            numbers = whole / per_unit if per_unit else whole * self.step
        numbers = np.clip(numbers, self.lower, self.upper) if np.isfinite(self.lower) else numbers * np.nan
        restored = self._typed(pd.Series(numbers, index=values.index))
        whole = isinstance(self.lower, int) and max(-self.lower, self.upper) > _EXACT
        return restored.clip(self.lower, self.upper) if whole else restored

    @staticmethod
    def _floats(values: pd.Series) -> np.ndarray:
        return values.to_numpy(dtype=float, na_value=np.nan)

    def _typed(self, numbers: pd.Series) -> pd.Series:
        if types.is_integer_dtype(self.dtype):
            size = np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype))
            most = np.nextafter(float(size.max), 0) if size.max > _EXACT else size.max
            numbers = pd.Series(np.clip(numbers.to_numpy(), size.min, most), index=numbers.index)
            return numbers.astype("Int64").astype(self.dtype) if numbers.isna().any() else numbers.astype(self.dtype)
        return numbers.astype(self.dtype)

    @staticmethod
    def _step(finite: np.ndarray, dtype: object) -> float:
        if types.is_integer_dtype(dtype):
            return 1.0
        finite = finite.astype(getattr(dtype, "numpy_dtype", dtype))
        for decimals in range(_DECIMALS + 1):
            # Beyond _EXACT (2**24 in single precision) every float is whole, whatever the column's step.
            if float(np.abs(finite).max()) * 10**decimals > 2 / np.finfo(finite.dtype).eps:
                return 0.0
            if np.array_equal(np.round(finite, decimals), finite):
                return 10.0**-decimals
        return 0.0


@dataclass(frozen=True)
class Date(Number):
    """Points in time, with or without a time zone; canonical as seconds since 1970."""

    kind: ClassVar[str] = "date"

    @classmethod
    def takes(cls, dtype: object) -> bool:
        """Take ``datetime64`` of any unit and time zone."""
        return types.is_datetime64_any_dtype(dtype)

    @staticmethod
    def _floats(values: pd.Series) -> np.ndarray:
        zone = _zone(values.dtype)
        naive = values.astype(pd.DatetimeTZDtype("ns", zone)).dt.tz_convert(None) if zone else values
        return (naive.astype("datetime64[ns]").to_numpy() - np.datetime64(0, "ns")) / np.timedelta64(1, "s")

    def _typed(self, numbers: pd.Series) -> pd.Series:
        dates = pd.to_datetime(numbers, unit="s").astype("datetime64[ns]")
        zone = _zone(self.dtype)
        return (dates.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else dates).astype(self.dtype)

    @staticmethod
    def _step(finite: np.ndarray, dtype: object) -> float:
        return next((float(step) for step in _CLOCK if not np.any(finite % step)), 0.0)


@dataclass(frozen=True)
class Category(Kind):
    """One of a set of values: texts, truth values, pandas categories, or numbers declared as such.

    Parameters
    ----------
    categories : Index
        Values in their order.
    """

    categories: pd.Index = None

    kind: ClassVar[str] = "category"

    @classmethod
    def takes(cls, dtype: object) -> bool:
        """Take every dtype; the other kinds come first in ``KINDS``."""
        return True

    @classmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Category":
        """Take the categories from the dtype, else from the declaration, else from the values, sorted."""
        if isinstance(values.dtype, pd.CategoricalDtype):
            return cls(values.name, values.dtype, facts, values.dtype.categories)
        seen = list(values.dropna().unique())
        if facts.categories is not None:
            spelled = {str(value): value for value in seen}
            unknown = [text for text in spelled if text not in facts.categories]
            if unknown:
                remedy = f"not a declared category; declared: {', '.join(facts.categories)}"
                raise InputError(f"facts.{values.name}.categories", unknown[0], remedy)
            seen = [spelled.get(text, text) for text in facts.categories]
        else:
            try:
                seen.sort(key=lambda value: (type(value).__name__, value))
            except TypeError:
                remedy = "holds cells without an order; give texts, or drop the column"
                raise InputError("X", values.name, remedy) from None
        return cls(values.name, values.dtype, facts, pd.Index(seen, dtype=object))

    def canonical(self, values: pd.Series) -> pd.Series:
        """Translate to pandas categories; unknown ones become missing."""
        # As an array: from a Series of objects, pandas would guess the dtype anew, with a warning.
        cells = values.astype(object).to_numpy()
        return pd.Series(pd.Categorical(cells, categories=self.categories), index=values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Translate to the original dtype."""
        # Each category is turned back once, and not once for each cell.
        codes = values.cat.codes.to_numpy()
        known = list(values.cat.categories) + [np.nan] * bool((codes < 0).any())
        return pd.Series(known, dtype=object).astype(self.dtype).take(codes).set_axis(values.index)


# The first kind that takes the dtype of a column is its kind.
KINDS: tuple[type[Kind], ...] = (Date, Number, Category)


def learn(values: pd.Series, facts: Column | None = None) -> Kind:
    """Learn a column of training rows, declared facts first.

    Parameters
    ----------
    values : Series, shape (n,)
    facts : Column, optional
        A declared category may be of any dtype; a declared number must hold numbers.

    Raises
    ------
    InputError
        If the cells are not of the declared kind, or not among the declared categories.
    """
    facts = facts or Column()
    _check_cells(values)
    own = next(kind for kind in KINDS if kind.takes(values.dtype))
    if facts.kind == Category.kind:
        return Category.learn(values, facts)
    if facts.kind == Number.kind and not issubclass(own, Number):
        remedy = f"the column holds {values.dtype}; convert it, or declare a category"
        raise InputError(f"facts.{values.name}.kind", facts.kind, remedy)
    return own.learn(values, facts)


def _zone(dtype: object) -> object:
    """Return the time zone of dates, None if they have none."""
    return getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)


def _check_cells(values: pd.Series) -> None:
    """Refuse cells of which no kind can make a number or a category."""
    dtype = values.dtype
    if isinstance(dtype, pd.SparseDtype):
        raise InputError("X", values.name, f"holds {dtype}; convert the column by .sparse.to_dense()")
    decimal = types.is_numeric_dtype(dtype) and types.is_object_dtype(getattr(dtype, "numpy_dtype", None))
    if decimal or types.is_complex_dtype(dtype):
        raise InputError("X", values.name, f"holds {dtype}; convert the column to float")
    if types.is_object_dtype(dtype) or isinstance(dtype, pd.ArrowDtype):
        for kind in {type(cell) for cell in values}:
            if issubclass(kind, Collection) and not issubclass(kind, str | bytes):
                remedy = f"holds cells of type {kind.__name__}; give one number or text per cell, or drop the column"
                raise InputError("X", values.name, remedy)
