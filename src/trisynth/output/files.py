"""Tables of synthetic rows, written one after the other to a file of CSV or Parquet."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trisynth.data import tensors
from trisynth.data.disclosure.identifiers import WHOLE, Part
from trisynth.data.layout import Layout, Writer
from trisynth.temporary import temporary_folder


def write(
    tables: Iterator[pd.DataFrame],
    path: Path,
    layout: Layout | None = None,
    seed: int = 0,
    part: Part = WHOLE,
    schema: pa.Schema | None = None,
) -> int:
    """Write tables of equal columns one after the other; ``path`` appears when all are written.

    Parameters
    ----------
    tables : iterator of DataFrame
    path : Path
        A ``.parquet`` or ``.csv`` file.
    layout : Layout, optional
        That of the file that was read, whose columns, types and spellings are written.
    seed : int, default=0
        Seed of fresh identifiers.
    part : Part, optional
        Part of a larger table; its identifiers differ from those of the others.
    schema : Schema, optional
        Columns and types of a parquet file; those of the first table by default.

    Returns
    -------
    int
        Number of rows.
    """
    rows = 0
    # A draw that is refused leaves no folder.
    first = next(tables)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = layout.writer(seed, part) if layout else None
    dialect = layout.dialect if layout else None
    with temporary_folder(f".{path.name}.", path.parent) as folder:
        temporary = folder / path.name
        if path.suffix == ".csv":
            with temporary.open("wb") as file:
                for i, table in enumerate(chain([first], tables)):
                    rows += len(table)
                    if dialect:
                        file.write(dialect.texts(writer.texts(table), header=i == 0))
                    else:
                        cells = writer.typed(table).to_pandas() if writer else table
                        file.write(cells.to_csv(index=False, header=i == 0).encode())
        else:
            target = None
            for table in chain([first], tables):
                rows += len(table)
                arrow = typed(table, writer)
                target = target or pq.ParquetWriter(temporary, schema or arrow.schema)
                target.write_table(arrow.cast(target.schema))
            target.close()
        temporary.replace(path)
    return rows


def typed(table: pd.DataFrame, writer: Writer | None) -> pa.Table:
    """Convert rows to Arrow: in the layout of a user's file, or with categories as texts."""
    if writer:
        return writer.typed(table)
    categories = table.select_dtypes("category").columns
    return tensors.arrow(table.astype(dict.fromkeys(categories, object)))


def counted(tables: Iterator[pd.DataFrame], advance: Callable[[int], None]) -> Iterator[pd.DataFrame]:
    """Yield tables, and report the number of rows of each, as to a progress bar."""
    for table in tables:
        advance(len(table))
        yield table


def schema(real: pd.DataFrame, layout: Layout | None) -> pa.Schema:
    """Return the columns and types that synthetic rows have in a parquet file, by those of the real rows."""
    found = typed(real, layout and layout.writer(0)).schema
    # What pandas adds names the index, and so the number, of the real rows.
    return found if layout else found.remove_metadata()
