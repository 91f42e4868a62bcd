"""Stratified split into training and test rows, without traces of the test rows in the training part."""

from collections.abc import Hashable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data import tensors
from trisynth.data.dataset import Dataset
from trisynth.data.splits.records import records
from trisynth.errors import InputError

BINS = 10


def split(dataset: Dataset, seed: int, test_size: float = 1 / 3) -> tuple[Dataset, Dataset]:
    """Split a data set into a training and a test part, each with every class.

    Parameters
    ----------
    dataset : Dataset
    seed : int
        The split is the stream ``"split"`` of this seed.
    test_size : float, default=1/3
        Fraction of each class (for regression, of each of up to ten quantile bins of the target) that is tested;
        rounded so that every class has at least one row on either side.

    Returns
    -------
    train, test : Dataset
        Rows keep their order. Rows of one person are on one side, or else equal rows: see
        :func:`trisynth.data.splits.records.records`. If the data set declares ``time``, the latest rows are tested,
        whatever the seed; a person counts by the last of his or her rows. An *undeclared* category that only test rows
        have is not a category of ``train``; in ``test`` it comes after the training part's categories.

    Raises
    ------
    InputError
        If ``test_size`` is not a fraction, or a class has a single row.
    """
    if not 0 < test_size < 1:
        raise InputError("test_size", test_size, "must lie between 0 and 1")
    if dataset.spec.time is not None:
        tested = _latest(dataset, test_size)
        return divided(dataset, np.flatnonzero(~tested), np.flatnonzero(tested))
    strata, rng = _strata(dataset), seeds.stream(seed, "split")
    tested = np.zeros(len(dataset), bool)
    together = _together(dataset, strata)
    for stratum in range(strata.max() + 1):
        if together is None:
            rows = rng.permutation(np.flatnonzero(strata == stratum))
            tested[rows[: np.clip(round(test_size * len(rows)), 1, len(rows) - 1)]] = True
        else:
            tested |= np.isin(together[0], _drawn(*together, stratum, test_size, rng))
    return divided(dataset, np.flatnonzero(~tested), np.flatnonzero(tested))


def _latest(dataset: Dataset, test_size: float) -> np.ndarray:
    """Mark the latest rows; equal times are on one side, and rows without a time are training rows."""
    name = dataset.spec.time
    dtype = dataset.X[name].dtype if name in dataset.X else None
    if dtype is None or isinstance(dtype, pd.CategoricalDtype) or tensors.is_cell(dtype):
        raise InputError(
            "dataset.time", name, "has no dates or numbers to split by; declare kind: date, or leave it out"
        )
    times = dataset.X[name].rank(method="max", na_option="top").to_numpy(float)
    if dataset.persons is not None:
        times = pd.Series(times).groupby(pd.factorize(dataset.persons)[0]).transform("max").to_numpy()
    # Of the possible cuts, the one whose fraction is nearest.
    cuts = np.unique(times)[:-1]
    if not len(cuts):
        raise InputError("dataset.time", name, "has equal values in all rows; leave it out")
    tested = times > cuts[np.argmin([abs((times > cut).mean() - test_size) for cut in cuts])]
    for side, rows in (("training", ~tested), ("test", tested)):
        for label in dataset.y.cat.categories if dataset.spec.task == "classification" else ():
            if not (dataset.y[rows] == label).any():
                remedy = f"class {label!r} has no {side} row if the latest rows are tested; leave it out"
                raise InputError("dataset.time", name, remedy)
    return tested


def _together(dataset: Dataset, strata: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the record of each row, and the rows and the stratum of each record; None if rows are divided singly."""
    record = records(dataset.X, dataset.y) if dataset.persons is None else pd.factorize(dataset.persons)[0]
    if record is None:
        return None
    counts = np.zeros((record.max() + 1, strata.max() + 1), int)
    np.add.at(counts, (record, strata), 1)
    own = counts.argmax(axis=1)
    # A class that consists of a single record cannot be on both sides; rows of one person stay together even so.
    if dataset.persons is None and np.bincount(own, minlength=counts.shape[1]).min() < 2:
        return None
    return record, counts.sum(axis=1), own


def _drawn(
    record: np.ndarray, sizes: np.ndarray, own: np.ndarray, stratum: int, test_size: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw records of a stratum that have about the fraction ``test_size`` of its rows."""
    found = rng.permutation(np.flatnonzero(own == stratum))
    if len(found) < 2:
        return found[:0]
    filled = np.cumsum(sizes[found])
    # Up to the record that brings the number of rows closest to the fraction.
    most = int(np.abs(filled - test_size * filled[-1]).argmin()) + 1
    return found[: np.clip(most, 1, len(found) - 1)]


def _strata(dataset: Dataset) -> np.ndarray:
    if dataset.y is None:
        return np.zeros(len(dataset), int)
    if dataset.spec.task == "regression":
        bins = max(1, min(BINS, len(dataset) // 5))
        ranks = np.argsort(np.argsort(dataset.y.to_numpy(), kind="stable"), kind="stable")
        return ranks * bins // len(dataset)
    counts = dataset.y.value_counts()
    for name in counts.index[counts == 1]:
        remedy = (
            f"class {name!r} has a single row, but training and test rows each need one; drop the class or merge it"
        )
        raise InputError("dataset.target", dataset.spec.target, remedy)
    return dataset.y.cat.codes.to_numpy()


def divided(dataset: Dataset, train_rows: np.ndarray, test_rows: np.ndarray) -> tuple[Dataset, Dataset]:
    """Divide a data set by row positions; the training part does not know categories that only test rows have."""
    train, test = dataset.take(train_rows), dataset.take(test_rows)
    seen, all_of = {}, {}
    for name, column in dataset.X.items():
        facts = dataset.spec.columns.get(name)
        if isinstance(column.dtype, pd.CategoricalDtype) and not (facts and facts.categories):
            seen[name] = train.X[name].cat.remove_unused_categories()
            known = seen[name].cat.categories
            late = test.X[name].cat.remove_unused_categories().cat.categories.difference(known)
            all_of[name] = test.X[name].cat.set_categories(known.append(late))
    return _with(train, seen), _with(test, all_of)


def _with(dataset: Dataset, columns: Mapping[Hashable, pd.Series]) -> Dataset:
    # Not by assign, whose column names must be texts.
    X = dataset.X.copy(deep=False)
    for name, column in columns.items():
        X[name] = column
    return replace(dataset, X=X)
