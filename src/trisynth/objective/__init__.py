"""L_total = native + alpha L_rec / s_rec + beta L_dist / s_dist + gamma L_model / s_model.

``Objective`` is the only place where terms are weighted and brought to common units; its docstring states the formula
and the unit of each term. A family of generators supplies its own L_rec and native loss. L_dist (``distances``) and
L_model (``models``) are chosen by name: another one is one small function or class and one line.
"""

from trisynth.objective.auxiliary import Auxiliary
from trisynth.objective.distances import by_class, moments
from trisynth.objective.loss import Diverged, Loss
from trisynth.objective.total import Objective, unit_scale

__all__ = ["Auxiliary", "Diverged", "Loss", "Objective", "by_class", "moments", "unit_scale"]
