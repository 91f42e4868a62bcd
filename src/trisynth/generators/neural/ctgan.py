"""Conditional tabular GAN (Xu et al. 2019, sections 4.1 to 4.3), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.encoders.modes import ModeEncoder
from trisynth.generators.neural.checks import check_flags, check_fractions, check_sizes
from trisynth.generators.neural.conditions import Conditions, condition_loss
from trisynth.generators.neural.gan_base import BETAS
from trisynth.generators.neural.networks.critic import Critic, residual_generator
from trisynth.generators.neural.networks.emission import emit_modes, gumbel_softmax
from trisynth.generators.neural.networks.layers import leaky
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator

# Weight of the gradient penalty and the generator's weight decay: the paper's.
_PENALTY, _WEIGHT_DECAY = 10.0, 1e-6
# Most rows of a step that L_rec, L_dist and L_model compare: the cost of pairing is cubic in their number.
_COMPARED = 200


@dataclass(eq=False, repr=False)
class CTGAN(NeuralGenerator):
    """Conditional tabular GAN: modes for numbers, a conditional vector, training by sampling.

    The label is one of the discrete columns of the conditional vector, through which classes are requested; a numeric
    target enters by its quantile bin. The Wasserstein loss and the cross-entropy of the condition have weight one
    in L_total. Its other terms compare rows generated for the labels of a plain batch of real rows, as numbers and
    categories and not as modes; L_rec is their cheapest pairing with that batch.

    Parameters
    ----------
    max_modes : int, default=10
        Largest number of modes of a number; 1 is plain standardisation.
    latent_dim : int, default=128
        Dimensions of the noise z, standard normal.
    dropout : float, default=0.5
        Fraction of the critic's hidden units that each step leaves out.
    pac : int, default=10
        Rows that the critic scores together.
    conditional : bool, default=True
        Whether the conditional vector names a category of any discrete column and real rows are drawn to match; else it
        names the label alone, and real rows are drawn uniformly.
    log_frequency : bool, default=True
        Whether conditions are drawn by the logarithm of a category's count, which favours rare ones.
    batch_size : int, default=500
        Rows of a step, rounded down to whole packs.

    Attributes
    ----------
    critic_ : dict of str to ndarray
        Weights of the critic.
    history_ : dict of str to list of float
        In addition to the terms, ``condition`` (the cross-entropy) and ``wasserstein``, the critic's estimate of the
        distance.

    Notes
    -----
    Source: Xu et al. (2019), Modeling Tabular Data using Conditional GAN. Faithful in normalisation, conditions,
    layers, packs and losses. The rate is higher than the paper's 2e-4 and falls; the steps are at least ``min_steps``,
    more than its 300 epochs below some 1,700 rows and fewer above.
    """

    hidden_layer_sizes: Sequence[int] = (256, 256)
    min_steps: int = 1000
    batch_size: int = 500
    learning_rate: float = 1e-3
    max_modes: int = 10
    latent_dim: int = 128
    dropout: float = 0.5
    pac: int = 10
    conditional: bool = True
    log_frequency: bool = True

    def _new_encoder(self) -> ModeEncoder:
        return ModeEncoder(self.max_modes)

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        # The label is the row's last column: the critic receives it, and the generator produces it.
        return np.hstack([super()._encode(table, labels, rng), np.eye(len(self.labels_))[labels]])

    def _decode(self, matrix: np.ndarray) -> pd.DataFrame:
        return super()._decode(matrix[:, : self.encoder_.width_])

    def _values(self, rows: Tensor) -> Tensor:
        return super()._values(rows[:, : self.encoder_.width_])

    def _network(self, generator: torch.Generator) -> nn.Module:
        spans = self._conditions()
        inputs = self.latent_dim + sum(stop - start for start, stop in spans)
        return residual_generator(inputs, self.hidden_layer_sizes, spans[-1][1], generator)

    def _critic(self, width: int, generator: torch.Generator) -> Critic:
        activation = leaky(self.dropout, generator)
        return Critic(self._backbone(self.pac * width, 1, generator, activation), self.pac)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        spans, width, to = self._conditions(), state.rows.shape[1], state.rows.device
        codes = np.column_stack([state.rows[:, start:stop].argmax(dim=1).cpu().numpy() for start, stop in spans])
        by_logarithm = self.log_frequency and self.conditional
        conditions = Conditions(codes, [stop - start for start, stop in spans], by_logarithm)
        generator = state.add("weights", self._network(state.generator), betas=BETAS, weight_decay=_WEIGHT_DECAY)
        critic = state.add("critic", self._critic(width + conditions.width, state.generator), betas=BETAS)
        G, C, plain = generator.network, critic.network, state.batches(_COMPARED)
        size = max(self.batch_size // self.pac, 1) * self.pac
        compared = state.objective.loss.pairs or state.objective.needs_generated

        def noised(condition: Tensor) -> Tensor:
            return torch.cat([state.normal(len(condition), self.latent_dim), condition], dim=1)

        def emit(raw: Tensor) -> Tensor:
            return self._emit(raw, state.uniform(*raw.shape))

        def critic_step() -> float:
            column, category, row = conditions.draw(size, state.rng)
            condition = conditions.vector(column, category).to(to)
            with torch.no_grad():
                generated = emit(G(noised(condition)))
            real = state.rows[torch.from_numpy(row).to(to)]
            x, x_hat = torch.cat([real, condition], dim=1), torch.cat([generated, condition], dim=1)
            distance = C(x).mean() - C(x_hat).mean()
            critic.step(_PENALTY * C.penalty(x, x_hat, state.uniform(size // self.pac, 1)) - distance)
            return float(distance.detach())

        def generator_step() -> dict[str, float]:
            column, category, _ = conditions.draw(size, state.rng)
            condition, batch = conditions.vector(column, category).to(to), next(plain)
            x, y, inputs = self._values(state.rows[batch]), state.labels[batch], condition
            if compared:
                inputs = torch.cat([condition, conditions.vector(-1, y.cpu().numpy()).to(to)])
            raw = G(noised(inputs))
            cross_entropy = condition_loss(raw[:size], spans, column, category)
            g_loss = cross_entropy - C(torch.cat([emit(raw[:size]), condition], dim=1)).mean()
            generated = self._values(emit(raw[size:])) if compared else None
            generator.step(state.objective.adversarial(g_loss, x, y, generated))
            return {**state.objective.terms, "condition": float(cross_entropy.detach())}

        return lambda: {"wasserstein": critic_step(), **generator_step()}

    def _draw(self, network: nn.Module, labels: Tensor, rng: np.random.Generator) -> Tensor:
        spans = self._conditions()
        others = sum(stop - start for start, stop in spans[:-1])
        condition = functional.one_hot(others + labels, others + len(self.labels_)).float()
        return self._draw_given(network, condition, rng)

    def _draw_given(self, network: nn.Module, condition: Tensor, rng: np.random.Generator) -> Tensor:
        """Draw encoded rows for conditional vectors of shape (n, width of the conditions)."""
        width = self.encoder_.width_ + len(self.labels_)
        labels = condition[:, -len(self.labels_) :].argmax(dim=1)
        draws = self._normal(labels, self.latent_dim + width, rng)
        raw = network(torch.cat([draws[:, : self.latent_dim], condition], dim=1))
        return self._emit(raw, torch.special.ndtr(draws[:, self.latent_dim :]))

    def _conditions(self) -> list[tuple[int, int]]:
        """Return start and stop of each discrete column of the conditional vector, the label last."""
        blocks = [(b.start, b.stop) for b in self.encoder_.blocks_ if b.kind == "category" and b.stop > b.start]
        label = (self.encoder_.width_, self.encoder_.width_ + len(self.labels_))
        return [*(blocks if self.conditional else []), label]

    def _emit(self, raw: Tensor, uniform: Tensor) -> Tensor:
        width = self.encoder_.width_
        rows = emit_modes(self.encoder_, raw[:, :width], uniform[:, :width])
        return torch.cat([rows, gumbel_softmax(raw[:, width:], uniform[:, width:])], dim=1)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(max_modes=self.max_modes, latent_dim=self.latent_dim, pac=self.pac)
        check_fractions(dropout=self.dropout)
        check_flags(conditional=self.conditional, log_frequency=self.log_frequency)
