"""Layers whose weights and masks come from a given generator, never from torch's global random state."""

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def linear(inner: int, outer: int, generator: torch.Generator) -> nn.Linear:
    """Build an affine layer with initial weights uniform in +-1 / sqrt(inner)."""
    bound = 1 / math.sqrt(max(inner, 1))
    return _filled(
        nn.Linear(inner, outer, device="meta"), lambda shape: (2 * torch.rand(shape, generator=generator) - 1) * bound
    )


def seeded(kind: type[nn.Module], *sizes: object, generator: torch.Generator, **options: object) -> nn.Module:
    """Build a convolution, a recurrent or an affine layer with initial weights uniform in +-1 / sqrt(fan)."""
    layer = kind(*sizes, device="meta", **options)
    fan = max(layer.hidden_size if isinstance(layer, nn.RNNBase) else layer.weight.shape[1:].numel(), 1)
    return _filled(layer, lambda shape: (2 * torch.rand(shape, generator=generator) - 1) / math.sqrt(fan))


def _filled(layer: nn.Module, drawn: Callable[[torch.Size], Tensor]) -> nn.Module:
    """Give a layer on the meta device its weights; its constructor would draw them from torch's global state.

    The means of torch for it, ``skip_init`` and ``to_empty``, import sympy: a program that only draws would start half
    a second later.
    """
    for name, parameter in list(layer.named_parameters()):
        setattr(layer, name, nn.Parameter(drawn(parameter.shape)))
    return layer


def mlp(
    sizes: Sequence[int], generator: torch.Generator, activation: Callable[[], nn.Module] = nn.SiLU
) -> nn.Sequential:
    """Build a multilayer perceptron through layers of the given ``sizes`` with ``activation`` between."""
    layers: list[nn.Module] = []
    for inner, outer in itertools.pairwise(sizes):
        layers += [linear(inner, outer, generator), activation()]
    return nn.Sequential(*layers[:-1])


def leaky(dropout: float, generator: torch.Generator) -> Callable[[], nn.Module]:
    """Return the constructor of leaky rectifiers followed by dropout, as discriminators use them."""
    return lambda: nn.Sequential(nn.LeakyReLU(0.2), Dropout(dropout, generator))


class Dropout(nn.Module):
    """Dropout whose masks come from ``generator`` (Srivastava et al. 2014)."""

    def __init__(self, fraction: float, generator: torch.Generator):
        super().__init__()
        self.fraction, self.generator = fraction, generator

    def forward(self, rows: Tensor) -> Tensor:
        """Return ``rows`` with that fraction of entries at zero and the others scaled up, while training."""
        if not self.training or not self.fraction:
            return rows
        kept = torch.rand(rows.shape, generator=self.generator).to(rows.device) >= self.fraction
        return rows * kept / (1 - self.fraction)


def with_label(rows: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return rows of shape (n, d) with the one-hot label behind them, shape (n, d + classes)."""
    return torch.cat([rows, functional.one_hot(labels, classes).to(rows)], dim=1)
