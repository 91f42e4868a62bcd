"""Readers of images."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from trisynth.data import tensors
from trisynth.errors import require_whole
from trisynth.places import reader

# Folder and names of Fashion-MNIST in its package, and its classes by their numbers.
_FASHION = "./usr/share/datasets/fashion-mnist/{}-{}-ubyte.gz"
GARMENTS = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
# Bytes before the cells of a file of images, and of one of labels.
_IMAGES, _LABELS = 16, 8


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


@reader
def fashion_mnist(path: str | Path, n: int = 10_000) -> pd.DataFrame:
    """Read photographs of garments (Xiao, Rasul and Vollgraf 2017) from the files of their Debian package.

    Parameters
    ----------
    path : path
        ``data.tar.xz`` of the package.
    n : int, default=10_000
        Number of images, at most 70,000: those of the training part, then those of the test part.

    Returns
    -------
    DataFrame, shape (n, 2)
        ``image``, tensors of 28 x 28 whole numbers from 0 to 255, and ``garment``, a text.
    """
    require_whole("dataset.read.n", n, 1)
    images, labels = [], []
    with tarfile.open(path, "r:xz") as archive:
        for part in ("train", "t10k"):
            for found, kind, start in ((images, "images-idx3", _IMAGES), (labels, "labels-idx1", _LABELS)):
                content = gzip.decompress(archive.extractfile(_FASHION.format(part, kind)).read())
                found.append(np.frombuffer(content, np.uint8)[start:])
    pixels = np.concatenate(images).reshape(-1, 28, 28)[:n]
    classes = np.array(GARMENTS)[np.concatenate(labels)[:n]]
    return pd.DataFrame({"image": tensors.column(pixels.astype(float)), "garment": classes})
