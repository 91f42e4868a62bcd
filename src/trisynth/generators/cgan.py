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
    """Conditional GAN: the label enters both networks beside the noise or the row.

    The generator's adversarial loss, non-saturating, has weight one in L_total. A GAN has no pairs of rows, so
    L_rec is the mean squared distance under the cheapest pairing of each batch within classes (optimal
    transport). L_dist and L_model look at the rows made for the batch's own labels.

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
        Rows of a step.
    learning_rate : float, default=4e-3
        Of Adam at the start, for both players; falls to zero along a cosine.
    device : {"cpu", "cuda"}, default="cpu"
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``.
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Notes
    -----
    Source: Mirza & Osindero (2014), Conditional Generative Adversarial Nets. Faithful in the label's way into both
    networks, the noise prior and the game; scaled down to two leaky-rectifier layers without maxout, trained by Adam.
    Missing cells and categories, which the paper does not treat, are relaxed draws (Jang et al. 2017).
    """

    def _maker(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        return Conditional(network([self.latent + classes, *self.hidden, width], 0.0, generator), classes)

    def _judge(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        return Conditional(network([width + classes, *self.hidden, 1], self.dropout, generator), classes)

    def _batches(self, labels: np.ndarray, generator: torch.Generator) -> Iterator[Tensor]:
        return networks.batches(len(labels), self.batch_size, generator)
