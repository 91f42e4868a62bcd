"""Relaxed draws that turn raw network outputs into encoded rows."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trisynth.encoders.modes import ModeEncoder
from trisynth.encoders.table import Block

# Temperature of relaxed draws, as in CTGAN (Xu et al. 2019).
TEMPERATURE = 0.2
# Uniform draws keep this distance from 0 and 1, where the inverse normal and the logarithm are infinite.
_EDGE = 1e-6


def inside(uniform: Tensor) -> Tensor:
    """Move uniform draws away from 0 and 1, so that normal and Gumbel draws made from them are finite."""
    return uniform.clamp(_EDGE, 1 - _EDGE)


def normal(uniform: Tensor) -> Tensor:
    """Return standard normal draws, the inverse normal distribution function of uniform draws."""
    return torch.special.ndtri(inside(uniform))


def gumbel_softmax(logits: Tensor, uniform: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return relaxed one-hot draws of shape (n, k) from uniform draws of the same shape (Jang et al. 2017)."""
    return ((logits - (-inside(uniform).log()).log()) / temperature).softmax(dim=1)


class ColumnEmission:
    """Encoded rows from raw outputs: numbers unchanged, indicators and categories by relaxed draws.

    Parameters
    ----------
    blocks : sequence of Block
        Numbers first, then missing indicators, then categories.
    fills : Tensor, shape (number of missing indicators,)
        Encoded value of a missing number.
    temperature : float
        Of the Gumbel softmax; small values are close to one-hot.
    """

    def __init__(self, blocks: Sequence[Block], fills: Tensor, temperature: float = TEMPERATURE):
        self.numbers = [block.name for block in blocks if block.kind == "number"]
        self.incomplete = [self.numbers.index(block.name) for block in blocks if block.kind == "missing"]
        self.categories = [(block.start, block.stop) for block in blocks if block.kind == "category"]
        self.fills, self.temperature = fills, temperature

    def __call__(self, raw: Tensor, uniform: Tensor) -> Tensor:
        """Return rows of shape (n, width) from outputs and uniform draws of the same shape."""
        uniform = inside(uniform)
        first, end = len(self.numbers), len(self.numbers) + len(self.incomplete)
        rows = raw[:, :first]
        absent = ((raw[:, first:end] + uniform[:, first:end].logit()) / self.temperature).sigmoid()
        if self.incomplete:
            filled = (1 - absent) * rows[:, self.incomplete] + absent * self.fills
            rows = rows.index_copy(1, torch.tensor(self.incomplete, device=rows.device), filled)
        parts = [gumbel_softmax(raw[:, i:j], uniform[:, i:j], self.temperature) for i, j in self.categories]
        return torch.cat([rows, absent, *parts], dim=1)


def emit_modes(encoder: ModeEncoder, raw: Tensor, uniform: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return rows of a ``ModeEncoder``: places by tanh, indicators by relaxed draws from one uniform per cell."""
    parts = []
    for block in encoder.blocks_:
        first = block.start + (block.kind == "modes")
        if block.kind == "modes":
            parts.append(raw[:, block.start : first].tanh())
        parts.append(gumbel_softmax(raw[:, first : block.stop], uniform[:, first : block.stop], temperature))
    return torch.cat(parts, dim=1)
