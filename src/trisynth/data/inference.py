"""Inference of the task from the values of a target: the same for a file and for a DataFrame."""

import pandas as pd
from pandas.api import types

# A target with more distinct numbers than this is a quantity, unless it is declared otherwise.
MOST_CLASSES = 20


def task_of(target: pd.Series) -> str:
    """Infer the task of a target about which nothing is declared.

    Parameters
    ----------
    target : Series, shape (n,)
        Typed cells: texts are classes even if they read as numbers.

    Returns
    -------
    {"classification", "regression"}
        Regression where there are more than 20 distinct numbers or dates.
    """
    quantity = types.is_numeric_dtype(target.dtype) or types.is_datetime64_any_dtype(target.dtype)
    return "regression" if quantity and target.nunique() > MOST_CLASSES else "classification"
