"""Folds of the real training rows, and scores of classifiers that are trained on one part and tested on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.evaluation.arms import Arm, ClassWeight, Duplicated, Oversampled, Real, Threshold, adding
from trisynth.evaluation.classifiers import Classifier, fit_predict
from trisynth.evaluation.metrics.base import UtilityMetric
from trisynth.evaluation.metrics.utility import Decisions, Errors, Ranking
from trisynth.generators.base import Generator

# Metrics to choose from: higher is better. Those of decisions have a baseline that only moves the threshold.
RANKING, DECISIONS = ("roc_auc", "average_precision"), ("f1_macro", "balanced_accuracy", "accuracy")
REGRESSION = "r2"


@dataclass(frozen=True)
class Fold:
    """One division of the real training rows.

    Parameters
    ----------
    train, held : Dataset
        Rows to train on and rows held out; a category that only the latter have is not among the former's.
    seed : int
        Seed of all fits and samples of this fold.
    """

    train: Dataset
    held: Dataset
    seed: int


def deal(labels: np.ndarray, parts: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Deal the positions of the rows to parts of the given relative sizes, the rows of each label in turn.

    Parameters
    ----------
    labels : ndarray of shape (n,)
    parts : sequence of int
        Sizes: ``[4, 6]`` gives two parts with two and three fifths of the rows.
    rng : Generator

    Returns
    -------
    list of ndarray
        Sorted, disjoint, together all rows.
    """
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    # Every round has the same order, so that as many rows of a label as there are cards get each card once.
    cards = rng.permutation(np.repeat(np.arange(len(parts)), parts))
    dealt = np.resize(cards, len(labels))
    return [np.sort(order[dealt == part]) for part in range(len(parts))]


def make_folds(data: Dataset, held: Sequence[np.ndarray], seed: int) -> list[Fold]:
    """Make one fold for each set of positions in ``held``; all other rows are trained on."""
    found = []
    for i, rows in enumerate(held):
        aside = np.zeros(len(data), bool)
        aside[rows] = True
        train = data.take(np.flatnonzero(~aside))
        train = replace(train, X=train.X.apply(_known))
        found.append(Fold(train, data.take(rows), seeds.integer(seed, "exam", i)))
    return found


def _known(column: pd.Series) -> pd.Series:
    return column.cat.remove_unused_categories() if isinstance(column.dtype, pd.CategoricalDtype) else column


def baselines(task: str, metric: str) -> dict[str, Arm]:
    """Build the arms that synthetic rows must beat: the real rows, and what can be done with them at no cost."""
    known = {
        "real": Real(),
        "duplicated": Duplicated(),
        "oversampled": Oversampled(),
        "class_weight": ClassWeight(),
        "threshold": Threshold(),
    }
    return {
        name: arm
        for name, arm in known.items()
        if task in arm.tasks and (arm.decision == "argmax" or metric in DECISIONS)
    }


@dataclass(frozen=True)
class Panel:
    """Classifiers that score training sets by one metric.

    Parameters
    ----------
    classifiers : mapping of str to mapping
        As in the files of ``conf/classifier``, with built estimators.
    metric : str
    encoder : TableEncoder
        Fitted on the real rows that each fold trains on.
    classes : list of str or None
        None for regression.
    """

    classifiers: Mapping[str, Mapping[str, Any]]
    metric: str
    encoder: BaseEstimator
    classes: list[str] | None

    def score(self, arm: Arm, fold: Fold, rows: Dataset | None = None) -> float:
        """Compute the mean score over the classifiers on the held-out rows; NaN where they leave it undefined."""
        task, measure = fold.train.spec.task, _measure(self.metric)
        encoder = clone(self.encoder).fit(fold.train.X)
        training = arm.compose(fold.train, rows, fold.seed)
        found = []
        for name, classifier in self.classifiers.items():
            given = Classifier(name, **{task: classifier[task]}), arm, training, encoder, fold.held.X
            prediction = fit_predict(*given, self.classes, fold.seed)
            found.append(measure.score(fold.held.y, prediction, self.classes).get(self.metric, np.nan))
        return float(np.mean(found))

    def score_baselines(self, folds: Sequence[Fold], arms: Mapping[str, Arm]) -> np.ndarray:
        """Compute the scores of training sets without synthetic rows, shape (folds, arms)."""
        return np.array([[self.score(arm, fold) for arm in arms.values()] for fold in folds])

    def score_generator(
        self, generator: Generator, amounts: Sequence[float | str], folds: Sequence[Fold]
    ) -> np.ndarray:
        """Compute the scores of real rows with a generator's beside them, shape (folds, amounts); one fit per fold."""
        found = np.empty((len(folds), len(amounts)))
        for i, fold in enumerate(folds):
            fitted = clone(generator).fit(fold.train, seed=fold.seed)
            for j, amount in enumerate(amounts):
                arm = adding(amount)
                rows = fold.train.drawn(fitted.sample(arm.needs(fold.train.counts), fold.seed))
                found[i, j] = self.score(arm, fold, rows)
        return found


def _measure(metric: str) -> UtilityMetric:
    groups = {Errors(): (REGRESSION,), Ranking(): RANKING, Decisions(): DECISIONS}
    return next(measure for measure, names in groups.items() if metric in names)
