"""Evidence: partially known rows, as tokens and labels of a fitted circuit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.base import Generator
from trisynth.generators.partial import Partial
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
        """Read partial rows as ``Partial.read`` does, solve them for derived columns, and encode them as tokens."""
        partial = Partial.read(fitted, X, y)
        known = derived.solved(partial.table)
        given = np.array([name in known for name in discretizer.names])
        tokens = discretizer.encode(known)
        missing = np.zeros(tokens.shape, bool)
        missing[:, given] = known[[name for name in discretizer.names if name in known]].isna().to_numpy()
        return cls(tokens, missing, partial.labels, known)
