"""Tabular variational autoencoder (Xu et al. 2019, section 4.4), trained with L_total."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural import networks
from trisynth.generators.neural.modes import ModeEncoder
from trisynth.generators.neural.spaces import Modal
from trisynth.generators.neural.training import Run
from trisynth.generators.neural.vae import divergence

# Weight decay of the authors' code.
_DECAY = 1e-5
# The authors' code counts reconstruction twice against the KL term.
_FACTOR = 2.0
# Standard deviation of a place within a mode: at the start, and its bounds.
_DEVIATION, _LEAST, _MOST = 0.1, 0.01, 1.0
# Temperature of the draws that L_dist and L_model look at.
_TEMPERATURE = 0.2


class Autoencoder(nn.Module):
    """q(z | row, class) and p(row | z, class) over rows of a ``ModeEncoder``; prior p(z) = N(0, 1)."""

    def __init__(
        self, modes: ModeEncoder, classes: int, latent: int, hidden: Sequence[int], generator: torch.Generator
    ):
        super().__init__()
        self.modes, self.classes, self.latent = modes, classes, latent
        self.encoder = networks.mlp([modes.width_ + classes, *hidden, 2 * latent], generator, nn.ReLU)
        self.decoder = networks.mlp([latent + classes, *reversed(hidden), modes.width_], generator, nn.ReLU)
        numbers = [block for block in modes.blocks_ if block.kind == "modes"]
        self.places = [block.start for block in numbers]
        self.incomplete = [(i, block.stop - 1) for i, block in enumerate(numbers) if block.missing]
        self.deviation = nn.Parameter(torch.full((len(self.places),), _DEVIATION))

    def posterior(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | row, class), each of shape (n, latent)."""
        return self.encoder(self._joined(rows, labels)).chunk(2, dim=1)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Parameters of p(row | z, class), shape (n, width)."""
        return self.decoder(self._joined(z, labels))

    def log_density(self, rows: Tensor, output: Tensor) -> Tensor:
        """log p(row | output), shape (n,): Gaussian places within modes, categorical modes and categories."""
        deviations = self.deviation.clamp(_LEAST, _MOST)
        gap = (rows[:, self.places] - output[:, self.places].tanh()) / deviations
        density = -0.5 * gap.square() - deviations.log() - 0.5 * math.log(2 * math.pi)
        if self.incomplete:
            # The place of a missing number says nothing.
            absent = rows[:, [last for _, last in self.incomplete]]
            numbers = torch.tensor([number for number, _ in self.incomplete], device=rows.device)
            density = density.index_copy(1, numbers, density[:, numbers] * (1 - absent))
        total = density.sum(dim=1)
        for block in self.modes.blocks_:
            first, last = block.start + (block.kind == "modes"), block.stop
            total = total + (rows[:, first:last] * output[:, first:last].log_softmax(dim=1)).sum(dim=1)
        return total

    def draw(self, labels: Tensor, uniform: Tensor) -> Tensor:
        """Rows from the prior, given uniform numbers of shape (n, latent + width)."""
        uniform = uniform.clamp(networks.EDGE, 1 - networks.EDGE)
        output = self.decode(torch.special.ndtri(uniform[:, : self.latent]), labels)
        cells = uniform[:, self.latent :]
        rows = self.modes.emit(output, cells, _TEMPERATURE)
        noise = torch.special.ndtri(cells[:, self.places]) * self.deviation.clamp(_LEAST, _MOST)
        return rows.index_add(1, torch.tensor(self.places, dtype=torch.long, device=rows.device), noise)

    def _joined(self, rows: Tensor, labels: Tensor) -> Tensor:
        return torch.cat([rows, functional.one_hot(labels, self.classes).to(rows)], dim=1)


@dataclass(eq=False, repr=False)
class TVAE(Modal):
    """Variational autoencoder over modes and categories; rows are drawn from p(x | z, y), not from its mean.

    The label enters both networks, so that the asked class is exact; the paper models it as one more column.
    L_rec is the negative log-likelihood per column; the KL term is kept beside it, so that ``loss=native`` is the
    published loss. L_dist and L_model look at numbers and categories, not at modes, of rows drawn from the prior.

    Parameters
    ----------
    latent_dim : int, default=128
        Dimensions of z.
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Hidden layers of the encoder; the decoder has them reversed.

    Attributes
    ----------
    history_ : dict of str to list of float
        Beside the terms, ``kl`` in nats per row.

    Notes
    -----
    Source: Xu et al. (2019), Modeling Tabular Data using Conditional GAN. Faithful in normalisation, layers,
    likelihood, optimiser and batch; scaled down from 300 epochs to so many steps, which is as many for 3,000 rows.
    """

    min_steps: int = 2000
    batch_size: int = 500
    learning_rate: float = 1e-3
    latent_dim: int = 128

    renamed = Modal.renamed | {"latent": "latent_dim"}

    def _network(self, generator: torch.Generator) -> Autoencoder:
        return Autoencoder(self.encoder_, len(self.labels_), self.latent_dim, self.hidden_layer_sizes, generator)

    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        player = run.player("weights", self._network(run.generator), weight_decay=_DECAY)
        model, objective = player.network, run.objective
        batches, columns = run.batches(self.batch_size), len(self.encoder_.columns_)

        def step() -> dict[str, float]:
            rows = next(batches)
            x, y = run.rows[rows], run.labels[rows]
            mean, log_variance = model.posterior(x, y)
            z = mean + (0.5 * log_variance).exp() * run.normal(*mean.shape)
            rec = -model.log_density(x, model.decode(z, y)).mean() / columns
            kl = divergence(mean, log_variance).mean()
            fakes = None
            if objective.needs_fakes:
                fakes = self._values(model.draw(y, run.uniform(len(x), self.latent_dim + x.shape[1])))
            native = kl / (_FACTOR * columns * objective.start("rec", rec))
            player.step(objective(rec, self._values(x), y, fakes, native=native))
            return {"kl": float(kl.detach()), **objective.terms}

        return step

    def _draw(self, network: Autoencoder, labels: Tensor, rng: np.random.Generator) -> Tensor:
        uniform = rng.random((len(labels), self.latent_dim + self.encoder_.width_), dtype=np.float32)
        return network.draw(labels, torch.tensor(uniform, device=labels.device))

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(latent_dim=self.latent_dim)
