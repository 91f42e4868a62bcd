"""Conditional generative adversarial network (Mirza & Osindero 2014), trained with L_total."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators import networks
from trisynth.generators.adversarial import Adversarial, network


class Conditional(nn.Module):
    """A network that sees the one-hot label beside its input."""

    def __init__(self, layers: nn.Module, classes: int):
        super().__init__()
        self.layers, self.classes = layers, classes

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Outputs for rows of shape (n, .) under labels of shape (n,)."""
        return self.layers(torch.cat([rows, functional.one_hot(labels, self.classes).to(rows)], dim=1))


class CGAN(Adversarial):
    """CGAN"""

    def _maker(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        return Conditional(network([self.latent + classes, *self.hidden, width], 0.0, generator), classes)

    def _judge(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        return Conditional(network([width + classes, *self.hidden, 1], self.dropout, generator), classes)

    def _batches(self, labels: np.ndarray, generator: torch.Generator) -> Iterator[Tensor]:
        return networks.batches(len(labels), self.batch_size, generator)
