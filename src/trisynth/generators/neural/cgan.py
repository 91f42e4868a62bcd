"""Conditional generative adversarial network (Mirza & Osindero 2014), trained with L_total."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural import networks
from trisynth.generators.neural.adversarial import Game, network


class Conditional(nn.Module):
    """A network that sees the one-hot label beside its input; with 0 classes it does not."""

    def __init__(self, layers: nn.Module, classes: int):
        super().__init__()
        self.layers, self.classes = layers, classes

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Outputs for rows of shape (n, .) under labels of shape (n,)."""
        if not self.classes:
            return self.layers(rows)
        return self.layers(torch.cat([rows, functional.one_hot(labels, self.classes).to(rows)], dim=1))


@dataclass(eq=False, repr=False)
class CGAN(Game):
    """Conditional GAN: the label enters both networks beside the noise or the row.

    L_dist and L_model look at the rows made for the batch's own labels.

    Parameters
    ----------
    condition_discriminator : bool, default=True
        Whether the discriminator sees the label; else nothing but L_total's terms makes the generator heed it.

    Notes
    -----
    Source: Mirza & Osindero (2014), Conditional Generative Adversarial Nets. Faithful in the label's way into both
    networks, the noise prior and the game; scaled down to two leaky-rectifier layers without maxout, trained by Adam.
    Missing cells and categories, which the paper does not treat, are relaxed draws (Jang et al. 2017).
    """

    condition_discriminator: bool = True

    renamed = Game.renamed | {"judge_label": "condition_discriminator"}

    def _network(self, generator: torch.Generator) -> nn.Module:
        classes = len(self.labels_)
        return Conditional(
            network([self.latent_dim + classes, *self.hidden_layer_sizes, len(self.centre_)], 0.0, generator), classes
        )

    def _judge(self, generator: torch.Generator) -> nn.Module:
        classes = len(self.labels_) if self.condition_discriminator else 0
        return Conditional(
            network([len(self.centre_) + classes, *self.hidden_layer_sizes, 1], self.dropout, generator), classes
        )

    def _check(self) -> None:
        super()._check()
        networks.check_switches(condition_discriminator=self.condition_discriminator)
