"""How good a trained model is, on real held-out rows.

Each function takes the true targets, a ``Prediction`` and the classes (None for regression), and returns the
scores that apply to that task. Averages over classes run over the classes that occur among the test rows, so that
a class without a test row neither helps nor hurts.
"""

from collections.abc import Sequence

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

from trisynth.evaluation.classifiers import Prediction

_BINS = 15
# Where a class had no training row its probability is 0, and the log loss of it would be infinite.
_SMALLEST = 1e-6


def decisions(y: pd.Series, prediction: Prediction, classes: Sequence | None) -> dict[str, float]:
    """Scores of the predicted labels: accuracy, precision, recall and F1, balanced accuracy.

    A class that is never predicted has precision 0. Per class the names are ``precision/<class>``,
    ``recall/<class>`` and ``f1/<class>``; with two classes the second one's are what medicine calls precision and
    sensitivity.

    Parameters
    ----------
    y : Series, shape (n,)
    prediction : Prediction
    classes : sequence of length k or None

    Returns
    -------
    dict of str to float
        Empty for regression.
    """
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


def ranking(y: pd.Series, prediction: Prediction, classes: Sequence | None) -> dict[str, float]:
    """Area under the ROC curve and under the precision-recall curve (average precision).

    Two classes: of the second class. More: the mean over the classes, each against the rest, without those of a
    single test row, whose area is the rank of one row and would weigh as much as that of thousands.

    Parameters
    ----------
    y : Series, shape (n,)
    prediction : Prediction
    classes : sequence of length k or None

    Returns
    -------
    dict of str to float
        Empty for regression and where the test rows are of one class.
    """
    if classes is None:
        return {}
    truth = _codes(y, classes)
    asked = [1] if len(classes) == 2 else range(len(classes))
    asked = [code for code in asked if 0 < np.sum(truth == code) < len(truth)]
    if not asked:
        return {}
    asked = [code for code in asked if np.sum(truth == code) > 1] or asked
    pairs = [(truth == code, prediction.probabilities[:, code]) for code in asked]
    return {
        "roc_auc": float(np.mean([auc(*pair) for pair in pairs])),
        "average_precision": float(np.mean([average_precision_score(*pair) for pair in pairs])),
    }


def probabilities(y: pd.Series, prediction: Prediction, classes: Sequence | None) -> dict[str, float]:
    """Scores of the probabilities: log loss, Brier score and expected calibration error.

    The log loss clips probabilities at 1e-6. The Brier score is the multiclass one (Brier 1950), the squared distance
    of the probabilities from the one-hot truth, between 0 and 2. The calibration error is that of the top label
    (Guo et al. 2017): |accuracy - confidence| in 15 bins of equally many rows, averaged with the bins' sizes.

    Parameters
    ----------
    y : Series, shape (n,)
    prediction : Prediction
    classes : sequence of length k or None

    Returns
    -------
    dict of str to float
        Empty for regression.
    """
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
    gaps = [abs(np.sum(right[part] - confidence[part])) for part in np.array_split(order, min(_BINS, len(order)))]
    return {
        "log_loss": float(-np.log(np.clip(p[rows, truth], _SMALLEST, 1.0)).mean()),
        "brier": float(np.mean(np.sum((p - np.eye(len(classes))[truth]) ** 2, axis=1))),
        "ece": float(np.sum(gaps) / len(truth)),
    }


def errors(y: pd.Series, prediction: Prediction, classes: Sequence | None) -> dict[str, float]:
    """Mean squared error, mean absolute error and R^2 of a predicted number, in the target's units.

    Parameters
    ----------
    y : Series, shape (n,)
    prediction : Prediction
    classes : None
        Anything else returns nothing.

    Returns
    -------
    dict of str to float
        Empty for classification; without ``r2`` where fewer than two test rows make it undefined.
    """
    if classes is not None:
        return {}
    truth = y.to_numpy(float)
    found = {
        "mse": float(mean_squared_error(truth, prediction.values)),
        "mae": float(mean_absolute_error(truth, prediction.values)),
    }
    return found | ({"r2": float(r2_score(truth, prediction.values))} if len(truth) > 1 else {})


def auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Probability that a positive row scores above a negative one, ties one half (Mann and Whitney 1947)."""
    positive = np.asarray(positive, dtype=bool)
    m, n = positive.sum(), (~positive).sum()
    return float((rankdata(score)[positive].sum() - m * (m + 1) / 2) / (m * n))


def _codes(labels: Sequence, classes: Sequence) -> np.ndarray:
    return pd.Categorical(labels, categories=list(classes)).codes.astype(int)
