"""Tabular variational autoencoder (Xu et al. 2019, section 4.4), trained with L_total."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.encoders.modes import ModeEncoder
from trisynth.generators.neural.checks import check_sizes
from trisynth.generators.neural.networks.autoencoder import Autoencoder, kl_divergence, reparameterise
from trisynth.generators.neural.networks.likelihoods import ModeLikelihood
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.training import NeuralGenerator

# Weight decay of the authors' code.
_WEIGHT_DECAY = 1e-5
# The authors' code counts reconstruction twice against the KL term.
_LOSS_FACTOR = 2.0


@dataclass(eq=False, repr=False)
class TVAE(NeuralGenerator):
    """Variational autoencoder over modes and categories; rows are drawn from p(x | z, y), not from its mean.

    The label enters both networks, so that the requested class is exact; the paper models it as one more column.
    L_rec is the negative log-likelihood per column; the KL term is added in the same unit, so that ``loss=native`` is
    the published loss. L_dist and L_model compare numbers and categories, not modes, of rows drawn from the prior.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Widths of the encoder's hidden layers; the decoder reverses them.
    max_modes : int, default=10
        Largest number of modes of a number; 1 is plain standardisation.
    latent_dim : int, default=128
        Dimensions of z.

    Attributes
    ----------
    history_ : dict of str to list of float
        In addition to the terms, ``kl`` in nats per row.

    Notes
    -----
    Source: Xu et al. (2019), Modeling Tabular Data using Conditional GAN. Faithful in normalisation, layers,
    likelihood, optimiser and batch. The steps are at least ``min_steps``, more than the paper's 300 epochs below some
    3,300 rows and fewer above.
    """

    min_steps: int = 2000
    batch_size: int = 500
    learning_rate: float = 1e-3
    max_modes: int = 10
    latent_dim: int = 128

    def _new_encoder(self) -> ModeEncoder:
        return ModeEncoder(self.max_modes)

    def _network(self, generator: torch.Generator) -> Autoencoder:
        width, classes = self.encoder_.width_, len(self.labels_)
        encoder = self._backbone(width + classes, 2 * self.latent_dim, generator, nn.ReLU)
        decoder = self._backbone(self.latent_dim + classes, width, generator, nn.ReLU, reverse=True)
        likelihood = ModeLikelihood(self.encoder_)
        return Autoencoder(classes, self.latent_dim, likelihood=likelihood, encoder=encoder, decoder=decoder)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        optimizer = state.add("weights", self._network(state.generator), weight_decay=_WEIGHT_DECAY)
        model, objective, batches = optimizer.network, state.objective, state.batches(self.batch_size)

        def step() -> dict[str, float]:
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            mu, log_var = model.posterior(x, y)
            z = reparameterise(mu, log_var, state.normal(*mu.shape))
            log_p, kl = model.likelihood.log_density(x, model.decode(z, y)), kl_divergence(mu, log_var).mean()
            generated = None
            if objective.needs_generated:
                generated = self._values(model.draw(y, state.uniform(len(x), self.latent_dim + x.shape[1])))
            loss = objective.negative_elbo(log_p, kl, self._values(x), y, generated, kl_factor=_LOSS_FACTOR)
            optimizer.step(loss)
            return {"kl": float(kl.detach()), **objective.terms}

        return step

    def _draw(self, network: Autoencoder, labels: Tensor, rng: np.random.Generator) -> Tensor:
        return network.draw(labels, self._uniform(labels, self.latent_dim + self.encoder_.width_, rng))

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(max_modes=self.max_modes, latent_dim=self.latent_dim)
