"""Optimisation of one network: clipped gradients, Adam with a cosine schedule, and an average of the weights."""

import copy
import math

import torch
from torch import Tensor, nn

from trisynth.objective import Diverged

# Longer gradients are clipped to this norm, so that one unusual batch cannot undo an epoch.
_MAX_NORM = 5.0


class WeightAverage:
    """Exponential moving average of a network's weights.

    Parameters
    ----------
    model : Module
    decay : float
        Weight of the former average; at most (1 + k) / (10 + k) in step k, so that the initial weights soon vanish.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay, self.updates = copy.deepcopy(model), decay, 0

    def update(self, model: nn.Module) -> None:
        """Include the weights of ``model``."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        with torch.no_grad():
            for average, new in zip(self.model.parameters(), model.parameters(), strict=True):
                average.lerp_(new, 1 - decay)


class NetworkOptimizer:
    """A network with its optimiser: Adam (Kingma & Ba 2015) or plain steps.

    The learning rate falls to zero along a cosine.

    Parameters
    ----------
    network : Module
    steps : int
        Total number of optimiser steps.
    learning_rate : float
        At the start.
    betas : tuple of float
    weight_decay : float
    ema_decay : float
        Decay of the weights' moving average; 0 keeps the last weights.
    plain : bool
        Take plain gradient steps instead of Adam's.
    """

    def __init__(
        self,
        network: nn.Module,
        steps: int,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        ema_decay: float = 0.0,
        plain: bool = False,
    ):
        self.network, self.steps, self.learning_rate, self.taken = network, steps, learning_rate, 0
        self.parameters = list(network.parameters())
        self.average = WeightAverage(network, ema_decay) if ema_decay else None
        options = {"lr": learning_rate, "weight_decay": weight_decay, "fused": True}
        if plain:
            self.optimizer = torch.optim.SGD(self.parameters, **options)
        else:
            self.optimizer = torch.optim.Adam(self.parameters, betas=betas, **options)

    @property
    def result(self) -> nn.Module:
        """The network that is kept: the average where there is one."""
        return self.average.model if self.average else self.network

    def step(self, loss: Tensor) -> None:
        """Take one optimiser step on ``loss``, a scalar.

        Raises
        ------
        Diverged
            If the gradient is not finite; the weights are those before the step.
        """
        self.optimizer.zero_grad()
        loss.backward(inputs=self.parameters)
        norm = float(nn.utils.clip_grad_norm_(self.parameters, _MAX_NORM))
        if not math.isfinite(norm):
            raise Diverged("gradient", norm)
        # torch's scheduler costs as much as the step of a small network.
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * (1 + math.cos(math.pi * self.taken / self.steps)) / 2
        self.optimizer.step()
        self.taken += 1
        if self.average:
            self.average.update(self.network)
