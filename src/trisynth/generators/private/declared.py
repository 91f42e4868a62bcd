"""Schema of a private fit: declared facts alone, and not one cell."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds import Category, Date, Duration, Kind, Number
from trisynth.errors import InputError

# Seconds of a day: the step of dates where none is declared.
_DAY = 86_400.0
# Above this magnitude squares overflow, so the canonical values are divided by a power of two.
_LARGE = 1e100
# Most facts that one error names.
_SHOWN = 40


def require_kinds(X: pd.DataFrame, facts: Mapping[object, Column], parameter: str = "facts") -> None:
    """Refuse columns of arrays, and texts that are to be modelled, by facts and types; no cell is looked at.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
    facts : mapping of hashable to Column
    parameter : str, default="facts"
        Name of the facts in errors.

    Raises
    ------
    InputError
    """
    takes = "a private fit takes numbers, categories, dates and durations"
    for name, dtype in X.dtypes.items():
        fact = facts.get(name, Column())
        kind = "tensor" if tensors.is_tensor(dtype) else "sequence" if tensors.is_sequence(dtype) else fact.kind
        if kind in ("tensor", "sequence"):
            raise InputError(f"{parameter}.{name}.kind", kind, f"{takes}; ignore or drop the column")
        if fact.generate:
            remedy = f"{takes}; without generate: true, the column of texts is left empty"
            raise InputError(f"{parameter}.{name}.generate", True, remedy)


def declared_kind(name: object, facts: Column, dtype: object, parameter: str = "facts") -> Kind:
    """Return a column's kind, range, step and categories as they are declared.

    Parameters
    ----------
    name : hashable
    facts : Column
    dtype : dtype
        Of the column; of a number only its family counts, since the exact type depends on the cells.
    parameter : str, default="facts"
        Name of the facts in errors.

    Raises
    ------
    InputError
        If a fact is not declared that the cells would have to tell.
    """
    where = f"{parameter}.{name}"
    if facts.gaps is None and _needs(facts, dtype, where):
        raise InputError(
            f"{where}.gaps", None, "must be declared for a private fit: gaps: true or false (missing cells)"
        )
    if facts.kind == "category" or (facts.kind is None and facts.categories is not None):
        return _category(name, facts, dtype)
    low, high = _bounds(facts)
    if facts.kind == "date":
        return Date(name, dtype, facts, facts.step or _DAY, low, high)
    if facts.kind == "duration":
        return Duration(name, dtype, facts, facts.step or 1.0, low, high)
    step = 1.0 if facts.integer and not facts.step else facts.step or 0.0
    largest = max(abs(low), abs(high))
    unit = 2.0 ** min(np.ceil(np.log2(largest)), 1023) if largest > _LARGE else 1.0
    return Number(name, _number_type(dtype, facts, keep=parameter == "facts"), facts, step, low, high, unit)


def _needs(facts: Column, dtype: object, where: str) -> bool:
    """Refuse a column without categories or bounds; return True, so that missingness is next."""
    kind = facts.kind or ("category" if facts.categories is not None else None)
    if kind is None and facts.bounds is None:
        kind = "number" if types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) else "category"
    if kind == "category" and facts.categories is None:
        remedy = "must be declared for a private fit: categories: [...] of all admissible values"
        raise InputError(f"{where}.categories", None, remedy)
    if kind != "category" and facts.bounds is None:
        remedy = "must be declared for a private fit: bounds: [smallest, largest] of all plausible values"
        raise InputError(f"{where}.bounds", None, remedy)
    return True


def complete(facts: Mapping[object, Column], dtypes: Mapping[object, object], parameter: str = "facts") -> None:
    """Refuse a table whose columns lack facts, in one error for all of them; see :func:`declared_kind`.

    Parameters
    ----------
    facts : mapping of hashable to Column
    dtypes : mapping of hashable to dtype
        Of the columns that need facts.
    parameter : str, default="facts"
        Name of the facts in errors.
    """
    first, names = None, []
    for name, dtype in dtypes.items():
        own = facts.get(name, Column())
        try:
            _needs(own, dtype, f"{parameter}.{name}")
            declared_kind(name, own, dtype, parameter)
        except InputError as error:
            if error.value is not None:
                raise
            first = first or error
            names.append(error.parameter.removeprefix(f"{parameter}."))
            if own.gaps is None and not error.parameter.endswith(".gaps"):
                names.append(f"{name}.gaps")
    if first is None:
        return
    if len(names) == 1:
        raise first
    shown = ", ".join(names[1:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    raise InputError(first.parameter, None, f"{first.remedy}; and so must {shown}")


def require_formats(found: Mapping[object, str], parameter: str) -> None:
    """Refuse formats that rows decided on: one more row could change how all cells of a column are read."""
    if not found:
        return
    first, *others = found
    remedy = f"must be declared for a private fit, as it was inferred from all rows: format: {found[first]!r}, if right"
    more = "".join(f"; {name}: {found[name]!r}" for name in others[:_SHOWN])
    raise InputError(f"{parameter}.{first}.format", None, f"{remedy}{more}")


def _category(name: object, facts: Column, dtype: object) -> Category:
    values: list = list(facts.categories)
    if types.is_bool_dtype(dtype):
        values = [text.lower() == "true" for text in values]
    elif types.is_integer_dtype(dtype):
        values = [int(text) for text in values]
    elif types.is_float_dtype(dtype):
        values = [float(text) for text in values]
    elif isinstance(dtype, pd.CategoricalDtype):
        # Numbers as categories are spelled as texts in the facts.
        known = {str(value): value for value in dtype.categories}
        values = [known.get(text, text) for text in values]
        dtype = pd.CategoricalDtype(values, bool(facts.ordered) or dtype.ordered)
    return Category(name, dtype, facts, pd.Index(values, dtype=object))


def _bounds(facts: Column) -> tuple[float, float]:
    if facts.kind == "date":
        ends = [pd.Timestamp(end) for end in facts.bounds]
        ends = [end.tz_convert(None) if end.tz else end for end in ends]
        return tuple((end - pd.Timestamp(0)) / pd.Timedelta(seconds=1) for end in ends)
    if facts.kind == "duration":
        return tuple(pd.Timedelta(end) / pd.Timedelta(seconds=1) for end in facts.bounds)
    return tuple(map(float, facts.bounds))


def _number_type(dtype: object, facts: Column, keep: bool) -> object:
    """Return the type of a column of numbers as its facts decide it; widths and decimals are kept."""
    if not types.is_numeric_dtype(dtype):
        return dtype
    integer = types.is_integer_dtype(dtype)
    if facts.integer and not facts.gaps:
        # Cleaning makes Int64 of a column with gaps; the type of a DataFrame's own is its maker's choice.
        return dtype if integer and (keep or isinstance(dtype, np.dtype)) else np.dtype("int64")
    if facts.integer:
        return dtype if integer and not isinstance(dtype, np.dtype) else pd.Int64Dtype()
    return np.dtype("float64") if integer else dtype


def encoded(kind: Kind, values: pd.Series) -> pd.Series:
    """Translate cells to canonical ones inside the declared facts; each cell by itself, whatever the others are."""
    cells = kind.canonical(values)
    if kind.categories is None:
        # The clip of pandas takes longer than all queries of a small table.
        inside = np.clip(cells.to_numpy(float), kind.lower / kind.unit, kind.upper / kind.unit)
        return pd.Series(inside, index=cells.index, name=cells.name)
    return cells


def with_kind(facts: Mapping, name: object, kind: str) -> Column:
    """Return the facts of a target with the kind that its task decides."""
    return replace(facts.get(name, Column()), kind=kind)
