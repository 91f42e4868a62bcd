"""L_total over one training run: weights, start values and units of its terms."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trisynth.encoders.table import Block
from trisynth.objective.distances import DISTANCES, by_class
from trisynth.objective.loss import Diverged, Loss
from trisynth.objective.models import MODELS
from trisynth.objective.transport import transport_cost

# A term that starts near zero (with one class only, say) is not amplified to one.
_SMALLEST_START = 1e-2
# Below this standard deviation a scaled column is constant.
_CONSTANT = 1e-6


class Objective:
    """L_total over one training run, the only place where its terms are weighted and scaled.

        L_total = native + alpha rec / s_rec + beta dist / s_dist + gamma model / s_model

    The start value s_t of a term t is its value in the first batch, at least 0.01, and is constant from then on, so
    that weights mean the same on any table. "Scaled" columns are encoded columns divided by ``scale``, which gives
    every block a total variance of one. A *column* is a column of the table, a numeric target included; a *block* is a
    number, its missing indicator, or all indicators of a category; an *encoded column* is a column of the matrix.

    Terms are averaged over the rows of a batch. Before division by s_t their units are:

    ``rec``
        By ``negative_elbo``: -log p(x | z, y) in nats per column. By ``weighted_squared_error`` and ``adversarial``:
        squared error of scaled columns, summed over encoded columns, per block.
    ``dist``
        Squared distance of scaled columns per encoded column (moments, bures), per direction of unit length (sliced),
        or of no unit (mmd, whose kernel is at most 1); averaged over classes by their frequency.
    ``model``
        Classification: nats per row (auxiliary: cross-entropy of the label; adc: log(1 + ratio); train_on_synthetic:
        cross-entropy on held-out real rows). Numeric target: squared error in scaled units of the target; adc: squared
        error of the critic's score.
    ``native``
        By ``negative_elbo``: the KL term in the unit of ``rec``, KL / (kl_factor columns s_rec). By ``adversarial``:
        the GAN's generator loss as published, with neither weight nor division.

    Parameters
    ----------
    loss : Loss
        The weights alpha, beta and gamma, and the chosen L_dist and L_model.
    real : Tensor, shape (n, width)
        Encoded real training rows.
    labels : Tensor of int, shape (n,)
        Their classes 0..k-1 (quantile bins of a numeric target).
    blocks : sequence of Block
        Encoded columns of each column of the table.
    generator : torch.Generator
        Randomness of L_dist and L_model, on the CPU.
    target : int or None
        Encoded column of a numeric target; None for classification.

    Attributes
    ----------
    scale : Tensor, shape (width,)
        Divisor of each encoded column.
    columns, blocks : int
        Numbers of columns and of blocks.
    terms : dict of str to float
        The last call's terms: raw under their names, weighted and scaled as ``<name>_weighted``.
        Terms of weight zero are neither computed nor listed, except ``rec``.
    rows : Tensor of int
        Numbers of the training rows that batches may come from: all, unless L_model holds some out.
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
        self.columns, self.blocks = len({block.name for block in blocks}), len(blocks)
        self.terms: dict[str, float] = {}
        self._starts: dict[str, float] = {}
        scaled = real / self.scale
        self._model = MODELS[loss.model](scaled, labels, target, generator) if loss.gamma else None
        self._distance = DISTANCES[loss.distance](scaled, generator) if loss.beta else None
        self.rows = torch.arange(len(real)) if self._model is None else self._model.rows

    @property
    def needs_generated(self) -> bool:
        """True if L_dist or L_model has a weight, so that a batch needs generated rows."""
        return bool(self.loss.beta or self.loss.gamma)

    @property
    def started(self) -> bool:
        """True if a batch was seen, so that start values are fixed."""
        return bool(self._starts)

    def start(self, term: str, value: Tensor) -> float:
        """Return the start value of ``term``, which the first call fixes to ``value`` or 0.01 if that is more."""
        return self._starts.setdefault(term, max(float(value.detach()), _SMALLEST_START))

    def negative_elbo(
        self,
        log_density: Tensor,
        kl: Tensor | None,
        real: Tensor,
        labels: Tensor,
        generated: Tensor | None = None,
        kl_factor: float = 1.0,
    ) -> Tensor:
        """Return L_total of a variational autoencoder; with weights (1, 0, 0) it is proportional to the negative ELBO.

        Parameters
        ----------
        log_density : Tensor, shape (n,)
            log p(x | z, y) of each row, summed over columns.
        kl : Tensor, scalar, or None
            KL term, averaged over rows; None leaves it out.
        real, labels, generated
            As for ``__call__``.
        kl_factor : float
            Divisor of the KL term; the log-density counts so many times against it.
        """
        rec = -log_density.mean() / self.columns
        return self(rec, real, labels, generated, None if kl is None else self._unit_of_rec(kl, rec, kl_factor))

    def weighted_squared_error(
        self, error: Tensor, weight: Tensor, real: Tensor, labels: Tensor, generated: Tensor | None = None
    ) -> Tensor:
        """Return L_total of a family that predicts real rows; rec = weight |error / scale|^2 / blocks.

        Parameters
        ----------
        error : Tensor, shape (n, width)
            Predicted less real rows, in encoded columns.
        weight : Tensor, shape (n, 1)
        real, labels, generated
            As for ``__call__``.
        """
        squares = (error / self.scale).square().sum(dim=1, keepdim=True)
        return self((weight * squares).mean() / self.blocks, real, labels, generated)

    def adversarial(self, native: Tensor, real: Tensor, labels: Tensor, generated: Tensor | None) -> Tensor:
        """Return L_total of a GAN with the generator loss ``native``.

        A GAN has no pairs of rows: rec is the transport cost of the batch within classes, or absent without pairing.
        """
        rec = None
        if self.loss.pairs:
            rec = transport_cost(real / self.scale, generated / self.scale, labels) / self.blocks
        return self(rec, real, labels, generated, native)

    def __call__(
        self,
        rec: Tensor | None,
        real: Tensor,
        labels: Tensor,
        generated: Tensor | None = None,
        native: Tensor | None = None,
    ) -> Tensor:
        """Return L_total of one batch, a scalar.

        Parameters
        ----------
        rec : Tensor, scalar, or None
            The family's L_rec in its unit; None where the family has none.
        real, generated : Tensor, shape (batch, width)
            Encoded real rows, and rows generated from the *prior* for the same labels.
        labels : Tensor of int, shape (batch,)
        native : Tensor, scalar, or None
            The family's own term with weight one: the KL term, an adversarial loss.

        Raises
        ------
        Diverged
            If a term is not finite.
        """
        values = self._values(rec, real, labels, generated)
        raw = dict(values) if native is None else values | {"native": native}
        # All numbers leave the device at once.
        numbers = torch.stack([value.detach().double() for value in raw.values()]).tolist()
        for name, number in zip(raw, numbers, strict=True):
            if not math.isfinite(number):
                raise Diverged(name, number)
        self.terms = dict(zip(raw, numbers, strict=True))
        weights = {"rec": self.loss.alpha, "dist": self.loss.beta, "model": self.loss.gamma}
        total = 0.0 if native is None else native
        self.terms["total"] = self.terms.get("native", 0.0)
        for name, value in values.items():
            factor = weights[name] / self.start(name, value)
            total = total + factor * value
            self.terms[f"{name}_weighted"] = factor * self.terms[name]
            self.terms["total"] += self.terms[f"{name}_weighted"]
        return total

    def _values(self, rec: Tensor | None, real: Tensor, labels: Tensor, generated: Tensor | None) -> dict[str, Tensor]:
        """Compute the terms that have a weight, in their units."""
        values = {} if rec is None else {"rec": rec}
        if self.needs_generated:
            real, generated = real / self.scale, generated / self.scale
        if self.loss.beta:
            values["dist"] = by_class(self._distance, real, generated, labels)
        if self.loss.gamma:
            values["model"] = self._model(generated, labels, real)
        return values

    def _unit_of_rec(self, kl: Tensor, rec: Tensor, kl_factor: float) -> Tensor:
        # The two terms of the bound must share one unit, or they no longer add up to it.
        if kl_factor == 1:
            # Equal to the line below except for rounding, which published results depend on.
            return kl / self.columns / self.start("rec", rec)
        return kl / (kl_factor * self.columns * self.start("rec", rec))


def unit_scale(real: Tensor, blocks: Sequence[Block]) -> Tensor:
    """Return the divisor of each encoded column, shape (width,), that gives every block a total variance of one.

    For a scaled number that is its standard deviation. The indicators of a category share one divisor, so that a
    column of 300 categories weighs as much as one number and a rare category does not outweigh a common one.
    """
    variance = real.var(dim=0, correction=0)
    scale = torch.ones_like(variance)
    for block in blocks:
        deviation = variance[block.start : block.stop].sum().sqrt()
        if deviation > _CONSTANT:
            scale[block.start : block.stop] = deviation
    return scale
