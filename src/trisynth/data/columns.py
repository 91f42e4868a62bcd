"""Cleaning of one column by its declared facts alone, never by the distribution of the other values.

All decisions are made on the distinct values, so that a hundred thousand rows of ten categories cost ten decisions.
"""

import re
import unicodedata
from collections.abc import Callable, Collection

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data.dataset import Column
from trisynth.errors import InputError

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?|nan", re.IGNORECASE)
# Beyond it, floats do not distinguish neighbouring whole numbers.
LARGEST_INTEGER = 2**53

Note = Callable[[str, int, str], None]


def clean_column(cells: pd.Series, facts: Column, missing: Collection[object], note: Note) -> pd.Series:
    """Clean a column to a dtype that ``Dataset`` promises.

    Parameters
    ----------
    cells : Series, shape (n,)
        Raw cells of any dtype.
    facts : Column
        Declared facts; without a ``kind``, a column whose every cell reads as a number is one.
    missing : collection
        Texts or numbers that stand for a missing cell, besides empty ones.
    note : callable
        Takes each finding as (problem, number of cells, treatment).

    Returns
    -------
    Series, shape (n,)
        ``float64``, ``int64``, ``Int64`` or ``category`` of str.

    Raises
    ------
    InputError
        If the cells are dates or no single values at all.
    """
    if types.is_datetime64_any_dtype(cells.dtype):
        remedy = "holds dates; turn them into a number such as days, or set kind=ignore"
        raise InputError(f"dataset.columns.{cells.name}.kind", str(cells.dtype), remedy)
    try:
        codes, distinct = pd.factorize(cells)
    except TypeError:
        remedy = "holds lists or other compound cells; give one value a cell, or set kind=ignore"
        raise InputError(f"dataset.columns.{cells.name}.kind", "object", remedy) from None
    counts = np.bincount(codes + 1, minlength=len(distinct) + 1)[1:]
    typed = types.is_numeric_dtype(distinct.dtype) and not types.is_bool_dtype(distinct.dtype)
    # Texts of a million distinct floats cost seconds; they are made only where they are looked at.
    texts = [] if typed and facts.kind != "category" else _texts(distinct)
    numbers = np.asarray(distinct, dtype=float) if typed else _numbers(texts, distinct.dtype)

    tokens = {_key(str(token)) for token in missing} | {"", "nan"}
    values = [float(token) for token in tokens if NUMBER.fullmatch(token) and token != "nan"]
    absent = np.isin(numbers, values) if values else np.zeros(len(distinct), bool)
    if not typed:
        absent |= np.fromiter((_key(text) in tokens for text in texts), bool, len(texts))
    empty = int((codes < 0).sum() + counts[absent].sum())
    if empty:
        note("missing cell", empty, "kept as missing")

    numeric = ~np.isnan(numbers)
    kind = facts.kind or ("number" if numeric[~absent].all() else "category")
    if facts.kind is None and kind == "category" and (numeric & ~absent).any():
        texts_among = int(counts[~numeric & ~absent].sum())
        note("texts among numbers", texts_among, "read as category; declare missing texts or kind=number")
    if kind == "number":
        values = _number(numbers, absent, counts, facts, note)
        return _spread_numbers(values, codes, facts, cells)
    return _category(texts, absent, codes, counts, facts, note, cells)


def _texts(distinct) -> list[str]:
    """Write the distinct values as texts: composed Unicode, without outer blanks, whole floats without a point."""
    if types.is_float_dtype(distinct.dtype):
        return [str(int(v)) if np.isfinite(v) and v == int(v) else str(float(v)) for v in distinct]
    return [" ".join(unicodedata.normalize("NFC", str(value)).split()) for value in distinct]


def _numbers(texts: list[str], dtype) -> np.ndarray:
    """Read the distinct texts as numbers, NaN where they are none."""
    if types.is_bool_dtype(dtype):
        return np.full(len(texts), np.nan)
    return np.array([float(text) if NUMBER.fullmatch(text) else np.nan for text in texts], dtype=float)


def _key(text: str) -> str:
    """Reduce a text to the key that all spellings of one category share."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _number(numbers, absent, counts, facts: Column, note: Note) -> np.ndarray:
    values = np.where(absent, np.nan, numbers)

    def drop(bad: np.ndarray, problem: str) -> None:
        if bad.any():
            note(problem, int(counts[bad].sum()), "set to missing")
            values[bad] = np.nan

    drop(np.isnan(values) & ~absent, "not a number")
    drop(np.isinf(values), "infinite")
    if facts.bounds is not None:
        low, high = facts.bounds
        drop((values < low) | (values > high), f"outside [{low:g}, {high:g}]")
    if facts.integer:
        broken = np.isfinite(values) & (values != np.rint(values))
        if broken.any():
            note("not a whole number", int(counts[broken].sum()), "rounded")
            values = np.rint(values)
    return values


def _spread_numbers(values, codes, facts: Column, cells: pd.Series) -> pd.Series:
    present = values[~np.isnan(values)]
    whole = present.size and (present == np.rint(present)).all() and (np.abs(present) < LARGEST_INTEGER).all()
    column = pd.Series(np.append(values, np.nan)[codes], index=cells.index, name=cells.name)
    if facts.integer is False or not whole:
        return column
    return column.astype("Int64" if column.isna().any() else "int64")


def _category(texts, absent, codes, counts, facts: Column, note: Note, cells: pd.Series) -> pd.Series:
    if facts.categories is not None:
        categories = list(facts.categories)
        names = {_key(name): name for name in reversed(categories)}
    else:
        # The choice among spellings looks at the spellings only, never at how often each occurs.
        names = {}
        for text in sorted(text for text, gone in zip(texts, absent, strict=True) if not gone):
            names.setdefault(_key(text), text)
        categories = sorted(names.values())
    position = {name: i for i, name in enumerate(categories)}
    chosen = np.full(len(texts) + 1, -1)
    respelled = unknown = 0
    for i, text in enumerate(texts):
        if absent[i]:
            continue
        name = text if text in position else names.get(_key(text))
        if name is None:
            unknown += counts[i]
            continue
        chosen[i] = position[name]
        respelled += counts[i] if name != text else 0
    if respelled:
        note("another spelling of a category", int(respelled), "merged")
    if unknown:
        note("not a declared category", int(unknown), "set to missing")
    values = pd.Categorical.from_codes(chosen[codes], categories=categories)
    return pd.Series(values, index=cells.index, name=cells.name)
