"""Scores of a trained model on real held-out rows.

Averages over classes run over the classes that occur among the test rows, so that a class without a test row neither
raises nor lowers them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import (
    average_precision_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
)

from trisynth.errors import InputError, require_whole
from trisynth.evaluation.metrics.base import UtilityMetric


@dataclass(frozen=True)
class Decisions(UtilityMetric):
    """Scores of the predicted labels: accuracy, balanced accuracy, precision, recall and F1.

    A class that is never predicted has precision 0. The scores of one class are ``precision/<class>``,
    ``recall/<class>`` and ``f1/<class>``. If there are two classes, the recall of the second one is what medicine calls
    sensitivity. The scores are not defined for regression.
    """

    def _score(self, y, prediction, classes):
        if classes is None:
            return {}
        truth, predicted = _codes(y, classes), _codes(prediction.labels, classes)
        present = np.unique(truth)
        scores = precision_recall_fscore_support(truth, predicted, labels=present, zero_division=0)
        weight = scores[3] / scores[3].sum()
        found = {"accuracy": float(np.mean(truth == predicted)), "balanced_accuracy": float(scores[1].mean())}
        for name, values in zip(("precision", "recall", "f1"), scores, strict=False):
            found[f"{name}_macro"] = float(values.mean())
            found[f"{name}_weighted"] = float(values @ weight)
            found |= {f"{name}/{classes[code]}": float(v) for code, v in zip(present, values, strict=True)}
        return found


@dataclass(frozen=True)
class Ranking(UtilityMetric):
    """Area under the ROC curve, ``roc_auc``, and under the precision-recall curve, ``average_precision``.

    With two classes, the scores are those of the second one. With more, each class is scored against the rest, and the
    mean is taken over the classes of at least two test rows: otherwise a single row would count as much as thousands.
    The scores are not defined for regression, or if all test rows have the same class.
    """

    def _score(self, y, prediction, classes):
        if classes is None:
            return {}
        truth = _codes(y, classes)
        ranked = [1] if len(classes) == 2 else range(len(classes))
        ranked = [code for code in ranked if 0 < np.sum(truth == code) < len(truth)]
        if not ranked:
            return {}
        ranked = [code for code in ranked if np.sum(truth == code) > 1] or ranked
        pairs = [(truth == code, prediction.probabilities[:, code]) for code in ranked]
        return {
            "roc_auc": float(np.mean([auc(*pair) for pair in pairs])),
            "average_precision": float(np.mean([average_precision_score(*pair) for pair in pairs])),
        }


@dataclass(frozen=True)
class Probabilities(UtilityMetric):
    """Scores of the predicted probabilities: log loss, Brier score and expected calibration error (ECE).

    The Brier score is the multiclass one (Brier 1950): the squared distance of the probabilities from the one-hot
    truth, between 0 and 2. The ECE is that of the top label (Guo et al. 2017): |accuracy - confidence| in bins of
    equally many rows, averaged with the bins' sizes. The scores are not defined for regression.

    Parameters
    ----------
    n_bins : int, default=15
        Bins of the ECE.
    clip : float, default=1e-6
        Smallest probability in the log loss, which would be infinite for a class without a training row.
    """

    n_bins: int = 15
    clip: float = 1e-6

    def __post_init__(self):
        """Check the arguments."""
        require_whole("n_bins", self.n_bins, 1)
        if not isinstance(self.clip, float) or not 0 < self.clip < 1:
            raise InputError("clip", self.clip, "must be a probability between 0 and 1, such as 1.0e-6")

    def _score(self, y, prediction, classes):
        if classes is None:
            return {}
        truth, p = _codes(y, classes), prediction.probabilities
        rows = np.arange(len(truth))
        right = p.argmax(axis=1) == truth
        confidence = p.max(axis=1)
        # The mean within tied confidences stands for each of them: the order of tied rows must not matter.
        order = np.argsort(confidence, kind="stable")
        _, ties = np.unique(confidence, return_inverse=True)
        right = (np.bincount(ties, right) / np.bincount(ties))[ties]
        bins = np.array_split(order, min(self.n_bins, len(order)))
        gaps = [abs(np.sum(right[part] - confidence[part])) for part in bins]
        return {
            "log_loss": float(-np.log(np.clip(p[rows, truth], self.clip, 1.0)).mean()),
            "brier": float(np.mean(np.sum((p - np.eye(len(classes))[truth]) ** 2, axis=1))),
            "ece": float(np.sum(gaps) / len(truth)),
        }


@dataclass(frozen=True)
class Errors(UtilityMetric):
    """Mean squared error, mean absolute error and R² of a predicted number, in the target's units.

    The scores are not defined for classification. ``r2`` is left out where fewer than two test rows make it undefined.
    """

    def _score(self, y, prediction, classes):
        if classes is not None:
            return {}
        truth = y.to_numpy(float)
        found = {
            "mse": float(mean_squared_error(truth, prediction.values)),
            "mae": float(mean_absolute_error(truth, prediction.values)),
        }
        return found | ({"r2": float(r2_score(truth, prediction.values))} if len(truth) > 1 else {})


def auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Estimate the probability that a positive row scores above a negative one, ties one half (Mann-Whitney 1947)."""
    positive = np.asarray(positive, dtype=bool)
    m, n = positive.sum(), (~positive).sum()
    return float((rankdata(score)[positive].sum() - m * (m + 1) / 2) / (m * n))


def _codes(labels: Sequence, classes: Sequence) -> np.ndarray:
    return pd.Categorical(labels, categories=list(classes)).codes.astype(int)
