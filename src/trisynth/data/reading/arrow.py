"""Conversion of Arrow's tables to DataFrames without loss."""

import pandas as pd
import pyarrow as pa

from trisynth.data import tensors


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert a table of Arrow: whole numbers with gaps, dates and decimals keep their types."""
    described = table.schema.pandas_metadata or {}
    # Row numbers are not a column; an index with a name is.
    numbers = [name for name in described.get("index_columns", ()) if name in table.column_names]
    table = table.drop_columns([name for name in numbers if name.startswith("__index_level_")])
    gaps = {column.type for column in table.columns if column.null_count}

    def own(kind: pa.DataType) -> pd.ArrowDtype | None:
        kept = pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_decimal(kind)
        with_gaps = kind in gaps and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
        return pd.ArrowDtype(kind) if kept or with_gaps or tensors.is_list_of_numbers(kind) else None

    return table.to_pandas(types_mapper=own, ignore_metadata=True)
