"""Trunks of networks over encoded rows with arrays in them: convolutions and recurrent layers by the arrays' axes.

A *reader* receives rows and returns a few numbers, as encoders and discriminators do; a *writer* returns rows, as
decoders and generators do. Columns that are no arrays, and whatever follows the row, such as a label, go through the
perceptron that joins all parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trisynth.data.kinds.tensor import CHANNEL, TIME
from trisynth.generators.neural.networks.layers import mlp, seeded

BACKBONES = ("mlp", "conv", "gru")
# Channels of the convolutions, each of which halves the size; units of a recurrent layer.
CHANNELS, UNITS = (32, 64), 64
_KERNEL, _STRIDE, _PADDING = 3, 2, 1

Activation = Callable[[], nn.Module]


@dataclass(frozen=True)
class Part:
    """Columns of an encoded row that are the elements of one array.

    Parameters
    ----------
    start, stop : int
    shape : tuple of int
    axes : tuple of str
    """

    start: int
    stop: int
    shape: tuple[int, ...]
    axes: tuple[str, ...]

    @property
    def inner(self) -> tuple[int, ...]:
        """Sizes of the axes that are not channels."""
        return self.shape[:-1] if self.axes[-1] == CHANNEL else self.shape

    @property
    def channels(self) -> int:
        """Number of channels, 1 where there is no such axis."""
        return self.shape[-1] if self.axes[-1] == CHANNEL else 1

    @property
    def is_series(self) -> bool:
        """Tell a series from an image."""
        return self.axes[0] == TIME

    def first(self, rows: Tensor) -> Tensor:
        """Return arrays with their channels first, shape (n, channels, *inner), of rows of shape (n, width)."""
        return rows[:, self.start : self.stop].reshape(-1, *self.inner, self.channels).movedim(-1, 1)


class ConvReader(nn.Module):
    """Strided convolutions over one array, then all features in a row."""

    def __init__(self, part: Part, channels: Sequence[int], activation: Activation, generator: torch.Generator):
        super().__init__()
        kind = nn.Conv1d if len(part.inner) == 1 else nn.Conv2d
        layers, inner, sizes = [], part.channels, part.inner
        for outer in channels:
            layers += [seeded(kind, inner, outer, _KERNEL, _STRIDE, _PADDING, generator=generator), activation()]
            inner, sizes = outer, halved(sizes)
        self.part, self.layers = part, nn.Sequential(*layers)
        self.width = inner * int(torch.tensor(sizes).prod())

    def forward(self, rows: Tensor) -> Tensor:
        """Return features of shape (n, width)."""
        return self.layers(self.part.first(rows)).flatten(1)


class ConvWriter(nn.Module):
    """Transposed convolutions that mirror a ``ConvReader``."""

    def __init__(self, part: Part, channels: Sequence[int], activation: Activation, generator: torch.Generator):
        super().__init__()
        kind = nn.ConvTranspose1d if len(part.inner) == 1 else nn.ConvTranspose2d
        sizes = [part.inner]
        for _ in channels:
            sizes.append(halved(sizes[-1]))
        self.first, layers = (channels[-1], *sizes[-1]), []
        outers = [*channels[-2::-1], part.channels]
        for inner, outer, small, large in zip(channels[::-1], outers, sizes[::-1], sizes[-2::-1], strict=False):
            further = tuple(big - (2 * less - 1) for big, less in zip(large, small, strict=True))
            given = (inner, outer, _KERNEL, _STRIDE, _PADDING, further)
            layers += [activation(), seeded(kind, *given, generator=generator)]
        self.layers, self.part = nn.Sequential(*layers), part
        self.width = int(torch.tensor(self.first).prod())

    def forward(self, features: Tensor) -> Tensor:
        """Return elements of shape (n, size) from features of shape (n, width)."""
        return self.layers(features.unflatten(1, self.first)).movedim(1, -1).flatten(1)


class GRUReader(nn.Module):
    """Recurrent layer over the steps of one series; its last state."""

    def __init__(self, part: Part, generator: torch.Generator):
        super().__init__()
        self.part, self.width = part, UNITS
        self.layer = seeded(nn.GRU, part.channels, UNITS, batch_first=True, generator=generator)

    def forward(self, rows: Tensor) -> Tensor:
        """Return features of shape (n, width)."""
        return self.layer(self.part.first(rows).transpose(1, 2))[1][-1]


class GRUWriter(nn.Module):
    """Recurrent layer that receives the same features at each step, and an affine layer from its states."""

    def __init__(self, part: Part, generator: torch.Generator):
        super().__init__()
        self.part, self.width = part, UNITS
        self.layer = seeded(nn.GRU, UNITS, UNITS, batch_first=True, generator=generator)
        self.output = seeded(nn.Linear, UNITS, part.channels, generator=generator)

    def forward(self, features: Tensor) -> Tensor:
        """Return elements of shape (n, size) from features of shape (n, width)."""
        states, _ = self.layer(features[:, None].expand(-1, self.part.inner[0], -1))
        return self.output(states).flatten(1)


class Reader(nn.Module):
    """Network from encoded rows, and whatever follows them, to ``outputs`` numbers."""

    def __init__(self, modules: Sequence[nn.Module], inputs: int, joined: nn.Module):
        super().__init__()
        self.parts, self.joined = nn.ModuleList(modules), joined
        self.register_buffer("others", _others([module.part for module in modules], inputs), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Return outputs of shape (n, outputs) from rows of shape (n, inputs)."""
        return self.joined(torch.cat([*(part(rows) for part in self.parts), rows[:, self.others]], dim=1))


