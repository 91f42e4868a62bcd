"""Layout of a user's file: converts clean rows to its columns, with their order, types and spellings."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api import types

from trisynth import seeds
from trisynth.data import tensors
from trisynth.data.cells import is_number
from trisynth.data.dataset import Column, Dataset
from trisynth.data.disclosure.identifiers import WHOLE, Part
from trisynth.data.disclosure.withheld import Text, Withheld
from trisynth.data.formats import format_of
from trisynth.data.formats.spellings import Spellings
from trisynth.data.reading.dialect import Dialect
from trisynth.data.reading.folder import Folder
from trisynth.errors import InputError


@dataclass(frozen=True)
class Cell:
    """One analysed column of the file.

    Parameters
    ----------
    name : str
    facts : Column
    spellings : Spellings
        Texts of missing cells, and others beside the format.
    values : dict of str to object
        Value of each category where the file writes it in another way than the clean table.
    sizes : tuple of int
        Items of the lists that an array is written as, see ``tensors.sizes_of``.
    """

    name: str
    facts: Column
    spellings: Spellings = field(default_factory=Spellings)
    values: Mapping[str, object] | None = None
    sizes: tuple[int, ...] = ()

    @classmethod
    def learn(cls, raw: pd.Series, category: bool, facts: Column, missing: Collection[object]) -> "Cell":
        """Learn from the cells as the file has them; ``missing`` are texts that stand for none."""
        cells, values, spellings = raw.dropna(), None, Spellings()
        if facts.generate:
            return cls(str(raw.name), facts)
        if tensors.is_list(raw.dtype):
            return cls(str(raw.name), facts, sizes=tensors.sizes_of(cells))
        if _is_text(raw):
            known = {str(token) for token in (*missing, *(facts.missing or ()))}
            read = dict(vars(facts)["values"] or {})
            known |= {text for text, meaning in read.items() if meaning is None}
            spellings = Spellings.learn(raw, facts, known, category)
            values = _spellings(cells) if category else None
        elif category:
            values = {_text(value): value for value in cells.unique()}
        return cls(str(raw.name), facts, spellings, values)

    def texts(self, cells: pd.Series, rng: np.random.Generator) -> pd.Series:
        """Write clean cells as texts; the spellings of a column occur as often as in the file."""
        if self.facts.generate:
            return cells.astype(object)
        if isinstance(cells.dtype, pd.CategoricalDtype):
            known = self.values or {}
            written = cells.cat.rename_categories(lambda label: known.get(label, label)).astype(object)
        else:
            kind = "number" if types.is_numeric_dtype(cells.dtype) else self.facts.kind
            cells = _whole(cells, self.facts)
            written = format_of(kind, self.facts.format).print(cells)
        return self.spellings.write(written, cells, self.facts, rng)

    def typed(self, cells: pd.Series, field: pa.DataType | None, rng: np.random.Generator) -> pa.Array:
        """Give clean cells an Arrow type; None leaves them the one that fits."""
        if self.facts.generate:
            # A file without any text may hold a column of missing cells alone.
            null = field is not None and pa.types.is_null(field)
            return pa.nulls(len(cells)) if null else pa.array(cells.astype(object), type=field or pa.string())
        if isinstance(cells.dtype, pd.CategoricalDtype):
            known = self.values or {}
            if field is not None and pa.types.is_dictionary(field):
                # Built from texts, a dictionary would have the order in which they come.
                categories = pa.array([known.get(name, name) for name in cells.cat.categories], field.value_type)
                codes = pa.array(cells.cat.codes, field.index_type, mask=cells.isna().to_numpy())
                return pa.DictionaryArray.from_arrays(codes, categories, ordered=field.ordered)
            cells = cells.astype(object).where(cells.notna(), None)
            listed = [known.get(cell, cell) for cell in cells]
            return pa.array(listed, type=field, from_pandas=True)
        if field is None:
            return pa.array(_whole(cells, self.facts), from_pandas=True)
        if pa.types.is_string(field) or pa.types.is_large_string(field):
            # Texts of quantities, such as 81.2 kg in a file with types, are printed as they came.
            texts = self.texts(cells, rng)
            return pa.array(texts.where(texts != "", None), type=field, from_pandas=True)
        if tensors.is_tensor(cells.dtype):
            return tensors.listed(cells, self.sizes, field)
        return _cast(cells, field)


@dataclass(frozen=True)
class Layout:
    """Columns of a user's file, in its order.

    Parameters
    ----------
    names : tuple of str
        Columns that synthetic rows have; ignored ones are left out.
    cells : dict of str to Cell
        Columns that are analysed.
    withheld : Withheld
        Identifiers and free text.
    ignored : tuple of str
    dialect : Dialect or None, default=None
        Only of a text file.
    schema : Schema or None, default=None
        Arrow schema, only of a file with types.
    """

    names: tuple[str, ...]
    cells: Mapping[str, Cell]
    withheld: Withheld
    ignored: tuple[str, ...] = ()
    dialect: Dialect | None = None
    schema: pa.Schema | None = None

    @classmethod
    def learn(cls, raw: pd.DataFrame, dataset: Dataset, facts: Mapping[str, Column], cfg: Mapping) -> "Layout":
        """Learn the layout of a file.

        Parameters
        ----------
        raw : DataFrame, shape (n, columns)
            Cells as the file has them.
        dataset : Dataset
            The same table, cleaned.
        facts : mapping of name to Column
            Declared and inferred facts of all columns.
        cfg : mapping
            The data set's config: ``path``, ``read`` and ``missing`` are used.
        """
        clean, missing = dataset.frame, tuple(cfg.get("missing") or ())
        known = {name: facts.get(name, Column()) for name in raw}
        cells = {
            name: Cell.learn(raw[name], isinstance(clean[name].dtype, pd.CategoricalDtype), known[name], missing)
            for name in raw
            if name in clean
        }
        withheld = Withheld.learn(raw, {name: fact for name, fact in known.items() if name not in clean}, seed=0)
        ignored = tuple(name for name in raw if name not in cells and name not in withheld.names)
        names = tuple(name for name in raw if name not in ignored)
        path = Path(cfg["path"])
        if path.is_dir():
            return cls(names, cells, withheld, ignored, schema=Folder.open(path).schema)
        if path.suffix == ".parquet":
            schema = pq.read_schema(path)
            return cls(names, cells, withheld, ignored, schema=schema)
        return cls(names, cells, withheld, ignored, raw.attrs.get("dialect", Dialect()))

    @property
    def lines(self) -> list[str]:
        """One sentence for each column that is not analysed, or whose missing cells have a number's form."""
        ignored = [f"{name}: ignored; synthetic rows lack the column" for name in self.ignored]
        coded = [
            f"{name}: missing cells are written as {', '.join(codes)}, as in the file"
            for name, cell in self.cells.items()
            if (codes := [text for text in cell.spellings.missing if is_number(text)])
        ]
        return [*self.withheld.lines, *ignored, *coded]

    def writer(self, seed: int, part: Part = WHOLE) -> "Writer":
        """Begin to lay out rows; identifiers are unique among all rows of one writer, and of all parts of a table."""
        return Writer(self, seed, part)


