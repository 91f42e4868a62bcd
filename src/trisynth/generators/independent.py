"""Independent columns: the floor of every fidelity metric."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import sequences, tensors, texts
from trisynth.data.kinds import KINDS, Kind
from trisynth.generators.base import Generator
from trisynth.generators.draws import check_draws, uniform_by_group


class Independent(Generator):
    """Product of the empirical marginal distributions, independent of the label.

    Each column is drawn from its training cells. All dependence between columns and on the target is lost. A useful
    generator must be better than this baseline. In a tensor, each element is drawn by itself: whole arrays would be
    copies. In a sequence, each step is drawn by itself from all steps, and the length from all lengths. In a text, each
    word is drawn by itself from all words, and the number of words from all texts.

    Parameters
    ----------
    draws : {"independent", "even"}, default="independent"
        Whether the rows of each column are spread evenly; even rows
        are not independent (see ``generators.draws``).
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = KINDS
    pools: ClassVar[bool] = True
    # For subclasses whose own constructor does not set it.
    draws = "independent"

    def __init__(self, draws: str = "independent"):
        self.draws = draws

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        check_draws(self.draws)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.table_ = table.copy()

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        rows = {name: self._rows(self.table_[name], len(labels), rng) for name in self.table_}
        return pd.DataFrame({name: self._drawn(self.table_[name], i, rng) for name, i in rows.items()})

    def _rows(self, cells: pd.Series, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the numbers of n training rows; even ones are spread over the ordered cells of the column."""
        if self.draws == "independent":
            return rng.integers(len(cells), size=n)
        place = uniform_by_group(np.zeros(n, dtype=np.int64), rng, even=True)
        if tensors.is_cell(cells.dtype):
            order = rng.permutation(len(cells))
        else:
            codes = cells.cat.codes if isinstance(cells.dtype, pd.CategoricalDtype) else cells
            order = np.argsort(codes.to_numpy(), kind="stable")
        return order[(place * len(cells)).astype(np.int64)]

    @staticmethod
    def _drawn(cells: pd.Series, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        if texts.is_text(cells.dtype):
            return _words(texts.values(cells), rows, rng)
        if tensors.is_sequence(cells.dtype):
            steps = sequences.flat(cells)
            sizes = sequences.lengths(cells)[rows]
            return sequences.of_flat(steps[rng.integers(len(steps), size=sizes.sum())], sizes, cells.name)
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
