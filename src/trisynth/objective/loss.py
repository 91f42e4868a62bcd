"""The weights and the choice of terms, and what is raised when a term runs away."""

import math
from dataclasses import dataclass
from numbers import Real

from trisynth.errors import InputError
from trisynth.objective.distances import DISTANCES
from trisynth.objective.models import MODELS


class Diverged(RuntimeError):
    """Training stopped because a term is no longer finite.

    Parameters
    ----------
    term : str
        The term: ``rec``, ``dist``, ``model``, ``native`` or ``gradient``.
    value : float
        What it became.
    """

    def __init__(self, term: str, value: float):
        super().__init__(term, value)
        self.term, self.value = term, value

    def __str__(self) -> str:
        return (
            f"the loss term {self.term!r} became {self.value}; the generator keeps its weights of the last good "
            "epoch; lower learning_rate or the term's weight"
        )


@dataclass(frozen=True)
class Loss:
    """Weights and terms of L_total; values are checked when training starts.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of L_rec, the family's own error of reconstruction; (1, 0, 0) is the family's native loss.
    beta : float, default=0.1
        Weight of L_dist, the distance between real and generated rows, within each class.
    gamma : float, default=0.1
        Weight of L_model, what a predictive model says about the generated rows.
    distance : {"moments", "bures", "sliced", "mmd"}, default="moments"
        Which L_dist; see ``trisynth.objective.distances``.
    model : {"auxiliary", "adc", "train_on_synthetic"}, default="auxiliary"
        Which L_model; see ``trisynth.objective.models``.
    """

    alpha: float = 1.0
    beta: float = 0.1
    gamma: float = 0.1
    distance: str = "moments"
    model: str = "auxiliary"

    def checked(self) -> "Loss":
        """Itself.

        Raises
        ------
        InputError
            If a weight is negative, not finite or not a number, if all are zero, or if a term is unknown.
        """
        for name in ("alpha", "beta", "gamma"):
            weight = getattr(self, name)
            if isinstance(weight, bool) or not isinstance(weight, Real):
                raise InputError(f"loss.{name}", weight, "must be a number, 0 or more")
            if not math.isfinite(weight) or weight < 0:
                raise InputError(f"loss.{name}", weight, "must be finite and 0 or more")
        if not self.alpha + self.beta + self.gamma:
            raise InputError("loss.alpha", self.alpha, "alpha, beta and gamma are all 0; make one of them positive")
        for name, known in (("distance", DISTANCES), ("model", MODELS)):
            if getattr(self, name) not in known:
                raise InputError(f"loss.{name}", getattr(self, name), f"must be one of {', '.join(known)}")
        return self
