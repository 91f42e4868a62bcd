"""GAN whose discriminator is trained by DP-SGD; the generator sees the discriminator alone."""

import torch
from torch import Tensor, nn

from trisynth.errors import require_whole
from trisynth.generators.private.dp_sgd import ClippedNetwork, Factors, assign, clipped_sum, sloped, through
from trisynth.generators.private.network import perceptron, sampled
from trisynth.privacy import Budget
from trisynth.privacy.noise import Noise


class DPGAN(ClippedNetwork):
    """Class-conditional GAN whose discriminator stays within a privacy budget.

    In every step of the discriminator each real row takes part with probability ``rate`` (Poisson sampling). Its
    gradient is clipped, and the sum has Gaussian noise, calibrated for all steps by privacy loss distributions. About
    as many generated rows are opposed to them, clipped in the same way. After every ``critic_steps`` of them the
    generator has one step, against the discriminator and without real rows, which is post-processing. The label of a
    generated row is drawn from noisy class counts.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.
    steps : int, default=1000
        Steps of the discriminator.
    critic_steps : int, default=5
        Steps of the discriminator before each of the generator.
    rate : float, default=0.03
        Probability with which a step sees each real row.
    hidden : int, default=64
        Width of the hidden layer of both networks.
    clip : float, default=1.0
        Norm to which the gradient of one row is clipped.
    learning_rate : float, default=0.005

    Notes
    -----
    Source: Xie, Lin, Wang, Wang & Zhou (2018), Differentially Private Generative Adversarial Network,
    https://arxiv.org/abs/1802.06739. It differs from the source in the non-saturating loss, in gradient clipping (Abadi
    et al. 2016) instead of clipped weights, and in an accountant of sampled Gaussians instead of the moments
    accountant. Many steps of the discriminator for one of the generator are from Bie, Kamath & Zhang (2023), Private
    GANs, Revisited, https://arxiv.org/abs/2302.02936. There is neither batch normalisation nor a gradient penalty,
    which would mix rows or read them outside the budget. Cells are groups of noisy histograms, drawn with
    straight-through gradients.
    """

    def __init__(
        self,
        privacy: Budget | None = None,
        steps: int = 1000,
        critic_steps: int = 5,
        rate: float = 0.03,
        hidden: int = 64,
        clip: float = 1.0,
        learning_rate: float = 0.005,
    ):
        super().__init__(privacy, steps, rate, hidden, clip, learning_rate)
        self.critic_steps = critic_steps

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        require_whole("critic_steps", self.critic_steps, 1)

    def _train(self, rows: Tensor, labels: Tensor, noise: Noise, generator: torch.Generator) -> nn.Sequential:
        sizes, kinds = self.columns_.sizes, labels.shape[1]
        network = perceptron([self._latent_dim + kinds, self.hidden, sum(sizes)], generator)
        critic = perceptron([sum(sizes) + kinds, self.hidden, 1], generator)
        with torch.no_grad():
            network[-1].bias.copy_(self._shares())
        shares = torch.tensor(self.counts_ / self.counts_.sum(), dtype=torch.float32)
        weights, batch = [*critic.parameters()], round(self._expected)
        settings = {"lr": self.learning_rate, "betas": (0.5, 0.9)}
        learn_critic = torch.optim.Adam(weights, **settings)
        learn_network = torch.optim.Adam(network.parameters(), **settings)

        def generate() -> tuple[Tensor, Tensor]:
            label = torch.multinomial(shares, batch, replacement=True, generator=generator)
            condition = nn.functional.one_hot(label, kinds).float()
            latent = torch.randn((batch, self._latent_dim), generator=generator)
            return sampled(network(torch.cat([latent, condition], 1)), sizes, generator), condition

        def factors(x: Tensor, y: Tensor, sign: float) -> Factors:
            layers, logits = through(critic, torch.cat([x, y], 1))
            return sloped(layers, nn.functional.softplus(sign * logits).sum())

        def of_real(x: Tensor, y: Tensor) -> Factors:
            return factors(x, y, -1.0)

        for step in range(self.steps):
            real = self._gradient(rows, labels, of_real, sum(w.numel() for w in weights), noise)
            with torch.no_grad():
                drawn = generate()
            fake = clipped_sum(factors(*drawn, 1.0), self.clip).numpy() * (self.clip / batch)
            assign(weights, real + fake)
            learn_critic.step()
            if (step + 1) % self.critic_steps == 0:
                loss = nn.functional.softplus(-critic(torch.cat(generate(), 1))).mean()
                learn_network.zero_grad()
                loss.backward()
                learn_network.step()
        return network
