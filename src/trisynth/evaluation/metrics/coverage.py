"""Density and coverage of the real distribution by synthetic rows (Naeem et al. 2020)."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from trisynth import seeds
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric


@dataclass(frozen=True)
class Coverage(FidelityMetric):
    """Density and coverage of held-out rows, in the encoder's space without the target.

    The neighbourhood of a held-out row is the ball up to its k-th neighbour among the held-out rows. ``coverage`` is
    the fraction of neighbourhoods that hold a synthetic row; ``density`` is the mean number of neighbourhoods that a
    synthetic row lies in, divided by k. Rows of the real distribution score about 1 - 2^-k (0.97 for k = 5) and 1. Both
    are left out where either side has too few rows.

    Parameters
    ----------
    n_neighbors : int, default=5
        The paper's k.
    max_rows : int, default=1000
        Maximum number of rows of either side.
    """

    n_neighbors: int = 5
    max_rows: int = 1_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("n_neighbors", self.n_neighbors, 1)
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        rng = seeds.stream(context.seed, "metrics.coverage")
        # As many of both: coverage grows with the number of synthetic rows.
        size = min(len(context.test), len(context.synthetic), self.max_rows)
        if size <= self.n_neighbors:
            return {}
        real, generated = (
            context.encoder.transform(part.X.iloc[rng.permutation(len(part))[:size]])
            for part in (context.test, context.synthetic)
        )
        radius = NearestNeighbors(n_neighbors=self.n_neighbors).fit(real).kneighbors()[0][:, -1]
        squared = np.sum(real**2, axis=1)[:, None] + np.sum(generated**2, axis=1) - 2 * real @ generated.T
        # Rounding must not exclude a row that equals the neighbour on the edge.
        inside = squared <= radius[:, None] ** 2 + 1e-9
        return {
            "coverage": float(inside.any(axis=1).mean()),
            "density": float(inside.sum(axis=0).mean() / self.n_neighbors),
        }
