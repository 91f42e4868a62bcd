"""Training by gradients: the parameters, the loop and the players that all such generators share.

A family says what its networks are, what one step of training does and how rows are drawn; the loop, the rows that
batches come from, the divergence guard and the recorded terms are here, once. Random numbers are drawn on the CPU
from a ``torch.Generator`` and then moved, so that a run on a GPU sees the same draws as one on a CPU; torch's global
random state is neither read nor written.
"""

import copy
import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trisynth import seeds
from trisynth.encoders.table import Block
from trisynth.generators.base import Generator
from trisynth.generators.neural import networks
from trisynth.objective import Diverged, Loss, Objective

# Longer gradients are cut to this length: one odd batch must not undo an epoch.
_LONGEST_GRADIENT = 5.0
# Rows made at once: memory stays flat however many are asked for.
_ROWS = 4096


class Average:
    """Running average of a network's weights.

    Parameters
    ----------
    model : Module
    share : float
        Share that a step keeps; at most (1 + k) / (10 + k) in step k, so that the first weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, share: float):
        self.model, self.share, self.updates = copy.deepcopy(model), share, 0

    def update(self, model: nn.Module) -> None:
        """Take in the weights of ``model``."""
        share = min(self.share, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        with torch.no_grad():
            for kept, new in zip(self.model.parameters(), model.parameters(), strict=True):
                kept.lerp_(new, 1 - share)


class Player:
    """A network and its optimiser: Adam (Kingma & Ba 2015), whose learning rate falls to zero along a cosine.

    Parameters
    ----------
    network : Module
    steps : int
        Number of steps in all.
    learning_rate : float
        At the start.
    betas : tuple of float
    weight_decay : float
    average : float
        Share of the weights' running average that a step keeps; 0 keeps the last weights alone.
    """

    def __init__(
        self,
        network: nn.Module,
        steps: int,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        average: float = 0.0,
    ):
        self.network, self.steps, self.learning_rate, self.taken = network, steps, learning_rate, 0
        self.parameters = list(network.parameters())
        self.average = Average(network, average) if average else None
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=learning_rate, betas=betas, weight_decay=weight_decay, fused=True
        )

    @property
    def kept(self) -> nn.Module:
        """The network that rows are drawn with."""
        return self.average.model if self.average else self.network

    def step(self, loss: Tensor) -> None:
        """Move along the gradient of ``loss``, a scalar.

        Raises
        ------
        Diverged
            If the gradient is not finite; the weights are those before the step.
        """
        self.optimizer.zero_grad()
        loss.backward(inputs=self.parameters)
        length = float(nn.utils.clip_grad_norm_(self.parameters, _LONGEST_GRADIENT))
        if not math.isfinite(length):
            raise Diverged("gradient", length)
        # torch's scheduler costs as much as the step of a small network.
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * (1 + math.cos(math.pi * self.taken / self.steps)) / 2
        self.optimizer.step()
        self.taken += 1
        if self.average:
            self.average.update(self.network)


class Run:
    """What one training run works with; every tensor lies on its device.

    Parameters
    ----------
    objective : Objective
    rows : Tensor, shape (n, width)
        Encoded training rows.
    labels : Tensor of int, shape (n,)
    steps : int
        Number of steps in all.
    learning_rate : float
    generator : torch.Generator
        On the CPU.
    rng : numpy.random.Generator

    Attributes
    ----------
    rows, labels : Tensor
        Those rows alone that the family may learn from: some readings of L_model keep others aside.
    players : dict of str to Player
        By the name that their weights are stored under.
    """

    def __init__(
        self,
        objective: Objective,
        rows: Tensor,
        labels: Tensor,
        steps: int,
        learning_rate: float,
        generator: torch.Generator,
        rng: np.random.Generator,
    ):
        self.objective, self.steps, self.learning_rate = objective, steps, learning_rate
        self.generator, self.rng = generator, rng
        chosen = objective.rows.to(rows.device)
        self.rows, self.labels = rows[chosen], labels[chosen]
        self.players: dict[str, Player] = {}

    def player(self, name: str, network: nn.Module, **optimiser) -> Player:
        """``network`` on the run's device, with its optimiser; its weights are stored as ``<name>_``."""
        network = network.to(self.rows.device)
        self.players[name] = Player(network, self.steps, self.learning_rate, **optimiser)
        return self.players[name]

    def batches(self, size: int) -> Iterator[Tensor]:
        """Endless row numbers, ``min(n, size)`` at a time; every row comes once before any comes again."""
        for rows in networks.batches(len(self.rows), size, self.generator):
            yield rows.to(self.rows.device)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal draws."""
        return torch.randn(shape, generator=self.generator).to(self.rows.device)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform draws from 0 to 1."""
        return torch.rand(shape, generator=self.generator).to(self.rows.device)


