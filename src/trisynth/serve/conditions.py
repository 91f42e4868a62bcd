"""Conditions of a request: cells that every row keeps, in the dtype of their column."""

import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from trisynth.data.kinds import Category
from trisynth.data.kinds.number import is_decimal
from trisynth.errors import InputError

# ISO 8601: a whole date, with a time and a zone where the column has them. pandas itself reads 01/02/2020 and now.
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
# A clock, with days before it, as pandas and Python write durations, or ISO 8601.
_DURATION = re.compile(r"(-?\d+ days?,? )?[+-]?\d+:\d\d:\d\d(\.\d{1,9})?|-?P[-\d.DTHMS]+", re.ASCII)
# Decimal itself reads 1_000, Infinity and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_TIMES = {"date": (pd.Timestamp, _DATE, "2020-02-01"), "duration": (pd.Timedelta, _DURATION, "01:30:00")}
_DAY = 86_400


def cell(name: str, value: Any, kind: Any) -> pd.Series:
    """Give one condition the dtype of its column.

    Raises
    ------
    InputError
        If the column cannot have the value.
    """
    if isinstance(kind, Category):
        known = {str(each): each for each in kind.categories}
        if str(value) not in known:
            raise InputError(f"given.{name}", value, f"no such category; known: {', '.join(list(known)[:20])}")
        return pd.Series([known[str(value)]], name=kind.name).astype(kind.dtype)
    if kind.kind in _TIMES:
        return _time(name, value, kind)
    return _number(name, value, kind) if kind.kind == "number" else _plain(name, value, kind)


def _plain(name: str, value: Any, kind: Any) -> pd.Series:
    if not isinstance(value, str):
        raise InputError(f"given.{name}", value, f"must be a {kind.kind}")
    return pd.Series([value], name=kind.name, dtype=object).astype(kind.dtype)


def _number(name: str, value: Any, kind: Any) -> pd.Series:
    """Read a number; one that the type of its column would wrap, cut or make infinite is refused."""
    whole = types.is_integer_dtype(kind.dtype)
    text = str(value).strip()
    number = Decimal(text) if not isinstance(value, bool) and _NUMBER.fullmatch(text) else None
    if number is None or (whole and number != number.to_integral_value()):
        raise InputError(f"given.{name}", value, f"must be a {'whole ' * whole}{kind.kind}")
    exact = whole or is_decimal(kind.dtype) or types.is_object_dtype(kind.dtype)
    found = None
    with suppress(TypeError, ValueError, OverflowError), np.errstate(over="ignore"):
        content = int(number) if whole else number if exact else float(number)
        read = pd.Series([content], name=kind.name, dtype=object).astype(kind.dtype)
        # Objects get their type when they are written.
        if np.isfinite(float(read[0])) and (not exact or read[0] == number) and len(pa.array(read)):
            found = read
    if found is None:
        raise InputError(f"given.{name}", value, f"does not fit into {kind.dtype}, the type of the column")
    if (bounds := kind.facts.bounds) and not bounds[0] <= found[0] <= bounds[1]:
        raise InputError(f"given.{name}", value, f"must lie within its bounds {bounds[0]:g} to {bounds[1]:g}")
    return found


def _time(name: str, value: Any, kind: Any) -> pd.Series:
    """Read a date or a duration as answers write it; one that its column would round is refused."""
    read, pattern, example = _TIMES[kind.kind]
    zone = getattr(getattr(kind.dtype, "pyarrow_dtype", kind.dtype), "tz", None)
    plain = types.is_object_dtype(kind.dtype)
    found = None
    try:
        if isinstance(value, str) and pattern.fullmatch(value):
            time = read(value).as_unit("ns")
            aware = getattr(time, "tz", None) is not None
            if zone and not aware:
                # The hour that a change of the clock skips or repeats is refused.
                time = time.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
            if time is not pd.NaT and (zone or plain or not aware):
                own = (time.date() if kind.step >= _DAY else time.to_pydatetime()) if plain else time
                found = pd.Series([own], name=kind.name, dtype=object if plain else None).astype(kind.dtype)
                found = found if read(found[0]) == time else None
    except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta, OverflowError):
        remedy = f"lies outside the range of {kind.kind}s in nanoseconds, {read.min} to {read.max}"
        raise InputError(f"given.{name}", value, remedy) from None
    except ValueError:
        found = None
    if found is None:
        remedy = f"must be a {kind.kind} such as {example}{'T12:00:00+00:00' * bool(zone)}"
        raise InputError(f"given.{name}", value, remedy)
    return found
