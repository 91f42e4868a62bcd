"""Reversible encoder of tables to standardised columns, with normal scores for repeated values."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import clone

from trisynth.encoders.normal_scores import NormalScores
from trisynth.encoders.table import Block, TableEncoder

# Below this standard deviation a column is constant.
_CONSTANT = 1e-9


class StandardizedEncoder:
    """Columns of a ``TableEncoder``, whose numbers are standardised whatever scale the encoder gave them.

    Parameters
    ----------
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``.
    normal_scores : bool
        Whether numbers with repeated values are replaced by normal scores of their ranks.
    deviation : float
        Standard deviation of an encoded number.
    centre_indicators : bool
        Whether indicators are centred, too.

    Attributes
    ----------
    width_ : int
        Columns of the matrix.
    fills_ : ndarray
        Encoded value of each number with missing cells where it is missing, in the order of the indicators.
    """

    def __init__(
        self,
        encoder: TableEncoder | None = None,
        normal_scores: bool = True,
        deviation: float = 1.0,
        centre_indicators: bool = False,
    ):
        self.encoder, self.normal_scores = encoder, normal_scores
        self.deviation, self.centre_indicators = deviation, centre_indicators

    def fit_transform(self, table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Learn from a canonical table of training rows and return its matrix, shape (n, width_)."""
        self.scores_: dict[str, NormalScores] = {}
        if self.normal_scores:
            table = self._scored(table, rng)
        self.encoder_ = (TableEncoder() if self.encoder is None else clone(self.encoder)).fit(table)
        matrix = self.encoder_.transform(table)
        number = np.arange(matrix.shape[1]) < len(self.encoder_.numbers_)
        tensor = np.zeros(matrix.shape[1], bool)
        for each in self.encoder_.tensors_:
            tensor[each.start : each.stop] = True
        deviation = matrix.std(axis=0)
        self.mean_ = np.where(number | self.centre_indicators, matrix.mean(axis=0), 0.0)
        self.scale_ = np.where(number & (deviation > _CONSTANT), deviation / self.deviation, 1.0)
        # The elements of a tensor keep the one scale that they have in common.
        self.scale_ = np.where(tensor, 1 / self.deviation, self.scale_)
        self.width_ = matrix.shape[1]
        self.fills_ = self._fills()
        return (matrix - self.mean_) / self.scale_

    def inverse(self, matrix: np.ndarray) -> pd.DataFrame:
        """Return the canonical table of a matrix of shape (n, width_)."""
        table = self.encoder_.inverse(matrix * self.scale_ + self.mean_)
        for name, scores in self.scores_.items():
            table[name] = scores.decode(table[name].to_numpy(float))
        return table

    @property
    def blocks_(self) -> Sequence[Block]:
        """Blocks of columns: numbers first, then missing indicators, then categories."""
        return self.encoder_.blocks_

    @property
    def value_blocks_(self) -> Sequence[Block]:
        """Blocks of ``values``, which are those of the matrix itself."""
        return self.blocks_

    def values(self, rows):
        """Return encoded rows as L_total compares them: unchanged."""
        return rows

    def _scored(self, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        table = table.copy()
        for name in table.select_dtypes("number"):
            cells = table[name].to_numpy(float, copy=True)
            present = ~np.isnan(cells)
            uniform = rng.random(len(cells))
            if (scores := NormalScores.learn(cells[present])) is not None:
                cells[present] = scores.encode(cells[present], uniform[present])
                self.scores_[name], table[name] = scores, cells
        return table

    def _fills(self) -> np.ndarray:
        numbers = len(self.encoder_.numbers_)
        if not numbers:
            return np.zeros(0)
        fills = self.encoder_.scaler_.transform(self.encoder_.medians_[None])[0]
        fills = (fills - self.mean_[:numbers]) / self.scale_[:numbers]
        return fills[[self.encoder_.numbers_.index(b.name) for b in self.blocks_ if b.kind == "missing"]]
