"""Means of the cells over their seeds."""

import numpy as np
import pandas as pd
from scipy import stats

SCORES = ("c2st_train", "c2st_heldout", "tstr_auc", "shape", "trend", "copy_share", "singling_out", "fit_cpu_s")


def over_seeds(cells: pd.DataFrame) -> pd.DataFrame:
    """Return ``mean ± half`` of the 95 % t interval over the seeds of each generator and table.

    Seeds differ in the generator alone; the training and held-out rows of a published table are always the same.

    Parameters
    ----------
    cells : DataFrame
        Rows of ``published.csv``.
    """

    def printed(values: pd.Series) -> str:
        values = values.dropna()
        if not len(values):
            return "-"
        mean = f"{values.mean():.4f}"
        if len(values) == 1:
            return mean
        half = stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))
        return f"{mean} ± {half:.4f}"

    return cells.groupby(["table", "generator"])[list(SCORES)].agg(printed)
