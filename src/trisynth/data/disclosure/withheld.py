"""Columns that no generator sees: identifiers, of which fresh ones are made, and free text, which is left empty.

Free text that is declared with ``generate`` is no such column.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth import seeds
from trisynth.data.cells import Cells
from trisynth.data.dataset import Column
from trisynth.data.disclosure.identifiers import WHOLE, Form, Part, Running, form_of
from trisynth.data.disclosure.seen import Seen
from trisynth.data.profile import profile
from trisynth.errors import InputError

WITHHELD = ("identifier", "text")
# Bytes of whole numbers that can be identifiers.
_WIDTH = 4


@dataclass(frozen=True)
class Identifier:
    """Column of identifiers, of which only the form is kept.

    Parameters
    ----------
    name : hashable
    dtype : dtype
        Original dtype, to be restored.
    form : Form
    missing : float
        Fraction of cells without an identifier.
    """

    name: Hashable
    dtype: object
    form: Form
    missing: float

    @classmethod
    def learn(cls, values: pd.Series, rng: np.random.Generator) -> "Identifier":
        """Learn a column of texts or whole numbers, shape (n,), some missing."""
        texts = _texts(values)
        dtype = np.dtype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
        return cls(values.name, dtype, form_of(texts, Seen.learn(texts, rng)), float(values.isna().mean()))

    def column(self, cells: list[str], present: np.ndarray) -> pd.Series:
        """Give fresh texts the original dtype."""
        cells = [int(cell) for cell in cells] if types.is_numeric_dtype(self.dtype) else cells
        if types.is_float_dtype(self.dtype):
            return pd.Series(cells, dtype=float).where(present).astype(self.dtype)
        made = pd.Series(cells, dtype=object)
        return (made if present.all() else made.where(present, None)).astype(self.dtype)

    def fitting(self, texts: Iterator[str]) -> Iterator[str]:
        """Yield identifiers that the original dtype can hold; running numbers end there."""
        whole = types.is_integer_dtype(self.dtype)
        # Found once, as millions of texts may follow.
        most = int(np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype)).max) if whole else None
        # Not by `yield from`, which would close the stream of texts after the first cells.
        for text in texts:
            if most is None or int(text) <= most:
                yield text
            elif isinstance(self.form, Running):
                remedy = f"has no more identifiers of type {self.dtype}; convert the column to int64 or text"
                raise InputError("X", self.name, remedy)

    @property
    def line(self) -> str:
        """One sentence about what becomes of the column."""
        return f"{self.name}: identifiers; synthetic rows have fresh ones of the same form, none of them real"


@dataclass(frozen=True)
class Text:
    """Column of free text, of which nothing is kept.

    Parameters
    ----------
    name : hashable
    dtype : dtype
    """

    name: Hashable
    dtype: object

    @property
    def line(self) -> str:
        """One sentence about what becomes of the column."""
        return f"{self.name}: free text; the column is left empty in synthetic rows"


@dataclass(frozen=True)
class Withheld:
    """Identifiers and free text of a table.

    Parameters
    ----------
    columns : tuple of Identifier or Text
    """

    columns: tuple[Identifier | Text, ...] = ()

    @classmethod
    def learn(cls, X: pd.DataFrame, facts: Mapping[Hashable, Column], seed: int) -> "Withheld":
        """Learn the columns of a table, shape (n, d), that are declared or inferred as identifiers or text."""
        found = []
        for name, fact in facts.items():
            if fact.kind == "text" and not fact.generate and name in X:
                found.append(Text(name, X[name].dtype))
            elif fact.kind == "identifier" and name in X:
                found.append(Identifier.learn(X[name], seeds.stream(seed, "withheld", name)))
        return cls(tuple(found))

    @classmethod
    def declared(cls, X: pd.DataFrame, facts: Mapping[Hashable, Column], person: Hashable = None) -> "Withheld":
        """Name the columns that are declared as identifiers or text, and ``person``; no cell is read.

        Fresh identifiers are running numbers.
        """
        found: list[Identifier | Text] = []
        for name in X:
            if name != person and facts.get(name, Column()).kind == "text":
                found.append(Text(name, X[name].dtype))
            elif name == person or name in facts:
                dtype = np.dtype(object) if isinstance(X[name].dtype, pd.CategoricalDtype) else X[name].dtype
                found.append(Identifier(name, dtype, Running("", "", 0, 1, 1), 0.0))
        return cls(tuple(found))

    @property
    def names(self) -> list[Hashable]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def lines(self) -> list[str]:
        """One sentence for each column."""
        return [column.line for column in self.columns]

    def fresh(self, seed: int, part: Part = WHOLE) -> "Fresh":
        """Begin to make cells; equal seeds make equal cells, however many at a time."""
        return Fresh(self, seed, part)


class Fresh:
    """Supply of cells for withheld columns; no identifier occurs twice.

    Parameters
    ----------
    withheld : Withheld
    seed : int
        Seed of the streams ``withheld...``.
    part : Part, optional
        Part of the rows; identifiers of all parts differ.
    """

    def __init__(self, withheld: Withheld, seed: int, part: Part = WHOLE):
        self._columns = withheld.columns
        own = () if part == WHOLE else ("part", part.number)
        self._gaps = {c.name: seeds.stream(seed, "withheld.gaps", c.name, *own) for c in self._columns}
        self._streams = {
            c.name: c.form.stream(seeds.stream(seed, "withheld.fresh", c.name), part)
            for c in self._columns
            if isinstance(c, Identifier)
        }

    def take(self, n: int) -> dict[Hashable, pd.Series]:
        """Make the next ``n`` cells of each column."""
        return {c.name: self._cells(c, n) for c in self._columns}

    def _cells(self, column: Identifier | Text, n: int) -> pd.Series:
        if isinstance(column, Text):
            category = isinstance(column.dtype, pd.CategoricalDtype)
            return pd.Series([None] * n, dtype=object).astype("category" if category else column.dtype)
        present = self._gaps[column.name].random(n) >= column.missing
        fitting = column.fitting(self._streams[column.name])
        return column.column(list(islice(fitting, n)), present)


def withheld_facts(X: pd.DataFrame, declared: Mapping[Hashable, Column]) -> dict[Hashable, Column]:
    """Add the kind of columns that hold identifiers or free text to declared facts; what is declared stays."""
    undeclared = [name for name in X if declared.get(name, Column()).kind is None]
    kinds = {name: kind for name in undeclared if (kind := withheld_kind(X[name]))}
    return {**declared, **{name: replace(declared.get(name, Column()), kind=kind) for name, kind in kinds.items()}}


def withheld_kind(values: pd.Series) -> str | None:
    """Recognise identifiers and free text by the cells, as in a file; see ``data.profile``.

    Parameters
    ----------
    values : Series, shape (n,)

    Returns
    -------
    {"identifier", "text"} or None
    """
    narrow = types.is_integer_dtype(values.dtype) and getattr(values.dtype, "itemsize", 8) < _WIDTH
    plain = types.infer_dtype(values, skipna=True) in ("string", "integer", "categorical")
    if narrow or not plain or types.is_bool_dtype(values.dtype):
        return None
    if types.is_integer_dtype(values.dtype) and (values.dropna() < 0).any():
        return None
    kind = profile(Cells.of(values.reset_index(drop=True).rename(str(values.name)))).facts.kind
    return kind if kind in WITHHELD else None


def _texts(values: pd.Series) -> list[str]:
    """Write identifiers as texts, whole numbers without a point."""
    cells = values.dropna()
    if types.is_float_dtype(cells.dtype) and (cells.to_numpy(float) % 1 == 0).all():
        cells = cells.astype("int64")
    if not len(cells) or (types.is_numeric_dtype(cells.dtype) and not types.is_integer_dtype(cells.dtype)):
        remedy = "holds neither texts nor whole numbers, which identifiers must be"
        raise InputError(f"facts.{values.name}.kind", "identifier", remedy)
    return [str(cell) for cell in cells]
