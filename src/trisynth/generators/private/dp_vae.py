"""Variational autoencoder trained by DP-SGD: clipped gradients of single rows, with noise on their sum."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.errors import InputError
from trisynth.generators.neural.checks import check_rates, check_sizes
from trisynth.generators.private.network import PrivateNetwork, perceptron
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Share
from trisynth.privacy.noise import Noise

_GRADIENTS = "clipped gradients"


class DPVAE(PrivateNetwork):
    """Class-conditional VAE whose gradients keep to a privacy budget.

    In every step each row takes part with probability ``rate`` (Poisson sampling). Its gradient is clipped, and the sum
    of the gradients has Gaussian noise, calibrated for all steps by privacy loss distributions. Every column is a
    categorical distribution over groups of its cells.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.
    steps : int, default=400
    rate : float, default=0.03
        Probability with which a step sees each row.
    hidden : int, default=64
        Width of the hidden layer of encoder and decoder.
    clip : float, default=1.0
        Longest gradient of one row.
    learning_rate : float, default=0.01

    Notes
    -----
    Sources: Abadi et al. (2016), Deep Learning with Differential Privacy, https://arxiv.org/abs/1607.00133, and Kingma
    & Welling (2014), Auto-Encoding Variational Bayes. Gradients of single rows are never formed: those of a linear
    layer are outer products, whose lengths and weighted sum follow from the factors (Goodfellow 2015,
    https://arxiv.org/abs/1510.01799). The noise is drawn from the operating system.
    """

    def __init__(
        self,
        privacy: Budget | None = None,
        steps: int = 400,
        rate: float = 0.03,
        hidden: int = 64,
        clip: float = 1.0,
        learning_rate: float = 0.01,
    ):
        super().__init__(privacy)
        self.steps = steps
        self.rate = rate
        self.hidden = hidden
        self.clip = clip
        self.learning_rate = learning_rate

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(steps=self.steps, hidden=self.hidden)
        check_rates(rate=self.rate, clip=self.clip, learning_rate=self.learning_rate)
        if self.rate >= 1:
            raise InputError("rate", self.rate, "must be a probability below 1, such as 0.03")
        if self.privacy.unit == "person" and self.privacy.rows_per_person > 1:
            remedy = "must be 1, since rows are sampled one by one; or choose generator=mst"
            raise InputError("privacy.rows_per_person", self.privacy.rows_per_person, remedy)

    def _plan(self) -> Mapping[str, Share]:
        return {_GRADIENTS: Share(9.0, self.steps, rate=self.rate)}

    def _train(self, rows: Tensor, labels: Tensor, noise: Noise, generator: torch.Generator) -> nn.Sequential:
        sizes, kinds, latent = self.columns_.sizes, labels.shape[1], self._latent_dim
        encoder = perceptron([sum(sizes) + kinds, self.hidden, 2 * latent], generator)
        decoder = perceptron([latent + kinds, self.hidden, sum(sizes)], generator)
        with torch.no_grad():
            decoder[-1].bias.copy_(self._shares())
        weights = [*encoder.parameters(), *decoder.parameters()]
        optimizer = torch.optim.Adam(weights, lr=self.learning_rate)
        # The number of rows is private; its noisy count is not.
        expected = max(self.rate * float(self.counts_.sum()), 1.0)
        for _ in range(self.steps):
            chosen = torch.from_numpy(np.flatnonzero(noise.uniform(len(rows)) < self.rate))
            total = np.zeros(sum(w.numel() for w in weights))
            if len(chosen):
                x, y = rows[chosen], labels[chosen]
                seen, latent_of = through(encoder, torch.cat([x, y], 1))
                mu, log_var = latent_of.chunk(2, 1)
                log_var = log_var.clamp(-8, 8)
                z = mu + torch.exp(log_var / 2) * torch.randn(mu.shape, generator=generator)
                also, logits = through(decoder, torch.cat([z, y], 1))
                shares = torch.cat([torch.log_softmax(part, 1) for part in torch.split(logits, sizes, dim=1)], 1)
                kl = (mu**2 + log_var.exp() - 1 - log_var).sum(1) / 2
                loss = (kl - (x * shares).sum(1)).sum()
                layers = [*seen, *also]
                slopes = torch.autograd.grad(loss, [after for _, after in layers])
                factors = [(before.detach(), slope) for (before, _), slope in zip(layers, slopes, strict=True)]
                total = clipped_sum(factors, self.clip).numpy().astype(float)
            noisy = self.ledger_.noisy(_GRADIENTS, total, noise) * (self.clip / expected)
            start = 0
            for weight in weights:
                part = noisy[start : start + weight.numel()]
                weight.grad = torch.tensor(part, dtype=torch.float32).reshape(weight.shape)
                start += weight.numel()
            optimizer.step()
        return decoder


def through(network: nn.Sequential, values: Tensor) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Apply a network; return input and output of each of its linear layers, in their order, and the result."""
    found = []
    for layer in network:
        before = values
        values = layer(before)
        if isinstance(layer, nn.Linear):
            found.append((before, values))
    return found, values


def clipped_sum(factors: list[tuple[Tensor, Tensor]], clip: float) -> Tensor:
    """Sum the gradients of rows, each shortened to ``clip`` at most and divided by it, as one vector.

    Parameters
    ----------
    factors : list of (Tensor, Tensor), shapes (rows, inner) and (rows, outer)
        Inputs of each linear layer, and slopes of every row's loss along the layer's outputs. The gradient of a row is
        their outer product for the weights, and the slopes for the offsets.
    clip : float
    """
    squares = sum((before.square().sum(1) + 1) * slope.square().sum(1) for before, slope in factors)
    # Rounding must not lift a gradient above the length that is accounted for.
    shrunk = 1 / torch.maximum(squares.sqrt() * (1 + 1e-5), torch.tensor(clip))
    parts = []
    for before, slope in factors:
        scaled = slope * shrunk[:, None]
        parts += [(scaled.T @ before).flatten(), scaled.sum(0)]
    return torch.cat(parts)
