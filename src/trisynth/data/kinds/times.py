"""Dates, time stamps and durations."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from trisynth.data.kinds.number import Number, contents

# Steps that times are recorded in, in seconds: days, hours, minutes, seconds; and digits of a fraction of a second.
_DAY = 86_400
_CLOCK, _DIGITS = (_DAY, 3_600, 60, 1), (1, 2, 3)
# Error of a count, at the least and relative to its size.
_NEAR = 1e-6, 2 * np.finfo(float).eps


def _recorded(finite: np.ndarray) -> float:
    """Return the coarsest step of seconds; 0 where none was found."""
    step = next((float(step) for step in _CLOCK if not np.any(finite % step)), 0.0)
    if step or not len(finite):
        return step
    for digits in _DIGITS:
        counts = finite * 10**digits
        if np.all(np.abs(counts - np.rint(counts)) < max(_NEAR[0], _NEAR[1] * np.abs(counts).max())):
            return 10.0**-digits
    return 0.0


@dataclass(frozen=True)
class Date(Number):
    """Points in time, with or without a time zone; canonical as seconds since 1970."""

    kind: ClassVar[str] = "date"

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take ``datetime64`` of any unit and time zone, Arrow's dates, and objects that are dates or time stamps."""
        arrow = getattr(values.dtype, "pyarrow_dtype", None)
        return (
            types.is_datetime64_any_dtype(values.dtype)
            or (arrow is not None and pa.types.is_date(arrow))
            or contents(values) in ("date", "datetime")
        )

    @staticmethod
    def _floats(values: pd.Series) -> np.ndarray:
        if zone := _zone(values.dtype):
            values = values.astype(pd.DatetimeTZDtype("ns", zone)).dt.tz_convert(None)
        elif isinstance(values.dtype, pd.ArrowDtype):
            values = values.astype(pd.ArrowDtype(pa.timestamp("ns")))
        elif types.is_object_dtype(values.dtype):
            # Cells of one zone in two notations, such as those of a cache and of a file, join to objects.
            values = pd.to_datetime(values, errors="coerce", utc=True).dt.tz_convert(None)
        return (values.astype("datetime64[ns]").to_numpy() - np.datetime64(0, "ns")) / np.timedelta64(1, "s")

    def _typed(self, numbers: pd.Series) -> pd.Series:
        # pandas rounds memory that was never written where a number is missing, which can overflow.
        missing = numbers.isna()
        dates = pd.to_datetime(numbers.mask(missing, 0.0), unit="s").astype("datetime64[ns]").mask(missing)
        arrow = getattr(self.dtype, "pyarrow_dtype", None)
        if types.is_object_dtype(self.dtype) or (arrow is not None and pa.types.is_date(arrow)):
            days = self.step >= _DAY or arrow is not None
            cells = [None if date is pd.NaT else date.date() if days else date.to_pydatetime() for date in dates]
            return pd.Series(cells, index=numbers.index, dtype=object).astype(self.dtype)
        zone = _zone(self.dtype)
        return (dates.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else dates).astype(self.dtype)

    @staticmethod
    def _step(finite: np.ndarray, dtype: object) -> float:
        return _recorded(finite)


@dataclass(frozen=True)
class Duration(Number):
    """Lengths of time; canonical in seconds."""

    kind: ClassVar[str] = "duration"

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take ``timedelta64`` of any unit and Arrow's durations."""
        arrow = getattr(values.dtype, "pyarrow_dtype", None)
        return types.is_timedelta64_dtype(values.dtype) or (arrow is not None and pa.types.is_duration(arrow))

    @staticmethod
    def _floats(values: pd.Series) -> np.ndarray:
        return values.astype("timedelta64[ns]").to_numpy() / np.timedelta64(1, "s")

    def _typed(self, numbers: pd.Series) -> pd.Series:
        missing = numbers.isna()
        return pd.to_timedelta(numbers.mask(missing, 0.0), unit="s").astype(self.dtype).mask(missing)

    @staticmethod
    def _step(finite: np.ndarray, dtype: object) -> float:
        return _recorded(finite)


def _zone(dtype: object) -> object:
    """Return the time zone of dates, None if they have none."""
    return getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)
