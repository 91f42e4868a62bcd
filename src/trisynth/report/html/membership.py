"""Membership attack of the simplest kind, by the distance to the nearest synthetic row."""

from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn.neighbors import NearestNeighbors

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.encoders.table import TableEncoder
from trisynth.report.html.columns import exact
from trisynth.statistics.roc import delong

# Most rows of each table; the half-width of the interval is then below 0.03.
_ROWS = 1_000


def membership(train: Dataset, test: Dataset, synthetic: Dataset, seed: int) -> dict[str, Any] | None:
    """Compute the ROC AUC by which nearness to a synthetic row separates training rows from held-out rows.

    Parameters
    ----------
    train, test, synthetic : Dataset
    seed : int
        Seed of the rows that stand for large tables.

    Returns
    -------
    dict or None
        ``auc`` with the 95 % interval of DeLong et al. (1988), ``low`` to ``high``, and the rows of either kind;
        None where a table has fewer than two rows.
    """
    rng = seeds.stream(seed, "report.membership")
    if min(len(train), len(test), len(synthetic)) < 2 or not train.X.shape[1]:
        return None
    encoder = TableEncoder().fit(train.X)
    rows = [
        encoder.transform(part.X.iloc[np.sort(rng.permutation(len(part))[:_ROWS])]) for part in (train, test, synthetic)
    ]
    nearest = NearestNeighbors(n_neighbors=1).fit(rows[2])
    auc, error = delong(*(-nearest.kneighbors(part)[0][:, 0] for part in rows[:2]))
    half = norm.ppf(0.975) * error
    return {
        "auc": exact(auc),
        "low": exact(max(auc - half, 0.0)),
        "high": exact(min(auc + half, 1.0)),
        "rows": {"training": len(rows[0]), "held_out": len(rows[1]), "synthetic": len(rows[2])},
    }
