"""Recurrent language model with a label."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural.networks.layers import Dropout, linear, seeded

# Numbers that stand for a label, and the standard deviation of initial ones.
_LABEL, _DEVIATION = 16, 0.1


class Language(nn.Module):
    """GRU over symbols that each come with the label; its output is compared with the embeddings of all symbols.

    Parameters
    ----------
    symbols, classes : int
    embedding, units : int
        Numbers that stand for a symbol, and units of the GRU.
    generator : torch.Generator
    dropout : float
        Fraction of the inputs and of the outputs of the GRU that each training step leaves out.
    """

    def __init__(
        self, symbols: int, classes: int, embedding: int, units: int, generator: torch.Generator, dropout: float = 0.0
    ):
        super().__init__()
        self.embedding, self.label = (
            nn.Parameter(_DEVIATION * torch.randn(shape, generator=generator))
            for shape in ((symbols, embedding), (classes, _LABEL))
        )
        self.gru = seeded(nn.GRU, embedding + _LABEL, units, batch_first=True, generator=generator)
        self.output, self.bias = linear(units, embedding, generator), nn.Parameter(torch.zeros(symbols))
        self.dropout = Dropout(dropout, generator)

    def states(self, symbols: Tensor, labels: Tensor, state: Tensor | None = None) -> Tensor:
        """Return the states after symbols of shape (n, steps), shape (n, steps, units), given that before them."""
        given = functional.embedding(symbols, self.embedding)
        label = functional.embedding(labels, self.label)[:, None].expand(-1, symbols.shape[1], -1)
        return self.gru(self.dropout(torch.cat([given, label], dim=2)), None if state is None else state[None])[0]

    def forward(self, states: Tensor) -> Tensor:
        """Return logits of the next symbol, shape (..., symbols), of states of shape (..., units)."""
        return self.output(self.dropout(states)) @ self.embedding.T + self.bias
