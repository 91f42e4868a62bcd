"""Independent columns: the floor of every fidelity metric."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import tensors, texts
from trisynth.data.kinds import KINDS, Kind
from trisynth.generators.base import Generator


class Independent(Generator):
    """Product of the empirical marginal distributions, independent of the label.

    Each column is drawn from its training cells. All dependence between columns and on the target is lost. A useful
    generator must be better than this baseline. Of a tensor, each element is drawn by itself: whole arrays would be
    copies. Of a text, each word is drawn by itself from all words, and the number of words from all texts.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = KINDS

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.table_ = table.copy()

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        rows = {name: rng.integers(len(self.table_), size=len(labels)) for name in self.table_}
        return pd.DataFrame({name: self._drawn(self.table_[name], i, rng) for name, i in rows.items()})

    @staticmethod
    def _drawn(cells: pd.Series, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        if texts.is_text(cells.dtype):
            return _words(texts.values(cells), rows, rng)
        if not tensors.is_tensor(cells.dtype):
            return cells.take(rows).reset_index(drop=True)
        arrays = tensors.values(cells)
        drawn = rng.integers(len(arrays), size=(len(rows), arrays.shape[1]))
        return tensors.column(np.take_along_axis(arrays, drawn, axis=0), cells.name)


def _words(cells: list[str], rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
    """Draw texts of independent words, each as long as the text of one of ``rows``."""
    split = [texts.tokens(text) for text in cells]
    flat = np.array([token for tokens in split for token in tokens], dtype=object)
    sizes = np.array([len(tokens) for tokens in split])[rows]
    drawn = flat[rng.integers(max(len(flat), 1), size=sizes.sum())] if len(flat) else flat
    parts = np.split(drawn, np.cumsum(sizes)[:-1]) if len(rows) else []
    return texts.column("".join(part) for part in parts)
