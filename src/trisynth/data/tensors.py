"""Cells that are arrays of equal size, such as images and series: Arrow lists of a fixed size under pandas.

A column of n arrays of a shape is a Series of n lists of floats, in the order of the array's last axis first. pandas
selects, stacks, stores and compares such columns, but cannot hash them; ``hashable`` replaces them by values that it
can.
"""

import json
from collections.abc import Collection, Hashable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from trisynth.data import texts
from trisynth.data.precision import precise, refusal, require_finite, single
from trisynth.errors import InputError

_FLAGS = "write true and false as 1 and 0, or "
_MAKE = "make the column by trisynth.data.tensors.column, or by sequences.column for series of unequal lengths"


def is_tensor(dtype: object) -> bool:
    """Return whether a dtype is that of arrays of equal size."""
    if not isinstance(dtype, pd.ArrowDtype):
        return False
    kind = dtype.pyarrow_dtype
    return pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type)


def is_series(dtype: object) -> bool:
    """Return whether a dtype of a file is that of flat lists of numbers of a fixed size, which declare themselves."""
    kind = getattr(dtype, "pyarrow_dtype", pa.null())
    return is_tensor(dtype) or (pa.types.is_fixed_size_list(kind) and pa.types.is_integer(kind.value_type))


def is_sequence(dtype: object) -> bool:
    """Return whether a dtype is that of series of unequal lengths (see ``data.sequences``)."""
    if not isinstance(dtype, pd.ArrowDtype) or not pa.types.is_large_list(dtype.pyarrow_dtype):
        return False
    step = dtype.pyarrow_dtype.value_type
    return pa.types.is_fixed_size_list(step) and pa.types.is_floating(step.value_type)


def is_cell(dtype: object) -> bool:
    """Return whether the cells of a dtype are more than one value: arrays, sequences and texts."""
    return is_tensor(dtype) or is_sequence(dtype) or texts.is_text(dtype)


def is_list(dtype: object) -> bool:
    """Return whether a dtype is that of Arrow lists of any size."""
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_nested(dtype.pyarrow_dtype)


