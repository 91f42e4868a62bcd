"""Size of a Parquet file once it is read: equal cells are written once, and read as often as there are rows."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trisynth.data.reading.content import RATIO, unpacked_limit
from trisynth.errors import InputError

_CELL = 8
_TEXTS = ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")


def require_moderate(path: str | Path, parameter: str = "dataset.path", whole: bool = True) -> None:
    """Refuse a file that would grow to many times its size.

    Parameters
    ----------
    path : path
    parameter : str, default="dataset.path"
        Name of the setting, for error messages.
    whole : bool, default=True
        Whether all rows are read at once; where they are not, only long texts count.

    Raises
    ------
    InputError
    """
    file = pq.ParquetFile(path)
    limit = unpacked_limit(Path(path).stat().st_size)
    cells, texts = 0, set()
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            count = max(chunk.num_values, group.num_rows)
            cells += _CELL * count * whole
            # No cell is longer than the chunk that holds it.
            if chunk.physical_type in _TEXTS and count * chunk.total_uncompressed_size > limit:
                texts.add(place)
    if cells > limit or cells + sum(_bytes(path, file, place) for place in sorted(texts)) > limit:
        raise InputError(parameter, str(path), f"unpacks to more than {RATIO} times its size; write it as CSV")


def _bytes(path: str | Path, file: pq.ParquetFile, place: int) -> int:
    """Measure the texts of one column, each distinct one of which is read once."""
    column = file.schema.column(place)
    if column.physical_type == "FIXED_LEN_BYTE_ARRAY":
        return column.length * file.metadata.num_rows
    table = pq.ParquetFile(path, read_dictionary=[column.path]).read(columns=[column.path])
    (cells,) = table.columns
    return sum(_length(chunk) for chunk in cells.chunks)


def _length(cells: pa.Array) -> int:
    """Sum the lengths of texts, also of those in lists."""
    while isinstance(cells, pa.ListArray | pa.LargeListArray):
        cells = cells.flatten()
    if isinstance(cells, pa.StructArray):
        return sum(_length(inner) for inner in cells.flatten())
    if isinstance(cells, pa.DictionaryArray):
        lengths = pc.take(pc.binary_length(cells.dictionary), cells.indices)
    else:
        return cells.nbytes
    return pc.sum(lengths).as_py() or 0
