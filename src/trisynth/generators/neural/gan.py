"""Generative adversarial network (Goodfellow et al. 2014), one per class, trained with L_total."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trisynth.generators.neural import networks
from trisynth.generators.neural.adversarial import Game, network
from trisynth.generators.neural.training import Run


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


@dataclass(eq=False, repr=False)
class GAN(Game):
    """GAN of one class at a time: a pair of networks per class, since a plain GAN takes no condition.

    Classes share nothing but the batch's size, so a class of few rows is learned from these alone.

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
        sizes = [self.latent_dim, *self.hidden_layer_sizes, len(self.centre_)]
        return Separate(network(sizes, 0.0, generator) for _ in self.labels_)

    def _judge(self, generator: torch.Generator) -> nn.Module:
        sizes = [len(self.centre_), *self.hidden_layer_sizes, 1]
        return Separate(network(sizes, self.dropout, generator) for _ in self.labels_)

    def _batches(self, run: Run) -> Iterator[Tensor]:
        members = [(run.labels == label).nonzero()[:, 0] for label in run.labels.unique()]
        share = max(self.batch_size // len(members), 1)
        streams = [networks.batches(len(rows), share, run.generator) for rows in members]
        while True:
            yield torch.cat([rows[next(stream).to(rows.device)] for rows, stream in zip(members, streams, strict=True)])