def is_any_list(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is that of lists whose cells can be an array."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def is_list_of_numbers(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is that of lists of numbers, or of lists of such lists to any depth."""
    item = kind
    while is_any_list(item):
        item = item.value_type
    return item is not kind and (pa.types.is_floating(item) or pa.types.is_integer(item))


def remedy_for(cells: pd.Series, otherwise: str, of_lists: str = "") -> str | None:
    """Describe a column whose cells hold several values each, and what to do about it; None for other columns.

    Parameters
    ----------
    cells : Series, shape (n,)
    otherwise : str
        What to do where the values are no numbers.
    of_lists : str, default=""
        What to do about Arrow lists of numbers; by default, they are converted as other arrays are.
    """
    if is_list(cells.dtype):
        kind = cells.dtype.pyarrow_dtype
        if is_list_of_numbers(kind):
            return f"holds lists of numbers; {of_lists or _MAKE}"
        return f"holds {kind}; {_FLAGS if 'bool' in str(kind) else ''}{otherwise}"
    if not pd.api.types.is_object_dtype(cells.dtype):
        return None
    held = next((cell for cell in cells if isinstance(cell, Collection) and not isinstance(cell, str | bytes)), None)
    if held is None:
        return None
    try:
        single(held)
    except (InputError, TypeError):
        return f"holds cells of type {type(held).__name__}; {otherwise}"
    return f"holds arrays as objects; {_MAKE}; otherwise {otherwise}"


def of_equal_size(cells: pd.Series) -> pd.Series:
    """Convert Arrow lists of numbers, whose sizes must be equal, to a column of tensors."""
    if is_tensor(cells.dtype):
        return cells
    lists = pa.chunked_array(cells.array.__arrow_array__()).combine_chunks()
    shape, rows = [len(cells)], np.arange(len(cells))
    while True:
        # Lists of lists of numbers, such as the lines of an image, are joined level by level.
        if gone := np.unique(rows[lists.is_null().to_numpy(zero_copy_only=False)]).tolist():
            remedy = f"row {gone[0]} has no array, or not all of it; drop such rows, {len(gone)} in all"
            raise InputError("X", cells.name, remedy)
        sizes = lists.value_lengths().to_numpy(zero_copy_only=False)
        nested, odd = pa.types.is_nested(lists.type.value_type), np.flatnonzero(sizes != sizes[0])
        if len(odd):
            what = "lists" if nested else "elements"
            remedy = (
                f"row {rows[odd[0]]} has {int(sizes[odd[0]])} {what} and row 0 has {int(sizes[0])}; cut or pad them"
            )
            raise InputError("X", cells.name, f"arrays of a tensor must have equal sizes: {remedy}")
        if not sizes.all():
            raise InputError("X", cells.name, "the arrays have no elements; leave the column out")
        shape, rows, lists = [*shape, int(sizes[0])], np.repeat(rows, int(sizes[0])), lists.flatten()
        if not nested:
            return column(lists.to_numpy(zero_copy_only=False).reshape(shape), cells.name, cells.index)


def sizes_of(cells: pd.Series) -> tuple[int, ...]:
    """Return the number of items of the lists that each cell consists of, those of the cell itself first."""
    item, sizes = cells.array.__arrow_array__()[0], []
    while is_any_list(item.type):
        sizes.append(len(item))
        item = item[0]
    return tuple(sizes)


def listed(cells: pd.Series, sizes: Sequence[int], kind: pa.DataType) -> pa.Array:
    """Give a column of tensors another Arrow type of lists, which hold as many items as ``sizes_of`` returned."""
    kinds = [kind]
    while is_any_list(kinds[-1].value_type):
        kinds.append(kinds[-1].value_type)
    found = pa.array(values(cells).ravel()).cast(kinds[-1].value_type, safe=False)
    for kind, size in zip(reversed(kinds), reversed(sizes), strict=True):
        if pa.types.is_fixed_size_list(kind):
            found = pa.FixedSizeListArray.from_arrays(found, type=kind)
        else:
            large = pa.types.is_large_list(kind)
            ends = pa.array(np.arange(0, len(found) + 1, size), pa.int64() if large else pa.int32())
            found = (pa.LargeListArray if large else pa.ListArray).from_arrays(ends, found, type=kind)
    return found


def dtype_of(size: int) -> pd.ArrowDtype:
    """Return the dtype of arrays of ``size`` single-precision floats."""
    return pd.ArrowDtype(pa.list_(pa.float32(), size))


def column(arrays: np.ndarray, name: Hashable = None, index: pd.Index | None = None) -> pd.Series:
    """Build a column of tensors.

    Parameters
    ----------
    arrays : ndarray, shape (n, ...)
        One array for each row, or a list or Series of arrays of one shape; converted to single precision.
    name : hashable, optional
    index : Index, optional

    Returns
    -------
    Series, shape (n,)

    Raises
    ------
    InputError
        If an array holds NaN or infinity, and see ``precision.precise``.

    Examples
    --------
    >>> column(np.zeros((3, 2, 2)), "image").dtype
    fixed_size_list<item: float>[4][pyarrow]
    """
    called = getattr(arrays, "name", None) if name is None else name
    arrays = precise(arrays, called)
    if arrays.ndim < 2 or 0 in arrays.shape[1:]:
        raise refusal(called, f"must have shape (n, ...), n arrays with elements, but has {arrays.shape}")
    require_finite(~np.isfinite(arrays).all(axis=tuple(range(1, arrays.ndim))), called)
    flat = np.ascontiguousarray(arrays.reshape(len(arrays), int(np.prod(arrays.shape[1:]))))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    return pd.Series(pd.arrays.ArrowExtensionArray(lists), name=name, index=index)


def values(cells: pd.Series) -> np.ndarray:
    """Return the elements of a column of tensors without missing cells, shape (n, size), single precision."""
    # Chunks are views of longer arrays where rows were selected; flatten takes the selected ones alone.
    lists = pa.chunked_array(cells.array.__arrow_array__()).combine_chunks()
    size = cells.dtype.pyarrow_dtype.list_size
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    return precise(flat, cells.name).reshape(len(cells), size)


def names(name: Hashable, size: int) -> list[str]:
    """Name the elements of a column of tensors, such as ``image[3]``."""
    return [f"{name}[{i}]" for i in range(size)]


def spread(X: pd.DataFrame) -> pd.DataFrame:
    """Replace each column of tensors by one number for each element; other columns stay as they are."""
    if not any(map(is_tensor, X.dtypes)):
        return X
    parts = []
    for name in X:
        if is_tensor(X[name].dtype):
            cells = values(X[name]).astype(float)
            parts.append(pd.DataFrame(cells, columns=names(name, cells.shape[1]), index=X.index))
        else:
            parts.append(X[[name]])
    return pd.concat(parts, axis=1)


def hashable(X: pd.DataFrame) -> pd.DataFrame:
    """Replace each column of tensors by the bytes of its cells, which pandas can hash and compare."""
    lists = [name for name in X if is_list(X[name].dtype)]
    if not lists:
        return X
    plain = X.copy(deep=False)
    for name in lists:
        # Adding zero makes -0.0 and 0.0 the same.
        if is_sequence(X[name].dtype):
            rows = [np.asarray(row.as_py(), np.float32) + np.float32(0) for row in X[name].array.__arrow_array__()]
        else:
            rows = values(X[name]) + np.float32(0)
        plain[name] = pd.Series([row.tobytes() for row in rows], index=X.index, dtype=object)
    return plain


def typed(kind: pa.DataType) -> pd.ArrowDtype | None:
    """Return the dtype of lists and texts that are read from a file; None for all else, as ``to_pandas`` expects."""
    dtype = pd.ArrowDtype(kind)
    return dtype if is_cell(dtype) else None


def arrow(X: pd.DataFrame) -> pa.Table:
    """Convert to an Arrow table whose Parquet file pandas can read: it declares arrays as objects, not by dtype."""
    table = pa.Table.from_pandas(X, preserve_index=False)
    marked = [str(name) for name in X if is_cell(X[name].dtype)]
    if not marked:
        return table
    about = json.loads(table.schema.metadata[b"pandas"])
    for column in about["columns"]:
        if column["name"] in marked:
            column["numpy_type"] = "object"
    return table.replace_schema_metadata({**table.schema.metadata, b"pandas": json.dumps(about).encode()})


def to_parquet(X: pd.DataFrame) -> bytes:
    """Return the content of the Parquet file of a table with tensors or texts."""
    buffer = pa.BufferOutputStream()
    pyarrow.parquet.write_table(arrow(X), buffer)
    return buffer.getvalue().to_pybytes()


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a Parquet file that pandas wrote, as ``pandas.read_parquet`` does, tensors and texts included."""
    if not any(typed(kind) for kind in pyarrow.parquet.read_schema(path).types):
        return pd.read_parquet(path)
    # pandas reads arrays as objects, and texts as strings of its own.
    return pyarrow.parquet.read_table(path).to_pandas(types_mapper=typed)


def refuse_csv(X: pd.DataFrame, parameter: str, path: object) -> None:
    """Refuse a CSV file for a table with tensors."""
    for name in X:
        if is_list(X[name].dtype):
            remedy = f"a CSV file cannot hold column {name}, whose cells are arrays; name a .parquet file"
            raise InputError(parameter, str(path), remedy)
