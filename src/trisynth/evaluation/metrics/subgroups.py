"""Fidelity within subgroups: a table may be right on average and wrong for the few."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.fidelity import ks


@dataclass(frozen=True)
class Subgroups(FidelityMetric):
    """Distance of the distributions within each subgroup, ``subgroup_distance``, and the largest, ``subgroup_worst``.

    A subgroup is the rows of one category of one column, the target among them. Its distance is the mean over the other
    columns of the Kolmogorov-Smirnov statistic of numbers and the total variation distance of categories, between its
    held-out and its synthetic rows. Few rows have a distance above 0 by chance, which the ceiling shows.

    Parameters
    ----------
    min_rows : int, default=30
        Subgroups of fewer held-out rows are left out. One of fewer synthetic rows than a tenth of this has distance 1.
    max_rows : int, default=5000
        Maximum number of rows of either side, the first ones.
    """

    min_rows: int = 30
    max_rows: int = 5_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("min_rows", self.min_rows, 2)
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        _, real, synthetic = (table.iloc[: self.max_rows] for table in context.tables)
        if not len(synthetic) or real.shape[1] < 2:
            return {}
        found = []
        for name in context.categories:
            for category in real[name].cat.categories:
                own = real[real[name] == category]
                if len(own) >= self.min_rows:
                    others = synthetic[synthetic[name] == category]
                    found.append(_distance(context, own, others, name) if 10 * len(others) >= self.min_rows else 1.0)
        return {"subgroup_distance": float(np.mean(found)), "subgroup_worst": max(found)} if found else {}


def _distance(context: Context, real: pd.DataFrame, synthetic: pd.DataFrame, apart: str) -> float:
    gaps = []
    for name in real.columns.drop(apart):
        if name in context.scales:
            cells = [table[name].dropna().to_numpy() for table in (real, synthetic)]
            if all(map(len, cells)):
                gaps.append(ks(*cells))
        else:
            counts = [np.bincount(*_codes(context, name, table)) / len(table) for table in (real, synthetic)]
            gaps.append(float(np.abs(counts[0] - counts[1]).sum() / 2))
    return float(np.mean(gaps)) if gaps else 0.0


def _codes(context: Context, name: str, table: pd.DataFrame) -> tuple[np.ndarray, None, int]:
    codes, size = context.bins(name, table)
    return codes, None, size
