"""Linear autoregression of series of equal or unequal lengths within classes, a control for recurrent networks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import precision, sequences, tensors
from trisynth.data.kinds import Kind, Sequence, Tensor
from trisynth.errors import InputError, require_number, require_whole
from trisynth.generators.base import Generator


@dataclass(frozen=True)
class Regression:
    """Fitted autoregression of the series of one label.

    Parameters
    ----------
    lengths : ndarray of int, shape (rows,)
        Number of steps of each training row.
    coefficients : ndarray, shape (1 + degree + order * channels + order, channels)
        Of an intercept, powers of the fraction of the length that has passed, the steps before, and an indicator of
        each of these that lies before the beginning.
    residuals : ndarray, shape (steps of all rows, channels)
        What the coefficients leave, in random order.
    """

    lengths: np.ndarray
    coefficients: np.ndarray
    residuals: np.ndarray


class Autoregressive(Generator):
    """Each step is a linear function of the steps before and of the time, plus a residual of a training step.

    The length of a series is drawn first, from the training rows of the label. Each label has its own coefficients, by
    ridge regression; residuals are drawn from all steps of the label. All series columns of a row are drawn
    independently given the label. A label of fewer than ``rare`` rows (see ``fit``) is drawn as all rows are.

    Parameters
    ----------
    order : int, default=3
        Steps before that a step depends on.
    degree : int, default=3
        Degree of the polynomial in the fraction of the length that has passed.
    ridge : float, default=0.001
        Penalty of the squared coefficients, per training step.

    Notes
    -----
    A vector autoregression with resampled residuals (Efron and Tibshirani 1986). Values beyond the range of the
    training rows are moved to its ends before they enter the next step, so that no series grows without bound.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (Tensor, Sequence)
    pools: ClassVar[bool] = True

    def __init__(self, order: int = 3, degree: int = 3, ridge: float = 1e-3):
        self.order, self.degree, self.ridge = order, degree, ridge

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        require_whole("order", self.order, 1)
        require_whole("degree", self.degree, 0)
        require_number("ridge", self.ridge, 0)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, rows: list[np.ndarray]) -> None:
        for column in self.schema_.columns:
            if not column.is_series:
                remedy = "is an image, but Autoregressive models series; declare axes: [time, channel]"
                raise InputError("X", column.name, remedy)
        if self.numeric_target_:
            raise InputError("target", self.target_.name, "Autoregressive takes a target of classes")
        self.regressions_ = {}
        for column in self.schema_.columns:
            cells = self._series(table[column.name], column)
            self.regressions_[column.name] = [self._regression([cells[row] for row in own], rng) for own in rows]

    @staticmethod
    def _series(cells: pd.Series, column: Kind) -> list[np.ndarray]:
        if tensors.is_sequence(cells.dtype):
            return [cell.astype(float) for cell in sequences.values(cells)]
        return list(tensors.values(cells).astype(float).reshape(len(cells), column.shape[0], -1))

    def _regression(self, series: list[np.ndarray], rng: np.random.Generator) -> Regression:
        inputs = np.concatenate([self._inputs(each) for each in series])
        outputs = np.concatenate(series)
        penalty = self.ridge * len(outputs) * np.eye(inputs.shape[1])
        penalty[0, 0] = 0.0
        # With equal inputs the equations have many solutions; the smallest is taken.
        coefficients = np.linalg.lstsq(inputs.T @ inputs + penalty, inputs.T @ outputs, rcond=None)[0]
        residuals = (outputs - inputs @ coefficients)[rng.permutation(len(outputs))]
        return Regression(np.array([len(each) for each in series]), coefficients, residuals)

    def _inputs(self, cells: np.ndarray) -> np.ndarray:
        """Return the inputs of all steps of one series, shape (steps, inputs)."""
        steps, channels = cells.shape
        before = np.vstack([np.zeros((self.order, channels)), cells])
        lags = [before[self.order - lag : self.order - lag + steps] for lag in range(1, self.order + 1)]
        return np.hstack([self._times(np.arange(steps), steps), *lags, self._absent(np.arange(steps))])

    def _times(self, step: np.ndarray, lengths: np.ndarray | int) -> np.ndarray:
        passed = np.asarray(step) / np.maximum(np.asarray(lengths) - 1, 1)
        return passed[:, None] ** np.arange(self.degree + 1)

    def _absent(self, step: np.ndarray) -> np.ndarray:
        return (step[:, None] < np.arange(1, self.order + 1)).astype(float)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame({column.name: self._column(column, labels, rng) for column in self.schema_.columns})

    def _column(self, column: Kind, labels: np.ndarray, rng: np.random.Generator) -> pd.Series:
        fitted = self.regressions_[column.name]
        channels = fitted[0].residuals.shape[1]
        lengths = np.zeros(len(labels), int)
        for label in np.unique(labels):
            own = np.flatnonzero(labels == label)
            lengths[own] = rng.choice(fitted[label].lengths, len(own))
        made = np.zeros((len(labels), self.order + int(lengths.max(initial=1)), channels))
        for step in range(int(lengths.max(initial=0))):
            for label in np.unique(labels):
                own, rows = fitted[label], np.flatnonzero((labels == label) & (lengths > step))
                at = np.full(len(rows), step)
                lags = [made[rows, self.order + step - lag] for lag in range(1, self.order + 1)]
                inputs = np.hstack([self._times(at, lengths[rows]), *lags, self._absent(at)])
                residuals = own.residuals[rng.integers(len(own.residuals), size=len(rows))]
                drawn = inputs @ own.coefficients + residuals
                made[rows, self.order + step] = np.clip(drawn, column.lower, column.upper)
        made = precision.single(made[:, self.order :], column.name)
        if isinstance(column, Sequence):
            return sequences.column([each[:size] for each, size in zip(made, lengths, strict=True)], column.name)
        return tensors.column(made, column.name)
