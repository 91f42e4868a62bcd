"""Models that metrics train on the rows of a context, and how these are scored."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from trisynth import seeds
from trisynth.evaluation.metrics.c2st import ordinal
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.utility import auc

_TREES = {"max_iter": 40, "max_leaf_nodes": 8, "early_stopping": False, "l2_regularization": 1.0}

Rows = tuple[np.ndarray, np.ndarray]


def rows_of(context: Context, side: int, target: str, chosen: np.ndarray) -> Rows:
    """Return features and the target of the chosen rows of a table; rows without a target are left out."""
    table = context.tables[side].iloc[chosen]
    table = table[table[target].notna()]
    y = table[target]
    values = y.cat.codes.to_numpy() if isinstance(y.dtype, pd.CategoricalDtype) else y.to_numpy(float)
    return ordinal(context, table.drop(columns=target)), values


def shuffled(context: Context, target: str, most: int, rng: np.random.Generator) -> list[Rows]:
    """Return training, test and synthetic rows in random order, at most so many of each."""
    orders = [rng.permutation(len(table))[:most] for table in context.tables]
    return [rows_of(context, side, target, order) for side, order in enumerate(orders)]


def boosting(is_class: bool, seed: int) -> BaseEstimator:
    """Make the small gradient-boosted trees of all metrics of models."""
    kind = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    return kind(random_state=seeds.integer(seed, "metrics.models"), **_TREES)


def fitted(model: BaseEstimator, rows: Rows) -> BaseEstimator | None:
    """Fit a model; None where all rows have one class, of which it learns nothing."""
    return model.fit(*rows) if len(np.unique(rows[1])) > 1 else None


def score(model: BaseEstimator | None, rows: Rows, is_class: bool) -> float:
    """Return the ROC AUC, mean over classes, or R²; chance for a model of one class, NaN where undefined."""
    X, y = rows
    if not is_class:
        spread = np.sum((y - y.mean()) ** 2)
        predicted = np.full(len(y), y.mean()) if model is None else model.predict(X)
        return float(1 - np.sum((y - predicted) ** 2) / spread) if spread > 0 else float("nan")
    present = [label for label in np.unique(y) if 0 < np.sum(y == label) < len(y)]
    if not present:
        return float("nan")
    if model is None:
        return 0.5
    columns = dict(zip(model.classes_, model.predict_proba(X).T, strict=True))
    return float(np.mean([auc(y == label, columns.get(label, np.zeros(len(y)))) for label in present]))


def candidates(is_class: bool, seed: int) -> Iterator[BaseEstimator]:
    """Yield six models of different kinds."""
    state = {"random_state": seeds.integer(seed, "metrics.models")}
    scaled = StandardScaler
    if is_class:
        yield make_pipeline(scaled(), LogisticRegression(max_iter=1_000))
        yield GaussianNB()
        yield make_pipeline(scaled(), KNeighborsClassifier(n_neighbors=10))
        yield DecisionTreeClassifier(max_depth=3, **state)
        yield ExtraTreesClassifier(50, min_samples_leaf=3, **state)
    else:
        yield make_pipeline(scaled(), Ridge())
        yield make_pipeline(scaled(), Ridge(alpha=1_000.0))
        yield make_pipeline(scaled(), KNeighborsRegressor(n_neighbors=10))
        yield DecisionTreeRegressor(max_depth=3, **state)
        yield ExtraTreesRegressor(50, min_samples_leaf=3, **state)
    yield boosting(is_class, seed)
