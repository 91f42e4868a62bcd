"""Readers of images."""

from pathlib import Path

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


@reader
def mnist(path: str | Path) -> pd.DataFrame:
    """Read a file of MNIST digits (LeCun et al. 1998): a row of 784 pixels and the digit, separated by commas.

    Parameters
    ----------
    path : path
        May be compressed.

    Returns
    -------
    DataFrame, shape (n, 2)
        ``image``, tensors of 28 x 28 whole numbers from 0 to 255, and ``digit``, a text.
    """
    cells = pd.read_csv(path, header=None).to_numpy()
    return pd.DataFrame({"image": tensors.column(cells[:, :-1].reshape(-1, 28, 28)), "digit": cells[:, -1].astype(str)})
