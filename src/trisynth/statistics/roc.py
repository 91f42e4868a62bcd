"""ROC AUC of scores with its standard error."""

import numpy as np
from scipy.stats import rankdata


def delong(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float]:
    """Estimate the ROC AUC of scores and its standard error (DeLong, DeLong and Clarke-Pearson 1988)."""
    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    # Placements: the fraction of the other kind below each score, ties one half.
    above = (ranks[:m] - rankdata(positive)) / n
    below = 1 - (ranks[m:] - rankdata(negative)) / m
    return float(above.mean()), float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))
