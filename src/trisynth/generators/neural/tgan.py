"""Tabular GAN with a recurrent generator (Xu & Veeramachaneni 2018), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural import networks
from trisynth.generators.neural.adversarial import BETAS, Adversarial, discriminator_loss, generator_loss
from trisynth.generators.neural.modes import ModeEncoder
from trisynth.generators.neural.spaces import Modal
from trisynth.generators.neural.training import Run

# Kernels of minibatch discrimination and their dimensions.
_KERNELS, _DIMENSIONS = 8, 4
# A share of a batch below this one counts as this one in the divergence.
_LEAST_SHARE = 1e-4


class Emitter(nn.Module):
    """LSTM with attention that emits a row part by part: a place, the modes it may lie in, a category.

    Each step sees noise, label, what the last step emitted and a learned average of all states so far.

    Parameters
    ----------
    parts : sequence of (int, int, bool)
        Start and stop of each emitted part, and whether it is a place, which is a number in -1..1.
    inner : int
        Width of noise and label.
    units : int
    attention : bool
    generator : torch.Generator
    """

    def __init__(
        self,
        parts: Sequence[tuple[int, int, bool]],
        inner: int,
        units: int,
        attention: bool,
        generator: torch.Generator,
    ):
        super().__init__()
        self.parts, self.units = parts, units
        joined = inner + (2 if attention else 1) * units
        # One affine layer for the four gates of the cell.
        self.cell = networks.linear(joined + units, 4 * units, generator)
        self.features = networks.linear(units, units, generator)
        self.outputs = nn.ModuleList(networks.linear(units, stop - start, generator) for start, stop, _ in parts)
        self.embeddings = nn.ModuleList(networks.linear(stop - start, units, generator) for start, stop, _ in parts)
        self.attention = None
        if attention:
            self.attention = nn.ParameterList(torch.zeros(step) for step in range(1, len(parts)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Rows of shape (n, width) from noise and label, shape (n, inner)."""
        state = memory = emitted = context = inputs.new_zeros(len(inputs), self.units)
        states, row = [], []
        for step, (_, _, place) in enumerate(self.parts):
            if self.attention is not None:
                if states:
                    context = torch.stack(states, dim=2) @ self.attention[step - 1].softmax(dim=0)
                emitted = torch.cat([emitted, context], dim=1)
            gates = self.cell(torch.cat([inputs, emitted, state], dim=1)).chunk(4, dim=1)
            memory = gates[0].sigmoid() * memory + gates[1].sigmoid() * gates[2].tanh()
            state = gates[3].sigmoid() * memory.tanh()
            states.append(state)
            feature = self.features(state).tanh()
            raw = self.outputs[step](feature)
            row.append(raw.tanh() if place else raw.softmax(dim=1))
            # The next step sees a category by its embedding, and a place by the features behind it.
            emitted = feature if place else self.embeddings[step](row[-1])
        return torch.cat(row, dim=1)


