"""Pareto fronts and their hypervolumes; less is better in every objective."""

import numpy as np


def front(points: np.ndarray) -> np.ndarray:
    """Find the points that no other point dominates: as good in every objective and better in one. Equals all stay.

    Parameters
    ----------
    points : array, shape (n, d)

    Returns
    -------
    array of bool, shape (n,)
    """
    points = np.asarray(points, dtype=float)
    as_good = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    return ~(as_good & better).any(axis=0)


def hypervolume(points: np.ndarray) -> float:
    """Compute the exact fraction of the unit box that the points dominate.

    The box is sliced along the last objective at every point (Zitzler 2001, hypervolume by slicing objectives); the
    fraction of a slice is the hypervolume, in one dimension less, of the points that lie below it.

    Parameters
    ----------
    points : array, shape (n, d)
        The reference is 1 in every objective; points beyond it dominate nothing.

    Returns
    -------
    float
    """
    points = np.asarray(points, dtype=float)
    points = points[(points < 1).all(axis=1)]
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(1 - max(points.min(), 0.0))
    points = points[front(points)]
    points = np.maximum(points[np.argsort(points[:, -1], kind="stable")], 0.0)
    ends = [*points[1:, -1], 1.0]
    slices = enumerate(zip(points[:, -1], ends, strict=True), start=1)
    return sum((high - low) * hypervolume(points[:below, :-1]) for below, (low, high) in slices if high > low)
