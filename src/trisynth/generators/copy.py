"""Training rows: the ceiling of fidelity and the worst case of copying."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.kinds import KINDS, Kind
from trisynth.generators.base import Generator


class Copy(Generator):
    """Training rows, sampled within the label; no row is repeated before every row of its label was drawn.

    A generator with the same fidelity has either learned the distribution or memorised the table; the copying metrics
    distinguish the two. In the combined arm this is the baseline of duplicated rows. Identifiers and rare categories
    are not copied.
    """

    copies: ClassVar[bool] = True
    kinds: ClassVar[tuple[type[Kind], ...]] = KINDS

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