@dataclass(eq=False, repr=False)
class Trained(Generator):
    """Base of generators trained by gradients on L_total; a subclass encodes rows, trains and draws.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Hidden layers.
    epochs : int
        Epochs; the loss terms are recorded once in each.
    min_steps : int
        Least number of gradient steps in all: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int
        Rows of a step.
    learning_rate : float
        Of Adam at the start; falls to zero along a cosine.
    device : {"cpu", "cuda"}
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Weights of the last good epoch, also when training ended in ``Diverged``.
    history_ : dict of str to list of float
        One number per epoch: each term raw and weighted, and ``total``.
    """

    hidden_layer_sizes: Sequence[int] = (128, 128)
    epochs: int = 50
    min_steps: int = 1000
    batch_size: int = 256
    learning_rate: float = 4e-3
    device: str = "cpu"
    loss: Loss | None = None

    renamed: ClassVar[Mapping[str, str]] = {"hidden": "hidden_layer_sizes", "steps": "min_steps"}

    @abstractmethod
    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Learn an encoding of the training rows, and their matrix, shape (n, width)."""

    @abstractmethod
    def _decode(self, matrix: np.ndarray) -> pd.DataFrame:
        """Canonical table of drawn rows."""

    @abstractmethod
    def _blocks(self) -> Sequence[Block]:
        """Columns of the rows that the objective looks at."""

    def _values(self, rows: Tensor) -> Tensor:
        """Encoded rows as the objective looks at them, differentiable."""
        return rows

    @abstractmethod
    def _network(self, generator: torch.Generator) -> nn.Module:
        """The network that rows are drawn with, untrained."""

    @abstractmethod
    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        """The players of a run, ``weights`` among them, and its step, which returns the numbers to record."""

    @abstractmethod
    def _draw(self, network: nn.Module, labels: Tensor, rng: np.random.Generator) -> Tensor:
        """Encoded rows, one per label; a row's random numbers lie side by side, so that chunks change no row."""

    def _check(self) -> None:
        sizes = ("hidden_layer_sizes", "epochs", "min_steps", "batch_size")
        networks.check_sizes(**{name: getattr(self, name) for name in sizes})
        networks.check_rates(learning_rate=self.learning_rate)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self._check()
        device = networks.checked_device(self.device)
        loss = (Loss() if self.loss is None else self.loss).checked()
        rows = torch.tensor(self._encode(table, labels, rng), dtype=torch.float32, device=device)
        classes = torch.tensor(labels, dtype=torch.long, device=device)
        generator, blocks = seeds.torch_generator(rng), self._blocks()
        target = self._target(blocks) if self.numeric_target_ else None
        steps = max(-(-len(rows) // self.batch_size), -(-self.min_steps // self.epochs))
        with networks.one_thread():
            objective = Objective(loss, self._values(rows), classes, blocks, generator, target)
            run = Run(objective, rows, classes, self.epochs * steps, self.learning_rate, generator, rng)
            step = self._training(run)
            self._keep(run)
            self.history_ = {}
            for _ in range(self.epochs):
                records = [step() for _ in range(steps)]
                self._keep(run)
                for name in records[0]:
                    self.history_.setdefault(name, []).append(float(np.mean([record[name] for record in records])))

    def _target(self, blocks: Sequence[Block]) -> int:
        return next(b.start for b in blocks if (b.name, b.kind) == (self.target_column_, "number"))

    def _keep(self, run: Run) -> None:
        for name, player in run.players.items():
            setattr(self, f"{name}_", networks.to_arrays(player.kept))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        device = networks.checked_device(self.device)
        # The draws of the first weights are overwritten, so their seed does not matter.
        network = networks.from_arrays(self._network(torch.Generator()), self.weights_).to(device).eval()
        tables = []
        with torch.inference_mode(), networks.one_thread():
            for start in range(0, len(labels), _ROWS):
                chunk = torch.tensor(labels[start : start + _ROWS], dtype=torch.long, device=device)
                tables.append(self._decode(self._draw(network, chunk, rng).cpu().numpy().astype(float)))
        return pd.concat(tables, ignore_index=True)
