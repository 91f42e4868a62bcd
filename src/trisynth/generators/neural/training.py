"""Base of the neural generators: encoding, the training loop and sampling in chunks.

A method defines its networks, one training step and how rows are drawn. Random numbers come from generators that
are handed in; torch's global random state is neither read nor written.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trisynth import seeds
from trisynth.encoders.modes import ModeEncoder
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.encoders.table import Block
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.draws import check_draws, even_normals, even_uniforms
from trisynth.generators.neural import device
from trisynth.generators.neural.checks import check_rates, check_sizes
from trisynth.generators.neural.networks import backbones, layers
from trisynth.generators.neural.networks.backbones import Part
from trisynth.generators.neural.state import TrainingState
from trisynth.objective import Loss, Objective

# Rows drawn at once, so that memory does not grow with the number of requested rows.
_CHUNK = 4096


@dataclass(eq=False, repr=False)
class NeuralGenerator(Generator):
    """Base of generators whose networks minimise L_total by stochastic gradients.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers.
    epochs : int
        Epochs; the loss terms are recorded once in each.
    min_steps : int
        Least number of optimiser steps in all: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int
        Rows of a step.
    learning_rate : float
        Of Adam at the start; falls to zero along a cosine.
    device : {"cpu", "cuda"}
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.
    draws : {"independent", "even"}, default="independent"
        Whether the noise of the rows of each class in each chunk are spread evenly; even rows
        are not independent (see ``generators.draws``).

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
    draws: str = "independent"

    # Channels of the convolutions of a backbone.
    conv_channels: ClassVar[tuple[int, ...]] = backbones.CHANNELS
    renamed: ClassVar[Mapping[str, str]] = {
        "hidden": "hidden_layer_sizes",
        "steps": "min_steps",
        "latent": "latent_dim",
        "ranks": "normal_scores",
        "modes": "max_modes",
        "likelihood": "observation_noise",
        "judge_label": "condition_discriminator",
        "diversity": "minibatch_discrimination",
        "ema": "ema_decay",
        "levels": "sampling_steps",
    }

    @abstractmethod
    def _new_encoder(self) -> StandardizedEncoder | ModeEncoder:
        """Return the unfitted encoder from tables to matrices."""

    @abstractmethod
    def _network(self, generator: torch.Generator) -> nn.Module:
        """Build the untrained sampling network."""

    @abstractmethod
    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        """Add the networks to ``state``, ``weights`` among them, and return the step function.

        A call of that function trains every network once and returns the numbers to record.
        """

    @abstractmethod
    def _draw(self, network: nn.Module, labels: Tensor, rng: np.random.Generator) -> Tensor:
        """Draw one encoded row per label; a row's random numbers are adjacent, so that chunks change no row."""

    def _uniform(self, labels: Tensor, width: int, rng: np.random.Generator) -> Tensor:
        """Draw uniform numbers of shape (n, width) for rows with ``labels``, as ``draws`` requires."""
        if self.draws == "even":
            drawn = even_uniforms(labels.cpu().numpy(), width, rng).astype(np.float32)
        else:
            drawn = rng.random((len(labels), width), dtype=np.float32)
        return torch.tensor(drawn, device=labels.device)

    def _normal(self, labels: Tensor, width: int, rng: np.random.Generator) -> Tensor:
        """Draw standard normal numbers of shape (n, width) for rows with ``labels``, as ``draws`` requires."""
        if self.draws == "even":
            drawn = even_normals(labels.cpu().numpy(), width, rng).astype(np.float32)
        else:
            drawn = rng.standard_normal((len(labels), width), dtype=np.float32)
        return torch.tensor(drawn, device=labels.device)

    def _backbone(
        self,
        inputs: int,
        outputs: int,
        generator: torch.Generator,
        activation: Callable[[], nn.Module] = nn.SiLU,
        reverse: bool = False,
        rows: str = "",
    ) -> nn.Module:
        """Build the trunk of a network from its numbers of inputs and outputs.

        No other place chooses the architecture of trunks. ``reverse`` reverses the hidden layers, as decoders do;
        ``rows`` is "read" or "written" where a backbone for arrays may read or write them.
        """
        hidden = self.hidden_layer_sizes[::-1] if reverse else self.hidden_layer_sizes
        kind, parts = getattr(self, "backbone", "mlp"), self._parts()
        if kind == "gru" and parts and not any(part.is_series for part in parts):
            raise InputError("backbone", kind, "reads and writes series, but the arrays are images; take conv")
        if rows and kind != "mlp" and parts:
            build = backbones.reader if rows == "read" else backbones.writer
            return build(kind, parts, [inputs, *hidden, outputs], generator, activation, self.conv_channels)
        return layers.mlp([inputs, *hidden, outputs], generator, activation)

    def _parts(self) -> list[Part]:
        """Return the arrays of an encoded row."""
        columns = {column.name: column for column in self.schema_.columns}
        encoder = getattr(self.encoder_, "encoder_", None)
        found = [(block, columns[block.name]) for block in getattr(encoder, "tensors_", ())]
        return [Part(block.start, block.stop, column.shape, column.axes) for block, column in found]

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Fit the encoder and return the matrix of the training rows, shape (n, width)."""
        self.encoder_ = self._new_encoder()
        return self.encoder_.fit_transform(table, rng)

    def _decode(self, matrix: np.ndarray) -> pd.DataFrame:
        """Return the canonical table of drawn rows."""
        return self.encoder_.inverse(matrix)

    def _values(self, rows: Tensor) -> Tensor:
        """Return encoded rows as L_total compares them, in the columns of ``encoder_.value_blocks_``."""
        return self.encoder_.values(rows)

    def diagnostics(self) -> dict[str, float]:
        """Return the numbers of blocks and of encoded columns, over which L_rec and L_dist are averaged."""
        blocks = self.encoder_.value_blocks_
        return {"blocks": float(len(blocks)), "encoded_columns": float(blocks[-1].stop if blocks else 0)}

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        sizes = ("hidden_layer_sizes", "epochs", "min_steps", "batch_size")
        check_sizes(**{name: getattr(self, name) for name in sizes})
        check_rates(learning_rate=self.learning_rate)
        device.check_name(self.device)
        check_draws(self.draws)
        Loss.of(self.loss)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        place = device.checked_device(self.device)
        loss = Loss.of(self.loss)
        rows = torch.tensor(self._encode(table, labels, rng), dtype=torch.float32, device=place)
        classes = torch.tensor(labels, dtype=torch.long, device=place)
        generator, blocks = seeds.torch_generator(rng), self.encoder_.value_blocks_
        target = self._target(blocks) if self.numeric_target_ else None
        steps = max(-(-len(rows) // self.batch_size), -(-self.min_steps // self.epochs))
        with device.one_thread():
            objective = Objective(loss, self._values(rows), classes, blocks, generator, target)
            state = TrainingState(objective, rows, classes, self.epochs * steps, self.learning_rate, generator, rng)
            step = self._training(state)
            self._store(state)
            self.history_ = {}
            for _ in range(self.epochs):
                records = [step() for _ in range(steps)]
                self._store(state)
                for name in records[0]:
                    self.history_.setdefault(name, []).append(float(np.mean([record[name] for record in records])))

    def _target(self, blocks: Sequence[Block]) -> int:
        return next(b.start for b in blocks if (b.name, b.kind) == (self.target_column_, "number"))

    def _store(self, state: TrainingState) -> None:
        for name, optimizer in state.networks.items():
            setattr(self, f"{name}_", device.to_arrays(optimizer.result))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        place = device.checked_device(self.device)
        # The initial weights are overwritten, so their seed does not matter.
        network = device.from_arrays(self._network(torch.Generator()), self.weights_).to(place).eval()
        tables = []
        with torch.inference_mode(), device.one_thread():
            for start in range(0, len(labels), _CHUNK):
                chunk = torch.tensor(labels[start : start + _CHUNK], dtype=torch.long, device=place)
                tables.append(self._decode(self._draw(network, chunk, rng).cpu().numpy().astype(float)))
        return pd.concat(tables, ignore_index=True)
