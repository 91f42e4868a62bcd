"""TimeVAE (Desai et al. 2021): a variational autoencoder of series with convolutions over time and a trend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from trisynth.data.kinds import Kind
from trisynth.data.kinds import Tensor as TensorKind
from trisynth.errors import InputError
from trisynth.generators.neural.checks import check_whole
from trisynth.generators.neural.networks.autoencoder import Autoencoder
from trisynth.generators.neural.networks.backbones import Part
from trisynth.generators.neural.networks.layers import linear
from trisynth.generators.neural.series.requirement import require_series
from trisynth.generators.neural.vae import VAE

# Powers of a time between 0 and 1 differ little beyond.
_HIGHEST = 20


class WithTrend(nn.Module):
    """Decoder whose series are the sum of a residual by convolutions and of a polynomial in time.

    Parameters
    ----------
    residual : Module
        From inputs to rows.
    parts : sequence of Part
    degree : int
        Of the polynomial, whose coefficients are an affine function of the inputs.
    inputs : int
    generator : torch.Generator
    """

    def __init__(
        self, residual: nn.Module, parts: Sequence[Part], degree: int, inputs: int, generator: torch.Generator
    ):
        super().__init__()
        self.residual, self.parts, self.degree = residual, tuple(parts), degree
        self.coefficients = nn.ModuleList(linear(inputs, degree * part.channels, generator) for part in self.parts)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return rows of shape (n, width)."""
        rows = self.residual(inputs)
        for part, layer in zip(self.parts, self.coefficients, strict=True):
            time = torch.arange(part.inner[0], device=rows.device) / part.inner[0]
            powers = torch.stack([time**p for p in range(1, self.degree + 1)])
            trend = torch.einsum("npc,pt->ntc", layer(inputs).unflatten(1, (self.degree, -1)), powers).flatten(1)
            columns = torch.arange(part.start, part.stop, device=rows.device)
            rows = rows.index_add(1, columns, trend)
        return rows


@dataclass(eq=False, repr=False)
class TimeVAE(VAE):
    """VAE whose encoder and decoder are strided convolutions over time; see ``VAE`` for the loss.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=()
        Layers between the convolutions and the latent code; the paper has none.
    latent_dim : int, default=8
    observation_noise : bool, default=False
        Whether the noise of p(x | z, y) is added to a drawn series; the paper draws its mean.
    trend_degree : int, default=0
        Degree of the polynomial in time that the decoder adds; 0 for none, as in the paper's base version.

    Notes
    -----
    Source: Desai, Freeman, Wang and Beaver (2021), https://arxiv.org/abs/2111.08095. Faithful in convolutions of 50,
    100 and 200 channels with kernel 3 and stride 2, the mirrored decoder, the latent dimension and the trend block;
    without the seasonal block. The label enters both networks, and the noise of the Gaussian likelihood is learned,
    where the paper fixes the weight of the reconstruction at 3.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (TensorKind,)
    renamed: ClassVar[Mapping[str, str]] = {}
    conv_channels: ClassVar[tuple[int, ...]] = (50, 100, 200)

    hidden_layer_sizes: Sequence[int] = ()
    latent_dim: int = 8
    observation_noise: bool = False
    backbone: str = "conv"
    trend_degree: int = 0

    def _network(self, generator: torch.Generator) -> Autoencoder:
        parts = require_series(type(self).__name__, self.schema_.columns, self._parts())
        network = super()._network(generator)
        if self.trend_degree:
            inputs = self.latent_dim + len(self.labels_)
            network.decoder = WithTrend(network.decoder, parts, self.trend_degree, inputs, generator)
        return network

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_whole(trend_degree=self.trend_degree)
        if self.trend_degree > _HIGHEST:
            raise InputError("trend_degree", self.trend_degree, f"must be at most {_HIGHEST}; 0 leaves the trend out")
