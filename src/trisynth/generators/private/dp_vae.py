"""Variational autoencoder trained by DP-SGD: clipped gradients of single rows, with noise on their sum."""

import torch
from torch import Tensor, nn

from trisynth.generators.private.dp_sgd import ClippedNetwork, Factors, assign, sloped, through
from trisynth.generators.private.network import perceptron
from trisynth.privacy import Budget
from trisynth.privacy.noise import Noise


class DPVAE(ClippedNetwork):
    """Class-conditional VAE whose gradients stay within a privacy budget.

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
        Norm to which the gradient of one row is clipped.
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
        super().__init__(privacy, steps, rate, hidden, clip, learning_rate)

    def _train(self, rows: Tensor, labels: Tensor, noise: Noise, generator: torch.Generator) -> nn.Sequential:
        sizes, kinds, latent = self.columns_.sizes, labels.shape[1], self._latent_dim
        encoder = perceptron([sum(sizes) + kinds, self.hidden, 2 * latent], generator)
        decoder = perceptron([latent + kinds, self.hidden, sum(sizes)], generator)
        with torch.no_grad():
            decoder[-1].bias.copy_(self._shares())
        weights = [*encoder.parameters(), *decoder.parameters()]
        optimizer = torch.optim.Adam(weights, lr=self.learning_rate)

        def factors(x: Tensor, y: Tensor) -> Factors:
            seen, latent_of = through(encoder, torch.cat([x, y], 1))
            mu, log_var = latent_of.chunk(2, 1)
            log_var = log_var.clamp(-8, 8)
            z = mu + torch.exp(log_var / 2) * torch.randn(mu.shape, generator=generator)
            also, logits = through(decoder, torch.cat([z, y], 1))
            shares = torch.cat([torch.log_softmax(part, 1) for part in torch.split(logits, sizes, dim=1)], 1)
            kl = (mu**2 + log_var.exp() - 1 - log_var).sum(1) / 2
            return sloped([*seen, *also], (kl - (x * shares).sum(1)).sum())

        for _ in range(self.steps):
            assign(weights, self._gradient(rows, labels, factors, sum(w.numel() for w in weights), noise))
            optimizer.step()
        return decoder
