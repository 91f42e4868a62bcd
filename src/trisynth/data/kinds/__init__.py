"""Column kinds: the types of cells, their canonical form for generators, and the conversion back to the original dtype.

Generators work on a *canonical* table: ``float64`` for numbers, dates and durations, with NaN for a missing cell, and
pandas categories for other values. Arrays stay Arrow lists (see ``data.tensors``), and modelled texts Arrow strings
(see ``data.texts``). Each kind learns one column from declared facts and training rows, and translates its cells to the
canonical ones and back. A further kind is one class of this folder: an entry in ``KINDS`` makes tables use it.
"""

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind
from trisynth.data.kinds.category import Category
from trisynth.data.kinds.number import Number
from trisynth.data.kinds.sequence import Sequence
from trisynth.data.kinds.tensor import Tensor
from trisynth.data.kinds.text import Text
from trisynth.data.kinds.times import Date, Duration
from trisynth.errors import InputError

__all__ = ["ENCODED", "KINDS", "Category", "Date", "Duration", "Kind", "Number", "Sequence", "Tensor", "Text", "learn"]

# The first kind that takes the dtype of a column is its kind.
KINDS: tuple[type[Kind], ...] = (Date, Duration, Number, Tensor, Sequence, Text, Category)
# Those whose cells an encoder can restore from numbers.
ENCODED: tuple[type[Kind], ...] = (Date, Duration, Number, Tensor, Category)


def learn(values: pd.Series, facts: Column | None = None, rare: int = 0, persons: np.ndarray | None = None) -> Kind:
    """Learn a column of training rows, declared facts first.

    Parameters
    ----------
    values : Series, shape (n,)
    facts : Column, optional
        A declared category may be of any dtype; a declared number must hold numbers.
    rare : int, default=0
        Categories of fewer rows are pooled, unless they are declared; see ``Category``.
    persons : ndarray of int, shape (n,), optional
        Number of the person of each row, to count persons instead of rows.

    Raises
    ------
    InputError
        If the cells are not of the declared kind, or not among the declared categories.
    """
    facts = facts or Column()
    _check_cells(values)
    own = next(kind for kind in KINDS if kind.takes(values))
    if facts.generate or (own is Text and facts.kind is None):
        return Text.learn(values, facts, rare, persons)
    if ((own.flat or own is Text) and facts.kind == Category.kind) or (own is Category and facts.kind is None):
        return Category.learn(values, facts, rare, persons)
    declared = {kind.kind: kind for kind in KINDS}.get(facts.kind)
    if declared and not issubclass(own, declared):
        other = f"kind: {own.kind}" if own in (Tensor, Sequence) else "a category"
        remedy = f"the column holds {values.dtype}; convert it, or declare {other}"
        raise InputError(f"facts.{values.name}.kind", facts.kind, remedy)
    return own.learn(values, facts)


def _check_cells(values: pd.Series) -> None:
    """Refuse cells of which no kind can make a number or a category."""
    dtype = values.dtype
    if isinstance(dtype, pd.SparseDtype):
        raise InputError("X", values.name, f"holds {dtype}; convert the column by .sparse.to_dense()")
    if types.is_complex_dtype(dtype):
        raise InputError("X", values.name, f"holds {dtype}; convert the column to float")
    if not tensors.is_cell(dtype) and (
        remedy := tensors.remedy_for(values, "give one number or text per cell, or drop the column")
    ):
        raise InputError("X", values.name, remedy)
