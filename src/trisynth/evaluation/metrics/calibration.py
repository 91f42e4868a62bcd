"""Calibration error beyond that of a calibrated model with as many test rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import UtilityMetric


@dataclass(frozen=True)
class Calibration(UtilityMetric):
    """Excess of the expected calibration error (ECE), and a test of calibration.

    A calibrated model has an ECE above 0, since each bin has few rows: about 0.10 with 150 rows in 15 bins. Outcomes
    are therefore simulated with the predicted confidences, as if these were right. ``ece_excess`` is the ECE minus the
    mean of the simulated ones, about 0 if the model is calibrated, and ``ece_p`` the fraction of simulated ones that
    reach it (Vaicenavicius et al. 2019). The scores are not defined for regression.

    Parameters
    ----------
    n_bins : int, default=15
        Bins of equally many rows.
    simulations : int, default=199
    """

    n_bins: int = 15
    simulations: int = 199

    def __post_init__(self):
        """Check the arguments."""
        require_whole("n_bins", self.n_bins, 1)
        require_whole("simulations", self.simulations, 1)

    def _score(self, y, prediction, classes):
        if classes is None or not len(y):
            return {}
        truth = pd.Categorical(y, categories=list(classes)).codes
        confidence = prediction.probabilities.max(axis=1)
        right = prediction.probabilities.argmax(axis=1) == truth
        order = np.argsort(confidence, kind="stable")
        confidence, right = confidence[order], right[order]
        starts = np.linspace(0, len(order), min(self.n_bins, len(order)) + 1).astype(int)[:-1]
        # The test rows decide the stream: the metric has no seed of its own.
        drawn = seeds.stream(0, "metrics.calibration").random((self.simulations, len(order))) < confidence
        outcomes = np.vstack([right[None], drawn]).astype(float)
        ece = np.abs(np.add.reduceat(outcomes - confidence, starts, axis=1)).sum(axis=1) / len(order)
        return {"ece_excess": float(ece[0] - ece[1:].mean()), "ece_p": float(np.mean(ece >= ece[0] - 1e-12))}
