"""Diffusion as designed by Karras et al. (2022), "EDM": preconditioned denoiser, noise levels and solvers.

Source: Elucidating the Design Space of Diffusion-Based Generative Models, https://arxiv.org/abs/2206.00364, with its
constants. Rows x are centred and their columns have about the deviation ``SIGMA_DATA``; y are class numbers.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

SIGMA_DATA = 0.5
SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0
P_MEAN, P_STD = -1.2, 1.2
# Frequencies of the noise level's embedding.
_FREQUENCIES = 8


def precondition(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return c_skip, c_out, c_in and c_noise of noise levels ``sigma``, each of their shape (table 1, EDM)."""
    total = sigma.square() + SIGMA_DATA**2
    return SIGMA_DATA**2 / total, sigma * SIGMA_DATA / total.sqrt(), 1 / total.sqrt(), sigma.log() / 4


def unconditioned(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the coefficients of Song et al. (2021), under which the network receives unscaled noised rows."""
    return torch.ones_like(sigma), sigma, torch.ones_like(sigma), (sigma / 2).log()


def loss_weight(sigma: Tensor) -> Tensor:
    """Return lambda(sigma) = 1 / c_out^2, the weight of the squared error: all levels start with the same loss."""
    return (sigma.square() + SIGMA_DATA**2) / (sigma * SIGMA_DATA).square()


def training_noise(n: int, generator: torch.Generator) -> Tensor:
    """Draw noise levels of training rows, log sigma ~ N(P_MEAN, P_STD^2), shape (n, 1)."""
    return (P_MEAN + P_STD * torch.randn(n, 1, generator=generator)).exp()


def noise_levels(n: int) -> Tensor:
    """Return the solver's noise levels (equation 5), shape (n + 1,): ``SIGMA_MAX`` to ``SIGMA_MIN``, and then 0."""
    place = torch.linspace(0, 1, n, dtype=torch.float64) if n > 1 else torch.zeros(1, dtype=torch.float64)
    high, low = SIGMA_MAX ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    return torch.cat([(high + place * (low - high)) ** RHO, torch.zeros(1, dtype=torch.float64)]).float()


class Denoiser(nn.Module):
    """D(x; sigma, y) = c_skip x + c_out F(c_in x, c_noise, y), an estimate of the clean rows.

    F receives the class as a one-hot vector and the noise level as sines and cosines.

    Parameters
    ----------
    inner : Module
        F, from ``inputs(width, classes)`` to width columns.
    classes : int
    preconditioned : bool
        Whether the coefficients are the paper's; else they are those of its baseline (its table 1, VE).
    last : sequence of Module, optional
        Affine layers whose sum F returns; by default the last one of ``inner``.
    """

    def __init__(
        self, inner: nn.Module, classes: int, preconditioned: bool = True, last: Sequence[nn.Module] | None = None
    ):
        super().__init__()
        self.classes, self.coefficients = classes, precondition if preconditioned else unconditioned
        self.inner = inner
        # With F = 0 the first estimate is the optimal one of rows without structure.
        with torch.no_grad():
            for layer in [self.inner[-1]] if last is None else last:
                for parameter in layer.parameters():
                    parameter.zero_()

    @staticmethod
    def inputs(width: int, classes: int) -> int:
        """Return the number of inputs of F."""
        return width + 2 * _FREQUENCIES + classes

    def forward(self, x: Tensor, sigma: Tensor, y: Tensor) -> Tensor:
        """Return estimates, shape (n, width), from rows of that shape, noise of shape (n, 1) and classes (n,)."""
        c_skip, c_out, c_in, c_noise = self.coefficients(sigma)
        phase = c_noise * torch.arange(1, _FREQUENCIES + 1, device=x.device)
        label = functional.one_hot(y, self.classes).to(x)
        return c_skip * x + c_out * self.inner(torch.cat([c_in * x, phase.sin(), phase.cos(), label], dim=1))


def heun(denoise: Callable[[Tensor, Tensor], Tensor], noise: Tensor, levels: Tensor) -> Tensor:
    """Solve the probability flow by the second-order method without added noise (algorithm 1).

    Parameters
    ----------
    denoise : callable
        From rows of shape (n, width) and noise of shape (n, 1) to clean rows.
    noise : Tensor, shape (n, width)
        Standard normal.
    levels : Tensor, shape (steps + 1,)
        Falling; the last is 0.
    """
    x = noise * levels[0]
    for sigma, lower in itertools.pairwise(levels):
        d = (x - denoise(x, sigma.expand(len(x), 1))) / sigma
        ahead = x + (lower - sigma) * d
        if lower > 0:
            d = (d + (ahead - denoise(ahead, lower.expand(len(x), 1))) / lower) / 2
            ahead = x + (lower - sigma) * d
        x = ahead
    return x


def euler(denoiser: Denoiser, noise: Tensor, y: Tensor, steps: int) -> Tensor:
    """Solve the same flow in a few Euler steps, cheap enough to be differentiated.

    Over the angle t = arctan(sigma / SIGMA_DATA), rows scaled to c_in x follow du/dt = -F (Lu & Song 2024,
    https://arxiv.org/abs/2410.11081). Euler steps in t make no error where F = 0, which is Gaussian rows, while those
    in sigma would lose half of their deviation in a handful of steps. The levels are geometric around SIGMA_DATA:
    equidistant angles would miss the large levels, which form long tails.

    Parameters
    ----------
    denoiser : Denoiser
    noise : Tensor, shape (n, width)
        Standard normal.
    y : Tensor of int, shape (n,)
    steps : int
    """
    ratios = np.geomspace(min(3 * steps, SIGMA_MAX / SIGMA_DATA), 1.5 / steps, steps - 1)
    angles = np.arctan([SIGMA_MAX / SIGMA_DATA, *ratios, 0.0]).tolist()
    for angle, lower in itertools.pairwise(angles):
        sigma = noise.new_full((len(noise), 1), SIGMA_DATA * math.tan(angle))
        c_skip, c_out, c_in, _ = precondition(sigma)
        x = noise / c_in
        noise = noise + (angle - lower) * (denoiser(x, sigma, y) - c_skip * x) / c_out
    return SIGMA_DATA * noise
