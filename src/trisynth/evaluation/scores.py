"""Scores of one set of synthetic rows: predictions of each arm, gains, fidelity and copying."""

from collections.abc import Mapping

from sklearn.base import BaseEstimator

from trisynth.data.dataset import Dataset
from trisynth.evaluation.arms import Arm, TrainingSet
from trisynth.evaluation.classifiers import Classifier, fit_predict
from trisynth.evaluation.metrics.base import RowMetric, UtilityMetric
from trisynth.evaluation.metrics.context import Context


def utility_scores(
    classifier: Classifier,
    arm: Arm,
    training: TrainingSet,
    encoder: BaseEstimator,
    test: Dataset,
    metrics: Mapping[str, UtilityMetric],
    classes: list[str] | None,
    seed: int,
) -> dict[str, float]:
    """Score the predictions for real test rows of a classifier that was trained on the rows of an arm.

    Parameters
    ----------
    classifier : Classifier
    arm : Arm
    training : TrainingSet
        Composed by ``arm``.
    encoder : BaseEstimator
        Fitted on real training rows.
    test : Dataset
    metrics : mapping of str to UtilityMetric
    classes : list of str or None
        All labels; None for regression.
    seed : int

    Returns
    -------
    dict of str to float
        Scores by name, and ``converged``.
    """
    prediction = fit_predict(classifier, arm, training, encoder, test.X, classes, seed)
    found: dict[str, float] = {}
    for metric in metrics.values():
        found |= metric.score(test.y, prediction, classes)
    return found | {"converged": float(prediction.converged)}


def row_scores(context: Context, metrics: Mapping[str, Mapping[str, RowMetric]]) -> dict[str, float]:
    """Score synthetic rows by every metric; names begin with the metric's group."""
    return {
        f"{group}/{name}": value
        for group, members in metrics.items()
        for metric in members.values()
        for name, value in metric.score(context).items()
    }


def gains(scores: Mapping[str, float]) -> dict[str, float]:
    """Subtract the scores of the real rows from those of the combined rows, ``gain/<metric>``."""
    real = {name.removeprefix("real/"): value for name, value in scores.items() if name.startswith("real/")}
    shared = [name for name in real if f"combined/{name}" in scores and name != "converged"]
    return {f"gain/{name}": scores[f"combined/{name}"] - real[name] for name in shared}
