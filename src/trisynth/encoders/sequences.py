"""Encoder of series of unequal lengths, for classifiers and distances; it cannot be reversed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data import sequences
from trisynth.errors import InputError


@dataclass(frozen=True)
class SequenceBlock:
    """Adjacent columns of the matrix that encode one column of sequences.

    They are the length, and each channel at evenly spaced places between both ends.

    Parameters
    ----------
    name : str
    start, stop : int
        Columns of the matrix.
    mean, deviation : ndarray, shape (stop - start,)
        Of each column in the training rows; a constant one is divided by 1.
    """

    name: str
    start: int
    stop: int
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def learn(cls, name: str, cells: pd.Series, start: int) -> "SequenceBlock":
        """Learn the moments of training cells."""
        matrix = _numbers(cells)
        deviation = matrix.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        return cls(name, start, start + matrix.shape[1], matrix.mean(axis=0), scale)

    @property
    def elements(self) -> list[str]:
        """Names of the columns of the matrix, such as ``pulse[length]`` and ``pulse[3]``."""
        return [f"{self.name}[length]", *(f"{self.name}[{i}]" for i in range(self.stop - self.start - 1))]

    def encoded(self, cells: pd.Series) -> np.ndarray:
        """Return standardised numbers, shape (n, stop - start)."""
        return (_numbers(cells) - self.mean) / self.deviation

    def decoded(self, numbers: np.ndarray) -> pd.Series:
        """Refuse: steps between the places are lost."""
        remedy = "holds sequences, which cannot be restored from numbers; use generator=autoregressive"
        raise InputError("X", self.name, remedy)


def _numbers(cells: pd.Series) -> np.ndarray:
    points = sequences.resampled(cells)
    return np.hstack([sequences.lengths(cells)[:, None], points.reshape(len(points), -1)])
