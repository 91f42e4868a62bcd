"""Likelihoods p(row | decoder output) of variational autoencoders."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.encoders.modes import ModeEncoder
from trisynth.encoders.table import Block
from trisynth.generators.neural.networks.emission import emit_modes, inside, normal

# Least standard deviation of a number, relative to its column: a constant column would have no density otherwise.
_LEAST_NOISE = 1e-2
# Standard deviation of a place within a mode: initial value and bounds.
_DEVIATION, _LEAST, _MOST = 0.1, 0.01, 1.0


class ColumnLikelihood(nn.Module):
    """Gaussian numbers, Bernoulli missing indicators and categorical one-hot blocks.

    A Gaussian's variance is learned per column and does not depend on the row. The filled-in value of a missing
    number has no density: only its indicator counts, and a sample that is missing takes the same fill.

    Parameters
    ----------
    blocks : sequence of Block
        Numbers first, then missing indicators, then categories.
    fill : Tensor, shape (number of missing indicators,)
        Encoded value of a missing number.
    """

    def __init__(self, blocks: Sequence[Block], fill: Tensor):
        super().__init__()
        numbers = [block.name for block in blocks if block.kind == "number"]
        incomplete = [numbers.index(block.name) for block in blocks if block.kind == "missing"]
        self.numbers = slice(0, len(numbers))
        self.indicators = slice(len(numbers), len(numbers) + len(incomplete))
        self.log_noise = nn.Parameter(torch.zeros(len(numbers)))
        self.register_buffer("fill", fill)
        self.register_buffer("incomplete", torch.tensor(incomplete, dtype=torch.long), persistent=False)
        # Categories of equal width are treated at once: one table of columns, shape (categories, width), per width.
        spans = [range(block.start, block.stop) for block in blocks if block.kind == "category"]
        self.widths = sorted({len(span) for span in spans})
        for width in self.widths:
            columns = [list(span) for span in spans if len(span) == width]
            self.register_buffer(f"columns_{width}", torch.tensor(columns), persistent=False)

    @property
    def variance(self) -> Tensor:
        """Gaussian variance of each number, shape (numbers,)."""
        return (2 * self.log_noise).exp() + _LEAST_NOISE**2

    def log_density(self, rows: Tensor, output: Tensor) -> Tensor:
        """Return log p(row | output) of encoded ``rows`` of shape (n, width), shape (n,)."""
        gap, absent = (rows - output)[:, self.numbers], rows[:, self.indicators]
        # log N(x; mu, sigma^2) = -((x - mu)^2 / sigma^2 + log(2 pi sigma^2)) / 2
        log_density = -0.5 * (gap.square() / self.variance + (2 * torch.pi * self.variance).log())
        present = torch.ones_like(gap).index_copy(1, self.incomplete, 1 - absent)
        total = (log_density * present).sum(dim=1)
        logits = output[:, self.indicators]
        total = total - functional.binary_cross_entropy_with_logits(logits, absent, reduction="none").sum(dim=1)
        for columns in self._categories():
            total = total + (rows[:, columns] * output[:, columns].log_softmax(dim=2)).sum(dim=(1, 2))
        return total

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        """Draw encoded rows from p(row | output), one uniform number per cell, both of shape (n, width).

        Differentiable in ``output``: numbers by reparameterisation, indicators and categories by the
        straight-through Gumbel estimator (Jang et al. 2017).
        """
        uniform = inside(uniform)
        numbers = output[:, self.numbers] + normal(uniform[:, self.numbers]) * self.variance.sqrt()
        soft = (output[:, self.indicators] + uniform[:, self.indicators].logit()).sigmoid()
        absent = (soft > 0.5).to(soft) + (soft - soft.detach())
        filled = (1 - absent) * numbers[:, self.incomplete] + absent * self.fill
        rows = torch.cat([numbers.index_copy(1, self.incomplete, filled), absent], dim=1)
        rows = functional.pad(rows, (0, output.shape[1] - rows.shape[1]))
        for columns in self._categories():
            gumbel = -(-uniform[:, columns].log()).log()
            soft = (output[:, columns] + gumbel).softmax(dim=2)
            hard = functional.one_hot(soft.argmax(dim=2), columns.shape[1]).to(soft)
            rows = rows.index_copy(1, columns.flatten(), (hard + (soft - soft.detach())).flatten(1))
        return rows

    def _categories(self) -> list[Tensor]:
        return [getattr(self, f"columns_{width}") for width in self.widths]


class ModeLikelihood(nn.Module):
    """Gaussian places within modes, categorical modes and categories, over rows of a ``ModeEncoder``.

    Parameters
    ----------
    modes : ModeEncoder
        Fitted.
    """

    def __init__(self, modes: ModeEncoder):
        super().__init__()
        self.modes = modes
        numbers = [block for block in modes.blocks_ if block.kind == "modes"]
        self.places = [block.start for block in numbers]
        self.incomplete = [(i, block.stop - 1) for i, block in enumerate(numbers) if block.missing]
        self.deviation = nn.Parameter(torch.full((len(self.places),), _DEVIATION))

    def log_density(self, rows: Tensor, output: Tensor) -> Tensor:
        """Return log p(row | output), shape (n,)."""
        sigma = self.deviation.clamp(_LEAST, _MOST)
        gap = (rows[:, self.places] - output[:, self.places].tanh()) / sigma
        density = -0.5 * gap.square() - sigma.log() - 0.5 * math.log(2 * math.pi)
        if self.incomplete:
            # The place of a missing number has no density.
            absent = rows[:, [last for _, last in self.incomplete]]
            numbers = torch.tensor([number for number, _ in self.incomplete], device=rows.device)
            density = density.index_copy(1, numbers, density[:, numbers] * (1 - absent))
        total = density.sum(dim=1)
        for block in self.modes.blocks_:
            first, last = block.start + (block.kind == "modes"), block.stop
            total = total + (rows[:, first:last] * output[:, first:last].log_softmax(dim=1)).sum(dim=1)
        return total

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        """Draw rows, one uniform number per cell; modes and categories are relaxed draws."""
        rows = emit_modes(self.modes, output, uniform)
        noise = normal(uniform[:, self.places]) * self.deviation.clamp(_LEAST, _MOST)
        return rows.index_add(1, torch.tensor(self.places, dtype=torch.long, device=rows.device), noise)
