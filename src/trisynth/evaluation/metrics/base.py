"""Base classes of the metrics: each has one hook, and its numbers are constructor arguments.

A new metric is a frozen dataclass in this folder and one line in a file of ``conf/metrics``. It subclasses the base of
its group and implements the hook ``_score``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from trisynth.places import part

if TYPE_CHECKING:
    from trisynth.evaluation.classifiers import Prediction
    from trisynth.evaluation.metrics.context import Context


@part
class Metric(ABC):
    """Base of all metrics; subclass one of the groups below."""

    @abstractmethod
    def _score(self, *data: Any) -> dict[str, float]:
        """Compute scores by name from what ``score`` of the group takes."""


class UtilityMetric(Metric):
    """Base of metrics of predictions on real held-out rows."""

    def score(self, y: pd.Series, prediction: "Prediction", classes: Sequence | None) -> dict[str, float]:
        """Compute scores by name.

        Parameters
        ----------
        y : Series, shape (n,)
            True targets.
        prediction : Prediction
        classes : sequence of length k or None
            All classes in order; None for regression.

        Returns
        -------
        dict of str to float
            Empty where the metric does not apply to the task.
        """
        return self._score(y, prediction, classes)


class RowMetric(Metric):
    """Base of metrics of synthetic rows."""

    def score(self, context: "Context") -> dict[str, float]:
        """Compute scores by name.

        Parameters
        ----------
        context : Context
            Training, held-out and synthetic rows.

        Returns
        -------
        dict of str to float
            Scores that are undefined for these rows are left out.
        """
        return self._score(context)


class FidelityMetric(RowMetric):
    """Base of metrics that compare synthetic rows with real held-out rows."""


class CopyingMetric(RowMetric):
    """Base of metrics that compare synthetic rows with the training rows of their generator."""


class PrivacyMetric(RowMetric):
    """Base of attacks that use synthetic rows, on training rows and on held-out rows."""


GROUPS = {"utility": UtilityMetric, "fidelity": FidelityMetric, "copying": CopyingMetric, "privacy": PrivacyMetric}
# Groups that a job has only where its configuration names them.
OPTIONAL = ("privacy",)
