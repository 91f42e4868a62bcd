"""Partial rows: known cells as a fitted generator sees them, and complete rows in which they are kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.errors import InputError
from trisynth.generators.base import Generator


@dataclass(frozen=True)
class Partial:
    """Known cells and labels of some rows.

    Parameters
    ----------
    table : DataFrame, shape (n, any)
        Canonical table of the modelled columns that are given.
    labels : ndarray of int, shape (n,), or None
        None where no classes are given.
    """

    table: pd.DataFrame
    labels: np.ndarray | None

    @classmethod
    def read(cls, fitted: Generator, X: pd.DataFrame, y: pd.Series | None) -> "Partial":
        """Read partial rows by the training schema of a fitted generator.

        Parameters
        ----------
        fitted : Generator
        X : DataFrame, shape (n, any)
            Any of the training columns.
        y : Series, shape (n,), or None
            Targets.

        Raises
        ------
        InputError
            If a column or a class has no training example, or y has another length than X.
        """
        schemas = {column.name: column for column in fitted.schema_.columns}
        if set(X.columns) - set(schemas):
            raise InputError(
                "X",
                list(X.columns),
                f"has columns that the training table did not have; known columns: {list(schemas)}",
            )
        X = fitted.written_.read(X)
        table = {name: schemas[name].canonical(X[name]) for name in X.columns}
        labels = None
        if y is not None and fitted.target_ is None:
            raise InputError("y", y.name, "the generator was fitted without a target; leave y out")
        if y is not None and len(y) != len(X):
            raise InputError("y", len(y), f"must have one value per row of X, {len(X)}")
        if y is not None and fitted.numeric_target_:
            given = fitted.written_.read(y.rename(fitted.target_.name).to_frame())[fitted.target_.name]
            table[fitted.target_column_] = fitted.target_.canonical(given.set_axis(X.index))
        elif y is not None:
            codes = fitted.target_.canonical(y).cat.codes.to_numpy()
            trained = pd.Index(fitted.target_.categories).get_indexer(fitted.labels_)
            labels = pd.Index(trained).get_indexer(codes)
            if (labels < 0).any():
                raise InputError(
                    "y", y.iloc[labels < 0].iloc[0], f"is not a training class; the classes are {list(fitted.labels_)}"
                )
        return cls(fitted.relations_.partial(pd.DataFrame(table, index=X.index)), labels)

    def filled(self, table: pd.DataFrame, concerned: list) -> pd.DataFrame:
        """Return drawn canonical rows with the known numbers of the columns ``concerned`` in their place."""
        for name in self.table.columns.intersection(concerned):
            if self.table[name].dtype != "category":
                table[name] = self.table[name].fillna(table[name])
        return table


def kept(fitted: Generator, complete: pd.DataFrame, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
    """Return complete rows with the given cells and targets in their place, exactly as they were given."""
    known = fitted.written_.read(X).notna()
    for name in X.columns:
        complete[name] = X[name].where(known[name], complete[name]).astype(complete[name].dtype)
    if y is not None:
        complete[fitted.target_.name] = y.to_numpy()
        complete[fitted.target_.name] = complete[fitted.target_.name].astype(fitted.target_.dtype)
    return complete
