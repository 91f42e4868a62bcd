"""Recurrent conditional GAN (Esteban et al. 2017) for series, trained with L_total."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trisynth.data.kinds import Kind
from trisynth.data.kinds import Tensor as TensorKind
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.errors import InputError
from trisynth.generators.neural.checks import check_fractions, check_rates, check_sizes
from trisynth.generators.neural.gan_base import discriminator_loss, generator_loss
from trisynth.generators.neural.networks.backbones import Part
from trisynth.generators.neural.networks.stepwise import Stepwise
from trisynth.generators.neural.series.requirement import require_series
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator


@dataclass(eq=False, repr=False)
class RCGAN(NeuralGenerator):
    """Generator and discriminator are LSTMs; noise and label enter at every step, and every step is scored.

    The discriminator's loss is the mean over steps and series, and it is trained by plain stochastic gradients. Series
    of several columns must have equally many steps; their channels are emitted together. L_rec is the cheapest pairing
    of a batch within classes, as for ``CGAN``; the adversarial loss has weight one.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(100,)
        Units of the layers of both LSTMs.
    latent_dim : int, default=5
        Dimensions of the noise at each step, standard normal.
    discriminator_learning_rate : float, default=0.1
        Of the discriminator's plain gradient steps at the start; falls to zero along a cosine.
    dropout : float, default=0.0
        Fraction of the discriminator's units that each step leaves out.

    Attributes
    ----------
    discriminator_ : dict of str to ndarray
        Weights of the discriminator.
    history_ : dict of str to list of float
        In addition to the terms, ``native`` and ``discriminator``, the losses of both networks.

    Notes
    -----
    Source: Esteban, Hyland and Rätsch (2017), https://arxiv.org/abs/1706.02633. Faithful in both LSTMs of 100 units,
    noise and condition at every step of both, the loss at every step, batches of 28 and plain gradient descent of the
    discriminator; outputs are affine, not bounded by a hyperbolic tangent, and training is shorter.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (TensorKind,)
    renamed: ClassVar[Mapping[str, str]] = {}

    hidden_layer_sizes: Sequence[int] = (100,)
    min_steps: int = 3000
    batch_size: int = 28
    learning_rate: float = 1e-3
    latent_dim: int = 5
    discriminator_learning_rate: float = 0.1
    dropout: float = 0.0

    def _new_encoder(self) -> StandardizedEncoder:
        return StandardizedEncoder(normal_scores=False)

    @property
    def _series(self) -> list[Part]:
        """Series of an encoded row; their steps must be equally many."""
        parts = require_series("RCGAN", self.schema_.columns, self._parts())
        steps = [part.inner[0] for part in parts]
        if self.numeric_target_:
            raise InputError("target", self.target_.name, "RCGAN takes a target of classes; use generator=vae")
        if len(set(steps)) > 1:
            raise InputError("X", steps, "RCGAN takes series of equally many steps; use generator=vae")
        return parts

    def _network(self, generator: torch.Generator) -> Stepwise:
        channels = sum(part.channels for part in self._series)
        return Stepwise(self.latent_dim, channels, len(self.labels_), self.hidden_layer_sizes, generator)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        parts, classes = self._series, len(self.labels_)
        channels = sum(part.channels for part in parts)
        network = Stepwise(channels, 1, classes, self.hidden_layer_sizes, state.generator, self.dropout)
        generator = state.add("weights", self._network(state.generator))
        rate = self.discriminator_learning_rate
        discriminator = state.add("discriminator", network, plain=True, learning_rate=rate)
        G, D, batches = generator.network, discriminator.network, state.batches(self.batch_size)
        steps = parts[0].inner[0]

        def by_steps(rows: Tensor) -> Tensor:
            return torch.cat([part.first(rows) for part in parts], dim=1).transpose(1, 2)

        def step() -> dict[str, float]:
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            series = G(state.normal(len(y), steps, self.latent_dim), y)
            scores = D(torch.cat([by_steps(x), series.detach()]), y.repeat(2)).chunk(2)
            d_loss = discriminator_loss(*scores)
            discriminator.step(d_loss)
            g_loss = generator_loss(D(series, y))
            generator.step(state.objective.adversarial(g_loss, x, y, _rows(series, parts)))
            return {**state.objective.terms, "discriminator": float(d_loss.detach())}

        return step

    def _draw(self, network: Stepwise, labels: Tensor, rng: np.random.Generator) -> Tensor:
        parts = self._series
        noise = self._normal(labels, parts[0].inner[0] * self.latent_dim, rng)
        return _rows(network(noise.reshape(len(labels), -1, self.latent_dim), labels), parts)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(latent_dim=self.latent_dim)
        check_rates(discriminator_learning_rate=self.discriminator_learning_rate)
        check_fractions(dropout=self.dropout)
        if not self.hidden_layer_sizes:
            raise InputError("hidden_layer_sizes", [], "must name the units of at least one layer, such as [100]")


def _rows(series: Tensor, parts: Sequence[Part]) -> Tensor:
    """Return encoded rows, shape (n, width), of series of shape (n, steps, channels)."""
    each = series.split([part.channels for part in parts], dim=2)
    return torch.cat([one.flatten(1) for one in each], dim=1)
