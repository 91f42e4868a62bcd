"""Tabular variational autoencoder (Xu et al. 2019, section 4.4), trained with L_total."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth import seeds
from trisynth.generators import networks
from trisynth.generators.base import Generator
from trisynth.generators.modes import EDGE, ModeEncoder
from trisynth.generators.vae import divergence
from trisynth.objective import Loss, Objective

# Weight decay of the authors' code.
_DECAY = 1e-5
# The authors' code counts reconstruction twice against the KL term.
_FACTOR = 2.0
# Standard deviation of a place within a mode: at the start, and its bounds.
_DEVIATION, _LEAST, _MOST = 0.1, 0.01, 1.0
# Temperature of the draws that L_dist and L_model look at.
_TEMPERATURE = 0.2
# Rows made at once: memory stays flat however many are asked for.
_ROWS = 4096


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
        uniform = uniform.clamp(EDGE, 1 - EDGE)
        output = self.decode(torch.special.ndtri(uniform[:, : self.latent]), labels)
        cells = uniform[:, self.latent :]
        rows = self.modes.emit(output, cells, _TEMPERATURE)
        noise = torch.special.ndtri(cells[:, self.places]) * self.deviation.clamp(_LEAST, _MOST)
        return rows.index_add(1, torch.tensor(self.places, dtype=torch.long, device=rows.device), noise)

    def _joined(self, rows: Tensor, labels: Tensor) -> Tensor:
        return torch.cat([rows, functional.one_hot(labels, self.classes).to(rows)], dim=1)


class TVAE(Generator):
    """Variational autoencoder over modes and categories; rows are drawn from p(x | z, y), not from its mean.

    The label enters both networks, so that the asked class is exact; the paper models it as one more column.
    L_rec is the negative log-likelihood per column; the KL term is kept beside it, so that ``loss=native`` is the
    published loss. L_dist and L_model look at numbers and categories, not at modes, of rows drawn from the prior.

    Parameters
    ----------
    latent : int, default=128
        Dimensions of z.
    hidden : sequence of int, default=(128, 128)
        Hidden layers of the encoder; the decoder has them reversed.
    modes : int, default=10
        Most modes of a number; 1 is plain standardisation.
    epochs : int, default=50
        Epochs; the loss terms are recorded once in each.
    steps : int, default=2000
        Least number of gradient steps in all: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int, default=500
    learning_rate : float, default=1e-3
        Of Adam at the start; falls to zero along a cosine.
    device : {"cpu", "cuda"}, default="cpu"
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Weights of the last good epoch, also when training ended in ``Diverged``.
    history_ : dict of str to list of float
        One number per epoch: each term raw and weighted, ``kl`` in nats per row, and ``total``.

    Notes
    -----
    Source: Xu et al. (2019), Modeling Tabular Data using Conditional GAN. Faithful in normalisation, layers,
    likelihood, optimiser and batch; scaled down from 300 epochs to so many steps, which is as many for 3,000 rows.
    """

    def __init__(
        self,
        latent: int = 128,
        hidden: Sequence[int] = (128, 128),
        modes: int = 10,
        epochs: int = 50,
        steps: int = 2000,
        batch_size: int = 500,
        learning_rate: float = 1e-3,
        device: str = "cpu",
        loss: Loss | None = None,
    ):
        self.latent = latent
        self.hidden = hidden
        self.modes = modes
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.loss = loss

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        sizes = ("latent", "hidden", "modes", "epochs", "steps", "batch_size")
        networks.check_sizes(**{name: getattr(self, name) for name in sizes})
        networks.check_rates(learning_rate=self.learning_rate)
        device = networks.checked_device(self.device)
        loss = (Loss() if self.loss is None else self.loss).checked()
        self.encoder_ = ModeEncoder(self.modes).fit(table, rng)
        matrix = self.encoder_.transform(table, rng)
        real = torch.tensor(matrix, dtype=torch.float32, device=device)
        classes = torch.tensor(labels, dtype=torch.long, device=device)
        generator, columns = seeds.torch_generator(rng), len(table.columns)
        with networks.one_thread():
            model = self._model(generator).to(device)
            flat = self.encoder_.flat_
            target = [b.name for b in flat].index(self.target_column_) if self.numeric_target_ else None
            objective = Objective(loss, self.encoder_.values(real), classes, flat, generator, target)

            def step(rows: Tensor) -> tuple[Tensor, dict[str, float]]:
                rows = rows.to(device)
                x, y = real[rows], classes[rows]
                mean, log_variance = model.posterior(x, y)
                z = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=generator).to(device)
                rec = -model.log_density(x, model.decode(z, y)).mean() / columns
                kl = divergence(mean, log_variance).mean()
                fakes = None
                if objective.needs_fakes:
                    uniform = torch.rand(len(x), self.latent + x.shape[1], generator=generator).to(device)
                    fakes = self.encoder_.values(model.draw(y, uniform))
                native = kl / (_FACTOR * columns * objective.start("rec", rec))
                total = objective(rec, self.encoder_.values(x), y, fakes, native=native)
                return total, {"kl": float(kl.detach()), **objective.terms}

            self.weights_, self.history_ = networks.to_arrays(model), {}
            rows = networks.batches(len(real), self.batch_size, generator)
            steps = max(-(-len(real) // self.batch_size), -(-self.steps // self.epochs))
            for record in networks.descend(model, step, rows, self.epochs, steps, self.learning_rate, _DECAY):
                self.weights_ = networks.to_arrays(model)
                for name, value in record.items():
                    self.history_.setdefault(name, []).append(value)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        device = networks.checked_device(self.device)
        # The draws of the first weights are overwritten, so their seed does not matter.
        model = networks.from_arrays(self._model(torch.Generator()), self.weights_).to(device)
        tables = []
        with torch.no_grad(), networks.one_thread():
            for start in range(0, len(labels), _ROWS):
                y = torch.tensor(labels[start : start + _ROWS], dtype=torch.long, device=device)
                # A row's draws lie side by side, so that the batch size changes no row.
                uniform = rng.random((len(y), self.latent + self.encoder_.width_), dtype=np.float32)
                drawn = model.draw(y, torch.tensor(uniform, device=device))
                tables.append(self.encoder_.inverse(drawn.cpu().numpy().astype(float)))
        return pd.concat(tables, ignore_index=True)

    def _model(self, generator: torch.Generator) -> Autoencoder:
        return Autoencoder(self.encoder_, len(self.labels_), self.latent, self.hidden, generator)
