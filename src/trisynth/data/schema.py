"""Schema of a table, learned from declared facts and training rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.dataset import Column
from trisynth.data.kinds import Kind, learn


@dataclass(frozen=True)
class Schema:
    """Columns of a table, in order; translates to the canonical table and back (see ``kinds``)."""

    columns: tuple[Kind, ...]

    @classmethod
    def learn(
        cls,
        X: pd.DataFrame,
        facts: Mapping[str, Column] | None = None,
        rare: int = 0,
        persons: np.ndarray | None = None,
    ) -> "Schema":
        """Learn the schema of training rows ``X``, shape (n, d); declared facts of a column have precedence.

        Categories of fewer than ``rare`` rows (of fewer persons, if rows belong to persons) are pooled unless they
        are declared.
        """
        facts = facts or {}
        return cls(tuple(learn(X[name], facts.get(name), rare, persons) for name in X.columns))

    def canonical(self, X: pd.DataFrame) -> pd.DataFrame:
        """Translate ``X`` to numbers and categories, same shape and index."""
        return self._table({c.name: c.canonical(X[c.name]) for c in self.columns}, X.index)

    def restore(self, table: pd.DataFrame) -> pd.DataFrame:
        """Translate a canonical table to the original dtypes, steps, ranges and column order."""
        return self._table({c.name: c.restore(table[c.name]) for c in self.columns}, table.index)

    def _table(self, columns: dict, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(columns, index=index, columns=[c.name for c in self.columns])
