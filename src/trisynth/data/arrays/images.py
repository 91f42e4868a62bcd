"""Readers of images."""

import pandas as pd
from sklearn.datasets import load_digits

from trisynth.data import tensors
from trisynth.places import reader


@reader
def digits() -> pd.DataFrame:
    """Read the handwritten digits of the UCI repository that scikit-learn ships (Alpaydin and Kaynak 1998).

    Returns
    -------
    DataFrame, shape (1797, 2)
        ``image``, tensors of 8 x 8 whole numbers from 0 to 16, and ``digit``, a text.
    """
    found = load_digits()
    return pd.DataFrame({"image": tensors.column(found.images), "digit": found.target.astype(str)})
