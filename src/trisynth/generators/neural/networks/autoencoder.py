"""Conditional variational autoencoder as a module: encoder, decoder, likelihood and the KL term."""

from torch import Tensor, nn

from trisynth.generators.neural.networks.emission import normal
from trisynth.generators.neural.networks.layers import with_label


class Autoencoder(nn.Module):
    """Encoder q(z | x, y), decoder and likelihood p(x | z, y), with the prior p(z) = N(0, I).

    Parameters
    ----------
    classes, latent_dim : int
    **parts : Module
        ``encoder``, from rows and one-hot labels to mean and log-variance, shape (n, 2 latent_dim); ``decoder``, from
        codes and one-hot labels to the likelihood's parameters, shape (n, width); ``likelihood``, with
        ``log_density(rows, output)`` and ``draw(output, uniform)``. Gradient norms are summed in the order given,
        which changes the last digits of a fit.
    """

    def __init__(self, classes: int, latent_dim: int, **parts: nn.Module):
        super().__init__()
        self.classes, self.latent_dim = classes, latent_dim
        for name, part in parts.items():
            self.add_module(name, part)

    def posterior(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of q(z | x, y), each of shape (n, latent_dim)."""
        return self.encoder(with_label(x, y, self.classes)).chunk(2, dim=1)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the parameters of p(x | z, y), shape (n, width)."""
        return self.decoder(with_label(z, y, self.classes))

    def draw(self, y: Tensor, uniform: Tensor) -> Tensor:
        """Draw encoded rows from the prior, given uniform numbers of shape (n, latent_dim + width)."""
        z = normal(uniform[:, : self.latent_dim])
        return self.likelihood.draw(self.decode(z, y), uniform[:, self.latent_dim :])


def kl_divergence(mu: Tensor, log_var: Tensor) -> Tensor:
    """Return KL(N(mu, exp(log_var)) || N(0, 1)), summed over the latent dimensions, shape (n,)."""
    return 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(dim=1)


def reparameterise(mu: Tensor, log_var: Tensor, epsilon: Tensor) -> Tensor:
    """Return z = mu + sigma epsilon, differentiable in the posterior's parameters."""
    return mu + (0.5 * log_var).exp() * epsilon
