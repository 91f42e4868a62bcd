"""Tensors: images, and series of equal length."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind
from trisynth.data.precision import require_finite
from trisynth.errors import InputError

TIME, CHANNEL, HEIGHT, WIDTH = "time", "channel", "height", "width"
# Meaning of the axes of a column that declares none, by their number.
_AXES = {1: (TIME,), 2: (HEIGHT, WIDTH), 3: (HEIGHT, WIDTH, CHANNEL)}


@dataclass(frozen=True)
class Tensor(Kind):
    """An array of numbers per row, all of one shape.

    Parameters
    ----------
    shape : tuple of int
    axes : tuple of str
        Meaning of each axis: ``time`` and ``channel`` of a series; ``height``, ``width`` and ``channel`` of an image.
    lower, upper : float
        Range of all elements of the training rows.
    whole : bool
        Whether all elements are whole numbers.
    """

    shape: tuple[int, ...] = ()
    axes: tuple[str, ...] = ()
    lower: float = np.nan
    upper: float = np.nan
    whole: bool = False

    kind: ClassVar[str] = "tensor"
    flat: ClassVar[bool] = False

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take Arrow lists of a fixed size whose elements are floats."""
        return tensors.is_tensor(values.dtype)

    @classmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Tensor":
        """Learn shape and range; missing cells and elements are refused."""
        check_complete(values)
        shape, axes = shape_of(values.name, values.dtype.pyarrow_dtype.list_size, facts)
        cells = tensors.values(values)
        if not cells.size:
            return cls(values.name, values.dtype, facts, shape, axes)
        whole = bool(facts.integer) or not (cells % 1).any()
        return cls(values.name, values.dtype, facts, shape, axes, float(cells.min()), float(cells.max()), whole)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def is_series(self) -> bool:
        """Tell a series, whose first axis is time, from an image."""
        return self.axes[0] == TIME

    def canonical(self, values: pd.Series) -> pd.Series:
        """Return the cells in single precision."""
        check_complete(values)
        return tensors.column(tensors.values(values), values.name, values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Return cells inside the range of the training rows, whole where those are, in the original dtype."""
        cells = np.clip(tensors.values(values), self.lower, self.upper)
        cells = np.rint(cells) if self.whole else cells
        return tensors.column(cells, values.name, values.index).astype(self.dtype)

    def arrays(self, values: pd.Series) -> np.ndarray:
        """Return the cells as arrays, shape (n, *shape)."""
        return tensors.values(values).reshape(-1, *self.shape)


def check_complete(values: pd.Series) -> None:
    """Refuse missing cells, and cells with an element that is not finite."""
    gone = values.isna().to_numpy()
    if gone.any():
        remedy = f"row {int(gone.argmax())} has no array; drop such rows, {int(gone.sum())} in all"
        raise InputError("X", values.name, remedy)
    require_finite(~np.isfinite(tensors.values(values)).all(axis=1), values.name)


def shape_of(name: object, size: int, facts: Column) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return shape and axes of a column of arrays of ``size`` elements, declared facts first."""
    shape = facts.shape or (size,)
    if math.prod(shape) != size:
        raise InputError(f"columns.{name}.shape", list(shape), f"has {math.prod(shape)} elements, but the cells {size}")
    axes = facts.axes or _AXES.get(len(shape))
    if len(shape) > max(_AXES):
        remedy = f"an array has at most {max(_AXES)} axes; join some of them by a shape of {size} elements"
        raise InputError(f"columns.{name}.shape", list(shape), remedy)
    if axes is None or len(axes) != len(shape):
        remedy = f"name one of {TIME}, {CHANNEL}, {HEIGHT}, {WIDTH} for each of the {len(shape)} axes"
        raise InputError(f"columns.{name}.axes", list(facts.axes or ()), remedy)
    return tuple(shape), tuple(axes)
