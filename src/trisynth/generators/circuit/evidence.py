"""Evidence: partially known rows, as tokens and labels of a fitted circuit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.relations.formulas import DerivedColumns


@dataclass(frozen=True)
class Evidence:
    """Known cells and labels of some rows.

    Parameters
    ----------
    tokens : ndarray of int, shape (n, d)
        -1 where nothing is known.
    missing : ndarray of bool, shape (n, d)
        Missing cells of the given columns.
    labels : ndarray of int, shape (n,), or None
        None where no classes are given.
    known : DataFrame
        Canonical table of the modelled columns that are given or follow from given ones.
    """

    tokens: np.ndarray
    missing: np.ndarray
    labels: np.ndarray | None
    known: pd.DataFrame

    @classmethod
    def of(
        cls,
        fitted: Generator,
        derived: DerivedColumns,
        discretizer: TableDiscretizer,
        X: pd.DataFrame,
        y: pd.Series | None,
    ) -> "Evidence":
        """Read partial rows by the training schema of a fitted generator.

        Parameters
        ----------
        fitted : Generator
        derived : DerivedColumns
        discretizer : TableDiscretizer
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
            raise InputError("y", y.name, "the circuit was fitted without a target; leave y out")
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
        known = derived.solved(fitted.relations_.partial(pd.DataFrame(table, index=X.index)))
        given = np.array([name in known for name in discretizer.names])
        tokens = discretizer.encode(known)
        missing = np.zeros(tokens.shape, bool)
        missing[:, given] = known[[name for name in discretizer.names if name in known]].isna().to_numpy()
        return cls(tokens, missing, labels, known)
