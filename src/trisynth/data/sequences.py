"""Cells that are series of unequal lengths: large lists of Arrow, whose items are lists with one number per channel.

A column of n sequences is a Series of n lists; that of row i has as many items as the sequence has steps.
"""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from trisynth.data import precision, tensors
from trisynth.errors import InputError

# Points that a sequence is reduced to where all rows need equally many numbers.
POINTS = 12
_FEATURES = ("mean", "deviation", "autocorrelation")


def dtype_of(channels: int) -> pd.ArrowDtype:
    """Return the dtype of sequences of ``channels`` single-precision floats a step."""
    return pd.ArrowDtype(pa.large_list(pa.list_(pa.float32(), channels)))


def channels_of(dtype: pd.ArrowDtype) -> int:
    """Return the number of channels of a dtype of sequences."""
    return dtype.pyarrow_dtype.value_type.list_size


def column(arrays: Iterable[np.ndarray], name: Hashable = None, index: pd.Index | None = None) -> pd.Series:
    """Build a column of sequences.

    Parameters
    ----------
    arrays : iterable of ndarray, shape (steps,) or (steps, channels)
        One sequence for each row, all with the same number of channels; converted to single precision.
    name : hashable, optional
    index : Index, optional

    Returns
    -------
    Series, shape (n,)

    Raises
    ------
    InputError
        If a sequence has other channels, no steps, NaN or infinity, or no numbers (see ``precision.precise``).

    Examples
    --------
    >>> column([np.zeros(3), np.zeros(5)], "pulse").dtype
    large_list<item: fixed_size_list<item: float>[1]>[pyarrow]
    """
    called = getattr(arrays, "name", None) if name is None else name
    precision.require_rows(arrays, called)
    rows = [*arrays]
    precision.require_present(rows, called)
    given = [precision.numbers(each, called, row) for row, each in enumerate(rows)]
    cells = [precision.rounded(array, called) for array in given]
    cells = [cell[:, None] if cell.ndim == 1 else cell for cell in cells]
    channels = cells[0].shape[-1] if cells and cells[0].ndim == 2 else 1
    for row, cell in enumerate(cells):
        if cell.ndim != 2 or cell.shape[1] != channels or not channels:
            remedy = f"row {row} has {cell.shape}; each must have shape (steps,) or (steps, {max(channels, 1)})"
            raise precision.refusal(called, f"{remedy}, with equally many channels in all rows")
    if gone := [row for row, cell in enumerate(cells) if not len(cell)]:
        raise precision.refusal(called, f"row {gone[0]} has no steps; drop such rows, {len(gone)} in all")
    odd = np.array([not np.isfinite(cell).all() for cell in cells], bool)
    precision.require_finite(odd, called, "sequence")
    flat = np.concatenate([np.zeros((0, channels), np.float32), *cells])
    steps = [array.reshape(cell.shape) for array, cell in zip(given, cells, strict=True)]
    # The middle axis makes the last one that of channels.
    precision.require_precise(np.concatenate([flat[:0], *steps])[:, None], flat[:, None], called)
    return of_flat(flat, [len(cell) for cell in cells], name, index)


def of_flat(flat: np.ndarray, sizes: Sequence[int], name: Hashable = None, index: pd.Index | None = None) -> pd.Series:
    """Build a column of the steps of all sequences, shape (total of steps, channels), and their numbers of steps."""
    ends = pa.array(np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]), pa.int64())
    steps = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(flat).ravel()), flat.shape[1])
    lists = pa.LargeListArray.from_arrays(ends, steps)
    return pd.Series(pd.arrays.ArrowExtensionArray(lists), name=name, index=index)


def lengths(cells: pd.Series) -> np.ndarray:
    """Return the number of steps of each sequence, shape (n,)."""
    lists = pa.chunked_array(cells.array.__arrow_array__()).combine_chunks()
    return lists.value_lengths().to_numpy(zero_copy_only=False).astype(int)


def flat(cells: pd.Series) -> np.ndarray:
    """Return all steps of all sequences, one row after the other, shape (total of steps, channels)."""
    lists = pa.chunked_array(cells.array.__arrow_array__()).combine_chunks()
    numbers = lists.flatten().flatten().to_numpy(zero_copy_only=False)
    return precision.precise(numbers, cells.name).reshape(-1, channels_of(cells.dtype))


def values(cells: pd.Series) -> list[np.ndarray]:
    """Return the sequences of a column, each of shape (steps, channels)."""
    return np.split(flat(cells), np.cumsum(lengths(cells))[:-1]) if len(cells) else []


