"""Adversarial random forest: density estimation and sampling with unsupervised forests (Watson et al. 2023)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from trisynth.encoders.point_masses import is_discrete
from trisynth.errors import InputError, require_number, require_whole
from trisynth.generators.base import Generator
from trisynth.generators.draws import check_draws
from trisynth.generators.trees.leaves import Frequencies, TruncatedNormals, partition

# A number is discrete, and drawn from its values, if each occurs this many times on average.
_REPEATS = 10
_SEEDS = 2**31 - 1
# Most pairs of row and leaf in one block of a density.
_CELLS = 1_000_000


@dataclass(frozen=True)
class Column:
    """Rank encoding of one column, the input of the forest.

    Parameters
    ----------
    name : str
    levels : ndarray, shape (k,)
        Value of each rank: a number in increasing order, or the code of a category; rank k is a missing cell.
    categories : Index or None
        None for a number.
    """

    name: str
    levels: np.ndarray
    categories: pd.Index | None = None

    @classmethod
    def learn(cls, column: pd.Series, labels: np.ndarray) -> "Column":
        """Learn the levels of a canonical column; categories are ordered by the label."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            return cls(column.name, _ordered(column.cat.codes.to_numpy(), labels), column.cat.categories)
        values = column.to_numpy(float)
        return cls(column.name, np.unique(values[~np.isnan(values)]))

    def ranks(self, column: pd.Series) -> np.ndarray:
        """Return the rank of each cell, shape (n,)."""
        if self.categories is None:
            # NaN sorts after every number.
            return np.searchsorted(self.levels, column.to_numpy(float))
        places = np.full(len(self.categories) + 1, len(self.levels))
        places[self.levels] = np.arange(len(self.levels))
        return places[column.cat.codes.to_numpy()]

    def restore(self, ranks: np.ndarray) -> pd.Series:
        """Return the canonical cells of ``ranks``."""
        if self.categories is None:
            return pd.Series(np.append(self.levels, np.nan)[ranks])
        return pd.Series(pd.Categorical.from_codes(np.append(self.levels, -1)[ranks], categories=self.categories))


