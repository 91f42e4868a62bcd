"""Training state: rows, random draws and the networks that are being optimised."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.generators.neural.optimizer import NetworkOptimizer
from trisynth.objective import Objective


class TrainingState:
    """Rows, labels, random draws and networks of one fit; every tensor lies on its device.

    Random numbers are drawn on the CPU and then moved, so that a fit on a GPU sees the same draws as one on a CPU.

    Parameters
    ----------
    objective : Objective
    rows : Tensor, shape (n, width)
        Encoded training rows.
    labels : Tensor of int, shape (n,)
    steps : int
        Total number of optimiser steps.
    learning_rate : float
    generator : torch.Generator
        On the CPU.
    rng : numpy.random.Generator

    Attributes
    ----------
    rows, labels : Tensor
        The rows to train on: some forms of L_model hold others out.
    networks : dict of str to NetworkOptimizer
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
        self.networks: dict[str, NetworkOptimizer] = {}

    def add(self, name: str, network: nn.Module, **options) -> NetworkOptimizer:
        """Move ``network`` to the device and return it with its optimiser; its weights are stored as ``<name>_``."""
        network = network.to(self.rows.device)
        options = {"learning_rate": self.learning_rate, **options}
        self.networks[name] = NetworkOptimizer(network, self.steps, **options)
        return self.networks[name]

    def batches(self, size: int) -> Iterator[Tensor]:
        """Yield row numbers endlessly, ``min(n, size)`` at a time; every row comes once before any comes again."""
        for rows in batches(len(self.rows), size, self.generator):
            yield rows.to(self.rows.device)

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal numbers."""
        return torch.randn(shape, generator=self.generator).to(self.rows.device)

    def uniform(self, *shape: int) -> Tensor:
        """Draw uniform numbers from 0 to 1."""
        return torch.rand(shape, generator=self.generator).to(self.rows.device)


def batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield row numbers endlessly, ``min(n, size)`` at a time; every row comes once before any comes again."""
    size = min(n, size)
    waiting = torch.empty(0, dtype=torch.long)
    while True:
        while len(waiting) < size:
            waiting = torch.cat([waiting, torch.randperm(n, generator=generator)])
        yield waiting[:size]
        waiting = waiting[size:]
