"""Small networks that metrics of images and series train; each is seeded and takes a fixed number of steps."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth import seeds
from trisynth.data.kinds import Tensor as TensorKind
from trisynth.encoders.table import TableEncoder
from trisynth.generators.neural.device import one_thread
from trisynth.generators.neural.networks import backbones
from trisynth.generators.neural.networks.layers import linear, seeded
from trisynth.generators.neural.state import batches

_BATCH, _RATE, _UNITS = 128, 3e-3, 32
# Rows that pass through a network at once.
_CHUNK = 4096

Outputs = Callable[[np.ndarray], np.ndarray]


class _GRU(nn.Module):
    def __init__(self, channels: int, outputs: int, generator: torch.Generator, every: bool = False):
        super().__init__()
        self.layer = seeded(nn.GRU, channels, _UNITS, batch_first=True, generator=generator)
        self.output, self.every = linear(_UNITS, outputs, generator), every

    def forward(self, rows: Tensor) -> Tensor:
        states, last = self.layer(rows)
        return self.output(states if self.every else last[-1])


def fitted_gru(rows: np.ndarray, labels: np.ndarray, steps: int, rng: np.random.Generator) -> Outputs:
    """Train a recurrent classifier of two classes.

    Parameters
    ----------
    rows : ndarray, shape (n, steps, channels)
    labels : ndarray of int, shape (n,)
    steps : int
    rng : Generator

    Returns
    -------
    callable
        Logits of shape (m, 2) from rows of shape (m, steps, channels).
    """
    generator = seeds.torch_generator(rng)
    network = _GRU(rows.shape[2], 2, generator)
    _train(network, network, rows, labels, steps, generator)
    return _outputs(network)


def fitted_predictor(rows: np.ndarray, steps: int, rng: np.random.Generator) -> Outputs:
    """Train a recurrent network that predicts the next step of a series.

    Parameters
    ----------
    rows : ndarray, shape (n, steps, channels)
    steps : int
    rng : Generator

    Returns
    -------
    callable
        Predicted steps of shape (m, steps, channels), each of the step after, from rows of that shape.
    """
    generator = seeds.torch_generator(rng)
    network = _GRU(rows.shape[2], rows.shape[2], generator, every=True)
    _train(network, network, rows[:, :-1], rows[:, 1:], steps, generator, functional.l1_loss)
    return _outputs(network)


def fitted_convolutions(
    column: TensorKind, rows: np.ndarray, labels: np.ndarray, features: int, steps: int, rng: np.random.Generator
) -> Outputs:
    """Train a convolutional classifier and return its last hidden layer.

    Parameters
    ----------
    column : Tensor
        Shape and axes of the arrays.
    rows : ndarray, shape (n, size)
    labels : ndarray of int, shape (n,)
    features, steps : int
    rng : Generator

    Returns
    -------
    callable
        Features of shape (m, features) from rows of shape (m, size).
    """
    generator = seeds.torch_generator(rng)
    part = backbones.Part(0, rows.shape[1], column.shape, column.axes)
    body = backbones.reader("conv", [part], [rows.shape[1], 64, features], generator, nn.SiLU)
    head = nn.Sequential(nn.SiLU(), linear(features, int(labels.max()) + 1, generator))
    _train(nn.Sequential(body, head), body, rows, labels, steps, generator)
    return _outputs(body)


def fitted_classifier(
    encoder: TableEncoder, rows: np.ndarray, labels: np.ndarray, features: int, steps: int, rng: np.random.Generator
) -> Outputs:
    """Train a classifier with convolutions over the arrays of encoded rows.

    Parameters
    ----------
    encoder : TableEncoder
        Made the rows; its schema has the shapes of arrays.
    rows : ndarray, shape (n, width)
    labels : ndarray of int, shape (n,)
    features, steps : int
    rng : Generator

    Returns
    -------
    callable
        Logits of shape (m, classes) from rows of shape (m, width).
    """
    generator = seeds.torch_generator(rng)
    columns = {column.name: column for column in encoder.schema_.columns}
    places = [(each, columns[each.name]) for each in encoder.tensors_]
    parts = [
        backbones.Part(each.start, each.stop, column.shape, column.axes)
        for each, column in places
        if isinstance(column, TensorKind)
    ]
    body = backbones.reader("conv", parts, [rows.shape[1], 64, features], generator, nn.SiLU)
    network = nn.Sequential(body, nn.SiLU(), linear(features, int(labels.max()) + 1, generator))
    _train(network, network, rows, labels, steps, generator)
    return _outputs(network)


def _train(
    network: nn.Module,
    body: nn.Module,
    rows: np.ndarray,
    labels: np.ndarray,
    steps: int,
    generator: torch.Generator,
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
) -> None:
    """Minimise a loss, then leave the training mode; labels may be classes or numbers."""
    x, y = torch.tensor(rows, dtype=torch.float32), torch.tensor(labels)
    y = y.float() if y.is_floating_point() else y
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE, fused=True)
    stream = batches(len(x), _BATCH, generator)
    with one_thread():
        for _ in range(steps):
            batch = next(stream)
            optimizer.zero_grad()
            loss(network(x[batch]), y[batch]).backward()
            optimizer.step()
    body.eval()


def _outputs(network: nn.Module) -> Outputs:
    def outputs(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), one_thread():
            parts = torch.tensor(rows, dtype=torch.float32).split(_CHUNK)
            return torch.cat([network(part) for part in parts]).numpy().astype(float)

    return outputs
