"""Convolutional networks from noised rows with arrays in them to clean ones: skips between scales, and a Fourier term.

Columns that are no arrays, the noise level and the label go through the perceptron that joins all parts, at the
coarsest scale.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural.networks.backbones import ConvReader, ConvWriter, Part
from trisynth.generators.neural.networks.layers import linear, mlp, seeded

# Degree of the polynomial in time that a series' Fourier term adds, as a slow wave is no sum of whole periods.
_TREND = 3
_KERNEL, _PADDING = 3, 1


class FourierTerm(nn.Module):
    """Sum of a polynomial in time and of all frequencies that the steps of a series resolve.

    Parameters
    ----------
    part : Part
        A series.
    """

    def __init__(self, part: Part):
        super().__init__()
        steps = part.inner[0]
        time = torch.arange(steps) / steps
        waves = [2 * math.pi * k * time for k in range(1, steps // 2 + 1)]
        basis = [time**p for p in range(_TREND + 1)] + [w.cos() for w in waves] + [w.sin() for w in waves]
        self.register_buffer("basis", torch.stack(basis) / math.sqrt(len(basis)), persistent=False)
        self.part, self.width = part, len(basis) * part.channels

    def forward(self, coefficients: Tensor) -> Tensor:
        """Return elements of shape (n, size) from coefficients of shape (n, width)."""
        return torch.einsum("nbc,bt->ntc", coefficients.unflatten(1, (-1, self.part.channels)), self.basis).flatten(1)


class ArrayScales(nn.Module):
    """Path of one array: strided convolutions, their mirror with skips from each scale, and a path at full size.

    Parameters
    ----------
    part : Part
    channels : sequence of int
        Of the convolutions, each of which halves the size.
    conditions : int
        Numbers that are added to each scale by an affine layer: noise level and label.
    generator : torch.Generator
    """

    def __init__(self, part: Part, channels: Sequence[int], conditions: int, generator: torch.Generator):
        super().__init__()
        self.part = part
        self.reader = ConvReader(part, channels, nn.SiLU, generator)
        self.writer = ConvWriter(part, channels, nn.SiLU, generator)
        kind = nn.Conv1d if len(part.inner) == 1 else nn.Conv2d
        fine = -(-channels[0] // 2)
        self.fine = nn.ModuleList(
            seeded(kind, inner, outer, _KERNEL, 1, _PADDING, generator=generator)
            for inner, outer in ((part.channels, fine), (fine, part.channels))
        )
        self.shifts = nn.ModuleList(linear(conditions, outer, generator) for outer in (fine, *channels))
        self.width = self.reader.width
        self.fourier = FourierTerm(part) if part.is_series else None
        # Convolutions of images are faster with channels as the last axis in memory, as rows have them.
        self.to(memory_format=torch.channels_last)
        self.written = self.writer.width + (self.fourier.width if self.fourier else 0)

    def read(self, rows: Tensor, conditions: Tensor) -> list[Tensor]:
        """Return the features at full size and at each scale of rows of shape (n, .)."""
        x = self.part.first(rows)
        axes = [1] * len(self.part.inner)
        shifts = [layer(conditions).unflatten(1, (-1, *axes)) for layer in self.shifts]
        found = [functional.silu(self.fine[0](x) + shifts[0])]
        for layer, shift in zip(self.reader.layers[::2], shifts[1:], strict=True):
            x = functional.silu(layer(x) + shift)
            found.append(x)
        return found

    def write(self, outputs: Tensor, found: Sequence[Tensor]) -> Tensor:
        """Return elements of shape (n, size) from the outputs of the perceptron and the features of ``read``."""
        start, waves = outputs.split([self.writer.width, self.written - self.writer.width], dim=1)
        channels, *sizes = self.writer.first
        x = start.unflatten(1, (*sizes, channels)).movedim(-1, 1)
        for layer, skip in zip(self.writer.layers[1::2], found[:0:-1], strict=True):
            x = layer(functional.silu(x + skip))
        made = (x + self.fine[1](found[0])).movedim(1, -1).flatten(1)
        return made if self.fourier is None else made + self.fourier(waves)


class UNet(nn.Module):
    """Network from rows, and the conditions behind them, to rows.

    Parameters
    ----------
    parts : sequence of Part
        Arrays of a row.
    width, conditions : int
        Columns of a row, and of what follows it.
    hidden : sequence of int
        Widths of the perceptron's hidden layers.
    channels : sequence of int
    generator : torch.Generator
    """

    def __init__(
        self,
        parts: Sequence[Part],
        width: int,
        conditions: int,
        hidden: Sequence[int],
        channels: Sequence[int],
        generator: torch.Generator,
    ):
        super().__init__()
        self.width = width
        self.arrays = nn.ModuleList(ArrayScales(part, channels, conditions, generator) for part in parts)
        places = [torch.arange(part.start, part.stop) for part in parts]
        held = torch.zeros(width, dtype=torch.bool)
        for place in places:
            held[place] = True
        others = (~held).nonzero()[:, 0]
        self.register_buffer("others", others, persistent=False)
        self.register_buffer("order", torch.cat([*places, others]).argsort(), persistent=False)
        read = sum(each.width for each in self.arrays) + len(others) + conditions
        self.widths = [*(each.written for each in self.arrays), len(others)]
        self.joined = mlp([read, *hidden, sum(self.widths)], generator)

    @property
    def last(self) -> list[nn.Module]:
        """Layers whose outputs are summed to rows."""
        return [self.joined[-1], *(layer for each in self.arrays for layer in (each.fine[1], each.writer.layers[-1]))]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return rows of shape (n, width) from inputs of shape (n, width + conditions)."""
        rows, conditions = inputs[:, : self.width], inputs[:, self.width :]
        found = [each.read(rows, conditions) for each in self.arrays]
        deepest = [features[-1].movedim(1, -1).flatten(1) for features in found]
        *outputs, others = self.joined(torch.cat([*deepest, rows[:, self.others], conditions], dim=1)).split(
            self.widths, dim=1
        )
        made = [each.write(one, features) for each, one, features in zip(self.arrays, outputs, found, strict=True)]
        return torch.cat([*made, others], dim=1)[:, self.order]
