"""Base of GAN and CGAN: alternating optimiser steps of generator and discriminator over standardised columns.

Source: Goodfellow et al. (2014), Generative Adversarial Nets; Jang et al. (2017) for categories.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.data.kinds import ENCODED, Kind
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.encoders.table import TableEncoder
from trisynth.generators.neural.checks import check_backbone, check_flags, check_fractions, check_sizes
from trisynth.generators.neural.networks.emission import ColumnEmission, normal
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator

# Of Adam; less momentum than usual, since the opponent changes.
BETAS = (0.5, 0.9)


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return -V(D, G) = -E log D(x) - E log(1 - D(G(z))), from logits of any shape; log 4 at p = q."""
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def generator_loss(generated: Tensor) -> Tensor:
    """Return the non-saturating -E log D(G(z)), from logits of any shape."""
    return functional.softplus(-generated).mean()


@dataclass(eq=False, repr=False)
class GANBase(NeuralGenerator):
    """Base of GANs over standardised columns; a subclass builds the two networks.

    Both networks map rows (or noise) of shape (n, .) and labels of shape (n,). A GAN has no pairs of rows, so L_rec is
    the mean squared distance under the cheapest pairing of a batch within classes (optimal transport). The adversarial
    loss has weight one beside the three terms; with ``loss=native`` it is alone, and the loss is the published one.

    Parameters
    ----------
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``. Numbers are standardised afterwards.
    normal_scores : bool
        Whether numbers with repeated values are modelled as normal scores of their ranks.
    latent_dim : int
        Dimensions of the noise z, standard normal.
    dropout : float
        Fraction of the discriminator's hidden units that each step leaves out.
    backbone : {"mlp", "conv", "gru"}
        Layers over images and series: all columns alike; strided convolutions over time, or over height and width; or
        a recurrent layer over the steps of series. Without such columns it has no effect.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Weights of the generator after the last good epoch, also when training ended in ``Diverged``.
    discriminator_ : dict of str to ndarray
        Weights of the discriminator.
    history_ : dict of str to list of float
        In addition to the terms, ``native``, the generator's adversarial loss, and ``discriminator``, the
        discriminator's loss, which is log 4 where it cannot distinguish real from generated rows.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = ENCODED

    min_steps: int = 1200
    batch_size: int = 128
    encoder: TableEncoder | None = None
    normal_scores: bool = True
    latent_dim: int = 32
    dropout: float = 0.0
    backbone: str = "mlp"

    @abstractmethod
    def _discriminator(self, generator: torch.Generator) -> nn.Module:
        """Build the network from rows of shape (n, width) to logits of being real, shape (n, 1)."""

    def _batches(self, state: TrainingState) -> Iterator[Tensor]:
        """Yield the row numbers of each step."""
        return state.batches(self.batch_size)

    def _new_encoder(self) -> StandardizedEncoder:
        return StandardizedEncoder(self.encoder, self.normal_scores)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        generator = state.add("weights", self._network(state.generator), betas=BETAS)
        discriminator = state.add("discriminator", self._discriminator(state.generator), betas=BETAS)
        G, D = generator.network, discriminator.network
        emission, batches = self._emission(state.rows.device), self._batches(state)
        width = self.latent_dim + state.rows.shape[1]

        def step() -> dict[str, float]:
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            generated = self._emit(G, emission, y, state.uniform(len(y), width))
            scores = D(torch.cat([x, generated.detach()]), y.repeat(2)).chunk(2)
            d_loss = discriminator_loss(*scores)
            discriminator.step(d_loss)
            g_loss = generator_loss(D(generated, y))
            generator.step(state.objective.adversarial(g_loss, x, y, generated))
            return {**state.objective.terms, "discriminator": float(d_loss.detach())}

        return step

    def _draw(self, network: nn.Module, labels: Tensor, rng: np.random.Generator) -> Tensor:
        uniform = self._uniform(labels, self.latent_dim + self.encoder_.width_, rng)
        return self._emit(network, self._emission(labels.device), labels, uniform)

    def _emit(self, network: nn.Module, emission: ColumnEmission, labels: Tensor, uniform: Tensor) -> Tensor:
        """Generate rows from uniform draws: the first ``latent_dim`` become z, the others relaxed draws."""
        z = normal(uniform[:, : self.latent_dim])
        return emission(network(z, labels), uniform[:, self.latent_dim :])

    def _emission(self, device: torch.device) -> ColumnEmission:
        fills = torch.tensor(self.encoder_.fills_, dtype=torch.float32, device=device)
        return ColumnEmission(self.encoder_.blocks_, fills)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_flags(normal_scores=self.normal_scores)
        check_sizes(latent_dim=self.latent_dim)
        check_backbone(self.backbone)
        check_fractions(dropout=self.dropout)
