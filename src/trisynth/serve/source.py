"""Rows that a server draws: a fitted generator, and the layout of the file that it was fitted on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from trisynth import seeds
from trisynth.data.kinds import Category, Tensor
from trisynth.data.layout import Layout
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.output.files import typed
from trisynth.output.parts import batches
from trisynth.serve.conditions import cell

# Rows that are drawn at once, which bounds the memory of an answer.
BATCH = 100_000
# Categories of a column that the schema lists.
_LISTED = 1_000


@dataclass(frozen=True)
class Source:
    """Fitted generator whose rows are served.

    Parameters
    ----------
    generator : Generator
    sha : str
        Digest of its file.
    layout : Layout, optional
        That of a user's file.

    Raises
    ------
    InputError
        If names or labels are equal as texts, which is how requests and answers hold them.
    """

    generator: Generator
    sha: str
    layout: Layout | None = None

    def __post_init__(self):
        """Check names and labels."""
        generator = self.generator
        kinds = [*generator.schema_.columns, *([generator.target_] if generator.target_ is not None else [])]
        _require_distinct("columns", generator.order_)
        for kind in kinds:
            if isinstance(kind, Category):
                _require_distinct(str(kind.name), kind.categories)
                _require_plain(str(kind.name), kind.categories)

    def tables(
        self, n: int | Mapping[str, int], seed: int, given: Mapping[str, Any] | None = None
    ) -> Iterator[pa.Table]:
        """Draw ``n`` rows in batches; equal arguments give equal rows.

        Parameters
        ----------
        n : int or mapping of label to int
        seed : int
            Up to ``BATCH`` rows are those of ``Generator.sample`` with this seed.
        given : mapping of str to cell, optional
            Cells that every row keeps; the generator must have a method ``conditional``.

        Raises
        ------
        InputError
            For a class, a column or a cell that does not exist.
        """
        # Before the first batch, so that a mistake is an answer and no torn stream.
        partial = self._partial(given) if given else None
        if partial is not None and isinstance(n, Mapping):
            raise InputError("given", dict(given), "cannot be combined with classes; give the target as a condition")
        if isinstance(n, Mapping) and (unknown := [label for label in n if label not in self.classes]):
            known = ", ".join(self.classes) or "none, as the rows have no classes"
            raise InputError("class", unknown[0], f"no such class; the classes are {known}")
        writer = self.layout.writer(seed) if self.layout else None
        fresh = self.generator.withheld_.fresh(seed)
        labels = dict(zip(self.classes, self.generator.labels_, strict=False))
        for i, rows in enumerate(batches(n, BATCH)):
            own = seed if not i else seeds.integer(seed, "serve", i)
            if partial is not None:
                table = self._conditional(partial, rows, own)
            else:
                asked = {labels[name]: count for name, count in rows.items()} if isinstance(rows, Mapping) else rows
                table = self.generator.sample(asked, own)
            # Identifiers of one answer are unique over its batches.
            for name, cells in fresh.take(len(table)).items():
                table[name] = cells.set_axis(table.index)
            yield typed(table, writer).replace_schema_metadata(None)

    @property
    def classes(self) -> list[str]:
        """Labels of the target as texts; empty where it is a number or absent."""
        if self.generator.target_ is None or self.generator.numeric_target_:
            return []
        return [str(label) for label in self.generator.labels_]

    def schema(self) -> dict[str, Any]:
        """Return columns, classes and what the fit promises."""
        generator, target = self.generator, self.generator.target_
        kinds = {column.name: column for column in generator.schema_.columns}
        if target is not None:
            kinds[target.name] = target
        withheld = {column.name: column for column in generator.withheld_.columns}
        columns = [self._column(name, kinds.get(name), withheld.get(name)) for name in generator.order_]
        if self.layout:
            shown = {column["name"]: column for column in columns}
            columns = [shown.get(name, {"name": name, "kind": "identifier or text"}) for name in self.layout.names]
        return {
            "generator": type(generator).__name__,
            "sha256": self.sha,
            "target": None if target is None else str(target.name),
            "classes": self.classes,
            "conditions": hasattr(generator, "conditional"),
            "private": generator.private,
            "notes": [str(note) for note in generator.notes],
            "columns": columns,
        }

    def _column(self, name: Any, kind: Any, withheld: Any) -> dict[str, Any]:
        if kind is None:
            return {"name": str(name), "kind": type(withheld).__name__.lower()}
        found = {"name": str(name), "kind": kind.kind}
        if isinstance(kind, Category):
            # Those of few rows are pooled, and not among them.
            found["categories"] = [str(each) for each in kind.categories[:_LISTED]]
        if isinstance(kind, Tensor):
            # Answers hold the cells in one dimension.
            found["shape"] = list(kind.shape)
        return found

    def _partial(self, given: Mapping[str, Any]) -> tuple[pd.DataFrame, Any]:
        """Convert conditions to one row of the training columns, and the target's value or None."""
        generator = self.generator
        if not hasattr(generator, "conditional"):
            remedy = f"{type(generator).__name__} cannot complete rows; serve a circuit"
            raise InputError("given", dict(given), remedy)
        kinds = {str(column.name): column for column in generator.schema_.columns}
        target = generator.target_
        found, label = {}, None
        for name, value in given.items():
            kind = target if target is not None and name == str(target.name) else kinds.get(name)
            if kind is None:
                known = ", ".join([*kinds, *([str(target.name)] if target is not None else [])])
                raise InputError("given", name, f"no such column; conditions are possible on {known}")
            read = {column.name for column in generator.written_.columns}
            # A column that is read from texts is given as such.
            own = pd.Series([str(value)], name=kind.name) if kind.name in read else cell(name, value, kind)
            if kind.name in read and generator.written_.read(own.to_frame()).isna().any(axis=None):
                raise InputError(f"given.{name}", value, f"must be a {kind.kind} in the form of the training rows")
            if kind is target:
                label = own
            else:
                found[kind.name] = own
        return pd.DataFrame(found, index=[0]), label

    def _conditional(self, partial: tuple[pd.DataFrame, Any], rows: int, seed: int) -> pd.DataFrame:
        row, label = partial
        X = row.iloc[[0] * rows].reset_index(drop=True)
        y = None if label is None else pd.concat([label] * rows, ignore_index=True)
        try:
            return self.generator.conditional(X, y, seed)
        except InputError as error:
            if error.parameter != "X" or error.value not in list(X):
                raise
            # A client knows columns by their texts in `given`.
            remedy = error.remedy
            for column in self.generator.schema_.columns:
                remedy = remedy.replace(repr(column.name), str(column.name))
            raise InputError(f"given.{error.value}", row[error.value].tolist()[0], remedy) from None


def _require_distinct(parameter: str, values: Iterable[Any]) -> None:
    known: dict[str, Any] = {}
    for value in values:
        if str(value) in known:
            remedy = "are equal as texts, which is how a server names them; rename one before the fit"
            raise InputError(parameter, [known[str(value)], value], remedy)
        known[str(value)] = value


def _require_plain(parameter: str, values: Iterable[Any]) -> None:
    """Refuse categories that are of several types, or of one that JSON and CSV lack, such as intervals."""
    try:
        held = pa.array(values).type
        plain = not isinstance(held, pa.ExtensionType) and not pa.types.is_nested(held) and not pa.types.is_binary(held)
    except pa.ArrowException:
        plain = False
    if not plain:
        kinds = sorted({type(value).__name__ for value in values})
        remedy = "are of a type, or of several, that answers cannot hold; convert them to texts before the fit"
        raise InputError(parameter, kinds, remedy)
