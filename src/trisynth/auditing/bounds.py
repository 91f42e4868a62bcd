"""Lower bounds on epsilon from the errors of an attack (Jagielski, Ullman & Oprea 2020), by Clopper-Pearson."""

import numpy as np
from scipy.special import betaincinv

CONFIDENCE = 0.95


def upper_rate(errors: np.ndarray | int, trials: int, confidence: float = CONFIDENCE) -> np.ndarray:
    """Return the upper end of the Clopper-Pearson interval of an error rate.

    Parameters
    ----------
    errors : int or ndarray of int
    trials : int
    confidence : float, default=0.95
        That of two bounds together, each with half of the remaining risk.
    """
    errors = np.asarray(errors)
    level = 1 - (1 - confidence) / 2
    return np.where(errors >= trials, 1.0, betaincinv(errors + 1, np.maximum(trials - errors, 1), level))


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
    thresholds = np.unique(np.concatenate(first))
    bounds = [_bounds(*(sign * part for part in first), sign * thresholds, delta, confidence) for sign in (1.0, -1.0)]
    sign, at = np.unravel_index(np.argmax(bounds), (2, len(thresholds)))
    sign = 1.0 - 2.0 * sign
    chosen = sign * thresholds[at : at + 1]
    return max(0.0, float(_bounds(*(sign * part for part in second), chosen, delta, confidence)[0]))


def _bounds(
    without: np.ndarray, present: np.ndarray, thresholds: np.ndarray, delta: float, confidence: float
) -> np.ndarray:
    """Return the better of the two bounds of each threshold: present is guessed at it and above."""
    above = len(without) - np.searchsorted(np.sort(without), thresholds, side="left")
    below = np.searchsorted(np.sort(present), thresholds, side="left")
    false = upper_rate(above, len(without), confidence)
    missed = upper_rate(below, len(present), confidence)
    return np.maximum(_log_ratio(1 - delta - missed, false), _log_ratio(1 - delta - false, missed))


def _log_ratio(true: np.ndarray | float, false: np.ndarray | float) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(true) > 0, np.log(np.divide(true, false)), -np.inf)


def ceiling(fits: int, delta: float, confidence: float = CONFIDENCE) -> float:
    """Return the largest bound that an attack without an error reaches with ``fits`` of each side."""
    none = upper_rate(0, fits - fits // 2, confidence)
    return max(0.0, float(_log_ratio(1 - delta - none, none)))
