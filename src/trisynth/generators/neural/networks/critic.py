"""Networks of CTGAN: a residual generator and a Wasserstein critic over packs of rows."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trisynth.generators.neural.networks.layers import linear


class Residual(nn.Module):
    """Affine layer, batch norm and rectifier, whose output is concatenated to its input."""

    def __init__(self, inner: int, outer: int, generator: torch.Generator):
        super().__init__()
        self.layer, self.norm = linear(inner, outer, generator), nn.BatchNorm1d(outer)

    def forward(self, rows: Tensor) -> Tensor:
        """Map shape (n, inner) to (n, inner + outer)."""
        return torch.cat([self.norm(self.layer(rows)).relu(), rows], dim=1)


def residual_generator(
    inputs: int, hidden_layer_sizes: Sequence[int], outputs: int, generator: torch.Generator
) -> nn.Sequential:
    """Build the generator's network: residual layers, then one affine layer to raw outputs."""
    layers = []
    for outer in hidden_layer_sizes:
        layers.append(Residual(inputs, outer, generator))
        inputs += outer
    return nn.Sequential(*layers, linear(inputs, outputs, generator))


class Critic(nn.Module):
    """Wasserstein critic over packs of rows (PacGAN, Lin et al. 2018).

    Parameters
    ----------
    layers : Module
        From packs, shape (n / pac, pac width), to scores, shape (n / pac, 1).
    pac : int
        Rows of a pack.
    """

    def __init__(self, layers: nn.Module, pac: int):
        super().__init__()
        self.pac, self.layers = pac, layers

    def forward(self, rows: Tensor) -> Tensor:
        """Return scores of packs, shape (n / pac, 1), from rows of shape (n, width)."""
        return self.layers(rows.reshape(len(rows) // self.pac, -1))

    def penalty(self, real: Tensor, generated: Tensor, uniform: Tensor) -> Tensor:
        """Return E (|gradient of D(x~)|_2 - 1)^2 with x~ = u x + (1 - u) G(z), a scalar (Gulrajani et al. 2017).

        ``uniform``, shape (packs, 1), has one u per pack.
        """
        u = uniform.repeat_interleave(self.pac, dim=0)
        between = (u * real + (1 - u) * generated).requires_grad_()
        (gradient,) = torch.autograd.grad(self(between).sum(), between, create_graph=True)
        # The root has no gradient at zero.
        norms = (gradient.reshape(len(uniform), -1).square().sum(dim=1) + 1e-12).sqrt()
        return (norms - 1).square().mean()
