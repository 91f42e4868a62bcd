"""Cells that are arrays of equal size, such as images and series: Arrow lists of a fixed size under pandas.

A column of n arrays of a shape is a Series of n lists of floats, in the order of the array's last axis first. pandas
selects, stacks, stores and compares such columns, but cannot hash them; ``hashable`` replaces them by values that it
can.
"""

import json
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from trisynth.data import texts
from trisynth.errors import InputError


def is_tensor(dtype: object) -> bool:
    """Return whether a dtype is that of arrays of equal size."""
    if not isinstance(dtype, pd.ArrowDtype):
        return False
    kind = dtype.pyarrow_dtype
    return pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type)


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


def is_list_of_numbers(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is that of lists of numbers, or of lists of such lists."""
    if not _is_any_list(kind):
        return False
    item = kind.value_type.value_type if _is_any_list(kind.value_type) else kind.value_type
    return pa.types.is_floating(item) or pa.types.is_integer(item)


def _is_any_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def of_equal_size(cells: pd.Series) -> pd.Series:
    """Convert Arrow lists of numbers, whose sizes must be equal, to a column of tensors."""
    if is_tensor(cells.dtype):
        return cells
    lists = pa.chunked_array(cells.array.__arrow_array__()).combine_chunks()
    if lists.null_count:
        raise InputError("X", cells.name, f"{lists.null_count} rows have no array; drop them")
    size, rows = 1, np.arange(len(cells))
    while True:
        # Lists of lists of numbers, such as the lines of an image, are joined level by level.
        sizes = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        nested, odd = pa.types.is_nested(lists.type.value_type), np.flatnonzero(sizes != sizes[0])
        if len(odd):
            what = "lists" if nested else "elements"
            remedy = (
                f"row {rows[odd[0]]} has {int(sizes[odd[0]])} {what} and row 0 has {int(sizes[0])}; cut or pad them"
            )
            raise InputError("X", cells.name, f"arrays of a tensor must have equal sizes: {remedy}")
        if not sizes.all():
            raise InputError("X", cells.name, "the arrays have no elements; leave the column out")
        size, rows, lists = size * int(sizes[0]), np.repeat(rows, int(sizes[0])), lists.flatten()
        if not nested:
            return column(lists.to_numpy(zero_copy_only=False).reshape(len(cells), size), cells.name, cells.index)


def dtype_of(size: int) -> pd.ArrowDtype:
    """Return the dtype of arrays of ``size`` single-precision floats."""
    return pd.ArrowDtype(pa.list_(pa.float32(), size))


def column(arrays: np.ndarray, name: Hashable = None, index: pd.Index | None = None) -> pd.Series:
    """Build a column of tensors.

    Parameters
    ----------
    arrays : ndarray, shape (n, ...)
        One array for each row; converted to single precision.
    name : hashable, optional
    index : Index, optional

    Returns
    -------
    Series, shape (n,)

    Examples
    --------
    >>> column(np.zeros((3, 2, 2)), "image").dtype
    fixed_size_list<item: float>[4][pyarrow]
    """
    arrays = np.asarray(arrays, dtype=np.float32)
    flat = np.ascontiguousarray(arrays.reshape(len(arrays), int(np.prod(arrays.shape[1:]))))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    return pd.Series(pd.arrays.ArrowExtensionArray(lists), name=name, index=index)


def values(cells: pd.Series) -> np.ndarray:
    """Return the elements of a column of tensors without missing cells, shape (n, size), single precision."""
    # Chunks are views of longer arrays where rows were selected; flatten takes the selected ones alone.
    lists = pa.chunked_array(cells.array.__arrow_array__()).combine_chunks()
    size = cells.dtype.pyarrow_dtype.list_size
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float32, copy=False).reshape(len(cells), size)


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
