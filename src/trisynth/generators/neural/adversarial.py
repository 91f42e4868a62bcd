"""What adversarial generators share: losses, the cheapest pairing, relaxed rows, and the game of two players.

Sources: Goodfellow et al. (2014), Generative Adversarial Nets; Jang et al. (2017) for categories.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional

from trisynth.encoders.table import Block
from trisynth.generators.neural import networks
from trisynth.generators.neural.spaces import Scaled
from trisynth.generators.neural.training import Player, Run, Trained

# Temperature of relaxed draws, as in CTGAN (Xu et al. 2019).
TEMPERATURE = 0.2
# Of Adam; less momentum than usual, since the other player moves.
BETAS = (0.5, 0.9)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the value V(D, G) = E log D(x) + E log(1 - D(G(z))), from logits of any shape; log 4 at p = q."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """The non-saturating -E log D(G(z)), from logits of any shape."""
    return functional.softplus(-fake).mean()


def transport_cost(real: Tensor, fakes: Tensor, labels: Tensor) -> Tensor:
    """L_rec of a family without pairs: mean squared distance under the cheapest pairing within classes.

    Parameters
    ----------
    real, fakes : Tensor, shape (n, width)
        Scaled rows; row i of both has class ``labels[i]``.
    labels : Tensor of int, shape (n,)

    Returns
    -------
    Tensor, scalar
        Summed over columns, differentiable in ``fakes``; the pairing itself is held fixed.
    """
    partner = torch.empty_like(labels)
    costs = torch.cdist(real.detach(), fakes.detach()).square().cpu().numpy()
    groups = labels.cpu().numpy()
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        _, matched = linear_sum_assignment(np.nan_to_num(costs[np.ix_(rows, rows)], nan=0.0, posinf=1e30))
        partner[torch.from_numpy(rows)] = torch.from_numpy(rows[matched]).to(partner)
    return (real - fakes[partner]).square().sum(dim=1).mean()


class Emission:
    """Encoded rows from raw network outputs: numbers as they are, indicators and categories by relaxed draws.

    Parameters
    ----------
    blocks : sequence of Block
    fill : Tensor, shape (number of missing indicators,)
        Encoded value of a missing number.
    temperature : float
        Of the Gumbel softmax; small is close to one-hot.
    """

    def __init__(self, blocks: Sequence[Block], fill: Tensor, temperature: float):
        self.numbers = [block.name for block in blocks if block.kind == "number"]
        self.incomplete = [self.numbers.index(block.name) for block in blocks if block.kind == "missing"]
        self.categories = [(block.start, block.stop) for block in blocks if block.kind == "category"]
        self.fill, self.temperature = fill, temperature

    def __call__(self, raw: Tensor, uniform: Tensor) -> Tensor:
        """Rows of shape (n, width) from outputs and uniform draws of the same shape."""
        uniform = uniform.clamp(networks.EDGE, 1 - networks.EDGE)
        first, end = len(self.numbers), len(self.numbers) + len(self.incomplete)
        rows = raw[:, :first]
        absent = ((raw[:, first:end] + uniform[:, first:end].logit()) / self.temperature).sigmoid()
        if self.incomplete:
            filled = (1 - absent) * rows[:, self.incomplete] + absent * self.fill
            rows = rows.index_copy(1, torch.tensor(self.incomplete, device=rows.device), filled)
        # Categories are the last blocks of the matrix.
        parts = [networks.gumbel_softmax(raw[:, i:j], uniform[:, i:j], self.temperature) for i, j in self.categories]
        return torch.cat([rows, absent, *parts], dim=1)


class Dropout(nn.Module):
    """Dropout whose masks come from ``generator`` and not from torch's global state (Srivastava et al. 2014)."""

    def __init__(self, share: float, generator: torch.Generator):
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, rows: Tensor) -> Tensor:
        """``rows`` with that share of entries at zero and the others scaled up, while training."""
        if not self.training or not self.share:
            return rows
        kept = torch.rand(rows.shape, generator=self.generator).to(rows.device) >= self.share
        return rows * kept / (1 - self.share)


def network(sizes: Sequence[int], dropout: float, generator: torch.Generator) -> nn.Sequential:
    """Fully connected network with leaky rectifiers, each followed by dropout."""
    return networks.mlp(
        sizes, generator, activation=lambda: nn.Sequential(nn.LeakyReLU(0.2), Dropout(dropout, generator))
    )


