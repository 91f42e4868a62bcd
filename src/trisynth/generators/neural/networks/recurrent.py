"""Networks of TGAN: an LSTM with attention that emits a row part by part, and a discriminator of batches."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural.networks.layers import linear

# Kernels of minibatch discrimination and their dimensions.
_KERNELS, _DIMENSIONS = 8, 4


class RecurrentGenerator(nn.Module):
    """LSTM with attention that emits a row part by part: a place, the modes it may lie in, a category.

    The input of each step is noise, label, the last emission and a learned average of all former states.

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
        self.cell = linear(joined + units, 4 * units, generator)
        self.features = linear(units, units, generator)
        self.outputs = nn.ModuleList(linear(units, stop - start, generator) for start, stop, _ in parts)
        self.embeddings = nn.ModuleList(linear(stop - start, units, generator) for start, stop, _ in parts)
        self.attention = None
        if attention:
            self.attention = nn.ParameterList(torch.zeros(step) for step in range(1, len(parts)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return rows of shape (n, width) from noise and label, shape (n, inner)."""
        h = c = emitted = context = inputs.new_zeros(len(inputs), self.units)
        states, row = [], []
        for step, (_, _, place) in enumerate(self.parts):
            if self.attention is not None:
                if states:
                    context = torch.stack(states, dim=2) @ self.attention[step - 1].softmax(dim=0)
                emitted = torch.cat([emitted, context], dim=1)
            f, i, g, o = self.cell(torch.cat([inputs, emitted, h], dim=1)).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states.append(h)
            feature = self.features(h).tanh()
            raw = self.outputs[step](feature)
            row.append(raw.tanh() if place else raw.softmax(dim=1))
            # The next step receives the embedding of a category, and the features behind a place.
            emitted = feature if place else self.embeddings[step](row[-1])
        return torch.cat(row, dim=1)


class Discriminator(nn.Module):
    """Layers with batch norm; each but the first also receives the closeness of a row to the others of its batch.

    Parameters
    ----------
    sizes : sequence of int
        Width of rows and labels, then of the hidden layers.
    minibatch_discrimination : bool
        Whether layers receive the closeness (Salimans et al. 2016).
    generator : torch.Generator
    """

    def __init__(self, sizes: Sequence[int], minibatch_discrimination: bool, generator: torch.Generator):
        super().__init__()
        inner, *hidden = sizes
        self.layers, self.kernels = nn.ModuleList(), nn.ModuleList()
        for outer in [*hidden, 1]:
            self.layers.append(linear(inner, outer, generator))
            self.kernels.append(linear(outer, _KERNELS * _DIMENSIONS, generator))
            inner = outer + (_KERNELS if minibatch_discrimination else 0)
        self.kernels, self.minibatch_discrimination = self.kernels[:-1], minibatch_discrimination
        self.norms = nn.ModuleList(nn.BatchNorm1d(outer) for outer in hidden)

    def forward(self, rows: Tensor) -> Tensor:
        """Return logits of being real, shape (n, 1), of the rows of one batch, all real or all generated."""
        for layer, norm, kernel in zip(self.layers[:-1], self.norms, self.kernels, strict=True):
            rows = layer(rows)
            # Batch norm is undefined for a single row.
            rows = functional.leaky_relu(norm(rows) if len(rows) > 1 else rows, 0.2)
            if self.minibatch_discrimination:
                rows = torch.cat([rows, closeness(kernel(rows).unflatten(1, (_KERNELS, _DIMENSIONS)))], dim=1)
        return self.layers[-1](rows)


def closeness(points: Tensor) -> Tensor:
    """Return the mean over a batch of exp(-|x_i - x_j|_1), shape (n, kernels), of shape (n, kernels, dimensions)."""
    points = points.transpose(0, 1)
    return (-torch.cdist(points, points, p=1.0)).exp().mean(dim=2).T
