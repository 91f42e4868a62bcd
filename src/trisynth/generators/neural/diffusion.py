"""Class-conditional diffusion on mixed tables (Karras et al. 2022), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trisynth.data.kinds import ENCODED, Kind
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.encoders.table import TableEncoder
from trisynth.generators.neural.checks import check_flags, check_fractions, check_sizes
from trisynth.generators.neural.networks.edm import (
    SIGMA_DATA,
    Denoiser,
    euler,
    heun,
    loss_weight,
    noise_levels,
    training_noise,
)
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator

# Rows and solver steps of the samples that L_dist and L_model compare.
_COMPARED, _STEPS = 128, 6


@dataclass(eq=False, repr=False)
class Diffusion(NeuralGenerator):
    """EDM: a network learns to denoise rows, and a solver turns noise into rows.

    Numbers, missing indicators and one-hot categories are noised alike, as numbers; at the end the largest indicator
    of a category is the category. L_rec is the paper's loss: the squared error of the clean row's estimate, weighted
    by noise level, of columns scaled to unit variance. It is a paired error, and ``loss=native``, (1, 0, 0), is EDM.
    L_dist and L_model compare rows that a few solver steps draw from pure noise for classes of the batch,
    and not the estimates: these are means and vary less than rows do. Their start values are
    those of rows at the columns' means.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(256, 256)
        Widths of the denoiser's hidden layers.
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``. Numbers are standardised afterwards.
    normal_scores : bool, default=True
        Whether numbers with repeated values are modelled as normal scores of their ranks.
    preconditioning : bool, default=True
        Whether the network's input, output and target have unit variance at every noise level.
    ema_decay : float, default=0.999
        Decay of the weights' exponential moving average, less in the first steps; rows are drawn with the
        average. 0 draws them with the last weights.
    sampling_steps : int, default=50
        Noise levels of the solver, each of which takes two passes through the network.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Averaged weights of the last good epoch, also when training ended in ``Diverged``.

    Notes
    -----
    Source: Karras, Aittala, Aila and Laine (2022), https://arxiv.org/abs/2206.00364. Faithful in preconditioning,
    noise, loss weights, averaging and Heun's solver (50 levels, 99 passes); scaled down to a small fully connected
    network and to one-hot categories without a learned embedding.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = ENCODED

    hidden_layer_sizes: Sequence[int] = (256, 256)
    min_steps: int = 1500
    learning_rate: float = 3e-3
    encoder: TableEncoder | None = None
    normal_scores: bool = True
    preconditioning: bool = True
    ema_decay: float = 0.999
    sampling_steps: int = 50

    def _new_encoder(self) -> StandardizedEncoder:
        # An indicator of a common category has the paper's standard deviation, one half, without rescaling.
        return StandardizedEncoder(self.encoder, self.normal_scores, deviation=SIGMA_DATA, centre_indicators=True)

    def _network(self, generator: torch.Generator) -> Denoiser:
        width, classes = self.encoder_.width_, len(self.labels_)
        inner = self._backbone(Denoiser.inputs(width, classes), width, generator)
        return Denoiser(inner, classes, self.preconditioning)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        optimizer = state.add("weights", self._network(state.generator), ema_decay=self.ema_decay)
        D, objective, few = optimizer.network, state.objective, slice(0, _COMPARED)
        batches = state.batches(self.batch_size)

        def step() -> dict[str, float]:
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            sigma = training_noise(len(x), state.generator).to(x.device)
            noised = x + sigma * state.normal(*x.shape)
            error = D(noised, sigma, y) - x
            weight, generated = loss_weight(sigma) * SIGMA_DATA**2, None
            if objective.needs_generated and not objective.started:
                # Untrained samples have the right moments, so their own first value cannot be the unit of L_dist.
                generated = torch.zeros_like(x[few])
            elif objective.needs_generated:
                generated = euler(D, state.normal(*x[few].shape), y[few], _STEPS)
            optimizer.step(objective.weighted_squared_error(error, weight, x[few], y[few], generated))
            return objective.terms

        return step

    def _draw(self, network: Denoiser, labels: Tensor, rng: np.random.Generator) -> Tensor:
        noise = self._normal(labels, self.encoder_.width_, rng)
        levels = noise_levels(self.sampling_steps).to(labels.device)
        return heun(lambda x, sigma: network(x, sigma, labels), noise, levels)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(sampling_steps=self.sampling_steps)
        check_fractions(ema_decay=self.ema_decay)
        check_flags(normal_scores=self.normal_scores, preconditioning=self.preconditioning)
