"""Balanced training rows: real ones, and synthetic ones of the smaller classes, as samplers of imbalanced-learn add."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from trisynth.errors import InputError

if TYPE_CHECKING:
    from trisynth.generators.base import Generator


def balanced(generator: "Generator", X: Any, y: Any, seed: int = 0) -> tuple[Any, Any]:
    """Fit a copy of a generator to rows of classes, and add synthetic rows until all classes are equally frequent.

    Parameters
    ----------
    generator : Generator
        Its arguments are used; it stays as it is.
    X : DataFrame or array of shape (n, d)
    y : array-like of shape (n,)
        Classes; all rows of the most frequent one are kept, and no row is added to it.
    seed : int, default=0

    Returns
    -------
    X, y
        The real rows first, then the synthetic ones, of the types that were given.

    Raises
    ------
    InputError
        If ``y`` is a number, which has no classes.
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X)).rename(columns=str)
    frame = frame.reset_index(drop=True)
    target = pd.Series(np.asarray(y), name=_name(y, frame))
    made = clone(generator).fit(frame, target, seed=seed)
    if made.numeric_target_:
        raise InputError("y", str(target.name), "is a number and has no classes to balance; leave the sampler out")
    missing = {label: int(made.counts_.max() - count) for label, count in zip(made.labels_, made.counts_, strict=True)}
    rows = made.sample(missing, seed)
    labels = rows.pop(target.name)
    whole = pd.concat([frame, rows[frame.columns]], ignore_index=True)
    classes = pd.concat([target, labels], ignore_index=True).astype(target.dtype)
    if isinstance(y, pd.Series):
        classes = classes.astype(y.dtype).rename(y.name)
    return (
        whole.astype(X.dtypes) if isinstance(X, pd.DataFrame) else whole.to_numpy(np.asarray(X).dtype),
        classes if isinstance(y, pd.Series) else classes.to_numpy(),
    )


def _name(y: Any, frame: pd.DataFrame) -> str:
    """Name the target, by a name that no column has."""
    name = getattr(y, "name", None) or "target"
    while name in frame.columns:
        name = f"{name}'"
    return name
