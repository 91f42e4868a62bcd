"""Independent columns: the floor of every fidelity metric."""

import numpy as np
import pandas as pd

from trisynth.generators.base import Generator


class Independent(Generator):
    """Product of the empirical marginal distributions, independent of the label.

    Each column is drawn from its training cells. All dependence between columns and on the target is lost. A useful
    generator must be better than this baseline.
    """

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.table_ = table.copy()

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        rows = {name: rng.integers(len(self.table_), size=len(labels)) for name in self.table_}
        return pd.DataFrame({name: self.table_[name].take(i).reset_index(drop=True) for name, i in rows.items()})
