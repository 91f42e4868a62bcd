"""Further scores of models trained on synthetic rows: importance, every column, overfitting, shifts.

All models are small gradient-boosted trees on the columns as they are, unless named otherwise. Real test rows are the
held-out rows; no model is trained on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator

from trisynth import seeds
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.learners import Rows, boosting, candidates, fitted, rows_of, score, shuffled

# Rows of a table that models learn from, at the least.
_FEWEST = 20


@dataclass(frozen=True)
class ImportancePreservation(FidelityMetric):
    """Rank correlation of feature importances of models trained on synthetic and on real rows.

    The importance of a column is what a model loses on real test rows when the column is permuted (Breiman 2001).
    ``importance_correlation`` is Spearman's correlation of the importances of a model of one half of the training rows
    and of one of as many synthetic rows; ``importance_correlation_real`` takes the other half instead, the value to
    reach. Both are means over ``repeats`` halves. They are left out with fewer than three columns or no target.

    Parameters
    ----------
    repeats : int, default=3
    max_rows : int, default=2000
        Maximum number of training rows of a model, and of test rows.
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
        test = rows_of(context, 1, target, rng.permutation(len(context.test))[: self.max_rows])
        found: dict[str, list[float]] = {"importance_correlation": [], "importance_correlation_real": []}
        size = min(len(context.train) // 2, len(context.synthetic), self.max_rows)
        if size < _FEWEST or not len(test[1]):
            return {}
        for _ in range(self.repeats):
            order = rng.permutation(len(context.train))
            drawn = rng.permutation(len(context.synthetic))[:size]
            parts = ((0, order[:size]), (2, drawn), (0, order[size : 2 * size]))
            importances = [
                self._importance(context, rows_of(context, part[0], target, part[1]), test, rng) for part in parts
            ]
            for name, other in zip(found, importances[1:], strict=True):
                found[name].append(_correlation(importances[0], other))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _importance(self, context: Context, rows: Rows, test: Rows, rng: np.random.Generator) -> np.ndarray:
        is_class = context.train.classes is not None
        model = fitted(boosting(is_class, context.seed), rows)
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
        Maximum number of training rows of a model, and of test rows.
    max_columns : int, default=40
        Maximum number of columns that are predicted, the first ones.
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
            test = rows_of(context, 1, name, chosen[1])
            for key, side in zip(skills, (2, 0), strict=True):
                rows = rows_of(context, side, name, chosen[side])
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
        Maximum number of rows of a table.
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
        train, test, synthetic = shuffled(context, target, self.max_rows, rng)
        is_class = context.train.classes is not None
        scores = []
        for make in candidates(is_class, context.seed):
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
        Maximum number of rows of a table.
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
        train, test, synthetic = shuffled(context, target, self.max_rows, rng)
        both = tuple(np.concatenate(each) for each in zip(train, synthetic, strict=True))
        is_class = context.train.classes is not None
        found = {}
        for name, rows in {"train_test_gap": both, "train_test_gap_real": train}.items():
            model = fitted(boosting(is_class, context.seed), rows)
            gap = score(model, train, is_class) - score(model, test, is_class)
            if not np.isnan(gap):
                found[name] = float(gap)
        return found


@dataclass(frozen=True)
class ShiftRobustness(FidelityMetric):
    """Score that a model loses on test rows of other populations, with and without synthetic rows.

    A population is the lowest or the highest third of the test rows by a number, or their rows of one category, the
    target apart: a shift of the covariates. ``shift_loss`` is the score on all test rows minus the mean score over
    populations, for trees of real and synthetic rows together, ``shift_loss_real`` for trees of the real rows alone;
    ``shift_worst`` and ``shift_worst_real`` are the scores in the worst population. Scores are ROC AUC (mean over
    classes) or R². Populations of few rows, or of one class, are left out.

    Parameters
    ----------
    min_rows : int, default=50
        Minimum number of test rows of a population.
    max_rows : int, default=2000
        Maximum number of rows of a table.
    """

    min_rows: int = 50
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("min_rows", self.min_rows, 2)
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        target = context.train.spec.target
        if target is None or min(len(context.train), len(context.synthetic)) < _FEWEST:
            return {}
        rng = seeds.stream(context.seed, "metrics.shift")
        train, test, synthetic = shuffled(context, target, self.max_rows, rng)
        populations = list(self._populations(context, target, test))
        both = tuple(np.concatenate(each) for each in zip(train, synthetic, strict=True))
        is_class = context.train.classes is not None
        found = {}
        for suffix, rows in {"": both, "_real": train}.items():
            model = fitted(boosting(is_class, context.seed), rows)
            scores = [score(model, tuple(part[chosen] for part in test), is_class) for chosen in populations]
            if scores := [value for value in scores if not np.isnan(value)]:
                found[f"shift_loss{suffix}"] = score(model, test, is_class) - float(np.mean(scores))
                found[f"shift_worst{suffix}"] = min(scores)
        return found

    def _populations(self, context: Context, target: str, test: Rows) -> Iterator[np.ndarray]:
        """Yield masks of the test rows of each population."""
        for name, values in zip(context.tables[1].columns.drop(target), test[0].T, strict=True):
            if name in context.scales:
                low, high = np.quantile(values, (1 / 3, 2 / 3))
                parts = [values <= low, values >= high]
            else:
                parts = [values == code for code in np.unique(values)]
            yield from (part for part in parts if self.min_rows <= part.sum() < len(part))


def _loss(model: BaseEstimator | None, rows: Rows, is_class: bool) -> float:
    value = score(model, rows, is_class)
    return 0.0 if np.isnan(value) else -value


def _utility(model: BaseEstimator, rows: Rows, test: Rows, is_class: bool) -> float:
    return score(fitted(model, rows), test, is_class)


def _halved(model: BaseEstimator, rows: Rows, is_class: bool) -> float:
    # The rows are in random order already.
    half = len(rows[1]) // 2
    return _utility(model, tuple(part[:half] for part in rows), tuple(part[half:] for part in rows), is_class)


def _skill(rows: Rows, test: Rows, is_class: bool, seed: int) -> float | None:
    y = test[1]
    if len(np.unique(y)) < 2 or not len(rows[1]):
        return None
    if len(np.unique(rows[1])) < 2:
        return 0.0
    predicted = boosting(is_class, seed).set_params(max_iter=20).fit(*rows).predict(test[0])
    if is_class:
        constant, loss = 1 - np.unique(y, return_counts=True)[1].max() / len(y), np.mean(predicted != y)
    else:
        constant, loss = np.var(y), np.mean((predicted - y) ** 2)
    return float(max(1 - loss / constant, 0.0))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation; 0 where one side is constant."""
    return float(spearmanr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0