@dataclass(eq=False, repr=False)
class Adversarial(Trained):
    """Base of GANs: the generator's step on L_total.

    A GAN has no pairs of rows, so L_rec is the mean squared distance under the cheapest pairing of a batch within
    classes (optimal transport). The adversarial loss has weight one beside the three terms; with ``loss=native`` it is
    alone, and the loss is the published one.

    Parameters
    ----------
    latent_dim : int
        Dimensions of the noise, standard normal.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Weights of the generator after the last good epoch, also when training ended in ``Diverged``.
    history_ : dict of str to list of float
        Beside the terms, ``native``, the generator's adversarial loss.
    """

    latent_dim: int = 32

    renamed = Trained.renamed | {"latent": "latent_dim"}

    def _minimise(
        self, run: Run, player: Player, real: Tensor, labels: Tensor, fakes: Tensor | None, native: Tensor
    ) -> dict[str, float]:
        """One step of the generator, and its terms; ``real`` and ``fakes`` are as the objective looks at them."""
        objective, rec = run.objective, torch.zeros_like(native)
        paired = objective.loss.pairs
        if paired:
            rec = transport_cost(real / objective.scale, fakes / objective.scale, labels) / len(self._blocks())
        player.step(objective(rec, real, labels, fakes, native=native))
        unpaired = () if paired else ("rec", "rec_weighted")
        return {name: term for name, term in objective.terms.items() if name not in unpaired}

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(latent_dim=self.latent_dim)


@dataclass(eq=False, repr=False)
class Game(Adversarial, Scaled):
    """Goodfellow's game over scaled columns, for GAN and CGAN, which make the players.

    Both players are modules that take rows (or noise) of shape (n, .) and labels of shape (n,).

    Parameters
    ----------
    dropout : float
        Share of the discriminator's hidden units that each step leaves out.

    Attributes
    ----------
    judge_ : dict of str to ndarray
        Weights of the discriminator.
    history_ : dict of str to list of float
        Beside the terms, ``discriminator``, the discriminator's loss, log 4 where it can tell nothing.
    """

    min_steps: int = 1200
    batch_size: int = 128
    dropout: float = 0.0

    renamed = Adversarial.renamed | Scaled.renamed

    @abstractmethod
    def _judge(self, generator: torch.Generator) -> nn.Module:
        """The network from rows of shape (n, width) to logits of being real, shape (n, 1)."""

    def _batches(self, run: Run) -> Iterator[Tensor]:
        """Row numbers of each step."""
        return run.batches(self.batch_size)

    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        makers = run.player("weights", self._network(run.generator), betas=BETAS)
        judges = run.player("judge", self._judge(run.generator), betas=BETAS)
        judge, emission, batches = judges.network, self._emission(run.rows.device), self._batches(run)
        width = self.latent_dim + run.rows.shape[1]

        def step() -> dict[str, float]:
            rows = next(batches)
            x, y = run.rows[rows], run.labels[rows]
            fakes = self._emit(makers.network, emission, y, run.uniform(len(y), width))
            scored = judge(torch.cat([x, fakes.detach()]), y.repeat(2)).chunk(2)
            value = discriminator_loss(*scored)
            judges.step(value)
            terms = self._minimise(run, makers, x, y, fakes, generator_loss(judge(fakes, y)))
            return {**terms, "discriminator": float(value.detach())}

        return step

    def _draw(self, network: nn.Module, labels: Tensor, rng: np.random.Generator) -> Tensor:
        uniform = rng.random((len(labels), self.latent_dim + len(self.centre_)), dtype=np.float32)
        uniform = torch.tensor(uniform, device=labels.device)
        return self._emit(network, self._emission(labels.device), labels, uniform)

    def _emit(self, network: nn.Module, emission: Emission, labels: Tensor, uniform: Tensor) -> Tensor:
        noise = torch.special.ndtri(uniform[:, : self.latent_dim].clamp(networks.EDGE, 1 - networks.EDGE))
        return emission(network(noise, labels), uniform[:, self.latent_dim :])

    def _emission(self, device: torch.device) -> Emission:
        return Emission(self._blocks(), self._fill().to(device), TEMPERATURE)

    def _check(self) -> None:
        super()._check()
        networks.check_shares(dropout=self.dropout)