class Discriminator(nn.Module):
    """Layers with batch norm; each but the first also sees how close a row is to the others of its batch.

    Parameters
    ----------
    sizes : sequence of int
        Width of rows and labels, then of the hidden layers.
    diverse : bool
        Whether there is minibatch discrimination (Salimans et al. 2016).
    generator : torch.Generator
    """

    def __init__(self, sizes: Sequence[int], diverse: bool, generator: torch.Generator):
        super().__init__()
        inner, *hidden = sizes
        self.layers, self.kernels = nn.ModuleList(), nn.ModuleList()
        for outer in [*hidden, 1]:
            self.layers.append(networks.linear(inner, outer, generator))
            self.kernels.append(networks.linear(outer, _KERNELS * _DIMENSIONS, generator))
            inner = outer + (_KERNELS if diverse else 0)
        self.kernels, self.diverse = self.kernels[:-1], diverse
        self.norms = nn.ModuleList(nn.BatchNorm1d(outer) for outer in hidden)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits of being real, shape (n, 1), of the rows of one batch, all real or all made."""
        for layer, norm, kernel in zip(self.layers[:-1], self.norms, self.kernels, strict=True):
            rows = layer(rows)
            # A single row has no spread to norm by.
            rows = functional.leaky_relu(norm(rows) if len(rows) > 1 else rows, 0.2)
            if self.diverse:
                rows = torch.cat([rows, closeness(kernel(rows).unflatten(1, (_KERNELS, _DIMENSIONS)))], dim=1)
        return self.layers[-1](rows)


def closeness(points: Tensor) -> Tensor:
    """Mean over a batch of exp(-distance in the sum norm), shape (n, kernels), of shape (n, kernels, dimensions)."""
    points = points.transpose(0, 1)
    return (-torch.cdist(points, points, p=1.0)).exp().mean(dim=2).T


def divergence(shares: Tensor, target: Tensor) -> Tensor:
    """KL(shares || target) of two distributions, shape (k,)."""
    shares, target = (part.clamp_min(_LEAST_SHARE) for part in (shares, target))
    return (shares * (shares / target).log()).sum()


@dataclass(eq=False, repr=False)
class TGAN(Adversarial, Modal):
    """Tabular GAN whose generator writes a row column by column, as an LSTM with attention writes a sentence.

    A number is its place within its likeliest mode and the posterior of all modes; indicators of real categories carry
    noise, so that they do not give real rows away. The label enters the generator at each step and the discriminator
    beside the row, so that the asked class is exact; that is our extension, the paper models it as one more column.
    The adversarial loss and the divergence of modes and categories have weight one in L_total. Its other terms look at
    numbers and categories, and L_rec is the batch's cheapest pairing within classes.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(100, 100)
        Hidden layers of the discriminator.
    units : int, default=64
        State of the LSTM.
    noise : float, default=0.2
        Most noise that is added to the indicators of a real category, which then sum to 1 again.
    attention : bool, default=True
        Whether a step sees the states of all steps before.
    minibatch_discrimination : bool, default=True
        Whether the discriminator compares the rows of a batch (minibatch discrimination).
    kl : bool, default=True
        Whether the generator's loss has the divergence of each batch's shares of modes and categories.

    Attributes
    ----------
    judge_ : dict of str to ndarray
        Weights of the discriminator.
    history_ : dict of str to list of float
        Beside the terms, ``discriminator``, the discriminator's loss, and ``kl``, summed over columns.

    Notes
    -----
    Source: Xu & Veeramachaneni (2018), Synthesizing Tabular Data using Generative Adversarial Networks,
    https://arxiv.org/abs/1811.11264. Faithful in the order of emission, attention, noise, minibatch discrimination,
    losses, and at most five modes; their mixture and reach are CTGAN's. Scaled down in steps, units and kernels.
    """

    hidden_layer_sizes: Sequence[int] = (100, 100)
    min_steps: int = 600
    batch_size: int = 200
    learning_rate: float = 2e-3
    max_modes: int = 5
    latent_dim: int = 64
    units: int = 64
    noise: float = 0.2
    attention: bool = True
    minibatch_discrimination: bool = True
    kl: bool = True

    renamed = Adversarial.renamed | Modal.renamed | {"diversity": "minibatch_discrimination"}

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        self.encoder_ = ModeEncoder(self.max_modes, soft=True).fit(table, rng)
        matrix = self.encoder_.transform(table, rng)
        for block in self.encoder_.blocks_:
            if block.kind == "category" and block.stop > block.start:
                part = matrix[:, block.start : block.stop]
                part += self.noise * rng.random(part.shape)
                part /= part.sum(axis=1, keepdims=True)
        return matrix

    def _values(self, rows: Tensor) -> Tensor:
        # The likeliest mode and category count, with the gradient of their shares (straight through).
        parts, hard = [], rows.detach()
        for start, stop, place in self._parts():
            if place:
                parts.append(rows[:, start:stop])
                continue
            chosen = functional.one_hot(hard[:, start:stop].argmax(dim=1), stop - start)
            parts.append(chosen + rows[:, start:stop] - hard[:, start:stop])
        return super()._values(torch.cat(parts, dim=1))

    def _parts(self) -> list[tuple[int, int, bool]]:
        """Start and stop of what is emitted in one step, and whether it is a place within a mode."""
        parts = []
        for block in self.encoder_.blocks_:
            first = block.start + (block.kind == "modes")
            if first > block.start:
                parts.append((block.start, first, True))
            if block.stop > first:
                parts.append((first, block.stop, False))
        return parts

    def _network(self, generator: torch.Generator) -> Emitter:
        inner = self.latent_dim + len(self.labels_)
        return Emitter(self._parts(), inner, self.units, self.attention, generator)

    def _judge(self, generator: torch.Generator) -> Discriminator:
        sizes = [self.encoder_.width_ + len(self.labels_), *self.hidden_layer_sizes]
        return Discriminator(sizes, self.minibatch_discrimination, generator)

    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        makers = run.player("weights", self._network(run.generator), betas=BETAS)
        judges = run.player("judge", self._judge(run.generator), betas=BETAS)
        judge, batches, classes = judges.network, run.batches(self.batch_size), len(self.labels_)
        discrete = [slice(start, stop) for start, stop, place in self._parts() if not place]

        def step() -> dict[str, float]:
            rows = next(batches)
            x, y = run.rows[rows], run.labels[rows]
            label = functional.one_hot(y, classes).to(x)
            fakes = makers.network(torch.cat([run.normal(len(x), self.latent_dim), label], dim=1))
            scored = (judge(torch.cat([part, label], dim=1)) for part in (x, fakes.detach()))
            value = discriminator_loss(*scored)
            judges.step(value)
            native = generator_loss(judge(torch.cat([fakes, label], dim=1)))
            shares, targets = fakes.mean(dim=0), x.mean(dim=0)
            gap = native.new_zeros(()) + sum(divergence(shares[part], targets[part]) for part in discrete)
            native = native + gap if self.kl else native
            terms = self._minimise(run, makers, self._values(x), y, self._values(fakes), native)
            return {**terms, "discriminator": float(value.detach()), "kl": float(gap.detach())}

        return step

    def _draw(self, network: Emitter, labels: Tensor, rng: np.random.Generator) -> Tensor:
        noise = torch.from_numpy(rng.standard_normal((len(labels), self.latent_dim), dtype=np.float32))
        label = functional.one_hot(labels, len(self.labels_)).float()
        return network(torch.cat([noise.to(labels.device), label], dim=1))

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(units=self.units)
        networks.check_shares(noise=self.noise)
        networks.check_switches(
            attention=self.attention, minibatch_discrimination=self.minibatch_discrimination, kl=self.kl
        )
