"""L_total = alpha L_rec + beta L_dist + gamma L_model: the three terms, in this one place.

Every term is an average, over rows and over columns, of columns scaled to unit variance, and is divided by its
value at the start of training: the weights mean the same on any table and at any batch size. ``L_rec`` comes
from the generator's family; ``L_dist`` (``distances``) and ``L_model`` (``models``) are chosen by name, so that one
more of either is one small function or class and one line.
"""

from trisynth.objective.distances import moments
from trisynth.objective.loss import Diverged, Loss
from trisynth.objective.total import Objective, unit_scale

__all__ = ["Diverged", "Loss", "Objective", "moments", "unit_scale"]
