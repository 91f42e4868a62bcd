"""Cleaning of cells that are arrays or texts to be modelled."""

from collections.abc import Callable, Collection
from dataclasses import replace

import pandas as pd

from trisynth.data import sequences, tensors, texts
from trisynth.data.dataset import Column
from trisynth.data.kinds.sequence import check_sequences
from trisynth.data.kinds.tensor import check_complete, shape_of
from trisynth.data.kinds.text import LONGEST, check_texts
from trisynth.errors import InputError

# No text of a file holds NUL, and CSV cannot.
_REMOVED = str.maketrans("", "", f"{texts.HIDDEN}\0")


def text(cells: pd.Series, facts: Column, missing: Collection[object], note: Callable[..., None]) -> pd.Series:
    """Return texts to be modelled; cells without one are empty texts, and long ones are cut.

    Parameters
    ----------
    cells : Series, shape (n,)
    facts : Column
    missing : collection
        Texts that stand for a missing cell.
    note : callable
        Takes each finding; see ``clean_column``.
    """
    parameter = f"dataset.columns.{cells.name}.kind"
    if remedy := tensors.remedy_for(
        cells, "give one text per cell, or ignore the column", "declare a tensor or a sequence"
    ):
        raise InputError(parameter, "text", remedy)
    plain = cells if texts.is_text(cells.dtype) else cells.astype(object)
    check_texts(plain, parameter)
    tokens = {str(token) for token in (*missing, *(facts.missing or ()))}
    found = [texts.composed(texts.composed(cell).translate(_REMOVED)) for cell in texts.values(plain)]
    found = ["" if cell in tokens else cell for cell in found]
    limit = facts.max_length or LONGEST
    if empty := found.count(""):
        note("empty text", empty, "kept as an empty text")
    if long := sum(len(cell) > limit for cell in found):
        note(f"text of more than {limit:,} characters", long, "cut", f"max_length: {max(map(len, found))}")
        found = [cell[:limit] for cell in found]
    return texts.column(found, cells.name, cells.index)


def arrays(cells: pd.Series, facts: Column) -> tuple[pd.Series, Column]:
    """Return arrays in single precision, and their facts: of arrays of one size also shape and axes."""
    kind = facts.kind or ("sequence" if tensors.is_sequence(cells.dtype) else "tensor")
    parameter = f"dataset.columns.{cells.name}.kind"
    if kind not in ("tensor", "sequence"):
        raise InputError(parameter, kind, "the cells are arrays; declare a tensor or a sequence")
    if not (tensors.is_list(cells.dtype) and tensors.is_list_of_numbers(cells.dtype.pyarrow_dtype)):
        other = "declare another kind, or ignore"
        written = f"holds {cells.dtype}; write lists of numbers to a Parquet file, {other}"
        held = tensors.remedy_for(cells, other) or written
        raise InputError(parameter, kind, f"needs lists of numbers, but the column {held}")
    if kind == "sequence":
        cells = cells if tensors.is_sequence(cells.dtype) else sequences.of_lists(cells)
        check_sequences(cells)
        return cells, replace(facts, kind=kind)
    raw, cells = cells, tensors.of_equal_size(cells)
    check_complete(cells)
    facts = replace(facts, kind=kind, shape=facts.shape or tensors.sizes_of(raw))
    shape, axes = shape_of(cells.name, cells.dtype.pyarrow_dtype.list_size, facts)
    return tensors.column(tensors.values(cells), cells.name, cells.index), replace(facts, shape=shape, axes=axes)
