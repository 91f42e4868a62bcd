"""Thinning of training rows, as if the table had been smaller."""

import numpy as np

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.data.splits.folds import strata
from trisynth.data.splits.split import divided
from trisynth.errors import InputError

# Rows of each class that stay, so that every generator can sample it.
_LEAST = 2


def thin(train: Dataset, rows: int, seed: int) -> Dataset:
    """Keep a number of training rows, of all classes in proportion.

    Parameters
    ----------
    train : Dataset
        Training part of ``split``.
    rows : int
        Maximum number of rows to keep. Smaller numbers keep a subset of the rows that larger ones keep.
    seed : int
        The rows are drawn from the stream ``"thin"`` of this seed.

    Returns
    -------
    Dataset
        Rows keep their order. Of every class at least two rows stay, if it has them. The table does not know
        undeclared categories that only rows left out have.

    Raises
    ------
    InputError
        If ``rows`` is too small for two rows of every class.
    """
    labels = np.unique(strata(train), return_inverse=True)[1]
    least = _LEAST * (labels.max() + 1)
    if train.spec.task == "classification" and rows < least:
        raise InputError("train_rows", rows, f"is too small for two rows of every class; set {least} or more")
    order = seeds.stream(seed, "thin").permutation(len(train))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    position = np.concatenate([np.arange(count) for count in counts])
    # Rows of one class are evenly spaced from 0 to 1; the first two come before all others.
    place = np.where(position < _LEAST, -1.0, (position + 0.5) / np.repeat(counts, counts))
    kept = np.sort(order[np.argsort(place, kind="stable")[:rows]])
    return divided(train, kept, kept)[0]
