"""Bayes-optimal scores on the simulated cohort, by Monte Carlo with the true posterior."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from trisynth.data.paper_cohort import CLASSES, TARGET, posterior, simulate

BATCHES = 20


def bayes_score(n: int = 200_000, seed: int = 0) -> pd.DataFrame:
    """Estimate the Bayes-optimal scores on ``trisynth.data.paper_cohort``.

    Each score is that of its own best rule: the most probable class for accuracy, true probabilities for the
    area under the ROC curve (one against the rest, mean over classes), the logarithmic loss and the Brier score,
    and for macro-F1 the plug-in rule of Narasimhan et al. (2015), which weighs a class's probability by how
    much one more prediction of it changes F1; that rule is found on separate rows.

    Parameters
    ----------
    n : int, default=200_000
        Simulated rows; >= 2,000 for each batch to hold enough of every class.
    seed : int, default=0

    Returns
    -------
    DataFrame
        Index ``accuracy``, ``macro_f1``, ``roc_auc``, ``log_loss``, ``brier``; columns ``value``, the mean over
        20 batches of rows, and ``standard_error`` of that mean.
    """
    tuning = simulate(n, seed + 1)
    weigh = _macro_f1_rule(posterior(tuning), _labels(tuning))
    rows = simulate(n, seed)
    label, p = _labels(rows), posterior(rows)
    scores = [_scores(label[batch], p[batch], weigh) for batch in np.array_split(np.arange(n), BATCHES)]
    table = pd.DataFrame(scores)
    return pd.DataFrame({"value": table.mean(), "standard_error": table.sem()})


def _labels(rows: pd.DataFrame) -> np.ndarray:
    return pd.Categorical(rows[TARGET], categories=CLASSES).codes


def _scores(label: np.ndarray, p: np.ndarray, weigh) -> dict[str, float]:
    truth = np.eye(len(CLASSES))[label]
    return {
        "accuracy": float((p.argmax(axis=1) == label).mean()),
        "macro_f1": float(_f1(label, weigh(p).argmax(axis=1)).mean()),
        "roc_auc": float(roc_auc_score(label, p, multi_class="ovr")),
        "log_loss": float(-np.log(p[np.arange(len(p)), label]).mean()),
        "brier": float(((p - truth) ** 2).sum(axis=1).mean()),
    }


def _f1(label: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    classes = np.arange(len(CLASSES))
    hit = np.bincount(label[label == predicted], minlength=len(classes))
    return (
        2
        * hit
        / np.maximum(np.bincount(label, minlength=len(classes)) + np.bincount(predicted, minlength=len(classes)), 1)
    )


def _macro_f1_rule(p: np.ndarray, label: np.ndarray, steps: int = 20):
    """Iterate to a fixed point: predict the class whose F1 gains most, (2 p - F1) / (true + predicted fraction)."""
    f1, mass = np.zeros(p.shape[1]), np.ones(p.shape[1])
    best, rule = -1.0, (f1, mass)
    for _ in range(steps):
        predicted = ((2 * p - f1) / mass).argmax(axis=1)
        now = _f1(label, predicted)
        if now.mean() > best:
            best, rule = now.mean(), (f1, mass)
        f1, mass = now, p.mean(axis=0) + np.bincount(predicted, minlength=p.shape[1]) / len(p)
    return lambda p: (2 * p - rule[0]) / rule[1]
