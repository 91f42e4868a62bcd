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
    """GAN of one class at a time: a pair of networks per class, since a plain GAN takes no condition.

    The generator's adversarial loss, non-saturating, has weight one in L_total. A GAN has no pairs of rows, so
    L_rec is the mean squared distance under the cheapest pairing of each batch within classes (optimal
    transport). Classes share nothing but the batch's size, so a class of few rows is learned from these alone.

    Parameters
    ----------
    latent : int, default=32
        Dimensions of the noise, standard normal.
    hidden : sequence of int, default=(128, 128)
        Hidden layers of either network.
    dropout : float, default=0.0
        Share of the discriminator's hidden units that each step leaves out.
    transport : bool, default=True
        Whether L_rec pairs the rows; without it alpha has no effect, and ``loss=native`` is the published loss.
    epochs : int, default=50
        Epochs; the loss terms are recorded once in each.
    steps : int, default=1200
        Least number of steps of either player: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int, default=128
        Rows of a step, in equal parts from each class.
    learning_rate : float, default=4e-3
        Of Adam at the start, for both players; falls to zero along a cosine.
    device : {"cpu", "cuda"}, default="cpu"
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``.
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Notes
    -----
    Source: Goodfellow et al. (2014), Generative Adversarial Nets. Faithful in the two networks, the noise prior, the
    alternating steps and the non-saturating loss; scaled down to two leaky-rectifier layers without maxout, trained by
    Adam. Missing cells and categories, which the paper does not treat, are relaxed draws (Jang et al. 2017).
    """

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
