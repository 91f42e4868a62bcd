"""Dates, durations and numbers that a DataFrame holds in another form: read before a fit, written back after a draw."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data.cells import Cells
from trisynth.data.cleaning import findings
from trisynth.data.cleaning.columns import clean_column
from trisynth.data.dataset import Column
from trisynth.data.formats import QUANTITIES, format_of
from trisynth.data.inference import MOST_CLASSES
from trisynth.data.profile import Context, context_of, profile

_REPORT = ["column", "problem", "cells", "share", "treatment", "remedy"]


@dataclass(frozen=True)
class Writing:
    """One column of dates, durations or numbers that a DataFrame holds in another form.

    Parameters
    ----------
    name : hashable
    dtype : dtype
        Original dtype: of texts, or of whole numbers such as 20240131.
    facts : Column
        Kind and format.
    missing : object
        Original mark of a missing cell.
    lines : tuple of str
        Sentences about cells that could not be read, and about what is doubtful.
    """

    name: Hashable
    dtype: object
    facts: Column
    missing: object = np.nan
    lines: tuple[str, ...] = ()

    @classmethod
    def learn(cls, values: pd.Series, facts: Column, context: Context, target: bool = False) -> "Writing | None":
        """Recognise the form of a column, shape (n,), by its cells as in a file; None where nothing is to be read.

        Plain whole numbers of few different values stay the texts that they are. Of a target, all cells must be
        readable unless its kind is declared.
        """
        if facts.kind not in (None, *QUANTITIES) or facts.categories is not None:
            return None
        cells = _readable(values)
        if cells is None:
            return None
        found = profile(Cells.of(cells, facts.values), facts, context=context, target=target)
        kind, plain = found.facts.kind, found.facts.format is None
        if kind not in QUANTITIES or not cells.notna().any():
            return None
        if types.is_numeric_dtype(values.dtype) and (kind == "number" or plain):
            return None
        notes = [(values.name, d.problem, d.cells, 0.0, d.treatment, d.remedy) for d in found.doubts]

        def note(problem: str, count: int, treatment: str, remedy: str = "") -> None:
            notes.append((values.name, problem, count, 0.0, treatment, remedy))

        read = clean_column(cells, found.facts, (), note, context=context).cells
        distinct = read.nunique()
        if not distinct:
            # Where no cell can be read, the declared kind is refused, see ``kinds.learn``.
            return None
        if facts.kind is None and kind == "number" and plain and distinct <= MOST_CLASSES:
            return None
        if facts.kind is None and target and (distinct <= MOST_CLASSES or read.isna().sum() > values.isna().sum()):
            return None
        gone = values[values.isna()]
        lines = tuple(findings.lines(pd.DataFrame(notes, columns=_REPORT)))
        return cls(values.name, values.dtype, found.facts, gone.iloc[0] if len(gone) else np.nan, lines)

    def read(self, values: pd.Series) -> pd.Series:
        """Read cells as ``clean_column`` does; cells of another form stay as they are."""
        cells = _readable(values)
        if cells is None:
            return values
        read = clean_column(cells.rename(str(self.name)), self.facts, (), _silent, doubts=False).cells
        return read.rename(values.name)

    def write(self, values: pd.Series) -> pd.Series:
        """Write values in the original form."""
        texts = format_of(self.facts.kind, self.facts.format).print(values)
        if types.is_numeric_dtype(self.dtype):
            return pd.to_numeric(texts).astype("Int64" if texts.isna().any() else "int64").astype(self.dtype)
        present = texts.notna()
        return (texts if present.all() else texts.where(present, self.missing)).astype(self.dtype)

    @property
    def line(self) -> str:
        """One sentence about how the column is read."""
        form = f", written as {self.facts.format}" if self.facts.format else ""
        return f"{self.name}: read as {self.facts.kind}s{form}"


@dataclass(frozen=True)
class Written:
    """Columns of a DataFrame that are read before a fit and written back after a draw.

    Parameters
    ----------
    columns : tuple of Writing
    """

    columns: tuple[Writing, ...] = ()

    @classmethod
    def learn(cls, X: pd.DataFrame, facts: Mapping[Hashable, Column], target: pd.Series | None = None) -> "Written":
        """Learn the columns of a table, shape (n, d), and of its target, declared facts first."""
        context = context_of(X)
        found = [Writing.learn(X[name], facts.get(name, Column()), context) for name in X]
        if target is not None:
            found.append(Writing.learn(target, facts.get(target.name, Column()), context, target=True))
        return cls(tuple(writing for writing in found if writing))

    def facts(self, declared: Mapping[Hashable, Column]) -> dict[Hashable, Column]:
        """Complete declared facts by kinds and formats; cells are read already when bounds are applied."""
        return {**declared, **{c.name: replace(c.facts, values=None) for c in self.columns}}

    def read(self, X: pd.DataFrame) -> pd.DataFrame:
        """Read the columns of a table, of which some may be absent."""
        changed = {c.name: c.read(X[c.name]) for c in self.columns if c.name in X}
        return _assigned(X, changed)

    def write(self, X: pd.DataFrame) -> pd.DataFrame:
        """Write the columns of a table of values."""
        return _assigned(X, {c.name: c.write(X[c.name]) for c in self.columns if c.name in X})

    @property
    def lines(self) -> list[str]:
        """Sentences about how columns are read, and about cells that cannot be."""
        return [line for column in self.columns for line in (column.line, *column.lines)]


def _readable(values: pd.Series) -> pd.Series | None:
    """Return texts, or whole numbers as integers; None for other cells."""
    if isinstance(values.dtype, pd.CategoricalDtype) or types.is_bool_dtype(values.dtype):
        return None
    if types.is_float_dtype(values.dtype):
        present = values.dropna()
        largest = np.abs(present.to_numpy(float)).max(initial=0)
        return values.astype("Int64") if largest < 2**53 and not (present.to_numpy(float) % 1).any() else None
    if types.is_integer_dtype(values.dtype):
        return values
    return values if types.infer_dtype(values, skipna=True) == "string" else None


def _assigned(table: pd.DataFrame, changed: Mapping[Hashable, pd.Series]) -> pd.DataFrame:
    table = table.copy(deep=False)
    for name, cells in changed.items():
        table[name] = cells
    return table


def _silent(*_: object) -> None:
    """Ignore a finding, which was reported at the fit."""
