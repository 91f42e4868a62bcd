"""Numbers of arrays in single precision, and what it would lose without a word."""

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.errors import InputError

# Single precision has every whole number up to it.
_EXACT = 2**24
# Above it, all numbers in double precision are whole.
_WHOLE = 2**53
# A standard deviation, that of a column or of a channel, is kept if rounding changes no value by more than this of it.
_ROUNDED = 1e-3


def single(arrays: object, name: Hashable = None) -> np.ndarray:
    """Convert an array, or rows of arrays, to single precision.

    Raises
    ------
    InputError
        If these are no numbers, their shapes differ, or whole numbers would lose digits.
    """
    return rounded(numbers(arrays, name), name)


def numbers(arrays: object, name: Hashable = None, row: int | None = None) -> np.ndarray:
    """Convert to an array of numbers of its own precision; ``single`` describes what is refused.

    With ``row``, it is the series of that row.
    """
    try:
        # A masked number is none.
        found = np.ma.filled(arrays.astype(float), np.nan) if np.ma.is_masked(arrays) else np.asarray(arrays)
        # A Series of arrays is one of objects, and so are lists with gaps.
        found = np.asarray(_lists(found)) if found.dtype == object else found
        found = found.astype(float) if found.dtype == object else found
    except (ValueError, TypeError):
        raise _no_array(arrays, name, row) from None
    here = "" if row is None else f" in row {row}"
    if found.dtype.kind not in "biuf":
        raise refusal(name, f"must hold real numbers, but holds {found.dtype}{here}; convert or drop them")
    if found.dtype.kind == "b":
        raise refusal(name, f"holds true and false{here or ' from row 0 on'}; write 1 and 0")
    return found


def _no_array(arrays: object, name: Hashable, row: int | None) -> InputError:
    """Return the error of lists of unequal sizes, or of objects that are no numbers."""
    require_rows(arrays, name)
    shapes = [np.shape(np.asarray(each, object)) for each in arrays]
    odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
    if row is not None:
        what = "holds what is no number" if odd is None else "has steps of different sizes"
        return refusal(name, f"row {row} {what}; give equally many numbers in each step")
    require_present(arrays, name)
    if odd is None:
        return refusal(name, "must hold numbers in lists of equal sizes")
    remedy = f"must have one shape: row {odd} has {shapes[odd]} and row 0 has {shapes[0]}; cut or pad them, or make "
    return refusal(name, f"{remedy}series of unequal lengths by sequences.column")


def _lists(cells: object) -> object:
    """Convert arrays of objects to lists at every depth: pandas reads an image as an array of arrays."""
    objects = isinstance(cells, np.ndarray) and cells.dtype == object
    return [_lists(cell) for cell in cells] if objects else cells


def rounded(found: np.ndarray, name: Hashable = None) -> np.ndarray:
    """Convert an array of numbers to single precision; ``single`` describes what is refused."""
    if found.dtype == np.float32:
        return found
    with np.errstate(over="ignore", invalid="ignore"):
        kept = found.astype(np.float32)
        if np.isinf(kept).any() and np.isinf(kept[np.isfinite(found)]).any():
            raise refusal(name, "holds numbers beyond 3e38, the largest in single precision; divide them")
        large = np.abs(kept) >= _EXACT
        if found.dtype.kind == "f":
            # Their last digits may be lost, as those of fractions may.
            large &= np.abs(found) < _WHOLE
        if large.any() and (kept.astype(found.dtype) != found)[large].any() and not (found % 1).any():
            remedy = f"holds whole numbers beyond {_EXACT:,}, which lose digits in single precision"
            raise refusal(name, f"{remedy}; subtract an offset or divide them")
    return kept


def precise(arrays: object, name: Hashable = None) -> np.ndarray:
    """Convert numbers that a user gives, as ``single`` does.

    Drawn numbers are taken by ``single`` alone, because what they lose was lost in the training rows already.

    Raises
    ------
    InputError
        See ``single`` and ``require_precise``.
    """
    given = numbers(arrays, name)
    kept = rounded(given, name)
    require_precise(given, kept, name)
    return kept


def require_precise(given: np.ndarray, kept: np.ndarray, name: Hashable = None) -> None:
    """Refuse numbers that vary too little beside their size, such as times in seconds since 1970.

    The standard deviation is that of all numbers, and of each channel where arrays have a last axis of channels.
    """
    if given.dtype.kind != "f" or given.dtype.itemsize <= 4 or not kept.size or not np.isfinite(kept).all():
        return
    axes = [None] if kept.ndim < 3 else [None, tuple(range(kept.ndim - 1))]
    changed, sizes = np.abs(kept - given), np.abs(given)
    for axis in axes:
        deviation = given.std(axis=axis)
        # A constant has a standard deviation of rounding in double precision.
        varies = deviation > 1e-12 * sizes.max(axis=axis)
        if (varies & (changed.max(axis=axis) > _ROUNDED * deviation)).any():
            remedy = "holds numbers whose differences would be lost in single precision, which has about seven digits"
            raise refusal(name, f"{remedy}; subtract an offset, such as the first number")


def require_finite(odd: np.ndarray, name: Hashable = None, what: str = "array") -> None:
    """Refuse rows of NaN or infinity, which ``odd``, shape (n,), marks."""
    if odd.any():
        remedy = f"the {what} of row {int(odd.argmax())} holds NaN or infinity; fill it in, or drop such rows"
        raise refusal(name, f"{remedy}, {int(odd.sum())} in all")


def require_rows(arrays: object, name: Hashable = None) -> None:
    """Refuse what holds no rows of arrays."""
    if not isinstance(arrays, Iterable):
        raise refusal(name, f"must be an array with one row for each sample, but is {type(arrays).__name__}")


def require_present(arrays: Iterable, name: Hashable = None) -> None:
    """Refuse a row without an array."""
    if gone := [row for row, cell in enumerate(arrays) if types.is_scalar(cell) and pd.isna(cell)]:
        raise refusal(name, f"has no array in row {gone[0]}; drop such rows, {len(gone)} in all")


def refusal(name: Hashable, remedy: str) -> InputError:
    """Return the error of arrays that make no column, which may have no name yet."""
    return InputError("arrays", "without a name", remedy) if name is None else InputError("X", name, remedy)
