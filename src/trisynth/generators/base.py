"""What a generator is: stored arguments, ``fit``, and exact samples on request.

A new generator subclasses ``Generator`` and writes two hooks, ``_fit`` and ``_sample``. They see only the
canonical table (see ``preprocessing.schema``) and whole-number labels; validation, copies, seeds, dtypes,
bounds and order are done here, once.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.base import BaseEstimator

from trisynth import seeds
from trisynth.config import instantiate, parameters_of
from trisynth.data.schema import ColumnSchema, Schema
from trisynth.errors import InputError
from trisynth.generators import persistence

# A numeric target is cut into at most this many quantile bins, each with at least this many training rows.
_BINS, _ROWS_PER_BIN = 10, 20


class Generator(BaseEstimator, ABC):
    """Base of all generators.

    The constructor of a subclass only stores its arguments. After ``fit``:

    Attributes
    ----------
    labels_ : ndarray of shape (k,)
        Classes in sorted order, or the numbers of a numeric target's quantile bins. A numeric target is one
        more column of the table that the hooks see, so every conditional generator can do regression.
    counts_ : ndarray of shape (k,)
        Training rows of each label.
    """

    @abstractmethod
    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        """Learn from a canonical table of shape (n, d) and labels of shape (n,) in 0..k-1."""

    @abstractmethod
    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Canonical table of shape (len(labels), d), row i drawn given ``labels[i]``; must not change ``self``."""

    def fit(self, X: pd.DataFrame, y: pd.Series, seed: int = 0, **hints) -> "Generator":
        """Learn from real training rows.

        Parameters
        ----------
        X : DataFrame, shape (n, d)
            Numbers, categories, texts, truth values or dates; missing cells allowed; infinities count as missing.
        y : Series, shape (n,)
            Target without missing values. A float dtype means a number, every other dtype classes.
        seed : int
            Seed of the stream ``generator.fit``.
        **hints
            What else this generator's ``_fit`` takes, such as ``weights`` of the rows.

        Returns
        -------
        Generator
            Itself.
        """
        for name in sorted(hints.keys() - list(inspect.signature(self._fit).parameters)[3:]):
            raise InputError(name, hints[name], f"{type(self).__name__} does not take it when it is fitted")
        X, y = _checked(X, y)
        # A fit starts from nothing: state of an earlier one would be saved, too.
        for name in vars(self).keys() - self.get_params(deep=False).keys():
            delattr(self, name)
        self.schema_ = Schema.learn(X)
        self.numeric_target_ = bool(types.is_float_dtype(y.dtype))
        self.target_ = ColumnSchema.learn(y, category=not self.numeric_target_)
        table = self.schema_.canonical(X)
        if self.numeric_target_:
            labels = _quantile_bins(y.to_numpy(float))
            self.target_column_ = _fresh_name(table, y.name)
            table[self.target_column_] = self.target_.canonical(y)
            self.labels_ = np.arange(labels.max() + 1)
        else:
            codes = self.target_.canonical(y).cat.codes.to_numpy()
            present, labels = np.unique(codes, return_inverse=True)
            self.labels_ = self.target_.categories.to_numpy()[present]
        self.counts_ = np.bincount(labels)
        self._fit(table, labels, seeds.stream(seed, "generator.fit"), **hints)
        return self

    def sample(self, n: int | Mapping, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
        """Draw synthetic rows.

        Parameters
        ----------
        n : int or mapping of label to int
            A number keeps the training shares of the labels, up to rounding; a mapping is met exactly.
        seed : int
            Seed of the stream ``generator.sample``.

        Returns
        -------
        X : DataFrame, shape (n, d)
        y : Series, shape (n,)
            Both in the columns, order and dtypes of the training rows, in random order, index 0..n-1.
        """
        if not hasattr(self, "schema_"):
            raise InputError("generator", type(self).__name__, "is not fitted; call fit first")
        rng = seeds.stream(seed, "generator.sample")
        labels = self._asked(n, rng)
        table = self._sample(labels, rng).reset_index(drop=True) if len(labels) else self._empty()
        if self.numeric_target_:
            y = self.target_.restore(table[self.target_column_])
        else:
            values = pd.Series(self.labels_[labels], dtype=object)
            y = values.astype(self.target_.dtype)
        return self.schema_.restore(table), y.rename(self.target_.name)

    def _asked(self, n: int | Mapping, rng: np.random.Generator) -> np.ndarray:
        if isinstance(n, Mapping):
            labels = np.repeat(np.arange(len(self.labels_)), self._asked_counts(n))
        else:
            _check_count(n)
            # Systematic sampling: shares are met up to one row, and a single row is not always of the largest class.
            edges = np.cumsum(self.counts_) / self.counts_.sum() * n + rng.random()
            labels = np.repeat(np.arange(len(self.labels_)), np.diff(np.floor(edges).astype(int), prepend=0))[:n]
        return rng.permutation(labels)

    def _asked_counts(self, n: Mapping) -> list[int]:
        if self.numeric_target_:
            raise InputError("n", dict(n), "a numeric target has no classes; give a number of rows")
        # Labels are also found by their text, so that a command line can ask for the class 1 as "1".
        by_text = {str(label): i for i, label in enumerate(self.labels_)}
        counts = [0] * len(self.labels_)
        for label, count in n.items():
            if str(label) not in by_text:
                raise InputError(
                    "n", dict(n), f"no training row has the class {label!r}; classes: {', '.join(by_text)}"
                )
            _check_count(count)
            counts[by_text[str(label)]] += int(count)
        return counts

    def _empty(self) -> pd.DataFrame:
        columns = {c.name: c for c in self.schema_.columns}
        if self.numeric_target_:
            columns[self.target_column_] = self.target_
        return pd.DataFrame({name: c.canonical(pd.Series([], dtype=c.dtype)) for name, c in columns.items()})

    def report(self) -> dict[str, float]:
        """What the fit has to say of itself, by name; a job's result has it as ``generator/<name>``."""
        return {}

    def advice(self) -> float | str:
        """How much of it to put beside the real rows: a ratio, ``"balance"``, or 0 for none."""
        return 1.0

    def words(self) -> str:
        """What the fit has to say to a person; empty for nothing."""
        return ""

    def save(self, path: str | Path) -> None:
        """Write the fitted generator to one file of JSON and arrays; loading it runs no code of the file's."""
        persistence.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, allow: Iterable[str] = ()) -> "Generator":
        """Return a generator that ``save`` wrote; it draws the same rows as the one that was saved.

        ``allow`` names further packages whose objects the file may hold; see :func:`trisynth.config.locate`.
        """
        return persistence.load(Path(path), cls, allow)


