"""The two spaces that rows are trained in: scaled columns, and modes of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from torch import Tensor

from trisynth.encoders.table import Block, TableEncoder
from trisynth.generators.neural import networks
from trisynth.generators.neural.modes import ModeEncoder
from trisynth.generators.neural.ranks import Ranks
from trisynth.generators.neural.training import Trained

# Below this standard deviation a column is constant.
_CONSTANT = 1e-9


@dataclass(eq=False, repr=False)
class Scaled(Trained):
    """Rows as columns of a ``TableEncoder``; numbers are standardised, whatever scale the encoder gave them.

    Parameters
    ----------
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``.
    normal_scores : bool
        Whether numbers with repeated values are trained, and looked at by L_total, as normal scores of their ranks.
    """

    encoder: TableEncoder | None = None
    normal_scores: bool = True

    renamed = Trained.renamed | {"ranks": "normal_scores"}

    # Standard deviation of a number, and whether indicators are centred, too.
    _deviation, _centred = 1.0, False

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        self.ranks_ = {}
        if self.normal_scores:
            table = self._ranked(table, rng)
        self.encoder_ = (TableEncoder() if self.encoder is None else clone(self.encoder)).fit(table)
        matrix = self.encoder_.transform(table)
        number = np.arange(matrix.shape[1]) < len(self.encoder_.numbers_)
        deviation = matrix.std(axis=0)
        self.centre_ = np.where(number | self._centred, matrix.mean(axis=0), 0.0)
        self.spread_ = np.where(number & (deviation > _CONSTANT), deviation / self._deviation, 1.0)
        return (matrix - self.centre_) / self.spread_

    def _decode(self, matrix: np.ndarray) -> pd.DataFrame:
        table = self.encoder_.inverse(matrix * self.spread_ + self.centre_)
        for name, ranks in self.ranks_.items():
            table[name] = ranks.decode(table[name].to_numpy(float))
        return table

    def _ranked(self, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        table = table.copy()
        for name in table.select_dtypes("number"):
            cells = table[name].to_numpy(float, copy=True)
            present = ~np.isnan(cells)
            uniform = rng.random(len(cells))
            if (ranks := Ranks.learn(cells[present])) is not None:
                cells[present] = ranks.encode(cells[present], uniform[present])
                self.ranks_[name], table[name] = ranks, cells
        return table

    def _blocks(self) -> Sequence[Block]:
        return self.encoder_.blocks_

    def _check(self) -> None:
        super()._check()
        networks.check_switches(normal_scores=self.normal_scores)

    def _fill(self) -> Tensor:
        """What each number with missing cells, in the order of their indicators, holds where it is missing."""
        numbers = len(self.encoder_.numbers_)
        if not numbers:
            return torch.zeros(0)
        fills = self.encoder_.scaler_.transform(self.encoder_.medians_[None])[0]
        fills = (fills - self.centre_[:numbers]) / self.spread_[:numbers]
        incomplete = [self.encoder_.numbers_.index(b.name) for b in self._blocks() if b.kind == "missing"]
        return torch.tensor(fills[incomplete], dtype=torch.float32)


@dataclass(eq=False, repr=False)
class Modal(Trained):
    """Rows as modes and places within them; the objective looks at numbers and categories, not at modes.

    Parameters
    ----------
    max_modes : int
        Most modes of a number; 1 is plain standardisation.
    """

    max_modes: int = 10

    renamed = Trained.renamed | {"modes": "max_modes"}

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        self.encoder_ = ModeEncoder(self.max_modes).fit(table, rng)
        return self.encoder_.transform(table, rng)

    def _decode(self, matrix: np.ndarray) -> pd.DataFrame:
        return self.encoder_.inverse(matrix)

    def _blocks(self) -> Sequence[Block]:
        return self.encoder_.flat_

    def _values(self, rows: Tensor) -> Tensor:
        return self.encoder_.values(rows)

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(max_modes=self.max_modes)
