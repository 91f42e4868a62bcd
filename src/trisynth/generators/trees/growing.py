"""Trees that predict one column from the earlier ones, as sequential synthesis needs them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

# Codes of a response that splits tell apart; the rarer ones are one code there, and themselves in the leaves.
_CODES = 32
# Pseudo-rows of the mean response in the mean of a category, so that rare ones are not ordered by chance.
_PRIOR = 5.0
# Positions are rounded, as their last bits depend on the machine and must not order equal categories.
_DIGITS = 9


@dataclass(frozen=True)
class Predictors:
    """Earlier columns as the features of a tree.

    A category is ordered by the first principal component of its mean response (Coppersmith et al. 1999), which for two
    classes and for numbers finds the best split into two sets of categories (Breiman et al. 1984).

    Parameters
    ----------
    orders : dict of int to ndarray
        Position of each code of a category, by the index of the column.
    centres : ndarray of float
        Subtracted from numbers, of which a tree keeps seven digits.
    """

    orders: dict
    centres: np.ndarray

    @classmethod
    def learn(cls, earlier: list[np.ndarray], outcome: np.ndarray, weights: np.ndarray) -> "Predictors":
        """Learn from training rows and the codes or scores of the response, arrays of shape (n,)."""
        orders, centres = {}, np.zeros(len(earlier))
        for i, cells in enumerate(earlier):
            if is_codes(cells):
                orders[i] = _order(cells, outcome, weights)
            elif not np.isnan(cells).all():
                centres[i] = np.nanmean(cells)
        return cls(orders, centres)

    def features(self, earlier: list[np.ndarray], used: Iterable[int]) -> np.ndarray:
        """Return float32 features of shape (columns, n); only those in ``used`` are filled."""
        features = np.zeros((len(earlier), len(earlier[0])), dtype=np.float32)
        for i in used:
            if i in self.orders:
                # A code beyond those of the training rows has the position of the mean.
                order = np.append(self.orders[i], 0.0)
                features[i] = order[np.minimum(earlier[i], len(order) - 1)]
            else:
                features[i] = earlier[i] - self.centres[i]
        return features


def is_codes(cells: np.ndarray) -> bool:
    """Tell codes of a category, which are whole numbers, from numbers."""
    return cells.dtype.kind == "i"


def grow(earlier: list[np.ndarray], response: np.ndarray, weights: np.ndarray, size: int, seed: int) -> tuple:
    """Grow a tree.

    Parameters
    ----------
    earlier : list of ndarray, shape (n,)
        Earlier columns: codes of categories, or numbers that are NaN where missing.
    response : ndarray, shape (n,)
        Codes or numbers, none of them missing. Numbers are predicted as normal scores, so that a heavy tail does not
        take all splits.
    weights : ndarray, shape (n,)
    size : int
        Minimum number of rows in a leaf.
    seed : int
        Decides between equally good splits.

    Returns
    -------
    tree : sklearn.tree._tree.Tree
    predictors : Predictors
    """
    codes = is_codes(response)
    n = len(response)
    outcome = pooled(response, min(_CODES, n // 4)) if codes else ndtri((rankdata(response) - 0.5) / n)
    predictors = Predictors.learn(earlier, outcome, weights)
    model = DecisionTreeClassifier if codes else DecisionTreeRegressor
    features = predictors.features(earlier, range(len(earlier)))
    return model(min_samples_leaf=size, random_state=seed).fit(features.T, outcome, weights).tree_, predictors


def pooled(codes: np.ndarray, most: int) -> np.ndarray:
    """Renumber codes from 0; all but the ``most`` frequent ones are one code."""
    counts = np.bincount(codes)
    new = np.full(len(counts), most)
    common = np.argsort(-counts, kind="stable")[:most]
    new[common] = np.arange(len(common))
    return np.unique(new[codes], return_inverse=True)[1]


def _order(cells: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the position of each code, shape (codes,); that of the mean for a code without rows."""
    size = cells.max() + 1
    rows = np.bincount(cells, weights, size)
    if is_codes(outcome):
        k = outcome.max() + 1
        sums = np.bincount(cells * k + outcome, weights, size * k).reshape(size, k)
    else:
        sums = np.bincount(cells, weights * outcome, size)[:, None]
    overall = sums.sum(axis=0) / rows.sum()
    centred = (sums + _PRIOR * overall) / (rows + _PRIOR)[:, None] - overall
    axis = np.linalg.eigh(centred.T * rows @ centred)[1][:, -1]
    axis *= np.sign(axis[np.argmax(np.abs(axis))])
    return (centred @ axis).round(_DIGITS)
