"""Cleaning of cells that are arrays or texts to be modelled."""

from collections.abc import Callable, Collection
from dataclasses import replace

import pandas as pd

from trisynth.data import sequences, tensors, texts
from trisynth.data.dataset import Column
from trisynth.data.kinds.sequence import check_sequences
from trisynth.data.kinds.tensor import check_complete, shape_of
from trisynth.errors import InputError

# Most characters of a text where nothing is declared.
_LONGEST = 5_000


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
    if tensors.is_list(cells.dtype):
        raise InputError(f"dataset.columns.{cells.name}.kind", "text", "the cells are lists; declare a tensor")
    tokens = {str(token) for token in (*missing, *(facts.missing or ()))}
    plain = cells if texts.is_text(cells.dtype) else cells.astype(object)
    found = [texts.composed(texts.composed(cell).replace(texts.HIDDEN, "")) for cell in texts.values(plain)]
    found = ["" if cell in tokens else cell for cell in found]
    limit = facts.max_length or _LONGEST
    if empty := found.count(""):
        note("empty text", empty, "kept as an empty text")
    if long := sum(len(cell) > limit for cell in found):
        note(f"text of more than {limit:,} characters", long, "cut", f"max_length: {max(map(len, found))}")
        found = [cell[:limit] for cell in found]
    return texts.column(found, cells.name, cells.index)


def tensor(cells: pd.Series, facts: Column, target: bool) -> tuple[pd.Series, Column]:
    """Return arrays of one size in single precision, and their facts with shape and axes."""
    if target or facts.kind not in (None, "tensor"):
        kind = "category" if target else facts.kind
        raise InputError(f"dataset.columns.{cells.name}.kind", kind, "the cells are arrays; declare a tensor")
    cells = tensors.of_equal_size(cells)
    check_complete(cells)
    cells = tensors.column(tensors.values(cells), cells.name, cells.index)
    shape, axes = shape_of(cells.name, cells.dtype.pyarrow_dtype.list_size, facts)
    return cells, replace(facts, kind="tensor", shape=shape, axes=axes)


def sequence(cells: pd.Series, facts: Column, target: bool) -> tuple[pd.Series, Column]:
    """Return series of unequal lengths in single precision, and their facts."""
    if target or facts.kind not in (None, "sequence"):
        kind = "category" if target else facts.kind
        raise InputError(f"dataset.columns.{cells.name}.kind", kind, "the cells are series; declare a sequence")
    cells = cells if tensors.is_sequence(cells.dtype) else sequences.of_lists(cells)
    check_sequences(cells)
    return cells, replace(facts, kind="sequence")
