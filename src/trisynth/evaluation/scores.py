"""Scores of one set of synthetic rows: predictions of each arm, gains, fidelity and copying."""

from collections.abc import Callable, Mapping

from trisynth.data.dataset import Dataset
from trisynth.evaluation.classifiers import Prediction
from trisynth.evaluation.metrics.base import RowMetric, UtilityMetric
from trisynth.evaluation.metrics.context import Context


def utility_scores(
    prediction: Prediction, test: Dataset, metrics: Mapping[str, UtilityMetric], classes: list[str] | None
) -> dict[str, float]:
    """Score predictions of real test rows by every metric, and record whether the classifier ``converged``."""
    found: dict[str, float] = {}
    for metric in metrics.values():
        found |= metric.score(test.y, prediction, classes)
    return found | {"converged": float(prediction.converged)}


def row_scores(
    context: Context,
    metrics: Mapping[str, Mapping[str, RowMetric]],
    progress: Callable[[str], None] | None = None,
) -> dict[str, float]:
    """Score synthetic rows by every metric; names begin with the metric's group.

    ``progress`` receives the name of each metric when it starts.
    """
    found: dict[str, float] = {}
    for group, members in metrics.items():
        for label, metric in members.items():
            if progress:
                progress(label)
            found |= {f"{group}/{name}": value for name, value in metric.score(context).items()}
    return found


def gains(scores: Mapping[str, float]) -> dict[str, float]:
    """Subtract the scores of the real rows from those of the combined rows, ``gain/<metric>``."""
    real = {name.removeprefix("real/"): value for name, value in scores.items() if name.startswith("real/")}
    shared = [name for name in real if f"combined/{name}" in scores and name != "converged"]
    return {f"gain/{name}": scores[f"combined/{name}"] - real[name] for name in shared}
