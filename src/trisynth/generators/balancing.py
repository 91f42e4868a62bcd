"""Balanced training rows: real ones, and synthetic ones of the smaller classes, as samplers of imbalanced-learn add."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils.multiclass import type_of_target

from trisynth.data.dataset import Column
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
        Columns of objects are read as what their cells are.
    y : array-like of shape (n,) or (n, 1)
        Classes, also if they are whole numbers; all rows of the most frequent one are kept, and no row is added to it.
    seed : int, default=0

    Returns
    -------
    X, y
        The real rows first, then the synthetic ones, of the types that were given.

    Raises
    ------
    InputError
        If ``y`` is a number, which has no classes, or an argument has another shape.
    """
    if issparse(X):
        raise InputError("X", type(X).__name__, "is sparse; balance before columns are encoded, or give X.toarray()")
    if not isinstance(X, pd.DataFrame) and np.ndim(X) != 2:
        raise InputError("X", np.shape(X), "must have two dimensions: rows and columns")
    if np.ndim(y) == 2 and np.shape(y)[1] == 1:
        X, labels = balanced(generator, X, y.iloc[:, 0] if isinstance(y, pd.DataFrame) else np.ravel(y), seed)
        return X, labels.to_frame() if isinstance(y, pd.DataFrame) else labels[:, None]
    if np.ndim(y) != 1:
        raise InputError("y", np.shape(y), "must have one class for each row")
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X)).rename(columns=str)
    frame = frame.reset_index(drop=True).infer_objects()
    target = pd.Series(np.asarray(y), name=_name(y, frame))
    # A fit refuses missing classes.
    if not target.isna().any() and type_of_target(target) == "continuous":
        raise InputError("y", str(target.name), "is a number and has no classes to balance; leave the sampler out")
    made = clone(generator).fit(frame, target, facts={target.name: Column(kind="category")}, seed=seed)
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
