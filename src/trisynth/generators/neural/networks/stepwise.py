"""Recurrent networks of RCGAN: the condition enters at every step, and every step has an output of its own."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural.networks.layers import Dropout, linear, seeded


class Stepwise(nn.Module):
    """LSTM over steps that each receive an input and the one-hot label, with an affine output at every step.

    Parameters
    ----------
    inputs, outputs : int
        Numbers at each step.
    classes : int
    units : sequence of int
        Of the layers of the LSTM.
    generator : torch.Generator
    dropout : float
        Fraction of the last layer's units that each training step leaves out.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        classes: int,
        units: Sequence[int],
        generator: torch.Generator,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.classes, sizes = classes, [inputs + classes, *units]
        self.layers = nn.ModuleList(
            seeded(nn.LSTM, inner, outer, batch_first=True, generator=generator) for inner, outer in pairwise(sizes)
        )
        self.dropout, self.output = Dropout(dropout, generator), linear(sizes[-1], outputs, generator)

    def forward(self, steps: Tensor, labels: Tensor) -> Tensor:
        """Return outputs of shape (n, steps, outputs) from inputs of shape (n, steps, inputs)."""
        condition = functional.one_hot(labels, self.classes).to(steps)[:, None].expand(-1, steps.shape[1], -1)
        states = torch.cat([steps, condition], dim=2)
        for layer in self.layers:
            states, _ = layer(states)
        return self.output(self.dropout(states))
