"""L_model in three readings of "what a predictive model says about the generated rows".

``MODELS`` makes one from all scaled real training rows, their labels, the column of a numeric target or None, and a
source of randomness. A reading may keep some real rows aside: ``rows`` are those that batches may come from.
"""

from collections.abc import Callable

from trisynth.objective.adversarial import DiscriminativeClassifier
from trisynth.objective.auxiliary import Auxiliary
from trisynth.objective.train_on_synthetic import TrainOnSynthetic

MODELS: dict[str, Callable] = {
    "auxiliary": Auxiliary,
    "adc": DiscriminativeClassifier,
    "train_on_synthetic": TrainOnSynthetic,
}
