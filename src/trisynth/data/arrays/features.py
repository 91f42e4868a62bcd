"""Interpretable numbers that stand for arrays where single columns are shown: level, spread and smoothness."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trisynth.data import sequences, tensors, texts
from trisynth.data.dataset import Column, Dataset
from trisynth.data.kinds.tensor import TIME, shape_of

# Below this variance an array is constant, and its autocorrelation undefined.
_CONSTANT = 1e-12


def summarised(X: pd.DataFrame, facts: Mapping[str, Column]) -> pd.DataFrame:
    """Replace each column of tensors or texts by a few numbers of each cell; other columns stay as they are.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
    facts : mapping of str to Column
        Shape and axes of the tensors.

    Returns
    -------
    DataFrame
        ``name mean`` and ``name deviation`` over the elements of the array; ``name autocorrelation`` of a series is
        that of neighbouring steps, its mean over channels, and ``name gradient`` of an image the mean absolute
        difference of vertical and horizontal neighbours. Texts have the features of ``texts.spread``, sequences
        those of ``sequences.spread``.
    """
    X = sequences.spread(texts.spread(X))
    if not any(map(tensors.is_tensor, X.dtypes)):
        return X
    columns: dict[str, pd.Series] = {}
    for name in X:
        if tensors.is_tensor(X[name].dtype):
            shape, axes = shape_of(name, X[name].dtype.pyarrow_dtype.list_size, facts.get(name, Column()))
            arrays = tensors.values(X[name]).astype(float).reshape(-1, *shape)
            columns |= {f"{name} {feature}": cells for feature, cells in _features(arrays, axes).items()}
        else:
            columns[name] = X[name]
    return pd.DataFrame(columns, index=X.index)


def summarised_rows(dataset: Dataset) -> Dataset:
    """Replace the tensors among the features of a data set; see ``summarised``."""
    X = summarised(dataset.X, dataset.facts)
    if X is dataset.X:
        return dataset
    return replace(dataset, X=X, place=None, spec=replace(dataset.spec, columns=_flat(dataset.spec.columns)))


def _flat(facts: Mapping[str, Column]) -> dict[str, Column]:
    return {name: fact for name, fact in facts.items() if fact.kind not in ("tensor", "sequence", "text")}


def _features(arrays: np.ndarray, axes: tuple[str, ...]) -> dict[str, np.ndarray]:
    inner = tuple(range(1, arrays.ndim))
    found = {"mean": arrays.mean(axis=inner), "deviation": arrays.std(axis=inner)}
    if axes[0] == TIME:
        if arrays.shape[1] > 1:
            found["autocorrelation"] = autocorrelation(arrays, 1).reshape(len(arrays), -1).mean(axis=1)
    else:
        steps = [np.abs(np.diff(arrays, axis=axis)).mean(axis=inner) for axis in (1, 2) if arrays.shape[axis] > 1]
        if steps:
            found["gradient"] = np.mean(steps, axis=0)
    return found


def autocorrelation(series: np.ndarray, lag: int) -> np.ndarray:
    """Compute the autocorrelation of each channel of each series at one lag.

    Parameters
    ----------
    series : ndarray, shape (n, steps, ...)
    lag : int
        From 1 to steps - 1.

    Returns
    -------
    ndarray, shape (n, ...)
        The biased estimate, which lies in [-1, 1]; 0 where a channel is constant.
    """
    centred = series - series.mean(axis=1, keepdims=True)
    variance = (centred**2).sum(axis=1)
    products = (centred[:, lag:] * centred[:, :-lag]).sum(axis=1)
    return np.where(variance > _CONSTANT, products / np.maximum(variance, _CONSTANT), 0.0)
