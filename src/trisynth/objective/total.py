"""L_total over one training run, and the scale that makes columns comparable."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trisynth.encoders.table import Block
from trisynth.objective.distances import DISTANCES, by_class
from trisynth.objective.loss import Diverged, Loss
from trisynth.objective.models import MODELS

# A term that starts near zero (one class only, say) is not blown up to one.
_SMALLEST_START = 1e-2
# Below this standard deviation a scaled column is constant.
_CONSTANT = 1e-6


class Objective:
    """L_total over one training run.

    Parameters
    ----------
    loss : Loss
    real : Tensor, shape (n, width)
        Encoded real training rows.
    labels : Tensor of int, shape (n,)
        Their classes 0..k-1 (quantile bins of a numeric target).
    blocks : sequence of Block
        Which columns encode which column of the table.
    generator : torch.Generator
        Randomness of L_dist and L_model, on the CPU.
    target : int or None
        Column that holds a numeric target; None for classification.

    Attributes
    ----------
    terms : dict of str to float
        The last call's terms: raw under their names, what they added to L_total as ``<name>_weighted``.
        Terms of weight zero are neither computed nor listed, except ``rec``.
    rows : Tensor of int
        Numbers of the training rows that batches may come from: all, unless L_model keeps some aside.
    """

    def __init__(
        self,
        loss: Loss,
        real: Tensor,
        labels: Tensor,
        blocks: Sequence[Block],
        generator: torch.Generator,
        target: int | None = None,
    ):
        self.loss = loss.checked()
        self.scale = unit_scale(real, blocks)
        self.terms: dict[str, float] = {}
        self._starts: dict[str, float] = {}
        scaled = real / self.scale
        self._model = MODELS[loss.model](scaled, labels, target, generator) if loss.gamma else None
        self._distance = DISTANCES[loss.distance](scaled, generator) if loss.beta else None
        self.rows = torch.arange(len(real)) if self._model is None else self._model.rows

    @property
    def needs_fakes(self) -> bool:
        """Whether a term looks at generated rows."""
        return bool(self.loss.beta or self.loss.gamma)

    def start(self, term: str, value: Tensor) -> float:
        """Value of ``term`` at the start of training, which is the first call's."""
        return self._starts.setdefault(term, max(float(value.detach()), _SMALLEST_START))

    def __call__(
        self,
        rec: Tensor,
        real: Tensor,
        labels: Tensor,
        fakes: Tensor | None = None,
        native: Tensor | float = 0.0,
    ) -> Tensor:
        """L_total of one batch, a scalar.

        Parameters
        ----------
        rec : Tensor, scalar
            The family's L_rec, averaged over rows and columns.
        real, fakes : Tensor, shape (batch, width)
            Encoded real rows, and rows generated from the *prior* for the same labels.
        labels : Tensor of int, shape (batch,)
        native : Tensor, scalar
            What the family adds with weight one: the VAE's KL term, a GAN's adversarial loss.

        Raises
        ------
        Diverged
            If a term is not finite.
        """
        values, weights = {"rec": rec}, {"rec": self.loss.alpha, "dist": self.loss.beta, "model": self.loss.gamma}
        if self.needs_fakes:
            real, fakes = real / self.scale, fakes / self.scale
        if self.loss.beta:
            values["dist"] = by_class(self._distance, real, fakes, labels)
        if self.loss.gamma:
            values["model"] = self._model(fakes, labels, real)
        values["native"] = native if isinstance(native, Tensor) else torch.as_tensor(native).to(rec)
        # All numbers leave the device at once.
        numbers = torch.stack([value.detach().double() for value in values.values()]).tolist()
        for name, number in zip(values, numbers, strict=True):
            if not math.isfinite(number):
                raise Diverged(name, number)
        self.terms, total = dict(zip(values, numbers, strict=True)), values.pop("native")
        self.terms["total"] = self.terms["native"]
        for name, value in values.items():
            factor = weights[name] / self.start(name, value)
            total = total + factor * value
            self.terms[f"{name}_weighted"] = factor * self.terms[name]
            self.terms["total"] += self.terms[f"{name}_weighted"]
        if not isinstance(native, Tensor):
            del self.terms["native"]
        return total


def unit_scale(real: Tensor, blocks: Sequence[Block]) -> Tensor:
    """Divisor of each encoded column, shape (width,), that gives every block of ``real`` a total variance of one.

    For a scaled number that is its standard deviation. The indicators of a category share one divisor, so that a
    column of 300 categories weighs as much as one number and a rare category does not outweigh a common one.
    """
    variance = real.var(dim=0, correction=0)
    scale = torch.ones_like(variance)
    for block in blocks:
        spread = variance[block.start : block.stop].sum().sqrt()
        if spread > _CONSTANT:
            scale[block.start : block.stop] = spread
    return scale
