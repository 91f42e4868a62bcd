"""Conversion of Arrow's tables to DataFrames without loss."""

import pandas as pd
import pyarrow as pa

from trisynth.data import tensors
from trisynth.errors import InputError


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert a table of Arrow: whole numbers with gaps, dates and decimals keep their types."""
    # Row numbers are not a column; an index with a name is.
    numbers = [name for name in _index_columns(table.schema) if name.startswith("__index_level_")]
    table = table.drop_columns([name for name in numbers if name in table.column_names]).replace_schema_metadata(None)
    gaps = {column.type for column in table.columns if column.null_count}

    def own(kind: pa.DataType) -> pd.ArrowDtype | None:
        kept = pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_decimal(kind)
        with_gaps = kind in gaps and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
        return pd.ArrowDtype(kind) if kept or with_gaps or tensors.is_any_list(kind) else None

    try:
        return table.to_pandas(types_mapper=own, ignore_metadata=True)
    except KeyError as error:
        # Of the library that knows time zones.
        remedy = "is a time zone that is not known here; write the column in UTC"
        raise InputError("dataset.columns", error.args[0], remedy) from None


def _index_columns(schema: pa.Schema) -> list[str]:
    """Return the columns that pandas wrote for an index; none where the file's description of them is damaged."""
    try:
        described = schema.pandas_metadata or {}
        return [name for name in described.get("index_columns", ()) if isinstance(name, str)]
    except (ValueError, AttributeError, TypeError):
        return []
