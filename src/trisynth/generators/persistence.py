"""Persistence of fitted objects as one file of JSON and arrays, without pickle: reading a file runs no code from it."""

import base64
import datetime
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from trisynth.config import ALLOWED, locate
from trisynth.errors import InputError
from trisynth.generators import archive
from trisynth.places import SAVED

T = TypeVar("T")
_TAG = "~"
# Cells that a text describes in full, each with the reader of the text that ``isoformat`` returns.
_TEXTS = {
    "timestamp": (pd.Timestamp, pd.Timestamp),
    "timedelta": (pd.Timedelta, pd.Timedelta),
    "datetime": (datetime.datetime, datetime.datetime.fromisoformat),
    "date": (datetime.date, datetime.date.fromisoformat),
    "time": (datetime.time, datetime.time.fromisoformat),
}
# Bytes of one cell, in a state that names a dtype.
_WIDEST = 1 << 16


def save(fitted: Any, path: Path, allow: Iterable[str] = ()) -> None:
    """Write a fitted object to ``path``.

    Besides objects of this package and its libraries it may hold those of its own class's package and of ``allow``.
    """
    arrays: list[np.ndarray] = []
    archive.write(path, _encode(fitted, arrays, _with_own(type(fitted), allow)), arrays)


def load(path: Path, kind: type[T], allow: Iterable[str] = ()) -> T:
    """Return the object of class ``kind`` that ``save`` wrote to ``path``.

    Parameters
    ----------
    path : path
    kind : type
        Its package is admitted, too.
    allow : iterable of str, default=()
        Further packages whose objects the file may hold; see :func:`trisynth.config.locate`.

    Raises
    ------
    InputError
        If the file is absent, damaged, or holds something else.
    """
    try:
        state, arrays = archive.read(path)
        fitted = _decode(state, dict(enumerate(arrays)), _with_own(kind, allow))
    except InputError:
        raise
    except OSError as error:
        raise InputError("path", str(path), f"cannot be read ({error.strerror or error})") from None
    # A damaged file may hold anything, and end in any error; only a file that this module wrote is sure to be read.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError("path", str(path), f"is not a saved {kind.__name__} ({reason})") from None
    if not isinstance(fitted, kind):
        raise InputError("path", str(path), f"holds a {type(fitted).__name__}, not a {kind.__name__}")
    return fitted


def _with_own(kind: type, allow: Iterable[str]) -> tuple[str, ...]:
    """Add the package of a class that the caller already holds to the allowed ones."""
    own = kind.__module__.partition(".")[0]
    known = f"{own}.".startswith(ALLOWED) or own in ("__main__", *sys.stdlib_module_names)
    return tuple(allow) if known else (*allow, own)


