"""L_model, the loss of a predictive model on generated rows, in three forms.

``MODELS`` builds one from all scaled real training rows, their labels, the column of a numeric target or None, and a
source of randomness. A form may hold some real rows out: batches may come from ``rows`` only.
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
