"""Missing lists of a fixed size in a Parquet file, which pyarrow cannot read."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trisynth.data import tensors
from trisynth.errors import InputError

# Under this name a writer notes the types of Arrow; without them, lists have any size.
_NOTED = b"ARROW:schema"
# Length of the description of the columns, and the mark, at the end of a file.
_END = 8


def refuse(path: str | Path, of: str = "") -> None:
    """Refuse a file that cannot be read because a list of a fixed size is missing; any other passes.

    Parameters
    ----------
    path : path
        A Parquet file.
    of : str, default=""
        Added to the row in the message, as the name of one file of several.

    Raises
    ------
    InputError
        Names the column and the first such row.
    """
    try:
        names = [field.name for field in pq.read_schema(path) if _is_fixed(field.type)]
        table = _of_any_size(path, names)
    except (pa.ArrowException, OSError):
        # The file is damaged, which its reader reports.
        return
    for name in table.column_names:
        if gone := _gone(table[name].combine_chunks()):
            remedy = f"row {gone[0]}{of} has no array, or not all of it; drop such rows, {len(gone)} in all"
            raise InputError("X", name, remedy)


def _of_any_size(path: str | Path, names: list[str]) -> pa.Table:
    """Read columns without the types that the writer noted."""
    content = Path(path).read_bytes()
    start = len(content) - _END - int.from_bytes(content[-_END:][:4], "little")
    plain = content[:start] + content[start:].replace(_NOTED, b"-" * len(_NOTED))
    return pq.read_table(pa.BufferReader(plain), columns=names)


def _is_fixed(kind: pa.DataType) -> bool:
    """Return whether lists of a type, or the lists in them, have a fixed size."""
    return tensors.is_any_list(kind) and (pa.types.is_fixed_size_list(kind) or _is_fixed(kind.value_type))


def _gone(lists: pa.Array) -> list[int]:
    """Return the rows without a list, at any depth."""
    rows, found = np.arange(len(lists)), []
    while tensors.is_any_list(lists.type):
        missing = lists.is_null().to_numpy(zero_copy_only=False)
        found.append(rows[missing])
        rows = np.repeat(rows, np.where(missing, 0, lists.value_lengths().fill_null(0).to_numpy()))
        lists = lists.flatten()
    return np.unique(np.concatenate(found)).tolist()