def fit(config: Mapping, X: pd.DataFrame, y: pd.Series, seed: int = 0, allow: Iterable[str] = ()) -> Generator:
    """Generator of a yaml of ``conf/generator``, fitted; errors name parameters as ``generator.<parameter>``."""
    with parameters_of("generator", config):
        return instantiate(config, "generator", allow=allow).fit(X, y, seed)


def _checked(X: pd.DataFrame, y: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    if not isinstance(X, pd.DataFrame) or not len(X) or not X.shape[1]:
        raise InputError("X", getattr(X, "shape", type(X).__name__), "must be a DataFrame with rows and columns")
    if not X.columns.is_unique:
        raise InputError("X", list(X.columns[X.columns.duplicated()]), "column names must be unique; rename them")
    y = pd.Series(y, name=getattr(y, "name", None) or "target")
    if len(y) != len(X):
        raise InputError("y", len(y), f"must have one value per row of X, {len(X)}")
    if y.isna().any() or (types.is_float_dtype(y.dtype) and not np.isfinite(y.to_numpy(float)).all()):
        raise InputError("y", int(y.isna().sum()), "must have no missing or infinite value; drop those rows")
    return X.reset_index(drop=True), y.reset_index(drop=True)


def _check_count(n: object) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise InputError("n", n, "must be a whole number of rows, 0 or more")


def _quantile_bins(y: np.ndarray) -> np.ndarray:
    bins = int(np.clip(len(y) // _ROWS_PER_BIN, 1, _BINS))
    edges = np.unique(np.quantile(y, np.linspace(0, 1, bins + 1)[1:-1]))
    codes = np.searchsorted(edges, y, side="right")
    return np.unique(codes, return_inverse=True)[1]


def _fresh_name(table: pd.DataFrame, name: object) -> object:
    while name in table.columns:
        name = f"{name}'"
    return name
