"""Conditional generative adversarial network (Mirza & Osindero 2014), trained with L_total."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trisynth.generators.neural.checks import check_flags
from trisynth.generators.neural.gan_base import GANBase
from trisynth.generators.neural.networks.layers import leaky, with_label


class Conditional(nn.Module):
    """Network that receives the one-hot label in addition to its input; with 0 classes it receives the input alone."""

    def __init__(self, layers: nn.Module, classes: int):
        super().__init__()
        self.layers, self.classes = layers, classes

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Return outputs for rows of shape (n, .) under labels of shape (n,)."""
        return self.layers(with_label(rows, labels, self.classes) if self.classes else rows)


@dataclass(eq=False, repr=False)
class CGAN(GANBase):
    """Conditional GAN: the label enters both networks together with the noise or the row.

    L_dist and L_model compare the rows generated for the batch's own labels.

    Parameters
    ----------
    condition_discriminator : bool, default=True
        Whether the discriminator receives the label; without it only L_total's terms make rows depend on the label.

    Notes
    -----
    Source: Mirza & Osindero (2014), Conditional Generative Adversarial Nets. Faithful in the condition of both
    networks, the noise prior and the alternating steps; scaled down to two leaky-rectifier layers without maxout,
    trained by Adam. Missing cells and categories, which the paper does not treat, are relaxed draws (Jang et al. 2017).
    """

    condition_discriminator: bool = True

    def _network(self, generator: torch.Generator) -> nn.Module:
        classes, activation = len(self.labels_), leaky(0.0, generator)
        layers = self._backbone(self.latent_dim + classes, self.encoder_.width_, generator, activation, rows="written")
        return Conditional(layers, classes)

    def _discriminator(self, generator: torch.Generator) -> nn.Module:
        classes = len(self.labels_) if self.condition_discriminator else 0
        layers = self._backbone(
            self.encoder_.width_ + classes, 1, generator, leaky(self.dropout, generator), rows="read"
        )
        return Conditional(layers, classes)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_flags(condition_discriminator=self.condition_discriminator)
