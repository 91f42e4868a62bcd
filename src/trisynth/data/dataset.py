"""What a data set is: a table, its target, and the facts that were declared about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

KINDS = ("number", "category", "ignore")
TASKS = ("classification", "regression")


@dataclass(frozen=True)
class Column:
    """Declared facts of one column; all are optional.

    Parameters
    ----------
    kind : {"number", "category", "ignore"} or None
        None infers it from the values; "ignore" drops the column (identifiers, outcomes recorded later).
    categories : tuple of str or None
        The admissible values of a category, in order.
    bounds : tuple of float or None
        Smallest and largest plausible value, inclusive; what lies outside is treated as missing.
    integer : bool or None
        Whether the numbers are whole.
    unit : str
        Unit of measurement, for axis labels.
    """

    kind: str | None = None
    categories: tuple[str, ...] | None = None
    bounds: tuple[float, float] | None = None
    integer: bool | None = None
    unit: str = ""


@dataclass(frozen=True)
class Spec:
    """Declared facts of a data set, as its yaml says them.

    Parameters
    ----------
    name : str
        Short name, used for folders and labels.
    target : str
        Column to predict.
    task : {"classification", "regression"}
    columns : mapping of str to Column
        Declared columns; a column that is not named here is inferred.
    modality : str
        "table" here; arrays (series, images, texts) carry the same spec.
    licence, note : str
        Terms of use, and what a reader must know about the origin.
    """

    name: str
    target: str
    task: str = "classification"
    columns: Mapping[str, Column] = field(default_factory=dict)
    modality: str = "table"
    licence: str = ""
    note: str = ""


@dataclass(frozen=True)
class Dataset:
    """Rows, their target and their spec.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
        The dtypes are the schema: ``float64`` and ``int64`` (``Int64`` where cells are missing) for numbers,
        ``category`` with string categories for categories. Index 0..n-1.
    y : Series, shape (n,)
        ``category`` for classification, ``float64`` for regression; no missing values.
    spec : Spec
    """

    X: pd.DataFrame
    y: pd.Series
    spec: Spec

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Any) -> "Dataset":
        """The given row positions, renumbered from 0."""
        return Dataset(self.X.iloc[rows].reset_index(drop=True), self.y.iloc[rows].reset_index(drop=True), self.spec)
