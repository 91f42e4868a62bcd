"""Tabular GAN with a recurrent generator (Xu & Veeramachaneni 2018), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from trisynth.encoders.modes import ModeEncoder
from trisynth.generators.neural.checks import check_flags, check_fractions, check_sizes
from trisynth.generators.neural.gan_base import BETAS, discriminator_loss, generator_loss
from trisynth.generators.neural.networks.layers import with_label
from trisynth.generators.neural.networks.recurrent import Discriminator, RecurrentGenerator
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator

# Smaller frequencies of a category in a batch count as this one in the divergence.
_LEAST_FREQUENCY = 1e-4


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return KL(p || q) = sum p log(p / q) of two discrete distributions, shape (k,)."""
    p, q = (part.clamp_min(_LEAST_FREQUENCY) for part in (p, q))
    return (p * (p / q).log()).sum()


@dataclass(eq=False, repr=False)
class TGAN(NeuralGenerator):
    """Tabular GAN whose generator emits a row column by column, by an LSTM with attention.

    A number is its place within its most probable mode and the posterior of all modes; indicators of real categories
    carry noise, so that they do not reveal real rows to the discriminator. The label enters the generator at each step,
    and the discriminator together with the row, so that the requested class is exact. This is our extension; the paper
    models the label as one more column. The adversarial loss and the divergence of modes and categories have weight one
    in L_total. Its other terms compare numbers and categories, and L_rec is the batch's cheapest pairing within
    classes.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(100, 100)
        Widths of the discriminator's hidden layers.
    max_modes : int, default=5
        Largest number of modes of a number; 1 is plain standardisation.
    latent_dim : int, default=64
        Dimensions of the noise z, standard normal.
    units : int, default=64
        State of the LSTM.
    noise : float, default=0.2
        Largest noise that is added to the indicators of a real category, which then sum to 1 again.
    attention : bool, default=True
        Whether a step receives the states of all former steps.
    minibatch_discrimination : bool, default=True
        Whether the discriminator compares the rows of a batch.
    kl : bool, default=True
        Whether the generator's loss has the KL divergence between generated and real frequencies of modes and
        categories in the batch.

    Attributes
    ----------
    discriminator_ : dict of str to ndarray
        Weights of the discriminator.
    history_ : dict of str to list of float
        In addition to the terms, ``discriminator``, the discriminator's loss, and ``kl``, summed over columns.

    Notes
    -----
    Source: Xu & Veeramachaneni (2018), Synthesizing Tabular Data using Generative Adversarial Networks,
    https://arxiv.org/abs/1811.11264. Faithful in the order of emission, attention, noise, minibatch discrimination,
    losses, and at most five modes; their mixture and reach are CTGAN's. Scaled down in steps, units and kernels.
    """

    hidden_layer_sizes: Sequence[int] = (100, 100)
    min_steps: int = 600
    batch_size: int = 200
    learning_rate: float = 2e-3
    max_modes: int = 5
    latent_dim: int = 64
    units: int = 64
    noise: float = 0.2
    attention: bool = True
    minibatch_discrimination: bool = True
    kl: bool = True

    def _new_encoder(self) -> ModeEncoder:
        return ModeEncoder(self.max_modes, soft=True)

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        matrix = super()._encode(table, labels, rng)
        for block in self.encoder_.blocks_:
            if block.kind == "category" and block.stop > block.start:
                part = matrix[:, block.start : block.stop]
                part += self.noise * rng.random(part.shape)
                part /= part.sum(axis=1, keepdims=True)
        return matrix

    def _values(self, rows: Tensor) -> Tensor:
        # The most probable mode and category count, with the gradient of their probabilities (straight through).
        parts, hard = [], rows.detach()
        for start, stop, place in self._parts():
            if place:
                parts.append(rows[:, start:stop])
                continue
            chosen = functional.one_hot(hard[:, start:stop].argmax(dim=1), stop - start)
            parts.append(chosen + rows[:, start:stop] - hard[:, start:stop])
        return super()._values(torch.cat(parts, dim=1))

    def _parts(self) -> list[tuple[int, int, bool]]:
        """Return start and stop of what is emitted in one step, and whether it is a place within a mode."""
        parts = []
        for block in self.encoder_.blocks_:
            first = block.start + (block.kind == "modes")
            if first > block.start:
                parts.append((block.start, first, True))
            if block.stop > first:
                parts.append((first, block.stop, False))
        return parts

    def _network(self, generator: torch.Generator) -> RecurrentGenerator:
        inner = self.latent_dim + len(self.labels_)
        return RecurrentGenerator(self._parts(), inner, self.units, self.attention, generator)

    def _discriminator(self, generator: torch.Generator) -> Discriminator:
        sizes = [self.encoder_.width_ + len(self.labels_), *self.hidden_layer_sizes]
        return Discriminator(sizes, self.minibatch_discrimination, generator)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        generator = state.add("weights", self._network(state.generator), betas=BETAS)
        discriminator = state.add("discriminator", self._discriminator(state.generator), betas=BETAS)
        G, D, classes = generator.network, discriminator.network, len(self.labels_)
        batches, objective = state.batches(self.batch_size), state.objective
        discrete = [slice(start, stop) for start, stop, place in self._parts() if not place]

        def step() -> dict[str, float]:
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            generated = G(with_label(state.normal(len(x), self.latent_dim), y, classes))
            d_loss = discriminator_loss(*(D(with_label(rows, y, classes)) for rows in (x, generated.detach())))
            discriminator.step(d_loss)
            g_loss = generator_loss(D(with_label(generated, y, classes)))
            p, q = generated.mean(dim=0), x.mean(dim=0)
            kl = g_loss.new_zeros(()) + sum(kl_divergence(p[part], q[part]) for part in discrete)
            native = g_loss + kl if self.kl else g_loss
            generator.step(objective.adversarial(native, self._values(x), y, self._values(generated)))
            return {**objective.terms, "discriminator": float(d_loss.detach()), "kl": float(kl.detach())}

        return step

    def _draw(self, network: RecurrentGenerator, labels: Tensor, rng: np.random.Generator) -> Tensor:
        noise = self._normal(labels, self.latent_dim, rng)
        return network(with_label(noise, labels, len(self.labels_)))

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(max_modes=self.max_modes, latent_dim=self.latent_dim, units=self.units)
        check_fractions(noise=self.noise)
        flags = ("attention", "minibatch_discrimination", "kl")
        check_flags(**{name: getattr(self, name) for name in flags})
