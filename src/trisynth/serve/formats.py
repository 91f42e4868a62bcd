"""Formats of served rows: each turns tables into the bytes of one answer, a batch at a time."""

import io
from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa
from pyarrow import csv, ipc

from trisynth.errors import InputError

_PIECE = 2_000


def as_json(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    """Write one array of objects, a row each; dates as ISO 8601 and missing cells as null."""
    opening = b"["
    for table in tables:
        # Other threads wait while one piece is written.
        for piece in table.to_batches(_PIECE):
            text = orjson.dumps(piece.to_pylist(), default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME)
            yield opening + text[1:-1]
            opening = b",\n"
    yield b"]\n"


def _text(cell: Any) -> str:
    """Write a cell that JSON has no form for: dates as ISO 8601, others as Python does."""
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def as_csv(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    """Write one line of names and a line a row; missing cells are empty, and arrays are refused."""
    header = True
    for table in tables:
        for i, field in enumerate(table.schema):
            if pa.types.is_nested(field.type):
                remedy = f"cannot hold column {field.name}, whose cells are arrays; take json or arrow"
                raise InputError("format", "csv", remedy)
            if pa.types.is_timestamp(field.type) or pa.types.is_duration(field.type):
                table = table.set_column(i, field.name, _times(table[i]))
        content = io.BytesIO()
        csv.write_csv(table, content, csv.WriteOptions(include_header=header, quoting_style="needed"))
        header = False
        yield content.getvalue()


def _times(cells: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Write times as pandas does in files: Arrow gives midnights nine decimals, and durations as whole numbers."""
    if pa.types.is_timestamp(cells.type) and cells.type.tz is None:
        dates = cells.cast(pa.date32())
        if dates.cast(cells.type).equals(cells):
            return dates
    times = cells.to_pandas()
    return pa.array(times.astype(str).where(times.notna(), None), pa.string())


def as_arrow(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    """Write the streaming format of Arrow, which ``pyarrow.ipc.open_stream`` reads."""
    content, writer, schema = io.BytesIO(), None, None
    for table in tables:
        schema = schema or table.schema
        writer = writer or ipc.new_stream(content, schema)
        # A batch without a text or a number in some column has another type there.
        writer.write_table(table.cast(schema))
        yield content.getvalue()
        content.seek(0)
        content.truncate()
    writer.close()
    yield content.getvalue()


FORMATS = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "arrow": (as_arrow, "application/vnd.apache.arrow.stream"),
}
