"""Generative adversarial network (Goodfellow et al. 2014), one per class, trained with L_total."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.generators import networks
from trisynth.generators.adversarial import Adversarial, network


class Separate(nn.ModuleList):
    """One network per class; each sees the rows of its class only."""

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Outputs for rows of shape (n, .) under labels of shape (n,)."""
        order, outputs = labels.argsort(stable=True), []
        ends = torch.bincount(labels, minlength=len(self)).cumsum(0).tolist()
        for layers, start, end in zip(self, [0, *ends], ends, strict=False):
            if end > start:
                outputs.append(layers(rows[order[start:end]]))
        return torch.cat(outputs)[order.argsort()]


class GAN(Adversarial):
    """GAN"""

    def _maker(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        return Separate(network([self.latent, *self.hidden, width], 0.0, generator) for _ in range(classes))

    def _judge(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        return Separate(network([width, *self.hidden, 1], self.dropout, generator) for _ in range(classes))

    def _batches(self, labels: np.ndarray, generator: torch.Generator) -> Iterator[Tensor]:
        members = [torch.from_numpy(np.flatnonzero(labels == label)) for label in range(labels.max() + 1)]
        share = max(self.batch_size // len(members), 1)
        streams = [networks.batches(len(rows), share, generator) for rows in members]
        while True:
            yield torch.cat([rows[next(stream)] for rows, stream in zip(members, streams, strict=True)])
