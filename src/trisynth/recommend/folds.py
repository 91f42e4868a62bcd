"""Exams of training sets: real rows kept aside, and classifiers that are trained on the others and asked about them."""

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

# Scores that may be asked for: higher is better. Those of decisions have a rival that only moves the decision.
RANKING, DECISIONS = ("roc_auc", "average_precision"), ("f1_macro", "balanced_accuracy", "accuracy")
REGRESSION = "r2"


@dataclass(frozen=True)
class Exam:
    """One division of the real training rows.

    Parameters
    ----------
    train, held : Dataset
        Rows to learn from and rows kept aside; a category that only the latter have is none of the former's.
    seed : int
        Of all that is fitted and drawn for this exam.
    """

    train: Dataset
    held: Dataset
    seed: int


def deal(labels: np.ndarray, parts: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Positions of the rows in parts of the given relative sizes, every label dealt out in turn.

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
    # Every round has the same order, so that as many rows of a label as there are cards meet each card once.
    cards = rng.permutation(np.repeat(np.arange(len(parts)), parts))
    dealt = np.resize(cards, len(labels))
    return [np.sort(order[dealt == part]) for part in range(len(parts))]


def exams(data: Dataset, held: Sequence[np.ndarray], seed: int) -> list[Exam]:
    """One exam for each set of positions in ``held``; all other rows are trained on."""
    found = []
    for i, rows in enumerate(held):
        aside = np.zeros(len(data), bool)
        aside[rows] = True
        train = data.take(np.flatnonzero(~aside))
        train = replace(train, X=train.X.apply(_known))
        found.append(Exam(train, data.take(rows), seeds.integer(seed, "exam", i)))
    return found


def _known(column: pd.Series) -> pd.Series:
    return column.cat.remove_unused_categories() if isinstance(column.dtype, pd.CategoricalDtype) else column


def rivals(task: str, metric: str) -> dict[str, Arm]:
    """What synthetic rows must beat: the real rows, and all that can be done with them at no cost."""
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
    """Classifiers that judge training sets by one score.

    Parameters
    ----------
    classifiers : mapping of str to mapping
        As the files of ``conf/classifier`` have them, their estimators made.
    metric : str
    encoder : TableEncoder
        Of each exam, fitted on the real rows that are trained on.
    classes : list of str or None
        None for regression.
    """

    classifiers: Mapping[str, Mapping[str, Any]]
    metric: str
    encoder: BaseEstimator
    classes: list[str] | None

    def score(self, arm: Arm, exam: Exam, rows: Dataset | None = None) -> float:
        """Mean score over the classifiers on the rows kept aside; NaN where these leave it undefined."""
        task, measure = exam.train.spec.task, _measure(self.metric)
        encoder = clone(self.encoder).fit(exam.train.X)
        training = arm.compose(exam.train, rows, exam.seed)
        found = []
        for name, classifier in self.classifiers.items():
            given = Classifier(name, **{task: classifier[task]}), arm, training, encoder, exam.held.X
            prediction = fit_predict(*given, self.classes, exam.seed)
            found.append(measure.score(exam.held.y, prediction, self.classes).get(self.metric, np.nan))
        return float(np.mean(found))

    def gauge(self, exams: Sequence[Exam], against: Mapping[str, Arm]) -> np.ndarray:
        """Scores of training sets without synthetic rows, shape (exams, arms)."""
        return np.array([[self.score(arm, exam) for arm in against.values()] for exam in exams])

    def examine(self, generator: Generator, amounts: Sequence[float | str], exams: Sequence[Exam]) -> np.ndarray:
        """Scores of real rows with a generator's beside them, shape (exams, amounts); one fit for each exam."""
        found = np.empty((len(exams), len(amounts)))
        for i, exam in enumerate(exams):
            fitted = clone(generator).fit(exam.train, seed=exam.seed)
            for j, amount in enumerate(amounts):
                arm = adding(amount)
                rows = Dataset.of(fitted.sample(arm.needs(exam.train.counts), exam.seed), exam.train.spec)
                found[i, j] = self.score(arm, exam, rows)
        return found


def _measure(metric: str) -> UtilityMetric:
    groups = {Errors(): (REGRESSION,), Ranking(): RANKING, Decisions(): DECISIONS}
    return next(measure for measure, names in groups.items() if metric in names)
