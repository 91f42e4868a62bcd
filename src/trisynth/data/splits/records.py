"""Equal rows of a data set: copies of one record, or people who gave the same answers."""

import numpy as np
import pandas as pd

from trisynth.data import tensors

# If more than this fraction of the rows has the same features, records are too few to be divided.
_LARGEST = 0.05


def records(X: pd.DataFrame, y: pd.Series | None = None) -> np.ndarray | None:
    """Give each row the number of its record, where equal rows are to stay together.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
    y : Series of shape (n,), optional

    Returns
    -------
    ndarray of shape (n,) or None
        Rows with equal features have the same number, in the order of their first rows. None where no two rows are
        equal, target included, and where equal features are the rule: in a survey of four answers one person in ten
        may have given the same, so that rows that are divided one by one show what new people would answer.
    """
    hashes = pd.util.hash_pandas_object(tensors.hashable(X), index=False).to_numpy()
    numbers, first = pd.factorize(hashes)
    if len(first) == len(X):
        return None
    whole = hashes if y is None else hashes ^ pd.util.hash_pandas_object(y, index=False).to_numpy()
    if len(pd.unique(whole)) == len(X):
        return None
    return None if np.bincount(numbers).max() > max(_LARGEST * len(X), 2) else numbers
