"""Thinning of the rarest class of the training rows, as if it had been rarer in the table."""

import numpy as np

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.data.splits.split import divided
from trisynth.errors import InputError

# Rows of the class that stay, so that every generator can sample it.
_LEAST = 2


def require_ratio(ratio: float) -> None:
    """Refuse a ratio that is below 1 or no number."""
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 1 <= ratio < np.inf:
        raise InputError("imbalance", ratio, "must be 1 or more: other rows for each row of the rarest class")


def imbalance(train: Dataset) -> float:
    """Compute how many rows of the other classes there are for each row of the rarest class that has any."""
    counts = np.unique(train.y.cat.codes.to_numpy(), return_counts=True)[1]
    return float(counts.sum() / counts.min() - 1)


def rarer(train: Dataset, ratio: float, seed: int) -> Dataset:
    """Leave out rows of the rarest class until there are ``ratio`` other rows for each of its rows.

    Parameters
    ----------
    train : Dataset
        Training part of ``split``, with classes.
    ratio : float
        Rows of all other classes for each row of the rarest one, at least 1; with two classes the imbalance ratio of
        the literature. Larger ratios keep a subset of the rows that smaller ones keep. Nothing is left out where the
        class is as rare already.
    seed : int
        The rows are drawn from the stream ``"imbalance"`` of this seed.

    Returns
    -------
    Dataset
        Rows keep their order. The table does not know undeclared categories that only rows left out have.

    Raises
    ------
    InputError
        If ``ratio`` is below 1 or no number, the target is a number, there is one class, or fewer than two rows of the
        class would stay.
    """
    require_ratio(ratio)
    if train.spec.task != "classification":
        raise InputError("imbalance", ratio, f"needs classes, but the target {train.spec.target!r} is a number")
    codes = train.y.cat.codes.to_numpy()
    present, counts = np.unique(codes, return_counts=True)
    if len(present) < 2:
        raise InputError("imbalance", ratio, "needs training rows of at least two classes")
    rarest = present[counts.argmin()]
    own, others = np.flatnonzero(codes == rarest), np.flatnonzero(codes != rarest)
    most = round(len(others) / ratio)
    if most >= len(own):
        return train
    if most < _LEAST:
        name = train.y.cat.categories[rarest]
        remedy = f"leaves {most} training rows of class {name!r}; set {len(others) // _LEAST} or less"
        raise InputError("imbalance", ratio, remedy)
    drawn = seeds.stream(seed, "imbalance").permutation(own)[:most]
    kept = np.sort(np.concatenate([others, drawn]))
    return divided(train, kept, kept)[0]
