"""Generative adversarial network (Goodfellow et al. 2014), one per class, trained with L_total."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trisynth.generators.neural.gan_base import GANBase
from trisynth.generators.neural.networks.layers import leaky
from trisynth.generators.neural.state import TrainingState, batches


class PerClass(nn.ModuleList):
    """One network per class, each of which receives the rows of its class only."""

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Return outputs for rows of shape (n, .) under labels of shape (n,)."""
        order, outputs = labels.argsort(stable=True), []
        ends = torch.bincount(labels, minlength=len(self)).cumsum(0).tolist()
        for network, start, end in zip(self, [0, *ends], ends, strict=False):
            if end > start:
                outputs.append(network(rows[order[start:end]]))
        return torch.cat(outputs)[order.argsort()]


@dataclass(eq=False, repr=False)
class GAN(GANBase):
    """GAN of one class at a time: a pair of networks per class, since a plain GAN has no condition.

    Classes share only the batch, so a class of few rows is learned from these rows alone.

    Parameters
    ----------
    batch_size : int, default=128
        Rows of a step, in equal parts from each class.

    Notes
    -----
    Source: Goodfellow et al. (2014), Generative Adversarial Nets. Faithful in the two networks, the noise prior, the
    alternating steps and the non-saturating loss; scaled down to two leaky-rectifier layers without maxout, trained by
    Adam. Missing cells and categories, which the paper does not treat, are relaxed draws (Jang et al. 2017).
    """

    def _network(self, generator: torch.Generator) -> nn.Module:
        width, activation = self.encoder_.width_, leaky(0.0, generator)
        return PerClass(
            self._backbone(self.latent_dim, width, generator, activation, rows="written") for _ in self.labels_
        )

    def _discriminator(self, generator: torch.Generator) -> nn.Module:
        width, activation = self.encoder_.width_, leaky(self.dropout, generator)
        return PerClass(self._backbone(width, 1, generator, activation, rows="read") for _ in self.labels_)

    def _batches(self, state: TrainingState) -> Iterator[Tensor]:
        members = [(state.labels == label).nonzero()[:, 0] for label in state.labels.unique()]
        size = max(self.batch_size // len(members), 1)
        streams = [batches(len(rows), size, state.generator) for rows in members]
        while True:
            yield torch.cat([rows[next(stream).to(rows.device)] for rows, stream in zip(members, streams, strict=True)])