def mapped(cells: pd.Series, change: object) -> pd.Series:
    """Return sequences of the same lengths, whose steps a function of shape (total, channels) has changed."""
    return of_flat(np.asarray(change(flat(cells)), np.float32), lengths(cells), cells.name, cells.index)


def of_lists(cells: pd.Series) -> pd.Series:
    """Convert Arrow lists of numbers, or lists of equally long lists of numbers, to a column of sequences.

    Raises
    ------
    InputError
        If a cell is missing, empty, or its steps do not have equally many numbers.
    """
    lists = cells.array.__arrow_array__().to_pylist()
    gone = [i for i, cell in enumerate(lists) if not cell]
    if gone:
        remedy = f"row {gone[0]} has no steps; drop such rows, {len(gone)} in all"
        raise InputError("X", cells.name, remedy)
    if any(isinstance(number, list) for step in lists[0][:1] if isinstance(step, list) for number in step):
        raise InputError(
            "X", cells.name, "the steps are lists of lists; declare kind=tensor with a shape, or join them"
        )
    steps = [[step if isinstance(step, list) else [step] for step in cell] for cell in lists]
    sizes = [{len(step) for step in cell} for cell in steps]
    channels = max(sizes[0])
    odd = [i for i, found in enumerate(sizes) if found != {channels}]
    if not channels:
        raise InputError("X", cells.name, "row 0 has steps without numbers; give equally many channels")
    if odd:
        remedy = f"row {odd[0]} has steps that are not of {channels} numbers, as those of row 0 have"
        raise InputError("X", cells.name, f"{remedy}; give equally many channels")
    return column(steps, cells.name, cells.index)


def resampled(cells: pd.Series, points: int = POINTS) -> np.ndarray:
    """Return each sequence at ``points`` evenly spaced places between its ends, shape (n, points, channels)."""
    found = np.zeros((len(cells), points, channels_of(cells.dtype)))
    for i, cell in enumerate(values(cells)):
        at = np.linspace(0, len(cell) - 1, points)
        low = at.astype(int)
        high = np.minimum(low + 1, len(cell) - 1)
        found[i] = cell[low] + (at - low)[:, None] * (cell[high] - cell[low])
    return found


def padded(cells: pd.Series, steps: int) -> np.ndarray:
    """Return sequences with zeros after their ends and a last channel that is 1 before them.

    Parameters
    ----------
    cells : Series, shape (n,)
    steps : int
        Longer sequences are cut.

    Returns
    -------
    ndarray, shape (n, steps, channels + 1)
    """
    found = np.zeros((len(cells), steps, channels_of(cells.dtype) + 1))
    for i, cell in enumerate(values(cells)):
        found[i, : len(cell), :-1], found[i, : len(cell), -1] = cell[:steps], 1.0
    return found


def features(cells: pd.Series) -> dict[str, np.ndarray]:
    """Compute the length of each sequence, and mean, deviation and autocorrelation of neighbouring steps by channel."""
    sequences, channels = values(cells), channels_of(cells.dtype)
    found = np.zeros((len(cells), channels, len(_FEATURES)))
    for i, cell in enumerate(sequences):
        centred = cell.astype(float) - cell.mean(axis=0, dtype=float)
        squares = (centred**2).sum(axis=0)
        products = (centred[1:] * centred[:-1]).sum(axis=0)
        found[i, :, 0], found[i, :, 1] = cell.mean(axis=0), np.sqrt(squares / len(cell))
        found[i, :, 2] = np.where(squares > 1e-12, products / np.maximum(squares, 1e-12), 0.0)
    marks = [""] if channels == 1 else [f" {channel + 1}" for channel in range(channels)]
    named = {f"{feature}{mark}": found[:, c, f] for c, mark in enumerate(marks) for f, feature in enumerate(_FEATURES)}
    return {"length": lengths(cells).astype(float), **named}


def spread(X: pd.DataFrame) -> pd.DataFrame:
    """Replace each column of sequences by its ``features``; other columns stay as they are."""
    if not any(map(tensors.is_sequence, X.dtypes)):
        return X
    columns: dict[Hashable, pd.Series] = {}
    for name in X:
        if tensors.is_sequence(X[name].dtype):
            columns |= {f"{name}[{feature}]": cells for feature, cells in features(X[name]).items()}
        else:
            columns[name] = X[name]
    return pd.DataFrame(columns, index=X.index)
