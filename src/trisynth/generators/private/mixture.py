"""Mixture of independent columns within each label, fitted to noisy tables of two columns."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from trisynth.generators.neural.device import one_thread
from trisynth.generators.private import tree

_LEARNING_RATE = 0.05
# Spread of the initial logits, which makes components differ.
_SPREAD = 1.0


@dataclass
class Mixture:
    """Components of independent columns for each label.

    Parameters
    ----------
    totals : ndarray, shape (labels,)
        Estimated rows of each label.
    ones : list of ndarray, shape (labels, groups)
        Estimated rows of each column.
    logits : Tensor, shape (labels, components, groups of all columns)
    weights : Tensor, shape (labels, components)
        Logits of the components.
    """

    totals: np.ndarray
    ones: list
    logits: Tensor
    weights: Tensor
    _due: Tensor = field(init=False)
    _precision: Tensor = field(init=False)

    @classmethod
    def start(cls, totals: np.ndarray, ones: list[np.ndarray], components: int, seed: int) -> "Mixture":
        """Begin with components whose mean is about the single columns."""
        generator = torch.Generator().manual_seed(seed)
        shares = np.hstack([one / np.maximum(one.sum(1, keepdims=True), 1e-9) for one in ones])
        logits = torch.tensor(np.log(shares + 1e-4), dtype=torch.float32)[:, None, :].repeat(1, components, 1)
        logits = logits + _SPREAD * torch.randn(logits.shape, generator=generator)
        return cls(totals, ones, logits, torch.zeros(logits.shape[:2]))

    def __post_init__(self):
        """Enter the single columns, on the diagonal, as the first tables."""
        width = sum(self.sizes)
        self._due = torch.zeros(len(self.totals), width, width)
        self._precision = torch.zeros(len(self.totals), width, width)

    @property
    def sizes(self) -> list[int]:
        """Groups of each column."""
        return [one.shape[1] for one in self.ones]

    def block(self, column: int) -> slice:
        """Return the places of a column's groups."""
        start = sum(self.sizes[:column])
        return slice(start, start + self.sizes[column])

    def add(self, a: int, b: int, table: np.ndarray, sigma: float) -> None:
        """Add a noisy table of shape (labels, groups of a, groups of b); equal tables are averaged by precision."""
        rows, columns = self.block(a), self.block(b)
        precision = 1 / max(sigma, 1.0) ** 2
        known = self._precision[:, rows, columns]
        due = self._due[:, rows, columns] * known + torch.tensor(table, dtype=torch.float32) * precision
        self._precision[:, rows, columns] = known + precision
        self._due[:, rows, columns] = due / (known + precision)

    def probabilities(self) -> tuple[Tensor, Tensor]:
        """Return the columns of every component, shape (labels, components, width), and the weights."""
        parts = torch.split(self.logits, self.sizes, dim=2)
        return torch.cat([torch.softmax(part, 2) for part in parts], 2), torch.softmax(self.weights, 1)

    def tables(self) -> Tensor:
        """Return the estimated rows of all pairs of groups, shape (labels, width, width)."""
        columns, weights = self.probabilities()
        totals = torch.tensor(self.totals, dtype=torch.float32)
        return (columns * (weights * totals[:, None])[:, :, None]).transpose(1, 2) @ columns

    def fit(self, steps: int) -> None:
        """Take steps down the squared differences from all tables and single columns, by Adam."""
        self.logits.requires_grad_(True)
        self.weights.requires_grad_(True)
        optimizer = torch.optim.Adam([self.logits, self.weights], lr=_LEARNING_RATE)
        totals = torch.tensor(self.totals, dtype=torch.float32)
        ones = torch.tensor(np.hstack(self.ones), dtype=torch.float32)
        scale = 1 / max(float(self._precision.max()), 1e-12)
        with one_thread():
            for _ in range(steps):
                columns, weights = self.probabilities()
                weighted = columns * (weights * totals[:, None])[:, :, None]
                off = weighted.transpose(1, 2) @ columns - self._due
                # A sum over the rows of a table has that many times its variance.
                alone = weighted.sum(1) - ones
                loss = (off.square() * self._precision).sum() * scale + alone.square().sum()
                optimizer.zero_grad()
                (loss / max(float(self.totals.sum()), 1.0)).backward()
                optimizer.step()
        self.logits, self.weights = self.logits.detach(), self.weights.detach()

    def arrays(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the columns of every component, each of shape (labels, components, groups), and the weights."""
        columns, weights = self.probabilities()
        return [part.numpy().copy() for part in torch.split(columns, self.sizes, dim=2)], weights.numpy().copy()


def draw(
    columns: list[np.ndarray], weights: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw the groups of all columns for rows of the given labels: a component, then every column by itself."""
    chosen = tree.pick(weights.astype(float) + 1e-12, labels, rng)
    places = labels * weights.shape[1] + chosen
    return [tree.pick(part.reshape(-1, part.shape[2]).astype(float) + 1e-12, places, rng) for part in columns]