def _encode(value: Any, arrays: list[np.ndarray], allow: tuple[str, ...]) -> Any:
    def inner(item: Any) -> Any:
        return _encode(item, arrays, allow)

    if value is None or isinstance(value, bool | int | float | str):
        # numpy's float64 is a float and its repr round-trips; json writes it as one.
        return value
    if isinstance(value, list):
        return [inner(item) for item in value]
    if isinstance(value, tuple):
        return {_TAG: "tuple", "items": [inner(item) for item in value]}
    if isinstance(value, dict):
        return {_TAG: "dict", "items": [[inner(key), inner(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray) and value.dtype != object:
        arrays.append(value)
        return {_TAG: "array", "number": len(arrays) - 1}
    if isinstance(value, np.ndarray):
        return {_TAG: "objects", "items": [inner(item) for item in value.ravel()], "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return {_TAG: "scalar", "value": inner(np.asarray(value))}
    if isinstance(value, np.dtype):
        return {_TAG: "dtype", "name": "object" if value.hasobject else value.str}
    if isinstance(value, pd.CategoricalDtype):
        return {_TAG: "categorical", "categories": inner(value.categories), "ordered": bool(value.ordered)}
    if isinstance(value, pd.StringDtype):
        return {_TAG: "string", "storage": value.storage, "missing": inner(value.na_value)}
    if isinstance(value, pd.ArrowDtype):
        schema = pa.schema([("cells", value.pyarrow_dtype)]).serialize().to_pybytes()
        return {_TAG: "arrow", "schema": base64.b64encode(schema).decode()}
    if isinstance(value, pd.api.extensions.ExtensionDtype):
        return {_TAG: "extension", "name": str(value)}
    if value is pd.NA or value is pd.NaT:
        return {_TAG: "missing", "name": str(value)}
    if isinstance(value, bytes):
        return {_TAG: "bytes", "text": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {_TAG: "decimal", "text": str(value)}
    if isinstance(value, pd.Period):
        return {_TAG: "period", "ordinal": value.ordinal, "freq": value.freqstr}
    if isinstance(value, pd.Interval):
        return {_TAG: "interval", "ends": [inner(value.left), inner(value.right)], "closed": value.closed}
    for name, (kind, _) in _TEXTS.items():
        if isinstance(value, kind):
            return {_TAG: name, "text": value.isoformat()}
    if isinstance(value, pd.Index):
        return {
            _TAG: "index",
            "values": inner(value.to_numpy()),
            "dtype": inner(value.dtype),
            "name": inner(value.name),
        }
    if isinstance(value, pd.Series):
        plain = value.cat.codes.to_numpy() if isinstance(value.dtype, pd.CategoricalDtype) else value.to_numpy()
        return {
            _TAG: "series",
            "values": inner(plain),
            "dtype": inner(value.dtype),
            "name": inner(value.name),
        }
    if isinstance(value, pd.DataFrame):
        return {_TAG: "frame", "columns": [inner(value[name]) for name in value]}
    target = f"{type(value).__module__}.{type(value).__qualname__}"
    locate(target, "saved state", allow, SAVED)
    return {_TAG: "object", "class": target, "state": inner(dict(vars(value)))}


def _decode(value: Any, arrays: dict[int, np.ndarray], allow: tuple[str, ...]) -> Any:
    def inner(item: Any) -> Any:
        return _decode(item, arrays, allow)

    if isinstance(value, list):
        return [inner(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value[_TAG]:
        case "tuple":
            return tuple(inner(item) for item in value["items"])
        case "dict":
            return {inner(key): inner(item) for key, item in value["items"]}
        case "array":
            # Each is written for one place; many copies of a large one could fill the memory.
            return arrays.pop(value["number"])
        case "objects":
            flat = np.empty(len(value["items"]), dtype=object)
            flat[:] = [inner(item) for item in value["items"]]
            return flat.reshape(value["shape"])
        case "scalar":
            return inner(value["value"])[()]
        case "dtype":
            dtype = np.dtype(value["name"])
            if dtype.itemsize > _WIDEST:
                raise ValueError(f"a cell of {dtype.itemsize} bytes is too wide")
            return dtype
        case "categorical":
            return pd.CategoricalDtype(inner(value["categories"]), value["ordered"])
        case "extension":
            return pd.api.types.pandas_dtype(value["name"])
        case "string":
            return pd.StringDtype(value["storage"], inner(value["missing"]))
        case "arrow":
            return pd.ArrowDtype(pa.ipc.read_schema(pa.py_buffer(base64.b64decode(value["schema"]))).field(0).type)
        case "missing":
            return {"<NA>": pd.NA, "NaT": pd.NaT}[value["name"]]
        case "bytes":
            return base64.b64decode(value["text"])
        case "decimal":
            return Decimal(value["text"])
        case "period":
            return pd.Period(ordinal=value["ordinal"], freq=value["freq"])
        case "interval":
            return pd.Interval(*map(inner, value["ends"]), value["closed"])
        case name if name in _TEXTS:
            return _TEXTS[name][1](value["text"])
        case "index":
            return pd.Index(inner(value["values"]), dtype=inner(value["dtype"]), name=inner(value["name"]))
        case "series":
            values, dtype = inner(value["values"]), inner(value["dtype"])
            if isinstance(dtype, pd.CategoricalDtype):
                values = pd.Categorical.from_codes(values, dtype=dtype)
            return pd.Series(values, dtype=dtype, name=inner(value["name"]))
        case "frame":
            return pd.DataFrame({series.name: series for series in map(inner, value["columns"])})
        case "object":
            found = locate(value["class"], "saved state", allow, SAVED)
            restored = object.__new__(found)
            restored.__dict__.update(inner(value["state"]))
            return restored
    raise InputError("saved state", value[_TAG], "is of an unknown type; the file is from another version")
