"""What adversarial generators share: losses, the cheapest pairing, networks with dropout, and the game of two players.

Sources: Goodfellow et al. (2014), Generative Adversarial Nets; Jang et al. (2017) for categories.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from torch import Tensor, nn
from torch.nn import functional

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.generators import networks
from trisynth.generators.base import Generator
from trisynth.objective import Diverged, Loss, Objective
from trisynth.preprocessing.encoder import Block, TableEncoder

# Temperature of relaxed draws, as in CTGAN (Xu et al. 2019).
_TEMPERATURE = 0.2
# Rows made at once: memory stays flat however many are asked for.
_ROWS = 4096
# Uniform draws keep this distance from 0 and 1, where their logarithm is infinite.
_EDGE = 1e-6
# Longer gradients are cut to this length.
_LONGEST_GRADIENT = 5.0


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
        uniform = uniform.clamp(_EDGE, 1 - _EDGE)
        first, end = len(self.numbers), len(self.numbers) + len(self.incomplete)
        rows = raw[:, :first]
        absent = ((raw[:, first:end] + uniform[:, first:end].logit()) / self.temperature).sigmoid()
        if self.incomplete:
            filled = (1 - absent) * rows[:, self.incomplete] + absent * self.fill
            rows = rows.index_copy(1, torch.tensor(self.incomplete, device=rows.device), filled)
        # Categories are the last blocks of the matrix.
        parts = [networks.gumbel_softmax(raw[:, i:j], uniform[:, i:j], self.temperature) for i, j in self.categories]
        return torch.cat([rows, absent, *parts], dim=1)


class Player:
    """One network and its optimiser.

    Parameters
    ----------
    network : Module
    steps : int
        Number of steps in all, over which the learning rate falls to zero along a cosine.
    learning_rate : float
    weight_decay : float
    """

    def __init__(self, network: nn.Module, steps: int, learning_rate: float, weight_decay: float = 0.0):
        self.network = network
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=learning_rate, betas=(0.5, 0.9), weight_decay=weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)

    def step(self, loss: Tensor) -> None:
        """Move along the gradient of ``loss``.

        Raises
        ------
        Diverged
            If the loss or its gradient is not finite; the weights are those before the step.
        """
        if not math.isfinite(value := float(loss.detach())):
            raise Diverged("native", value)
        self.optimizer.zero_grad()
        loss.backward(inputs=list(self.network.parameters()))
        length = float(nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT))
        if not math.isfinite(length):
            raise Diverged("gradient", length)
        self.optimizer.step()
        self.schedule.step()


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


def check_dropout(share: object) -> None:
    """Refuse a share of units that is not a number from 0 to below 1."""
    if isinstance(share, bool) or not isinstance(share, float | int) or not 0 <= share < 1:
        raise InputError("dropout", share, "must be a share from 0 to below 1, such as 0.25")


class Adversarial(Generator):
    """Base of GAN and CGAN: two players over encoded rows, trained with L_total; a subclass makes the players.

    Both players are modules that take rows (or noise) of shape (n, .) and labels of shape (n,).

    Attributes
    ----------
    weights_, judge_ : dict of str to ndarray
        Weights of the generator and of the discriminator after the last good epoch, also when training ended
        in ``Diverged``.
    history_ : dict of str to list of float
        One number per epoch: each term raw and weighted, ``native`` (the generator's adversarial loss), ``total``,
        and ``discriminator``, the discriminator's loss, log 4 where it can tell nothing.
    """

    def __init__(
        self,
        latent: int = 32,
        hidden: Sequence[int] = (128, 128),
        dropout: float = 0.0,
        transport: bool = True,
        epochs: int = 50,
        steps: int = 1200,
        batch_size: int = 128,
        learning_rate: float = 4e-3,
        device: str = "cpu",
        encoder: TableEncoder | None = None,
        loss: Loss | None = None,
    ):
        self.latent = latent
        self.hidden = hidden
        self.dropout = dropout
        self.transport = transport
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.encoder = encoder
        self.loss = loss

    @abstractmethod
    def _maker(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        """The network from noise of shape (n, latent) to raw outputs of shape (n, width)."""

    @abstractmethod
    def _judge(self, classes: int, width: int, generator: torch.Generator) -> nn.Module:
        """The network from rows of shape (n, width) to logits of being real, shape (n, 1)."""

    @abstractmethod
    def _batches(self, labels: np.ndarray, generator: torch.Generator) -> Iterator[Tensor]:
        """Row numbers of each step."""

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self._check()
        device = networks.checked_device(self.device)
        loss = (Loss() if self.loss is None else self.loss).checked()
        self.encoder_ = (TableEncoder() if self.encoder is None else clone(self.encoder)).fit(table)
        matrix, blocks = self.encoder_.transform(table), self.encoder_.blocks_
        self.centre_, self.spread_ = networks.standard(matrix, blocks)
        matrix = (matrix - self.centre_) / self.spread_
        self.fill_ = networks.fills(matrix, blocks)
        real = torch.tensor(matrix, dtype=torch.float32, device=device)
        classes = torch.tensor(labels, dtype=torch.long, device=device)
        generator = seeds.torch_generator(rng)
        with networks.one_thread():
            maker = self._maker(len(self.labels_), real.shape[1], generator).to(device)
            judge = self._judge(len(self.labels_), real.shape[1], generator).to(device)
            self.weights_, self.judge_, self.history_ = networks.to_arrays(maker), networks.to_arrays(judge), {}
            target = self.encoder_.numbers_.index(self.target_column_) if self.numeric_target_ else None
            objective = Objective(loss, real, classes, blocks, generator, target)
            emission = self._emission(device)
            rows = self._batches(labels, generator)
            steps = max(-(-len(real) // self.batch_size), -(-self.steps // self.epochs))
            makers, judges = (Player(player, self.epochs * steps, self.learning_rate) for player in (maker, judge))

            def emit(y: Tensor) -> Tensor:
                uniform = torch.rand(len(y), self.latent + real.shape[1], generator=generator).to(device)
                return _emit(maker, emission, y, uniform, self.latent)

            def step() -> dict[str, float]:
                chosen = next(rows).to(device)
                x, y = real[chosen], classes[chosen]
                fakes = emit(y)
                detached = fakes.detach()
                scored = judge(torch.cat([x, detached]), y.repeat(2)).chunk(2)
                value = discriminator_loss(*scored)
                judges.step(value)
                native = generator_loss(judge(fakes, y))
                paired = self.transport and loss.alpha > 0
                rec = torch.zeros_like(native)
                if paired:
                    rec = transport_cost(x / objective.scale, fakes / objective.scale, y) / len(blocks)
                makers.step(objective(rec, x, y, fakes, native=native))
                terms = {name: term for name, term in objective.terms.items() if paired or not name.startswith("rec")}
                return {**terms, "discriminator": float(value.detach())}

            for _ in range(self.epochs):
                records = [step() for _ in range(steps)]
                self.weights_, self.judge_ = networks.to_arrays(maker), networks.to_arrays(judge)
                for name in records[0]:
                    self.history_.setdefault(name, []).append(float(np.mean([record[name] for record in records])))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        device = networks.checked_device(self.device)
        width = len(self.centre_)
        # The draws of the first weights are overwritten, so their seed does not matter.
        maker = networks.from_arrays(self._maker(len(self.labels_), width, torch.Generator()), self.weights_).to(device)
        maker.eval()
        emission, tables = self._emission(device), []
        with torch.no_grad(), networks.one_thread():
            for start in range(0, len(labels), _ROWS):
                y = torch.tensor(labels[start : start + _ROWS], dtype=torch.long, device=device)
                # A row's draws lie side by side, so that the batch size changes no row.
                uniform = torch.tensor(rng.random((len(y), self.latent + width), dtype=np.float32), device=device)
                drawn = _emit(maker, emission, y, uniform, self.latent)
                tables.append(self.encoder_.inverse(drawn.cpu().numpy() * self.spread_ + self.centre_))
        return pd.concat(tables, ignore_index=True)

    def _emission(self, device: torch.device) -> Emission:
        fill = torch.tensor(self.fill_, dtype=torch.float32, device=device)
        return Emission(self.encoder_.blocks_, fill, _TEMPERATURE)

    def _check(self) -> None:
        sizes = ("latent", "hidden", "epochs", "steps", "batch_size")
        networks.check_sizes(**{name: getattr(self, name) for name in sizes})
        networks.check_rates(learning_rate=self.learning_rate)
        if not isinstance(self.transport, bool):
            raise InputError("transport", self.transport, "must be true or false")
        check_dropout(self.dropout)


def _emit(maker: nn.Module, emission: Emission, labels: Tensor, uniform: Tensor, latent: int) -> Tensor:
    noise = torch.special.ndtri(uniform[:, :latent].clamp(_EDGE, 1 - _EDGE))
    return emission(maker(noise, labels), uniform[:, latent:])


def network(sizes: Sequence[int], dropout: float, generator: torch.Generator) -> nn.Sequential:
    """Fully connected network with leaky rectifiers, each followed by dropout."""
    return networks.mlp(
        sizes, generator, activation=lambda: nn.Sequential(nn.LeakyReLU(0.2), Dropout(dropout, generator))
    )
