"""Sequences: series whose lengths differ from row to row."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import sequences, tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind
from trisynth.errors import InputError


@dataclass(frozen=True)
class Sequence(Kind):
    """A series per row, of any number of steps and of the same channels.

    Parameters
    ----------
    channels : int
    longest : int
        Steps of the longest training sequence.
    lower, upper : float
        Range of all numbers of the training rows.
    whole : bool
        Whether all numbers are whole.
    """

    channels: int = 1
    longest: int = 0
    lower: float = np.nan
    upper: float = np.nan
    whole: bool = False

    kind: ClassVar[str] = "sequence"
    flat: ClassVar[bool] = False
    is_series: ClassVar[bool] = True

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take large lists of Arrow whose items are lists of one number per channel."""
        return tensors.is_sequence(values.dtype)

    @classmethod
    def learn(cls, values: pd.Series, facts: Column) -> "Sequence":
        """Learn channels, longest length and range; missing cells and numbers are refused."""
        check_sequences(values)
        cells, channels = sequences.flat(values), sequences.channels_of(values.dtype)
        if not cells.size:
            return cls(values.name, values.dtype, facts, channels)
        whole = bool(facts.integer) or not (cells % 1).any()
        longest = int(sequences.lengths(values).max())
        ends = float(cells.min()), float(cells.max())
        return cls(values.name, values.dtype, facts, channels, longest, *ends, whole)

    def canonical(self, values: pd.Series) -> pd.Series:
        """Return the cells unchanged."""
        check_sequences(values)
        return values

    def restore(self, values: pd.Series) -> pd.Series:
        """Return sequences inside the range of the training rows, whole where those are."""

        def inside(cells: np.ndarray) -> np.ndarray:
            cells = np.clip(cells, self.lower, self.upper)
            return np.rint(cells) if self.whole else cells

        return sequences.mapped(values, inside) if len(values) else values


def check_sequences(values: pd.Series) -> None:
    """Refuse missing and empty sequences, and those with a number that is not finite."""
    gone = values.isna().to_numpy()
    if not gone.any():
        gone = sequences.lengths(values) == 0
    if gone.any():
        remedy = f"row {int(gone.argmax())} has no steps; drop such rows, {int(gone.sum())} in all"
        raise InputError("X", values.name, remedy)
    odd = ~np.isfinite(sequences.flat(values)).all(axis=1)
    if odd.any():
        rows = np.repeat(np.arange(len(values)), sequences.lengths(values))[odd]
        remedy = f"the sequence of row {int(rows[0])} holds NaN or infinity; fill it in, or drop such rows"
        raise InputError("X", values.name, f"{remedy}, {len(np.unique(rows))} in all")