class Writer:
    """Rows in a file's layout, a part at a time.

    Parameters
    ----------
    layout : Layout
    seed : int
        Seed of fresh identifiers, and of the streams ``layout`` of the spellings.
    part : Part, optional
    """

    def __init__(self, layout: Layout, seed: int, part: Part = WHOLE):
        self._layout, self._fresh = layout, layout.withheld.fresh(seed, part)
        own = () if part == WHOLE else ("part", part.number)
        self._streams = {name: seeds.stream(seed, "layout", name, *own) for name in layout.cells}

    def texts(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Write the next clean rows as texts, as a text file has them."""
        fresh, written = self._fresh.take(len(rows)), {}
        for name in self._layout.names:
            if name in self._layout.cells:
                written[name] = self._layout.cells[name].texts(rows[name], self._streams[name]).to_numpy()
            else:
                cells = fresh[name].astype(object)
                written[name] = cells.where(cells.notna(), "").astype(str).to_numpy()
        return pd.DataFrame(written, columns=list(self._layout.names))

    def typed(self, rows: pd.DataFrame) -> pa.Table:
        """Give the next clean rows the types of the file, or those that fit where it is a text file."""
        fresh, schema = self._fresh.take(len(rows)), self._layout.schema
        arrays = []
        for name in self._layout.names:
            field = None if schema is None else schema.field(name).type
            if name in self._layout.cells:
                arrays.append(self._layout.cells[name].typed(rows[name], field, self._streams[name]))
            else:
                text = any(isinstance(c, Text) and c.name == name for c in self._layout.withheld.columns)
                default = pa.string() if text else None
                arrays.append(pa.array(fresh[name], type=field or default, from_pandas=True))
        if schema is None:
            return pa.table(arrays, names=list(self._layout.names))
        fields = [schema.field(name) for name in self._layout.names]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields, schema.metadata))


def _cast(cells: pd.Series, field: pa.DataType) -> pa.Array:
    if tensors.is_sequence(cells.dtype):
        rows = cells.array.__arrow_array__().to_pylist()
        # A file may hold plain numbers where a step has one.
        plain = not pa.types.is_nested(field.value_type)
        return pa.array([[step[0] for step in row] for row in rows] if plain else rows, type=field)
    if pa.types.is_decimal(field):
        numbers = cells.to_numpy(float, na_value=np.nan)
        listed = [None if np.isnan(number) else Decimal(f"{number:.{field.scale}f}") for number in numbers]
        return pa.array(listed, type=field)
    if pa.types.is_dictionary(field) or pa.types.is_string(field) or pa.types.is_large_string(field):
        return pa.array(cells.astype(object), type=field, from_pandas=True)
    if pa.types.is_integer(field) and types.is_float_dtype(cells.dtype):
        cells = cells.round().astype("Int64")
    if pa.types.is_null(field):
        return pa.nulls(len(cells))
    if pa.types.is_time(field):
        # Arrow makes no time of day of a duration.
        cells = pd.Timestamp(0) + cells
    if (pa.types.is_integer(field) or pa.types.is_floating(field)) and types.is_numeric_dtype(cells.dtype):
        # A cell that was given, not drawn, may be any number; the cast would wrap it or make it infinite.
        plain = field.to_pandas_dtype()
        limits = np.iinfo(plain) if pa.types.is_integer(field) else np.finfo(plain)
        beyond = cells[(cells < limits.min) | (cells > limits.max)]
        if len(beyond):
            raise InputError(str(cells.name), beyond.iloc[0].item(), f"does not fit into {field}, the type in the file")
    return pa.array(cells, from_pandas=True).cast(field, safe=False)


def _whole(cells: pd.Series, facts: Column) -> pd.Series:
    """Write whole numbers without a point, as a numeric target has it among floats."""
    if types.is_float_dtype(cells.dtype) and facts.integer:
        return cells.round().astype("Int64")
    return cells


def _text(value: object) -> str:
    """Write a typed value as cleaning does: whole floats without a point."""
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def _spellings(cells: pd.Series) -> dict[str, str]:
    """Return the texts of categories that cleaning writes with single blanks and composed letters.

    A category that the file writes in the same way needs none; of several spellings, the most frequent is taken.
    """
    found: dict[str, str] = {}
    texts = list(cells.value_counts().index)
    for text in texts:
        label = " ".join(unicodedata.normalize("NFC", text).split())
        if label != text:
            found.setdefault(label, text)
    return {label: text for label, text in found.items() if label not in set(texts)}


def _is_text(raw: pd.Series) -> bool:
    return types.infer_dtype(raw, skipna=True) in ("string", "empty") and not isinstance(raw.dtype, pd.CategoricalDtype)
