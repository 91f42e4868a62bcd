"""Class-conditional diffusion on mixed tables (Karras et al. 2022), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trisynth.generators.neural import networks
from trisynth.generators.neural.edm import SIGMA_DATA, Denoiser, glide, heun, loss_weight, noise_levels, training_noise
from trisynth.generators.neural.spaces import Scaled
from trisynth.generators.neural.training import Run

# Rows and steps of the short runs that L_dist and L_model look at.
_GLIDING, _STEPS = 128, 6


@dataclass(eq=False, repr=False)
class Diffusion(Scaled):
    """EDM: rows are noised, a network learns to see the clean rows through the noise, and noise is solved into rows.

    Numbers, missing indicators and one-hot categories are noised alike, as numbers; at the end the largest indicator
    of a category is the category. L_rec is the paper's loss: the squared error of the clean row's estimate, weighted
    by noise level, of columns scaled to unit variance. It is a paired error, and ``loss=native``, (1, 0, 0), is EDM.
    L_dist and L_model look at rows that a short run of the same flow draws from pure noise for classes of the batch,
    and not at the estimates: these are means and must vary less than rows do. Their unit, the value at the start, is
    that of rows at the columns' means.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(256, 256)
        Hidden layers of the denoiser.
    preconditioning : bool, default=True
        Whether the network's input, output and target have unit variance at every noise level.
    ema_decay : float, default=0.999
        Share of the weights' running average that a step keeps, less in the first steps; rows are drawn with the
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

    hidden_layer_sizes: Sequence[int] = (256, 256)
    min_steps: int = 1500
    learning_rate: float = 3e-3
    preconditioning: bool = True
    ema_decay: float = 0.999
    sampling_steps: int = 50

    renamed = Scaled.renamed | {"ema": "ema_decay", "levels": "sampling_steps"}

    # An indicator of a common category has the paper's deviation, one half, as it is.
    _deviation, _centred = SIGMA_DATA, True

    def _network(self, generator: torch.Generator) -> Denoiser:
        return Denoiser(len(self.centre_), len(self.labels_), self.hidden_layer_sizes, generator, self.preconditioning)

    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        player = run.player("weights", self._network(run.generator), average=self.ema_decay)
        model, objective = player.network, run.objective
        batches, blocks = run.batches(self.batch_size), self._blocks()

        def step() -> dict[str, float]:
            rows = next(batches)
            x, y = run.rows[rows], run.labels[rows]
            sigma = training_noise(len(x), run.generator).to(x.device)
            noised = x + sigma * run.normal(*x.shape)
            error = ((model(noised, sigma, y) - x) / objective.scale).square().sum(dim=1, keepdim=True)
            rec = (loss_weight(sigma) * SIGMA_DATA**2 * error).mean() / len(blocks)
            few, fakes = slice(0, _GLIDING), None
            if objective.needs_fakes and not objective.terms:
                # The flow starts with the right moments, so that its own first value is no unit of L_dist.
                fakes = torch.zeros_like(x[few])
            elif objective.needs_fakes:
                fakes = glide(model, run.normal(*x[few].shape), y[few], _STEPS)
            player.step(objective(rec, x[few], y[few], fakes))
            return objective.terms

        return step

    def _draw(self, network: Denoiser, labels: Tensor, rng: np.random.Generator) -> Tensor:
        noise = rng.standard_normal((len(labels), len(self.centre_)), dtype=np.float32)
        levels = noise_levels(self.sampling_steps).to(labels.device)
        start = torch.tensor(noise, device=labels.device)
        return heun(lambda x, sigma: network(x, sigma, labels), start, levels)

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(sampling_steps=self.sampling_steps)
        networks.check_shares(ema_decay=self.ema_decay)
        networks.check_switches(preconditioning=self.preconditioning)