def _ordered(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Order category codes by the first principal component of their class fractions (Coppersmith et al. 1999)."""
    present = codes >= 0
    seen, places = np.unique(codes[present], return_inverse=True)
    counts = np.zeros((len(seen), labels.max() + 1))
    np.add.at(counts, (places, labels[present]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    if not len(seen):
        return seen
    centred = (shares - shares.mean(axis=0)) * np.sqrt(counts.sum(axis=1, keepdims=True))
    # Scores are rounded, as their last bits depend on the machine and must not order equal categories.
    return seen[np.argsort((shares @ np.linalg.svd(centred)[2][0]).round(9), kind="stable")]


class ARF(Generator):
    """Adversarial random forest with density estimation (FORDE) and generative modelling (FORGE) in its leaves.

    A forest discriminates real rows from rows with independent columns. Rows are then sampled from its leaves, and the
    next forest discriminates real rows from these, until its out-of-bag accuracy is near one half or rises again. In
    the leaves of the last forest columns are treated as independent: a sample draws a tree uniformly, one of its leaves
    by coverage, and each column from its distribution in that leaf. The class is one more column of the forest; given a
    class, a leaf's weight is its coverage times its fraction of the class, which conditions the density exactly.

    Parameters
    ----------
    n_estimators : int, default=10
        Trees of a forest.
    min_samples_leaf : int, default=5
        Minimum number of real rows in a leaf.
    tol : float, default=0.0
        Tolerance: iterations stop at an accuracy of at most one half plus ``tol``.
    max_iter : int, default=10
        Maximum number of forests fitted after the first.
    family : {"truncated_normal", "empirical"}, default="truncated_normal"
        Distribution of a number in a leaf: a normal truncated to the leaf's bounds, or the empirical distribution of
        the leaf's values. Discrete numbers always have the latter.
    smoothing : float, default=0.1
        Pseudo-rows of a column's overall frequencies that are added to those of each leaf.
    draws : {"independent", "even"}, default="independent"
        Whether the rows of a class, and those drawn from one leaf, are spread evenly; even rows
        are not independent (see ``generators.draws``).

    Attributes
    ----------
    accuracy_ : list of float
        Out-of-bag accuracy of the forest of each iteration.
    coverage_ : ndarray, shape (leaves,)
        Fraction of the rows in each leaf, over all trees; sums to 1.

    Notes
    -----
    Source: Watson, Blesch, Kapar and Wright (2023), Adversarial Random Forests for Density Estimation and Generative
    Modeling, AISTATS, https://proceedings.mlr.press/v206/watson23a.html. The method follows it except that leaves with
    few real rows are merged in every iteration and not only after the last, and in the treatment of discrete numbers.
    """

    renamed: ClassVar = {
        "trees": "n_estimators",
        "least": "min_samples_leaf",
        "delta": "tol",
        "rounds": "max_iter",
        "numbers": "family",
    }

    def __init__(
        self,
        n_estimators: int = 10,
        min_samples_leaf: int = 5,
        tol: float = 0.0,
        max_iter: int = 10,
        family: str = "truncated_normal",
        smoothing: float = 0.1,
        draws: str = "independent",
    ):
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.tol = tol
        self.max_iter = max_iter
        self.family = family
        self.smoothing = smoothing
        self.draws = draws

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.columns_ = [Column.learn(table[name], labels) for name in table]
        ranks = np.column_stack([column.ranks(table[column.name]) for column in self.columns_])
        features = ranks.astype(np.float32)
        for i, column in enumerate(self.columns_):
            if column.categories is None:
                features[ranks[:, i] == len(column.levels), i] = np.nan
        if not self.numeric_target_:
            features = np.column_stack([features, labels.astype(np.float32)])
        leaves, lower, upper = self._forest(features, rng)
        leaf, every = leaves.ravel(), np.tile(np.arange(len(table)), self.n_estimators)
        self.coverage_ = np.bincount(leaf) / len(leaf)
        self.leaves_ = Frequencies.of(labels[every], leaf, len(lower))
        self.distributions_, self.absent_ = [], []
        for i, column in enumerate(self.columns_):
            discrete = column.categories is not None or is_discrete(len(table), len(column.levels), repeats=_REPEATS)
            if discrete or self.family == "empirical":
                distribution = Frequencies.of(leaf, ranks[every, i], len(column.levels) + 1, float(self.smoothing))
                absent = None
            else:
                steps = np.arange(len(column.levels))
                bounds = (np.interp(bound[:, i], steps, column.levels) for bound in (lower, upper))
                distribution = TruncatedNormals.of(leaf, table[column.name].to_numpy(float)[every], *bounds)
                missing = ranks[:, i] == len(column.levels)
                absent = Frequencies.of(leaf, missing[every], 2) if missing.any() else None
            self.distributions_.append(distribution)
            self.absent_.append(absent)

    def _forest(self, features: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fit forests and return the leaf of each row in each tree, shape (trees, n), and the bounds of all leaves."""
        self.accuracy_ = []
        synthetic = np.column_stack([rng.permutation(column) for column in features.T])
        for _ in range(self.max_iter + 1):
            forest = RandomForestClassifier(
                self.n_estimators, min_samples_leaf=self.min_samples_leaf, random_state=int(rng.integers(_SEEDS))
            )
            rows, real = np.concatenate([features, synthetic]), np.repeat([True, False], len(features))
            forest.fit(rows, real)
            parts = [partition(tree.tree_, features, self.min_samples_leaf) for tree in forest.estimators_]
            shift = np.cumsum([0, *(len(lower) for _, lower, _ in parts)])[:-1]
            leaves = np.array([leaf for leaf, _, _ in parts]) + shift[:, None]
            self.accuracy_.append(_out_of_bag(forest, rows, real))
            rising = len(self.accuracy_) > 1 and self.accuracy_[-1] > self.accuracy_[-2]
            if rising or self.accuracy_[-1] <= 0.5 + self.tol:
                break
            synthetic = _shuffled(features, leaves, rng)
        return leaves, *(np.concatenate([part[i] for part in parts]) for i in (1, 2))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        even = self.draws == "even"
        leaves = self.leaves_.draw(labels, rng, even)
        columns = {}
        for column, distribution, absent in zip(self.columns_, self.distributions_, self.absent_, strict=True):
            drawn = distribution.draw(leaves, rng, even)
            columns[column.name] = column.restore(drawn) if isinstance(distribution, Frequencies) else pd.Series(drawn)
            if absent is not None:
                columns[column.name] = columns[column.name].mask(absent.draw(leaves, rng, even) == 1)
        return pd.DataFrame(columns)

    def density(self, table: pd.DataFrame) -> np.ndarray:
        """Compute the density of canonical rows, marginalised over the class; probabilities for discrete columns.

        Parameters
        ----------
        table : DataFrame, shape (n, d)
            Values of discrete columns must be among those of the training rows.

        Returns
        -------
        ndarray of shape (n,)
        """
        every, densities = np.arange(len(self.coverage_)), []
        size = max(1, _CELLS // len(every))
        for start in range(0, len(table), size):
            rows = table.iloc[start : start + size]
            product = np.tile(self.coverage_, (len(rows), 1))
            for column, distribution, absent in zip(self.columns_, self.distributions_, self.absent_, strict=True):
                cells = rows[column.name]
                if isinstance(distribution, Frequencies):
                    product *= distribution.probability(every, column.ranks(cells)[:, None])
                    continue
                values, missing = cells.to_numpy(float)[:, None], cells.isna().to_numpy()[:, None]
                if absent is not None:
                    product *= absent.probability(every, missing.astype(int))
                product *= np.where(
                    missing, absent is not None, distribution.density(every, np.where(missing, 0.0, values))
                )
            densities.append(product.sum(axis=1))
        return np.concatenate(densities)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        for name, smallest in (("n_estimators", 1), ("min_samples_leaf", 1), ("max_iter", 0)):
            require_whole(name, getattr(self, name), smallest)
        for name in ("tol", "smoothing"):
            require_number(name, getattr(self, name), 0)
        if self.family not in ("truncated_normal", "empirical"):
            raise InputError("family", self.family, "must be truncated_normal or empirical")
        check_draws(self.draws)


def _out_of_bag(forest: RandomForestClassifier, rows: np.ndarray, real: np.ndarray) -> float:
    """Compute the accuracy by votes of the trees that were fitted without a row; a tie counts one half."""
    votes = np.zeros(len(rows))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.ones(len(rows), dtype=bool)
        unseen[drawn] = False
        if unseen.any():
            votes[unseen] += tree.predict_proba(rows[unseen]) @ np.where(forest.classes_, 1.0, -1.0)
    return float(np.where(votes == 0, 0.5, (votes > 0) == real).mean())


def _shuffled(features: np.ndarray, leaves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sample as many rows as ``features``, each from one leaf by coverage, every cell from a row of that leaf."""
    trees, n = leaves.shape
    order = np.argsort(leaves, axis=None, kind="stable")
    sizes = np.bincount(leaves.ravel())
    start = np.cumsum(sizes) - sizes
    leaf = leaves[rng.integers(trees, size=n), rng.integers(n, size=n)]
    place = start[leaf] + (rng.random((features.shape[1], n)) * sizes[leaf]).astype(np.int64)
    return np.column_stack([column[order[row] % n] for column, row in zip(features.T, place, strict=True)])
