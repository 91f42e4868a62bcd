"""Cleaning of one column by its declared facts and the form of its cells, never by the distribution of the others.

All decisions are made on the distinct values, so that a hundred thousand rows of ten categories cost ten decisions.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data import tensors
from trisynth.data.cells import Cells, key
from trisynth.data.cleaning import compound, remarks, units
from trisynth.data.cleaning.remarks import Note
from trisynth.data.dataset import ANALYSED, Column
from trisynth.data.formats import NumberFormat, format_of
from trisynth.data.formats.dates import offsets
from trisynth.data.profile import Context, profile, suspects
from trisynth.errors import InputError

# Beyond it, floats do not distinguish neighbouring whole numbers.
LARGEST_INTEGER = 2**53
_EARLIEST, _LATEST = pd.Timestamp.min.ceil("D"), pd.Timestamp.max.floor("D")

KINDS_OF_TEXT = {"identifier": "identifiers", "text": "free text"}


@dataclass(frozen=True)
class Cleaned:
    """A clean column.

    Parameters
    ----------
    cells : Series of shape (n,) or None
        ``float64``, ``int64``, ``Int64``, ``category`` of str, ``datetime64[ns]`` or ``timedelta64[ns]``; None for
        identifiers, free text and ignored columns.
    facts : Column
        Declared facts, completed by kind and format.
    """

    cells: pd.Series | None
    facts: Column


def clean_column(
    cells: pd.Series,
    facts: Column,
    missing: Collection[object],
    note: Note,
    *,
    context: Context | None = None,
    target: bool = False,
    doubts: bool = True,
) -> Cleaned:
    """Clean a column to a dtype that ``Dataset`` promises.

    Parameters
    ----------
    cells : Series, shape (n,)
        Raw cells of any dtype.
    facts : Column
        Declared facts; without a ``kind``, it is inferred from the cells.
    missing : collection
        Texts or numbers that stand for a missing cell, besides empty ones.
    note : callable
        Takes each finding as (problem, number of cells, treatment, remedy); the remedy may be left out.
    context : Context, optional
        What the other columns show about marks and dates.
    target : bool, default=False
        A target is neither an identifier nor free text.
    doubts : bool, default=True
        Look for doubtful cells, too; of public data sets everything is known and declared.

    Raises
    ------
    InputError
        If cells hold lists or other compound values.
    """
    if facts.kind == "ignore":
        note("declared as ignored", len(cells), "dropped")
        return Cleaned(None, facts)
    if facts.generate:
        return Cleaned(compound.text(cells, facts, missing, note), facts)
    if target and tensors.is_list(cells.dtype):
        remedy = "holds lists, which are no target; name a column of numbers or categories, or null"
        raise InputError("dataset.target", cells.name, remedy)
    if facts.kind in ("tensor", "sequence") or tensors.is_series(cells.dtype) or tensors.is_sequence(cells.dtype):
        return Cleaned(*compound.arrays(cells, facts))
    inferred = False
    column = Cells.of(cells, facts.values)
    if doubts or facts.kind is None:
        found = profile(column, facts, missing, context, target)
        inferred = facts.kind is None
        facts = found.facts
        for doubt in found.doubts:
            note(doubt.problem, doubt.cells, doubt.treatment, doubt.remedy)
    if facts.kind not in ANALYSED:
        if not inferred:
            note(f"declared as {KINDS_OF_TEXT[facts.kind]}", len(cells), "not used as a feature")
        return Cleaned(None, facts)
    tokens = [*missing, *(facts.missing or ())]
    absent = column.absent(tokens)
    _note_missing(column, absent, note, doubts)
    if column.replaced:
        note("another text, as declared", column.replaced, "replaced")
    if facts.kind == "category":
        return Cleaned(_category(column, absent, facts, note, doubts, cells.index), facts)
    make = {"number": _number, "date": _date, "duration": _duration}[facts.kind]
    return Cleaned(make(column, absent, facts, note, doubts, cells.index), facts)


def _note_missing(column: Cells, absent: np.ndarray, note: Note, doubts: bool) -> None:
    empty = int((column.codes < 0).sum() + column.counts[absent].sum())
    coded = {}
    if doubts and column.typed is None:
        coded = {column.labels[i]: int(column.counts[i]) for i in np.flatnonzero(absent) if column.labels[i]}
    if coded:
        note("missing cell", empty, f"kept as missing, including {suspects.shown(coded)}")
    elif empty:
        note("missing cell", empty, "kept as missing")


class _Values:
    """Values of the distinct cells, from which those that do not fit are removed and noted."""

    def __init__(self, column: Cells, values: pd.Series, absent: np.ndarray, note: Note):
        self.column, self.absent, self.note = column, absent, note
        self.series = values.where(~absent) if absent.any() else values

    def drop(self, bad: np.ndarray, problem: str, shown: bool = False, remedy: str = "") -> None:
        """Set values to missing."""
        bad = np.asarray(bad & ~self.absent)
        if not bad.any():
            return
        how = "set to missing"
        if shown and self.column.typed is None:
            texts = {self.column.labels[i]: int(self.column.counts[i]) for i in np.flatnonzero(bad)}
            how, remedy = f"{how}: {suspects.shown(texts)}", remedy or remarks.remedy(list(texts))
        self.note(problem, int(self.column.counts[bad].sum()), how, remedy)
        self.series = self.series.mask(bad)

    def bound(self, bounds: tuple | None, read: Callable) -> None:
        """Set values outside declared bounds to missing."""
        if bounds is not None:
            low, high = map(read, bounds)
            outside = (self.series < low) | (self.series > high)
            text = f"[{low:g}, {high:g}]" if isinstance(low, float) else f"[{bounds[0]}, {bounds[1]}]"
            self.drop(outside.fillna(False).to_numpy(bool), f"outside {text}")


def _number(column: Cells, absent: np.ndarray, facts: Column, note: Note, doubts: bool, index: pd.Index) -> pd.Series:
    values = _Values(column, _read_numbers(column, facts), absent, note)
    floats = values.series.to_numpy(float, na_value=np.nan)
    unread = np.isnan(floats)
    if doubts and column.typed is None and unread.any():
        for unit, found in units.others(column.labels, unread & ~absent, facts).items():
            other = np.array([label in found for label in column.labels])
            line = units.line(found)
            problem = f"in {unit}, unlike the others" + ("" if line else "; convert them in the file")
            values.drop(other, problem, shown=True, remedy=line)
            unread &= ~other
    values.drop(unread, "not a number", shown=doubts)
    values.drop(np.isinf(floats), "infinite")
    values.bound(facts.bounds, float)
    floats = values.series.to_numpy(float, na_value=np.nan)
    if doubts and facts.missing is None:
        present = ~np.isnan(floats)
        found = suspects.numbers(floats[present], column.counts[present])
        if found.codes:
            listed = ", ".join(map(str, found.codes))
            note(f"may be codes for missing cells: {listed}", found.cells, "kept as numbers", f"missing: [{listed}]")
    if facts.integer:
        broken = np.isfinite(floats) & (floats != np.rint(floats))
        if broken.any():
            note("not a whole number", int(column.counts[broken].sum()), "rounded")
            values.series = values.series.astype(float).round()
    spread = column.spread(values.series, index)
    return _whole(spread, facts)


def _read_numbers(column: Cells, facts: Column) -> pd.Series:
    if column.typed is not None:
        if types.is_unsigned_integer_dtype(column.typed.dtype) and len(column) and column.typed.max() >= 2**63:
            return pd.Series(np.asarray(column.typed, dtype=float))
        if types.is_integer_dtype(column.typed.dtype):
            return pd.Series(np.asarray(column.typed, dtype="int64")).astype("Int64")
        return pd.Series(column.numbers)
    form = format_of("number", facts.format)
    # Powers of ten are read as plain numbers are.
    marked = not all(isinstance(each, NumberFormat) and each.plain for each in getattr(form, "formats", [form]))
    if facts.format is not None and marked:
        return form.parse(column.texts)
    if np.max(np.abs(column.numbers[np.isfinite(column.numbers)]), initial=0) >= LARGEST_INTEGER:
        # In texts all digits of large whole numbers can be read.
        exact = format_of("number").parse(column.texts)
        if types.is_integer_dtype(exact.dtype):
            return exact
    return pd.Series(column.numbers)


def _whole(values: pd.Series, facts: Column) -> pd.Series:
    """Store whole numbers as integers, with ``Int64`` where cells are missing."""
    if facts.integer is False:
        return values.astype("float64")
    if types.is_integer_dtype(values.dtype):
        if not values.isna().all():
            return values.astype("Int64" if values.isna().any() else "int64")
        return values.astype("float64")
    present = values.to_numpy(float)
    present = present[~np.isnan(present)]
    if present.size and (present == np.rint(present)).all() and (np.abs(present) < LARGEST_INTEGER).all():
        return values.astype("Int64" if values.isna().any() else "int64")
    return values


def _date(column: Cells, absent: np.ndarray, facts: Column, note: Note, doubts: bool, index: pd.Index) -> pd.Series:
    if column.typed is None:
        read = format_of("date", facts.format).parse(column.texts)
        zones = offsets(pd.Series(column.texts.to_pylist(), dtype=object)) if read.dt.tz else []
        if len(zones) > 1:
            listed = ", ".join(map(_offset, zones[:6]))
            how = f"the points in time are kept, and all are written with {_offset(zones[0])}"
            note(f"offsets from UTC differ ({listed})", int(column.counts.sum()), how)
    elif types.is_datetime64_any_dtype(column.typed.dtype):
        read = pd.Series(column.typed)
        far = (read.dt.tz_localize(None) < _EARLIEST.as_unit("s")) | (read.dt.tz_localize(None) > _LATEST.as_unit("s"))
        read = read.mask(far).dt.as_unit("ns")
    elif types.is_numeric_dtype(column.typed.dtype):
        texts = [f"{value:.10g}" for value in np.asarray(column.typed, dtype=float)]
        read = format_of("date", facts.format or "excel").parse(texts)
    else:
        read = pd.Series(pd.NaT, index=range(len(column)), dtype="datetime64[ns]")
    values = _Values(column, read, absent, note)
    values.drop(values.series.isna().to_numpy(), "not a date", shown=doubts)
    zone = read.dt.tz
    if doubts and facts.missing is None and column.typed is None:
        remarks.note_days(column, suspects.days(values.series, column.counts), note)
    values.bound(facts.bounds, lambda end: pd.Timestamp(end, tz=zone))
    return column.spread(values.series, index)


def _offset(text: str) -> str:
    return text if text == "Z" else f"{text[:3]}:{text[3:]}"


def _duration(column: Cells, absent: np.ndarray, facts: Column, note: Note, doubts: bool, index: pd.Index) -> pd.Series:
    if column.typed is None:
        read = format_of("duration", facts.format).parse(column.texts)
    elif types.is_timedelta64_dtype(column.typed.dtype):
        read = pd.Series(column.typed).astype("timedelta64[ns]")
    else:
        read = pd.Series(pd.NaT, index=range(len(column)), dtype="timedelta64[ns]")
    values = _Values(column, read, absent, note)
    values.drop(values.series.isna().to_numpy(), "not a duration", shown=doubts)
    values.bound(facts.bounds, pd.Timedelta)
    return column.spread(values.series, index)


def _category(column: Cells, absent: np.ndarray, facts: Column, note: Note, doubts: bool, index: pd.Index) -> pd.Series:
    labels = column.labels
    if doubts:
        remarks.note_texts(column, absent, facts, note)
    if facts.categories is not None:
        categories = list(facts.categories)
        names = {key(name): name for name in reversed(categories)}
    else:
        categories = sorted({text for text, gone in zip(labels, absent, strict=True) if not gone})
        if column.ordered and column.categories:
            categories = [name for name in column.categories if name in set(categories)]
        names = {}
    position = {name: i for i, name in enumerate(categories)}
    chosen = np.full(len(labels) + 1, -1)
    respelled = unknown = 0
    for i, text in enumerate(labels):
        if absent[i]:
            continue
        name = text if text in position else names.get(key(text))
        if name is None:
            unknown += column.counts[i]
            continue
        chosen[i] = position[name]
        respelled += column.counts[i] if name != text else 0
    if respelled:
        note("another spelling of a category", int(respelled), "merged into the declared one")
    if unknown:
        note("not a declared category", int(unknown), "set to missing")
    ordered = facts.ordered or (column.ordered and facts.ordered is None)
    values = pd.Categorical.from_codes(chosen[column.codes], categories=categories, ordered=bool(ordered))
    return pd.Series(values, index=index, name=column.name)