class Writer(nn.Module):
    """Network from inputs to encoded rows."""

    def __init__(self, modules: Sequence[nn.Module], outputs: int, joined: nn.Module):
        super().__init__()
        self.parts, self.joined = nn.ModuleList(modules), joined
        others = _others([module.part for module in modules], outputs)
        self.widths = [*(module.width for module in modules), len(others)]
        places = [torch.arange(module.part.start, module.part.stop) for module in modules]
        self.register_buffer("order", torch.cat([*places, others]).argsort(), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return rows of shape (n, outputs)."""
        *features, others = self.joined(inputs).split(self.widths, dim=1)
        made = [part(each) for part, each in zip(self.parts, features, strict=True)]
        return torch.cat([*made, others], dim=1)[:, self.order]


def reader(
    kind: str,
    parts: Sequence[Part],
    sizes: Sequence[int],
    generator: torch.Generator,
    activation: Activation,
    channels: Sequence[int] = CHANNELS,
) -> nn.Module:
    """Build a reader.

    Parameters
    ----------
    kind : {"conv", "gru"}
        A recurrent layer reads series alone; other arrays go through the perceptron.
    parts : sequence of Part
    sizes : sequence of int
        Inputs, hidden layers and outputs.
    generator : torch.Generator
    activation : callable
    channels : sequence of int
    """
    used = [part for part in parts if kind == "conv" or part.is_series]
    modules = [
        ConvReader(part, channels, activation, generator) if kind == "conv" else GRUReader(part, generator)
        for part in used
    ]
    inputs, *rest = sizes
    read = sum(module.width for module in modules) + inputs - sum(part.stop - part.start for part in used)
    return Reader(modules, inputs, mlp([read, *rest], generator, activation))


def writer(
    kind: str,
    parts: Sequence[Part],
    sizes: Sequence[int],
    generator: torch.Generator,
    activation: Activation,
    channels: Sequence[int] = CHANNELS,
) -> nn.Module:
    """Build a writer; parameters as in ``reader``."""
    used = [part for part in parts if kind == "conv" or part.is_series]
    modules = [
        ConvWriter(part, channels, activation, generator) if kind == "conv" else GRUWriter(part, generator)
        for part in used
    ]
    *rest, outputs = sizes
    written = sum(module.width for module in modules) + outputs - sum(part.stop - part.start for part in used)
    return Writer(modules, outputs, mlp([*rest, written], generator, activation))


def halved(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes after a convolution of stride 2."""
    return tuple((size + 1) // 2 for size in sizes)


def _others(parts: Sequence[Part], width: int) -> Tensor:
    held = torch.zeros(width, dtype=torch.bool)
    for part in parts:
        held[part.start : part.stop] = True
    return (~held).nonzero()[:, 0]
