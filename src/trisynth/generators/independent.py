"""Independent columns: the floor that every fidelity metric is read against."""

import numpy as np
import pandas as pd

from trisynth.generators.base import Generator


class Independent(Generator):
    """Every column drawn on its own from its training cells, whatever the label.

    All dependence is lost, between columns and on the target, while each column's own law is exact. It is the
    baseline that a generator must beat before anything else is said of it.
    """

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.table_ = table.copy()

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        rows = {name: rng.integers(len(self.table_), size=len(labels)) for name in self.table_}
        return pd.DataFrame({name: self.table_[name].take(i).reset_index(drop=True) for name, i in rows.items()})
