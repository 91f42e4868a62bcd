"""Columns whose names need not be texts: a name may be a number or a tuple, which ``DataFrame.assign`` refuses."""

from collections.abc import Hashable, Mapping

import pandas as pd


def with_columns(table: pd.DataFrame, columns: Mapping[Hashable, object]) -> pd.DataFrame:
    """Return a table with some columns set; the given one is not changed."""
    table = table.copy(deep=False)
    for name, values in columns.items():
        table[name] = values
    return table


def with_column(table: pd.DataFrame, name: Hashable, values: object) -> pd.DataFrame:
    """Return a table with one column set; the given one is not changed."""
    return with_columns(table, {name: values})


def fresh_name(table: pd.DataFrame, name: Hashable) -> Hashable:
    """Return a name like the given one that no column of the table has."""
    while name in table.columns:
        name = f"{name}'"
    return name
