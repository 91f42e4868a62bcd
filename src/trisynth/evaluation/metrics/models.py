"""Lessons that models take from synthetic rows besides their score: importance, every column, overfitting.

All models are small gradient-boosted trees on the columns as they are, unless named otherwise. Real test rows are the
held-out rows; no model is trained on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
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
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.c2st import ordinal
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.utility import auc

# Rows of a table that models learn from, at the least.
_FEWEST = 20
_TREES = {"max_iter": 40, "max_leaf_nodes": 8, "early_stopping": False, "l2_regularization": 1.0}

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class ImportancePreservation(FidelityMetric):
    """Rank correlation of feature importances of models of synthetic and of real rows.

    The importance of a column is what a model loses on real test rows when the column is permuted (Breiman 2001).
    ``importance_correlation`` is Spearman's correlation of the importances of a model of one half of the training rows
    and of one of as many synthetic rows; ``importance_correlation_real`` takes the other half instead, the value to
    reach. Both are means over ``repeats`` halves. They are left out with fewer than three columns or no target.

    Parameters
    ----------
    repeats : int, default=3
    max_rows : int, default=2000
        Most rows of a model and most test rows.
    """

    repeats: int = 3
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("repeats", self.repeats, 1)
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        target = context.train.spec.target
        if target is None or context.tables[0].shape[1] < 4:
            return {}
        rng = seeds.stream(context.seed, "metrics.importance")
        test = _rows(context, 1, target, rng.permutation(len(context.test))[: self.max_rows])
        found: dict[str, list[float]] = {"importance_correlation": [], "importance_correlation_real": []}
        size = min(len(context.train) // 2, len(context.synthetic), self.max_rows)
        if size < _FEWEST or not len(test[1]):
            return {}
        for _ in range(self.repeats):
            order = rng.permutation(len(context.train))
            drawn = rng.permutation(len(context.synthetic))[:size]
            parts = ((0, order[:size]), (2, drawn), (0, order[size : 2 * size]))
            importances = [
                self._importance(context, _rows(context, part[0], target, part[1]), test, rng) for part in parts
            ]
            for name, other in zip(found, importances[1:], strict=True):
                found[name].append(_correlation(importances[0], other))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _importance(self, context: Context, rows: Rows, test: Rows, rng: np.random.Generator) -> np.ndarray:
        is_class = context.train.classes is not None
        model = _fitted(_boosting(is_class, context.seed), rows)
        whole = _loss(model, test, is_class)
        found = []
        for column in range(test[0].shape[1]):
            permuted = test[0].copy()
            permuted[:, column] = rng.permutation(permuted[:, column])
            found.append(_loss(model, (permuted, test[1]), is_class) - whole)
        return np.array(found)


@dataclass(frozen=True)
class GlobalUtility(FidelityMetric):
    """Mean skill of models that predict every column from all others, trained on synthetic rows and tested on real.

    The skill in a column is one minus the loss of its model over that of a constant prediction, at least 0: the squared
    error of numbers and the error rate of categories, against the mean and the most frequent class of the test rows.
    ``global_utility`` is the mean over columns; ``global_utility_real`` has models of as many training rows, the value
    to reach. Independent columns score about 0. (The idea is TabStruct's, Jiang et al. 2025, with one small model.)

    Parameters
    ----------
    max_rows : int, default=2000
        Most rows of a model and most test rows.
    max_columns : int, default=40
        Most columns that are predicted, the first ones.
    """

    max_rows: int = 2_000
    max_columns: int = 40

    def __post_init__(self):
        """Check the arguments."""
        require_whole("max_rows", self.max_rows, 2)
        require_whole("max_columns", self.max_columns, 1)

    def _score(self, context):
        size = min(len(context.train), len(context.synthetic), self.max_rows)
        if size < _FEWEST or context.tables[0].shape[1] < 2:
            return {}
        rng = seeds.stream(context.seed, "metrics.global_utility")
        mosts = size, self.max_rows, size
        chosen = [rng.permutation(len(table))[:most] for table, most in zip(context.tables, mosts, strict=True)]
        skills: dict[str, list[float]] = {"global_utility": [], "global_utility_real": []}
        for name in context.tables[0].columns[: self.max_columns]:
            test = _rows(context, 1, name, chosen[1])
            for key, side in zip(skills, (2, 0), strict=True):
                rows = _rows(context, side, name, chosen[side])
                if (skill := _skill(rows, test, name in context.categories, context.seed)) is not None:
                    skills[key].append(skill)
        return {name: float(np.mean(values)) for name, values in skills.items() if values}


@dataclass(frozen=True)
class ModelSelection(FidelityMetric):
    """Score that is lost where the best of six models is chosen on synthetic rows, and the order of the models.

    Every model is trained on one half of the synthetic rows and scored on the other, as someone would who has no other
    rows. Then every model is trained on real training rows and scored on real test rows. ``selection_regret`` is the
    test score of the best of these minus that of the model that the synthetic rows select; ``selection_regret_real``
    lets two halves of the training rows select, the value to reach. ``model_rank_correlation`` is Spearman's
    correlation of synthetic and test scores. Scores are ROC AUC (mean over classes) or R², as differences of them.

    Parameters
    ----------
    max_rows : int, default=2000
        Most rows of a table.
    """

    max_rows: int = 2_000

    def __post_init__(self):
        """Check the argument."""
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        target = context.train.spec.target
        size = min(len(context.train), len(context.synthetic), self.max_rows)
        if target is None or size < 2 * _FEWEST:
            return {}
        rng = seeds.stream(context.seed, "metrics.model_selection")
        train, test, synthetic = _shuffled(context, target, self.max_rows, rng)
        is_class = context.train.classes is not None
        scores = []
        for make in _candidates(is_class, context.seed):
            halves = (_halved(make, rows, is_class) for rows in (synthetic, train))
            scores.append([*halves, _utility(make, train, test, is_class)])
        table = np.array(scores, dtype=float)
        if np.isnan(table).any():
            return {}
        on_synthetic, on_train, on_test = table.T
        return {
            "selection_regret": float(on_test.max() - on_test[on_synthetic.argmax()]),
            "selection_regret_real": float(on_test.max() - on_test[on_train.argmax()]),
            "model_rank_correlation": _correlation(on_synthetic, on_test),
        }


@dataclass(frozen=True)
class TrainTestGap(FidelityMetric):
    """Score of a model on its real training rows minus that on test rows, with and without synthetic rows.

    ``train_test_gap`` is the gap of trees of real and synthetic rows together, ``train_test_gap_real`` that of the real
    rows alone, both on the same real rows. A smaller gap is less overfitting, and no gain unless the test score rises.
    Scores are ROC AUC (mean over classes) or R².

    Parameters
    ----------
    max_rows : int, default=2000
        Most rows of a table.
    """

    max_rows: int = 2_000

    def __post_init__(self):
        """Check the argument."""
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        target = context.train.spec.target
        if target is None or min(len(context.train), len(context.synthetic)) < _FEWEST:
            return {}
        rng = seeds.stream(context.seed, "metrics.train_test_gap")
        train, test, synthetic = _shuffled(context, target, self.max_rows, rng)
        both = tuple(np.concatenate(each) for each in zip(train, synthetic, strict=True))
        is_class = context.train.classes is not None
        found = {}
        for name, rows in {"train_test_gap": both, "train_test_gap_real": train}.items():
            model = _fitted(_boosting(is_class, context.seed), rows)
            gap = _score_of(model, train, is_class) - _score_of(model, test, is_class)
            if not np.isnan(gap):
                found[name] = float(gap)
        return found


def _rows(context: Context, side: int, target: str, chosen: np.ndarray) -> Rows:
    """Return features and the target of the chosen rows of a table; rows without a target are left out."""
    table = context.tables[side].iloc[chosen]
    table = table[table[target].notna()]
    y = table[target]
    values = y.cat.codes.to_numpy() if isinstance(y.dtype, pd.CategoricalDtype) else y.to_numpy(float)
    return ordinal(context, table.drop(columns=target)), values


def _shuffled(context: Context, target: str, most: int, rng: np.random.Generator) -> list[Rows]:
    """Return training, test and synthetic rows in random order, at most so many of each."""
    orders = [rng.permutation(len(table))[:most] for table in context.tables]
    return [_rows(context, side, target, order) for side, order in enumerate(orders)]


def _boosting(is_class: bool, seed: int) -> BaseEstimator:
    kind = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    return kind(random_state=seeds.integer(seed, "metrics.models"), **_TREES)


def _fitted(model: BaseEstimator, rows: Rows) -> BaseEstimator | None:
    """Fit a model; None where all rows have one class, of which it learns nothing."""
    return model.fit(*rows) if len(np.unique(rows[1])) > 1 else None


def _score_of(model: BaseEstimator | None, rows: Rows, is_class: bool) -> float:
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


def _loss(model: BaseEstimator | None, rows: Rows, is_class: bool) -> float:
    score = _score_of(model, rows, is_class)
    return 0.0 if np.isnan(score) else -score


def _utility(model: BaseEstimator, rows: Rows, test: Rows, is_class: bool) -> float:
    return _score_of(_fitted(model, rows), test, is_class)


def _halved(model: BaseEstimator, rows: Rows, is_class: bool) -> float:
    # The rows are in random order already.
    half = len(rows[1]) // 2
    return _utility(model, tuple(part[:half] for part in rows), tuple(part[half:] for part in rows), is_class)


def _candidates(is_class: bool, seed: int) -> Iterator[BaseEstimator]:
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
    yield _boosting(is_class, seed)


def _skill(rows: Rows, test: Rows, is_class: bool, seed: int) -> float | None:
    y = test[1]
    if len(np.unique(y)) < 2 or not len(rows[1]):
        return None
    if len(np.unique(rows[1])) < 2:
        return 0.0
    predicted = _boosting(is_class, seed).set_params(max_iter=20).fit(*rows).predict(test[0])
    if is_class:
        constant, loss = 1 - np.unique(y, return_counts=True)[1].max() / len(y), np.mean(predicted != y)
    else:
        constant, loss = np.var(y), np.mean((predicted - y) ** 2)
    return float(max(1 - loss / constant, 0.0))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation; 0 where one side is constant."""
    return float(spearmanr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0
