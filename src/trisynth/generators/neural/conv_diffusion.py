"""Diffusion of images and series by convolutions, with a Fourier term over the steps of series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.encoders.table import Block
from trisynth.generators.neural.diffusion import Diffusion
from trisynth.generators.neural.networks.edm import SIGMA_DATA, Denoiser, noise_levels
from trisynth.generators.neural.networks.multistep import multistep
from trisynth.generators.neural.networks.unet import UNet

# Rows that are drawn at once.
_PIECE = 1024


class _ArrayEncoder(StandardizedEncoder):
    """Encoder whose arrays are each one block of L_total: an element that hardly varies does not outweigh others."""

    @property
    def value_blocks_(self) -> Sequence[Block]:
        """Blocks of the columns, those of the elements of an array joined."""
        arrays = {each.start: each for each in self.encoder_.tensors_}
        within = {place for each in arrays.values() for place in range(each.start + 1, each.stop)}
        joined = {start: Block(each.name, "number", start, each.stop) for start, each in arrays.items()}
        return [joined.get(block.start, block) for block in self.blocks_ if block.start not in within]


@dataclass(eq=False, repr=False)
class ConvDiffusion(Diffusion):
    """EDM whose denoiser is a small convolutional network with skips; see ``Diffusion`` for noise and loss.

    The network estimates the clean row. To each series it adds a polynomial in time and a sum of waves, whose
    coefficients the network's coarsest scale gives. Columns that are no arrays share this scale, so that rows of
    several kinds are drawn together. In L_rec an array weighs as much as a number. Without arrays the network is that
    of ``Diffusion``.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(256,)
        Widths of the layers at the coarsest scale.
    sampling_steps : int, default=10
        Noise levels of the solver, each of which takes one pass through the network; twice as many for rows with
        series, which fewer distort, and for tables.

    Notes
    -----
    Source: Karras, Aittala, Aila and Laine (2022), https://arxiv.org/abs/2206.00364, with the trend and the Fourier
    synthesis of Diffusion-TS (Yuan and Qiao 2024, https://arxiv.org/abs/2403.01742). Faithful in the estimate of the
    clean series and in a decoder that sums trend and waves; scaled down to two scales of 32 and 64 channels without
    attention, with all frequencies in place of the largest, and without the loss of the Fourier transforms. Rows are
    drawn by DPM-Solver++(2M) (Lu et al. 2022, https://arxiv.org/abs/2211.01095), in fewer passes than by Heun's solver.
    """

    renamed: ClassVar[Mapping[str, str]] = {}

    hidden_layer_sizes: Sequence[int] = (256,)
    batch_size: int = 128
    min_steps: int = 3000
    learning_rate: float = 2e-3
    sampling_steps: int = 10

    def _new_encoder(self) -> StandardizedEncoder:
        return _ArrayEncoder(self.encoder, self.normal_scores, deviation=SIGMA_DATA, centre_indicators=True)

    def _network(self, generator: torch.Generator) -> Denoiser:
        parts = self._parts()
        if not parts:
            return super()._network(generator)
        width, classes = self.encoder_.width_, len(self.labels_)
        conditions = Denoiser.inputs(width, classes) - width
        inner = UNet(parts, width, conditions, self.hidden_layer_sizes, self.conv_channels, generator)
        return Denoiser(inner, classes, self.preconditioning, inner.last)

    def _draw(self, network: Denoiser, labels: Tensor, rng: np.random.Generator) -> Tensor:
        noise = self._normal(labels, self.encoder_.width_, rng)
        # Without the lowest level: there are few passes, and at the level above it little noise is left.
        parts = self._parts()
        images = bool(parts) and not any(part.is_series for part in parts)
        *levels, _, end = noise_levels(self.sampling_steps * (1 if images else 2) + 1).tolist()
        # The features of a few rows stay in the processor's cache.
        drawn = [
            multistep(lambda x, sigma, y=y: network(x, sigma, y), part, [*levels, end])
            for part, y in zip(noise.split(_PIECE), labels.split(_PIECE), strict=True)
        ]
        return torch.cat(drawn)
