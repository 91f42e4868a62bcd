"""A Gaussian of each class on principal components: the control that a generator of images must beat."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data.kinds import ENCODED, Kind
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.errors import require_number
from trisynth.generators.base import Generator


class ClassGaussian(Generator):
    """Probabilistic principal components of the encoded rows of each label (Tipping and Bishop 1999).

    For series this is the Gaussian process with the mean and covariance function of the training rows, without
    smoothing. Categories are the largest of their drawn indicators. A label of fewer than ``rare`` rows (see ``fit``)
    is drawn as all rows are.

    Parameters
    ----------
    explained : float, default=0.99
        Fraction of a label's variance that its components hold; the rest is independent noise of each column, with the
        variance that the components leave there.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = ENCODED
    pools: ClassVar[bool] = True

    def __init__(self, explained: float = 0.99):
        self.explained = explained

    def check(self) -> None:
        """Refuse a fraction outside the range 0 to 1."""
        require_number("explained", self.explained, 0, 1)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, rows: list[np.ndarray]) -> None:
        self.encoder_ = StandardizedEncoder(normal_scores=False)
        matrix = self.encoder_.fit_transform(table, rng)
        self.means_, self.components_, self.noise_ = [], [], []
        for own in rows:
            cells = matrix[own]
            centred = cells - cells.mean(axis=0)
            _, deviations, axes = np.linalg.svd(centred / np.sqrt(max(len(cells) - 1, 1)), full_matrices=False)
            held = np.cumsum(deviations**2) / max(np.sum(deviations**2), 1e-300)
            kept = int(np.searchsorted(held, self.explained - 1e-12)) + 1 if deviations.any() else 0
            components = deviations[:kept, None] * axes[:kept]
            left = centred.var(axis=0, ddof=min(1, len(cells) - 1)) - (components**2).sum(axis=0)
            self.means_.append(cells.mean(axis=0))
            self.components_.append(components)
            self.noise_.append(np.sqrt(np.maximum(left, 0.0)))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        matrix = rng.standard_normal((len(labels), self.encoder_.width_))
        for label in np.unique(labels):
            held = labels == label
            scores = rng.standard_normal((held.sum(), len(self.components_[label])))
            matrix[held] = self.means_[label] + scores @ self.components_[label] + matrix[held] * self.noise_[label]
        return self.encoder_.inverse(matrix)
