"""Class-conditional variational autoencoder (Kingma & Welling 2014; Sohn et al. 2015), trained with L_total."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from torch import Tensor, nn
from torch.nn import functional

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.generators import networks
from trisynth.generators.base import Generator
from trisynth.objective import Loss, Objective
from trisynth.preprocessing.encoder import Block, TableEncoder

# The noise of a number never falls below this share of its column's spread, else a constant column has no density.
_LEAST_NOISE = 1e-2
# Rows decoded at once: memory stays flat however many are asked for.
_ROWS = 4096
# Uniform draws keep this distance from 0 and 1, where the inverse normal is infinite.
_EDGE = 1e-6


class Likelihood(nn.Module):
    """p(row | decoder output): Gaussian numbers, Bernoulli missing indicators, categorical one-hot blocks.

    A Gaussian's variance is learned per column and does not depend on the row. A missing number says nothing
    through its filled-in value: only its indicator counts, and a sample that is missing takes the same fill.

    Parameters
    ----------
    blocks : sequence of Block
    fill : Tensor, shape (number of missing indicators,)
        Encoded value of a missing number.
    """

    def __init__(self, blocks: Sequence[Block], fill: Tensor):
        super().__init__()
        numbers = [block.name for block in blocks if block.kind == "number"]
        incomplete = [numbers.index(block.name) for block in blocks if block.kind == "missing"]
        # The encoder puts numbers first, then missing indicators, then categories.
        self.numbers = slice(0, len(numbers))
        self.indicators = slice(len(numbers), len(numbers) + len(incomplete))
        self.log_noise = nn.Parameter(torch.zeros(len(numbers)))
        self.register_buffer("fill", fill)
        self.register_buffer("incomplete", torch.tensor(incomplete, dtype=torch.long), persistent=False)
        # Categories of equal width are treated at once: one table of columns, shape (categories, width), per width.
        spans = [range(block.start, block.stop) for block in blocks if block.kind == "category"]
        self.widths = sorted({len(span) for span in spans})
        for width in self.widths:
            columns = [list(span) for span in spans if len(span) == width]
            self.register_buffer(f"columns_{width}", torch.tensor(columns), persistent=False)

    @property
    def variance(self) -> Tensor:
        """Gaussian variance of each number, shape (numbers,)."""
        return (2 * self.log_noise).exp() + _LEAST_NOISE**2

    def log_density(self, rows: Tensor, output: Tensor) -> Tensor:
        """log p(row | output) of encoded ``rows`` of shape (n, width), shape (n,)."""
        gap, absent = (rows - output)[:, self.numbers], rows[:, self.indicators]
        log_density = -0.5 * (gap.square() / self.variance + (2 * torch.pi * self.variance).log())
        present = torch.ones_like(gap).index_copy(1, self.incomplete, 1 - absent)
        total = (log_density * present).sum(dim=1)
        logits = output[:, self.indicators]
        total = total - functional.binary_cross_entropy_with_logits(logits, absent, reduction="none").sum(dim=1)
        for columns in self._categories():
            total = total + (rows[:, columns] * output[:, columns].log_softmax(dim=2)).sum(dim=(1, 2))
        return total

    def draw(self, output: Tensor, uniform: Tensor) -> Tensor:
        """Encoded rows drawn from p(row | output), one uniform number per cell, both of shape (n, width).

        Differentiable in ``output``: numbers by reparameterisation, indicators and categories by the
        straight-through Gumbel estimator (Jang et al. 2017).
        """
        uniform = uniform.clamp(_EDGE, 1 - _EDGE)
        numbers = output[:, self.numbers] + torch.special.ndtri(uniform[:, self.numbers]) * self.variance.sqrt()
        soft = (output[:, self.indicators] + uniform[:, self.indicators].logit()).sigmoid()
        absent = (soft > 0.5).to(soft) + (soft - soft.detach())
        filled = (1 - absent) * numbers[:, self.incomplete] + absent * self.fill
        rows = torch.cat([numbers.index_copy(1, self.incomplete, filled), absent], dim=1)
        rows = functional.pad(rows, (0, output.shape[1] - rows.shape[1]))
        for columns in self._categories():
            gumbel = -(-uniform[:, columns].log()).log()
            soft = (output[:, columns] + gumbel).softmax(dim=2)
            hard = functional.one_hot(soft.argmax(dim=2), columns.shape[1]).to(soft)
            rows = rows.index_copy(1, columns.flatten(), (hard + (soft - soft.detach())).flatten(1))
        return rows

    def _categories(self) -> list[Tensor]:
        return [getattr(self, f"columns_{width}") for width in self.widths]


class Autoencoder(nn.Module):
    """Encoder q(z | row, class), decoder and likelihood p(row | z, class), prior p(z) = N(0, 1)."""

    def __init__(
        self,
        blocks: Sequence[Block],
        fill: Tensor,
        classes: int,
        latent: int,
        hidden: Sequence[int],
        generator: torch.Generator,
    ):
        super().__init__()
        self.classes, self.latent, self.width = classes, latent, blocks[-1].stop
        self.encoder = networks.mlp([self.width + classes, *hidden, 2 * latent], generator)
        self.decoder = networks.mlp([latent + classes, *reversed(hidden), self.width], generator)
        self.likelihood = Likelihood(blocks, fill)

    def posterior(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | row, class), each of shape (n, latent)."""
        return self.encoder(self._joined(rows, labels)).chunk(2, dim=1)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Parameters of p(row | z, class), shape (n, width)."""
        return self.decoder(self._joined(z, labels))

    def draw(self, labels: Tensor, uniform: Tensor) -> Tensor:
        """Encoded rows from the prior, given uniform numbers of shape (n, latent + width)."""
        z = torch.special.ndtri(uniform[:, : self.latent].clamp(_EDGE, 1 - _EDGE))
        return self.likelihood.draw(self.decode(z, labels), uniform[:, self.latent :])

    def _joined(self, rows: Tensor, labels: Tensor) -> Tensor:
        return torch.cat([rows, functional.one_hot(labels, self.classes).to(rows)], dim=1)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) summed over the latent axis, shape (n,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


class VAE(Generator):
    """Conditional VAE; rows are drawn from p(x | z, y), not from its mean.

    L_rec is the negative log-likelihood per column; the KL term is kept beside it with weight one, so that
    ``loss=native``, (1, 0, 0), is the evidence lower bound. For a number with noise sigma, L_rec is
    (x - x')^2 / (2 sigma^2) + log sigma: alpha multiplies 1 / (2 sigma^2), and with the other weights at zero
    it is the inverse of a beta-VAE's beta (Higgins et al. 2017). L_dist and L_model look at rows drawn from the
    prior for the batch's own labels.

    Parameters
    ----------
    latent : int, default=16
        Dimensions of z.
    hidden : sequence of int, default=(128, 128)
        Hidden layers of the encoder; the decoder has them reversed. Empty makes both linear.
    epochs : int, default=50
        Epochs; the loss terms are recorded once in each.
    steps : int, default=1500
        Least number of gradient steps in all: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int, default=256
    learning_rate : float, default=4e-3
        Of Adam at the start; falls to zero along a cosine.
    device : {"cpu", "cuda"}, default="cpu"
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``.
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Weights of the last good epoch, also when training ended in ``Diverged``.
    history_ : dict of str to list of float
        One number per epoch: each term raw and weighted, ``kl`` in nats per row, and ``total``.
    """

    def __init__(
        self,
        latent: int = 16,
        hidden: Sequence[int] = (128, 128),
        epochs: int = 50,
        steps: int = 1500,
        batch_size: int = 256,
        learning_rate: float = 4e-3,
        device: str = "cpu",
        encoder: TableEncoder | None = None,
        loss: Loss | None = None,
    ):
        self.latent = latent
        self.hidden = hidden
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.encoder = encoder
        self.loss = loss

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self._check()
        device = networks.checked_device(self.device)
        loss = (Loss() if self.loss is None else self.loss).checked()
        self.encoder_ = (TableEncoder() if self.encoder is None else clone(self.encoder)).fit(table)
        matrix = self.encoder_.transform(table)
        self.centre_, self.spread_ = networks.standard(matrix, self.encoder_.blocks_)
        standard = (matrix - self.centre_) / self.spread_
        self.fill_ = networks.fills(standard, self.encoder_.blocks_)
        real = torch.tensor(standard, dtype=torch.float32, device=device)
        classes = torch.tensor(labels, dtype=torch.long, device=device)
        generator, columns = seeds.torch_generator(rng), len(table.columns)
        with networks.one_thread():
            model = self._model(generator).to(device)
            target = self._target() if self.numeric_target_ else None
            objective = Objective(loss, real, classes, self.encoder_.blocks_, generator, target)

            def step(rows: Tensor) -> tuple[Tensor, dict[str, float]]:
                rows = rows.to(device)
                x, y = real[rows], classes[rows]
                mean, log_variance = model.posterior(x, y)
                z = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=generator).to(device)
                fakes = None
                if objective.needs_fakes:
                    # One pass through the decoder serves both the reconstructions and the rows from the prior.
                    prior = torch.randn(mean.shape, generator=generator).to(device)
                    output, outputs = model.decode(torch.cat([z, prior]), y.repeat(2)).chunk(2)
                    fakes = model.likelihood.draw(outputs, torch.rand(x.shape, generator=generator).to(device))
                else:
                    output = model.decode(z, y)
                rec = -model.likelihood.log_density(x, output).mean() / columns
                kl = divergence(mean, log_variance).mean()
                # The KL term shares L_rec's unit, or the two would no longer add up to the bound.
                total = objective(rec, x, y, fakes, native=kl / columns / objective.start("rec", rec))
                return total, {"kl": float(kl.detach()), **objective.terms}

            self.weights_, self.history_ = networks.to_arrays(model), {}
            rows = networks.batches(len(real), self.batch_size, generator)
            per_epoch = max(-(-len(real) // self.batch_size), -(-self.steps // self.epochs))
            for record in networks.descend(model, step, rows, self.epochs, per_epoch, self.learning_rate):
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
                uniform = rng.random((len(y), model.latent + model.width), dtype=np.float32)
                drawn = model.draw(y, torch.tensor(uniform, device=device))
                matrix = drawn.cpu().numpy() * self.spread_ + self.centre_
                tables.append(self.encoder_.inverse(matrix))
        return pd.concat(tables, ignore_index=True)

    def _model(self, generator: torch.Generator) -> Autoencoder:
        fill = torch.tensor(self.fill_, dtype=torch.float32)
        return Autoencoder(self.encoder_.blocks_, fill, len(self.labels_), self.latent, self.hidden, generator)

    def _target(self) -> int:
        return next(b.start for b in self.encoder_.blocks_ if (b.name, b.kind) == (self.target_column_, "number"))

    def _check(self) -> None:
        networks.check_sizes(
            latent=self.latent,
            hidden=self.hidden,
            epochs=self.epochs,
            steps=self.steps,
            batch_size=self.batch_size,
        )
        if not isinstance(self.learning_rate, float | int) or not 0 < self.learning_rate < float("inf"):
            raise InputError("learning_rate", self.learning_rate, "must be a positive number, such as 0.004")
