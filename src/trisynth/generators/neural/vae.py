"""Class-conditional variational autoencoder (Kingma & Welling 2014; Sohn et al. 2015), trained with L_total."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trisynth.data.kinds import ENCODED, Kind
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.encoders.table import TableEncoder
from trisynth.generators.neural.checks import check_backbone, check_flags, check_sizes
from trisynth.generators.neural.networks.autoencoder import Autoencoder, kl_divergence, reparameterise
from trisynth.generators.neural.networks.likelihoods import ColumnLikelihood
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator

# Rows of a step that L_dist and L_model compare.
_COMPARED = 128


@dataclass(eq=False, repr=False)
class VAE(NeuralGenerator):
    """Conditional VAE; rows are drawn from p(x | z, y), not from its mean.

    L_rec is the negative log-likelihood per column; the KL term is added in the same unit with weight one, so that
    ``loss=native``, (1, 0, 0), is the evidence lower bound. For a number with noise sigma, L_rec is
    (x - x')^2 / (2 sigma^2) + log sigma: alpha multiplies 1 / (2 sigma^2), and with the other weights at zero
    it is the inverse of a beta-VAE's beta (Higgins et al. 2017). L_dist and L_model compare rows drawn from the
    prior for the batch's own labels.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Widths of the encoder's hidden layers; the decoder reverses them. Empty makes both linear.
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``. Numbers are standardised afterwards.
    normal_scores : bool, default=True
        Whether numbers with repeated values are modelled as normal scores of their ranks.
    latent_dim : int, default=16
        Dimensions of z.
    kl : bool, default=True
        Whether the loss has the KL term; without it this is an autoencoder.
    observation_noise : bool, default=True
        Whether rows are drawn from p(x | z, y); else they are its means and most probable categories.
    backbone : {"mlp", "conv", "gru"}, default="mlp"
        Layers over images and series: all columns alike; strided convolutions over time, or over height and width; or
        a recurrent layer over the steps of series. Without such columns it has no effect.

    Attributes
    ----------
    history_ : dict of str to list of float
        In addition to the terms, ``kl`` in nats per row.

    Notes
    -----
    Source: Kingma & Welling (2014), Auto-Encoding Variational Bayes, with the label as in Sohn et al. (2015). Faithful
    in encoder, reparameterisation, analytic KL term and bound; scaled down to two small layers of either network.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = ENCODED

    encoder: TableEncoder | None = None
    normal_scores: bool = True
    latent_dim: int = 16
    kl: bool = True
    observation_noise: bool = True
    backbone: str = "mlp"

    def _new_encoder(self) -> StandardizedEncoder:
        return StandardizedEncoder(self.encoder, self.normal_scores)

    def _network(self, generator: torch.Generator) -> Autoencoder:
        width, classes = self.encoder_.width_, len(self.labels_)
        encoder = self._backbone(width + classes, 2 * self.latent_dim, generator, rows="read")
        decoder = self._backbone(self.latent_dim + classes, width, generator, reverse=True, rows="written")
        fills = torch.tensor(self.encoder_.fills_, dtype=torch.float32)
        likelihood = ColumnLikelihood(self.encoder_.blocks_, fills)
        return Autoencoder(classes, self.latent_dim, encoder=encoder, decoder=decoder, likelihood=likelihood)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        optimizer, objective = state.add("weights", self._network(state.generator)), state.objective
        model, batches, few = optimizer.network, state.batches(self.batch_size), slice(0, _COMPARED)

        def step() -> dict[str, float]:
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            mu, log_var = model.posterior(x, y)
            z = reparameterise(mu, log_var, state.normal(*mu.shape))
            generated = None
            if objective.needs_generated:
                # One pass through the decoder serves both the reconstructions and the rows from the prior.
                prior = state.normal(*z[few].shape)
                outputs = model.decode(torch.cat([z, prior]), torch.cat([y, y[few]]))
                output = outputs[: len(x)]
                generated = model.likelihood.draw(outputs[len(x) :], state.uniform(*x[few].shape))
            else:
                output = model.decode(z, y)
            log_p, kl = model.likelihood.log_density(x, output), kl_divergence(mu, log_var).mean()
            loss = objective.negative_elbo(log_p, kl if self.kl else None, x[few], y[few], generated)
            optimizer.step(loss)
            return {"kl": float(kl.detach()), **objective.terms}

        return step

    def _draw(self, network: Autoencoder, labels: Tensor, rng: np.random.Generator) -> Tensor:
        uniform = self._uniform(labels, self.latent_dim + self.encoder_.width_, rng)
        if not self.observation_noise:
            uniform[:, self.latent_dim :] = 0.5
        return network.draw(labels, uniform)

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(latent_dim=self.latent_dim)
        check_backbone(self.backbone)
        check_flags(normal_scores=self.normal_scores, kl=self.kl, observation_noise=self.observation_noise)
