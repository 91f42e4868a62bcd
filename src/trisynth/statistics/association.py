"""Association of categorical columns."""

import numpy as np


def mutual_information(codes: np.ndarray) -> np.ndarray:
    """Estimate the mutual information of every pair of columns, in nats, corrected for bias.

    Parameters
    ----------
    codes : ndarray of int, shape (n, d)
        Bin of each cell, in 0..m-1.

    Returns
    -------
    ndarray, shape (d, d)
        Symmetric. The bias under independence, degrees of freedom / 2n (Miller 1955), is subtracted, so that columns
        of many bins gain no spurious edge.
    """
    n = len(codes)
    sizes = codes.max(axis=0) + 1
    starts = np.concatenate([[0], np.cumsum(sizes)])
    indicators = np.zeros((n, starts[-1]), np.float32)
    indicators[np.arange(n)[:, None], starts[:-1] + codes] = 1.0
    # Counts below 2**24 are exact in single precision.
    joint = (indicators.T @ indicators).astype(float)
    seen = np.diagonal(joint)
    terms = np.where(joint > 0, joint * np.log(np.maximum(joint, 1) * n / np.maximum(np.outer(seen, seen), 1)), 0.0)
    used = np.add.reduceat((seen > 0).astype(int), starts[:-1]) - 1
    information = np.add.reduceat(np.add.reduceat(terms, starts[:-1], axis=0), starts[:-1], axis=1) / n
    return information - np.outer(used, used) / (2 * n)
