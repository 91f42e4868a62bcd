"""A lower bound for a mean gain over folds whose training rows overlap."""

import numpy as np
from scipy import stats


def lower_bound(gains: np.ndarray, share: float, confidence: float) -> float:
    """One-sided lower confidence bound of the mean of paired gains, one for each fold.

    Folds that share training rows are not independent, so that the variance of their mean is more than the usual
    s²/J; the corrected one is s² (1/J + n_held / n_trained).

    Parameters
    ----------
    gains : ndarray of shape (J,)
        At least two, of a trial that was chosen without looking at them.
    share : float
        Rows kept aside for each row trained on, n_held / n_trained.
    confidence : float
        Between 0 and 1, such as .95.

    Returns
    -------
    float

    Notes
    -----
    Source: Nadeau & Bengio (2003), Inference for the generalization error, https://doi.org/10.1023/A:1024068626366;
    for folds dealt several times Bouckaert & Frank (2004), https://doi.org/10.1007/978-3-540-24775-3_3.
    """
    folds = len(gains)
    error = np.sqrt((1 / folds + share) * np.var(gains, ddof=1))
    return float(np.mean(gains) - stats.t.ppf(confidence, folds - 1) * error)
