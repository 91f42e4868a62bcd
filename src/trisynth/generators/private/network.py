"""Base of the private generators that are networks: every column is one of its groups of cells, from noisy histograms.

What the network learns is the group of each cell; a cell inside its group is drawn by the noisy histogram.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trisynth.generators.neural.device import one_thread
from trisynth.generators.neural.networks.layers import mlp
from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.records import Records
from trisynth.generators.private.tables import tree
from trisynth.generators.private.tables.columns import Columns, classes, queries
from trisynth.generators.private.tables.leaves import groups
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

_SINGLE = "single columns"
# Groups of a column at most, and standard deviations of the noise of a count that a group holds at least.
_MOST, _LEAST = 16, 4.0
# Latents of an estimated likelihood.
_LATENTS = 256


@dataclass(frozen=True)
class Decoder:
    """Multilayer perceptron from noise and label to the logits of every column's groups, as arrays.

    Parameters
    ----------
    layers : list of (ndarray, ndarray)
        Weights of shape (outer, inner) and offsets; rectifiers stand between them.
    sizes : list of int
        Groups of each column.
    latent_dim : int
    """

    layers: list
    sizes: list
    latent_dim: int

    @classmethod
    def of(cls, network: nn.Sequential, sizes: list[int], latent_dim: int) -> "Decoder":
        """Take the weights of a trained network of linear layers and rectifiers."""
        linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        weights = [tuple(p.detach().numpy().copy() for p in (layer.weight, layer.bias)) for layer in linear]
        return cls(weights, list(sizes), latent_dim)

    def draw(self, labels: np.ndarray, kinds: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Draw the group of every column for rows of the given labels."""
        latents = rng.standard_normal((len(labels), self.latent_dim))
        return [tree.pick(shares, np.arange(len(labels)), rng) for shares in self._shares(latents, labels, kinds)]

    def log_likelihood(self, codes: list[int], label: int, kinds: int) -> float:
        """Estimate the log-likelihood of a row of groups given its label, by the same latents in every call."""
        latents = np.random.default_rng(0).standard_normal((_LATENTS, self.latent_dim))
        shares = self._shares(latents, np.full(_LATENTS, label), kinds)
        each = [np.log(part[:, code] / part.sum(1) + 1e-12) for part, code in zip(shares, codes, strict=True)]
        total = np.sum(each, axis=0)
        return float(total.max() + np.log(np.exp(total - total.max()).mean()))

    def _shares(self, latents: np.ndarray, labels: np.ndarray, kinds: int) -> list[np.ndarray]:
        """Compute the weights of every column's groups, each of shape (n, groups)."""
        values = np.hstack([latents, np.eye(kinds)[labels]])
        for i, (weights, offset) in enumerate(self.layers):
            values = (np.maximum(values, 0) if i else values) @ weights.T.astype(float) + offset
        parts = np.split(values, np.cumsum(self.sizes)[:-1], axis=1)
        return [np.exp(part - part.max(1, keepdims=True)) for part in parts]


class PrivateNetwork(PrivateGenerator):
    """Base of private generators that train a network on one-hot groups of cells.

    A fifth of the budget, in units of zero-concentrated differential privacy, counts single columns and classes.
    """

    # Dimensions of the noise that rows are drawn from.
    _latent_dim: ClassVar[int] = 16

    @abstractmethod
    def _plan(self) -> Mapping[str, Share]:
        """Return the queries of the training, whose weights are relative to that of the counts, 1."""

    @abstractmethod
    def _train(self, rows: Tensor, labels: Tensor, noise: Noise, generator: torch.Generator) -> nn.Sequential:
        """Train with one-hot rows of shape (n, width) and labels of shape (n, kinds); return the sampling network."""

    def _learn(self, records: Records, noise: Noise) -> None:
        positions, labels = records.whole(type(self).__name__)
        ledger = self.ledger_ = Ledger.open(
            self._budget, {_SINGLE: Share(1.0, queries(self.axes_) + 1), **self._plan()}
        )
        counts, rows_of = records.singles(self.axes_, len(self.labels_))
        columns = self.columns_ = Columns.count(self.axes_, counts, ledger, _SINGLE, noise)
        self.counts_ = classes(rows_of, ledger, _SINGLE, noise)
        least = _LEAST * ledger.sigma(_SINGLE)
        columns.groups = [groups(*each, _MOST, least) for each in zip(self.axes_, columns.leaves, strict=True)]
        codes = columns.codes(positions)
        rows = np.hstack(
            [np.eye(size, dtype=np.float32)[code] for size, code in zip(columns.sizes, codes, strict=True)]
        )
        # Initial weights and draws need no privacy, but a stream of their own.
        generator = torch.Generator().manual_seed(int(noise.uniform(1)[0] * 2**53))
        ones = np.eye(len(self.labels_), dtype=np.float32)[labels]
        with one_thread():
            trained = self._train(torch.from_numpy(rows), torch.from_numpy(ones), noise, generator)
        self.decoder_ = Decoder.of(trained, columns.sizes, self._latent_dim)

    def _shares(self) -> Tensor:
        """Return the logarithms of the noisy fractions of all groups, behind each other."""
        parts = [self.columns_.rows(i, 1.0) for i in range(len(self.axes_))]
        return torch.tensor(np.log(np.concatenate(parts) + 1e-4), dtype=torch.float32)

    def _traces(self, positions: np.ndarray, labels: np.ndarray) -> np.ndarray:
        codes = [int(code[0]) for code in self.columns_.codes(positions)]
        label = int(labels[0])
        own = self.decoder_.log_likelihood(codes, label, len(self.labels_))
        return np.array([*self.columns_.traces(positions), self.counts_[label], own])

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        return self.columns_.cells(self.decoder_.draw(labels, len(self.labels_), rng), self._kinds(), rng)


def perceptron(sizes: list[int], generator: torch.Generator) -> nn.Sequential:
    """Build linear layers of the given sizes with rectifiers between them."""
    return mlp(sizes, generator, nn.ReLU)


def sampled(logits: Tensor, sizes: list[int], generator: torch.Generator, temperature: float = 0.5) -> Tensor:
    """Draw one-hot groups of every column with straight-through gradients (Jang, Gu & Poole 2017)."""
    found = []
    for part in torch.split(logits, sizes, dim=1):
        uniform = torch.rand(part.shape, generator=generator).clamp(1e-9, 1 - 1e-7)
        soft = torch.softmax((part - torch.log(-torch.log(uniform))) / temperature, 1)
        hard = nn.functional.one_hot(soft.argmax(1), part.shape[1]).to(soft)
        found.append(hard - soft.detach() + soft)
    return torch.cat(found, 1)
