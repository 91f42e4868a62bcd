"""Weights and choice of L_total's terms, and the error of a training that diverges."""

import math
from dataclasses import dataclass
from numbers import Real

from trisynth.errors import InputError
from trisynth.objective.distances import DISTANCES
from trisynth.objective.models import MODELS
from trisynth.places import part

# How a family without pairs of rows obtains L_rec.
PAIRINGS = ("transport", "none")


class Diverged(RuntimeError):
    """Training stopped because a term is no longer finite.

    Parameters
    ----------
    term : str
        The term: ``rec``, ``dist``, ``model``, ``native`` or ``gradient``.
    value : float
        Its value.
    """

    def __init__(self, term: str, value: float):
        super().__init__(term, value)
        self.term, self.value = term, value

    def __str__(self) -> str:
        """Return the one line that a user sees."""
        return (
            f"the loss term {self.term!r} became {self.value}; the generator keeps its weights of the last good "
            "epoch; lower learning_rate or the term's weight"
        )


@part
@dataclass(frozen=True)
class Loss:
    """Weights and terms of L_total; values are checked when training starts.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of L_rec, the family's own reconstruction error.
    beta : float, default=0.1
        Weight of L_dist, the distance between real and generated rows, within each class.
    gamma : float, default=0.1
        Weight of L_model, the loss of a predictive model on generated rows.
    distance : {"moments", "bures", "sliced", "mmd"}, default="moments"
        The L_dist; see ``trisynth.objective.distances``.
    model : {"auxiliary", "adc", "train_on_synthetic"}, default="auxiliary"
        The L_model; see ``trisynth.objective.models``.
    pairing : {"transport", "none"}, default="transport"
        For families without pairs of rows, such as GANs: the cheapest pairing of a batch within classes, or none,
        which leaves alpha without effect. With "none", (1, 0, 0) is the native loss of every family.
    """

    alpha: float = 1.0
    beta: float = 0.1
    gamma: float = 0.1
    distance: str = "moments"
    model: str = "auxiliary"
    pairing: str = "transport"

    @classmethod
    def of(cls, given: object) -> "Loss":
        """Return a generator's argument ``loss``, checked; None is the default loss."""
        if given is not None and not isinstance(given, cls):
            raise InputError("loss", given, "must be a Loss, such as Loss(alpha=1.0, beta=0.1, gamma=0.1)")
        return (cls() if given is None else given).checked()

    @property
    def pairs(self) -> bool:
        """True if a family without pairs of rows has to pair them."""
        return self.alpha > 0 and self.pairing == "transport"

    def checked(self) -> "Loss":
        """Return the loss itself if its values can be used.

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
        for name, known in (("distance", DISTANCES), ("model", MODELS), ("pairing", PAIRINGS)):
            if getattr(self, name) not in known:
                raise InputError(f"loss.{name}", getattr(self, name), f"must be one of {', '.join(known)}")
        return self
