"""DP-SGD: clipped gradients of single rows, with noise on their sum, for networks of linear layers."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.errors import InputError
from trisynth.generators.neural.checks import check_rates, check_sizes
from trisynth.generators.private.network import PrivateNetwork
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Share
from trisynth.privacy.noise import Noise

_GRADIENTS = "clipped gradients"

Factors = list[tuple[Tensor, Tensor]]


class ClippedNetwork(PrivateNetwork):
    """Base of private networks whose weights see rows by clipped and noisy gradients alone.

    In every step each row takes part with probability ``rate`` (Poisson sampling). Its gradient is clipped, and the sum
    of the gradients has Gaussian noise, calibrated for all steps by privacy loss distributions.

    Parameters
    ----------
    privacy : Budget or None
    steps : int
    rate : float
        Probability with which a step sees each row.
    hidden : int
        Width of the hidden layers.
    clip : float
        Longest gradient of one row.
    learning_rate : float
    """

    def __init__(self, privacy: Budget | None, steps: int, rate: float, hidden: int, clip: float, learning_rate: float):
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

    @property
    def _expected(self) -> float:
        """Rows of a step on average: the number of rows is private, but its noisy count is not."""
        return max(self.rate * float(self.counts_.sum()), 1.0)

    def _gradient(
        self, rows: Tensor, labels: Tensor, factors: Callable[[Tensor, Tensor], Factors], size: int, noise: Noise
    ) -> np.ndarray:
        """Return the noisy mean gradient of one step, shape (size,).

        Parameters
        ----------
        rows, labels : Tensor, shapes (n, width) and (n, kinds)
            All real rows; a random part of them is used.
        factors : callable
            Returns the factors of ``clipped_sum`` for some rows and labels.
        size : int
            Number of weights.
        noise : Noise
        """
        chosen = torch.from_numpy(np.flatnonzero(noise.uniform(len(rows)) < self.rate))
        total = np.zeros(size)
        if len(chosen):
            total = clipped_sum(factors(rows[chosen], labels[chosen]), self.clip).numpy().astype(float)
        return self.ledger_.noisy(_GRADIENTS, total, noise, whole=False) * (self.clip / self._expected)


def through(network: nn.Sequential, values: Tensor) -> tuple[Factors, Tensor]:
    """Apply a network; return input and output of each of its linear layers, in their order, and the result."""
    found = []
    for layer in network:
        before = values
        values = layer(before)
        if isinstance(layer, nn.Linear):
            found.append((before, values))
    return found, values


def sloped(layers: Factors, loss: Tensor) -> Factors:
    """Return the input of each linear layer and the slopes of a loss, summed over rows, along its output."""
    slopes = torch.autograd.grad(loss, [after for _, after in layers])
    return [(before.detach(), slope) for (before, _), slope in zip(layers, slopes, strict=True)]


def clipped_sum(factors: Factors, clip: float) -> Tensor:
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


def assign(weights: list[nn.Parameter], gradient: np.ndarray) -> None:
    """Divide one vector among the gradients of some weights."""
    start = 0
    for weight in weights:
        part = gradient[start : start + weight.numel()]
        weight.grad = torch.tensor(part, dtype=torch.float32).reshape(weight.shape)
        start += weight.numel()
