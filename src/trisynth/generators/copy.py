"""The training rows themselves: the ceiling of fidelity and the alarm of privacy."""

import numpy as np
import pandas as pd

from trisynth.generators.base import Generator


class Copy(Generator):
    """Real training rows, drawn within the label; no row comes twice before every row of its label came once.

    A generator that scores like it has either learned the law or memorised the table: only the privacy metrics
    tell which. In the combined arm it is the rival "the same rows twice".
    """

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.table_ = table.copy()
        self.rows_ = labels

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        chosen = np.empty(len(labels), dtype=int)
        for label in np.unique(labels):
            wanted = np.flatnonzero(labels == label)
            rows = np.flatnonzero(self.rows_ == label)
            rounds = [rng.permutation(rows) for _ in range(-(-len(wanted) // len(rows)))]
            chosen[wanted] = np.concatenate(rounds)[: len(wanted)]
        return self.table_.take(chosen)
