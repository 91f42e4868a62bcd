"""Class-conditional variational autoencoder (Kingma & Welling 2014; Sohn et al. 2015), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.encoders.table import Block
from trisynth.generators.neural import networks
from trisynth.generators.neural.spaces import Scaled
from trisynth.generators.neural.training import Run

# The noise of a number never falls below this share of its column's spread, else a constant column has no density.
_LEAST_NOISE = 1e-2
# Rows of a step that L_dist and L_model look at.
_LOOKED_AT = 128


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
        uniform = uniform.clamp(networks.EDGE, 1 - networks.EDGE)
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
        z = torch.special.ndtri(uniform[:, : self.latent].clamp(networks.EDGE, 1 - networks.EDGE))
        return self.likelihood.draw(self.decode(z, labels), uniform[:, self.latent :])

    def _joined(self, rows: Tensor, labels: Tensor) -> Tensor:
        return torch.cat([rows, functional.one_hot(labels, self.classes).to(rows)], dim=1)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) summed over the latent axis, shape (n,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


@dataclass(eq=False, repr=False)
class VAE(Scaled):
    """Conditional VAE; rows are drawn from p(x | z, y), not from its mean.

    L_rec is the negative log-likelihood per column; the KL term is kept beside it with weight one, so that
    ``loss=native``, (1, 0, 0), is the evidence lower bound. For a number with noise sigma, L_rec is
    (x - x')^2 / (2 sigma^2) + log sigma: alpha multiplies 1 / (2 sigma^2), and with the other weights at zero
    it is the inverse of a beta-VAE's beta (Higgins et al. 2017). L_dist and L_model look at rows drawn from the
    prior for the batch's own labels.

    Parameters
    ----------
    latent_dim : int, default=16
        Dimensions of z.
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Hidden layers of the encoder; the decoder has them reversed. Empty makes both linear.
    kl : bool, default=True
        Whether the KL term holds the codes to the prior; without it this is an autoencoder.
    observation_noise : bool, default=True
        Whether rows are drawn from p(x | z, y); else they are its means and likeliest categories.

    Attributes
    ----------
    history_ : dict of str to list of float
        Beside the terms, ``kl`` in nats per row.

    Notes
    -----
    Source: Kingma & Welling (2014), Auto-Encoding Variational Bayes, with the label as in Sohn et al. (2015). Faithful
    in encoder, reparameterisation, analytic KL term and bound; scaled down to two small layers of either network.
    """

    latent_dim: int = 16
    kl: bool = True
    observation_noise: bool = True

    renamed = Scaled.renamed | {"latent": "latent_dim", "likelihood": "observation_noise"}

    def _network(self, generator: torch.Generator) -> Autoencoder:
        return Autoencoder(
            self._blocks(), self._fill(), len(self.labels_), self.latent_dim, self.hidden_layer_sizes, generator
        )

    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        player, objective = run.player("weights", self._network(run.generator)), run.objective
        few = slice(0, _LOOKED_AT)
        model, batches, columns = player.network, run.batches(self.batch_size), len(self.encoder_.schema_.columns)

        def step() -> dict[str, float]:
            rows = next(batches)
            x, y = run.rows[rows], run.labels[rows]
            mean, log_variance = model.posterior(x, y)
            z = mean + (0.5 * log_variance).exp() * run.normal(*mean.shape)
            fakes = None
            if objective.needs_fakes:
                # One pass through the decoder serves both the reconstructions and the rows from the prior.
                prior = run.normal(*z[few].shape)
                outputs = model.decode(torch.cat([z, prior]), torch.cat([y, y[few]]))
                output = outputs[: len(x)]
                fakes = model.likelihood.draw(outputs[len(x) :], run.uniform(*x[few].shape))
            else:
                output = model.decode(z, y)
            rec = -model.likelihood.log_density(x, output).mean() / columns
            kl = divergence(mean, log_variance).mean()
            # The KL term shares L_rec's unit, or the two would no longer add up to the bound.
            native = kl / columns / objective.start("rec", rec) if self.kl else 0.0
            player.step(objective(rec, x[few], y[few], fakes, native=native))
            return {"kl": float(kl.detach()), **objective.terms}

        return step

    def _draw(self, network: Autoencoder, labels: Tensor, rng: np.random.Generator) -> Tensor:
        uniform = rng.random((len(labels), network.latent + network.width), dtype=np.float32)
        if not self.observation_noise:
            uniform[:, network.latent :] = 0.5
        return network.draw(labels, torch.tensor(uniform, device=labels.device))

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(latent_dim=self.latent_dim)
        networks.check_switches(kl=self.kl, observation_noise=self.observation_noise)
