"""Scores of the rarest class against all others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from trisynth.evaluation.metrics.base import UtilityMetric


@dataclass(frozen=True)
class Minority(UtilityMetric):
    """Scores of the class with the fewest test rows, the first one in a tie.

    ``minority_recall`` and ``minority_specificity`` are the fractions of its own rows and of the others that are
    labelled right, and ``minority_precision`` is 0 if it is never predicted. ``minority_average_precision`` is the area
    under the precision-recall curve, whose level of chance is the fraction of the class among the test rows.
    ``minority_probability_gap`` is the mean predicted probability of the class minus that fraction, 0 if the
    probabilities are right on average. The scores are not defined for regression, or if all test rows have one class.
    """

    def _score(self, y, prediction, classes):
        if classes is None:
            return {}
        codes = pd.Categorical(y, categories=list(classes)).codes
        present, counts = np.unique(codes, return_counts=True)
        if len(present) < 2:
            return {}
        rarest = present[counts.argmin()]
        own, found = codes == rarest, np.asarray(prediction.labels) == classes[rarest]
        score = prediction.probabilities[:, rarest]
        return {
            "minority_recall": float(found[own].mean()),
            "minority_specificity": float(1 - found[~own].mean()),
            "minority_precision": float(own[found].mean()) if found.any() else 0.0,
            "minority_average_precision": float(average_precision_score(own, score)),
            "minority_probability_gap": float(score.mean() - own.mean()),
        }
