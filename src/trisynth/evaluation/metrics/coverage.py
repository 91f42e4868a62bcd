"""Whether synthetic rows reach all real ones, and how densely (Naeem et al. 2020)."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from trisynth import seeds
from trisynth.evaluation.metrics.context import Context

# Neighbours that make a row's neighbourhood, as in the paper, and the rows of either side that are looked at.
_NEIGHBOURS, _MOST = 5, 1_000


def coverage(context: Context) -> dict[str, float]:
    """Density and coverage of held-out rows, in the encoder's space without the target.

    A held-out row's neighbourhood is the ball up to its fifth neighbour among the held-out rows. ``coverage`` is the
    share of neighbourhoods with a synthetic row in them; ``density`` is the mean number of neighbourhoods that a
    synthetic row lies in, over five. Rows of the real law score about 1 - 2^-5 = .97 and 1.

    Parameters
    ----------
    context : Context

    Returns
    -------
    dict of str to float
        Empty where either side has too few rows.
    """
    rng = seeds.stream(context.seed, "metrics.coverage")
    # As many of both: coverage grows with the number of synthetic rows.
    size = min(len(context.test), len(context.synthetic), _MOST)
    if size <= _NEIGHBOURS:
        return {}
    real, fakes = (
        context.encoder.transform(part.X.iloc[rng.permutation(len(part))[:size]])
        for part in (context.test, context.synthetic)
    )
    radius = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(real).kneighbors()[0][:, -1]
    squared = np.sum(real**2, axis=1)[:, None] + np.sum(fakes**2, axis=1) - 2 * real @ fakes.T
    # Rounding must not throw out a row that equals the neighbour on the edge.
    inside = squared <= radius[:, None] ** 2 + 1e-9
    return {
        "coverage": float(inside.any(axis=1).mean()),
        "density": float(inside.sum(axis=0).mean() / _NEIGHBOURS),
    }
