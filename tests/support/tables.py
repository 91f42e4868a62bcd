"""Views of tables that several test files need."""

import pandas as pd


def apart(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Separate features from the target, the last column."""
    return table.iloc[:, :-1], table.iloc[:, -1]
