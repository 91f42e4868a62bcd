"""Completion of partial rows: read from a file like the rows of the data set, and completed by a generator."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth import seeds
from trisynth.data import readers, tensors, texts
from trisynth.data.cleaning.columns import clean_column
from trisynth.data.dataset import Column, Dataset
from trisynth.errors import InputError
from trisynth.generators.base import Generator

# Rows completed at once.
_CHUNK = 20_000


def read(path: str, dataset: Dataset) -> tuple[pd.DataFrame, pd.Series]:
    """Read partial rows of a ``.csv`` or ``.parquet`` file, in the spellings of ``dataset``.

    Parameters
    ----------
    path : str
        Any of the data set's columns, the target among them; a blank cell is unknown.
    dataset : Dataset

    Returns
    -------
    X : DataFrame, shape (n, any)
        The given features.
    y : Series, shape (n,)
        The given targets, missing where none is, as in all rows of a table without a target.

    Raises
    ------
    InputError
        If the file cannot be read or has no rows, or a column or a cell is none of the data set's.
    """
    try:
        raw = readers.parquet(path) if Path(path).suffix == ".parquet" else readers.delimited(path)
    except InputError as error:
        raise InputError("given", path, error.remedy) from None
    known = dataset.frame
    unknown = [str(name) for name in raw.columns if name not in known]
    if unknown or not raw.columns.is_unique:
        wrong = f"{dataset.spec.name} has no column {', '.join(unknown)}" if unknown else "a column is repeated"
        raise InputError("given", path, f"{wrong}; use each of these at most once: {', '.join(map(str, known))}")
    if not len(raw):
        raise InputError("given", path, "has no rows; give at least one")
    table = pd.DataFrame({name: _column(raw[name], known[name], dataset, path) for name in raw.columns})
    missing = pd.Series(np.nan, index=table.index)
    if dataset.y is None:
        return table, missing
    missing = missing.astype(dataset.y.dtype)
    y = table.pop(dataset.spec.target) if dataset.spec.target in table else missing
    return table, y.rename(dataset.spec.target)


def beyond(X: pd.DataFrame, y: pd.Series, dataset: Dataset) -> list[str]:
    """Describe given numbers beyond the training rows, a line for each column: completions there are extrapolated."""
    known, found = dataset.frame, []
    for name, cells in pd.concat([X, y], axis=1).items():
        if name not in known:
            continue
        like = known[name]
        if not types.is_numeric_dtype(like.dtype) or not types.is_numeric_dtype(cells.dtype) or not like.count():
            continue
        low, high = like.min(), like.max()
        count = int(((cells < low) | (cells > high)).sum())
        if count:
            verb = "lies" if count == 1 else "lie"
            found.append(f"{count} of {len(cells)} cells of column {name} {verb} beyond its range {low:g} to {high:g}")
    return found


def _column(cells: pd.Series, like: pd.Series, dataset: Dataset, path: str) -> pd.Series:
    """Clean one column by the data set's facts; a cell that these would change is refused, as given cells stay."""
    declared = dataset.spec.columns.get(cells.name, Column())
    if tensors.is_cell(like.dtype):
        held = "texts" if texts.is_text(like.dtype) else "arrays"
        raise InputError("given", path, f"column {cells.name} holds {held}, which cannot be given; leave it out")
    if isinstance(like.dtype, pd.CategoricalDtype):
        facts = Column("category", tuple(like.cat.categories))
    else:
        facts = Column("number", bounds=declared.bounds, integer=True if types.is_integer_dtype(like.dtype) else None)

    def note(problem: str, count: int, treatment: str, remedy: str = "") -> None:
        if problem not in ("missing cell", "another spelling of a category"):
            names = f"; known: {', '.join(facts.categories)}" if facts.categories else ""
            where = f"{count} of {len(cells)} cells of column {cells.name}"
            raise InputError("given", path, f"{problem} in {where}{names}")

    found = clean_column(cells, facts, (), note, doubts=False).cells
    plain = getattr(like.dtype, "numpy_dtype", like.dtype)
    if types.is_integer_dtype(plain) or types.is_float_dtype(plain):
        # A cast would wrap or become infinite.
        limits = np.iinfo(plain) if types.is_integer_dtype(plain) else np.finfo(plain)
        if count := int(((found < limits.min) | (found > limits.max)).sum()):
            note(f"a number that does not fit into {like.dtype}", count, "")
    return found


def completed(generator: Generator, X: pd.DataFrame, y: pd.Series, n: int, seed: int) -> Iterator[pd.DataFrame]:
    """Complete every partial row ``n`` times, in parts that fit into memory.

    Parameters
    ----------
    generator : Generator
        Fitted; with a method ``conditional``.
    X : DataFrame, shape (m, any)
    y : Series, shape (m,)
        Missing where the target is unknown, too.
    n : int
    seed : int

    Yields
    ------
    DataFrame, shape (part, columns)
        Together n * m rows, those of one partial row one after the other.

    Raises
    ------
    InputError
        If the generator cannot answer, as where a column that it computes is given without what it computes it from.
    """
    rows = np.repeat(np.arange(len(X)), n)
    for i, start in enumerate(range(0, len(rows), _CHUNK)):
        part = rows[start : start + _CHUNK]
        features, targets = X.iloc[part].reset_index(drop=True), y.iloc[part].reset_index(drop=True)
        known = targets.notna()
        try:
            found = [
                generator.conditional(features[mask], labels, seeds.integer(seed, f"completion.{name}", i))
                for name, mask, labels in (("given", known, targets[known]), ("drawn", ~known, None))
                if mask.any()
            ]
        except InputError as error:
            raise InputError("given", error.value, error.remedy) from None
        yield pd.concat(found).sort_index()
