"""Lower bounds on epsilon from the errors of an attack (Jagielski, Ullman & Oprea 2020), by Clopper-Pearson."""

import math

import numpy as np
from scipy.stats import beta

CONFIDENCE = 0.95


def upper_rate(errors: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the upper end of the Clopper-Pearson interval of an error rate.

    Parameters
    ----------
    errors, trials : int
    confidence : float, default=0.95
        That of two bounds together, each with half of the remaining risk.
    """
    return 1.0 if errors >= trials else float(beta.ppf(1 - (1 - confidence) / 2, errors + 1, trials - errors))


def lower_bound(without: np.ndarray, present: np.ndarray, delta: float, confidence: float = CONFIDENCE) -> float:
    """Bound epsilon from below by scores of fits without and with a canary.

    Parameters
    ----------
    without, present : ndarray of shape (n,), (m,)
        Scores, larger where the canary seems present. The first half of each chooses the threshold, so that the second
        half gives a valid bound.
    delta : float
    confidence : float, default=0.95

    Returns
    -------
    float
        At least 0.
    """
    first = [part[: len(part) // 2] for part in (without, present)]
    second = [part[len(part) // 2 :] for part in (without, present)]
    best, chosen = -math.inf, (math.inf, 1.0)
    for threshold in np.unique(np.concatenate(first)):
        for sign in (1.0, -1.0):
            found = _bound(*(sign * part for part in first), sign * threshold, delta, confidence)
            if found > best:
                best, chosen = found, (threshold, sign)
    threshold, sign = chosen
    return max(0.0, _bound(*(sign * part for part in second), sign * threshold, delta, confidence))


def _bound(without: np.ndarray, present: np.ndarray, threshold: float, delta: float, confidence: float) -> float:
    """Return the better of the two bounds of one threshold: present is guessed at it and above."""
    false = upper_rate(int((without >= threshold).sum()), len(without), confidence)
    missed = upper_rate(int((present < threshold).sum()), len(present), confidence)
    return max(_log_ratio(1 - delta - missed, false), _log_ratio(1 - delta - false, missed))


def _log_ratio(true: float, false: float) -> float:
    return math.log(true / false) if true > 0 else -math.inf


def ceiling(fits: int, delta: float, confidence: float = CONFIDENCE) -> float:
    """Return the largest bound that an attack without an error reaches with ``fits`` of each side."""
    none = upper_rate(0, fits - fits // 2, confidence)
    return max(0.0, _log_ratio(1 - delta - none, none))
