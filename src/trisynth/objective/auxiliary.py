"""L_model by a model of the real rows that is trained first and then frozen."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


class HiddenLayerNetwork:
    """Network of one hidden layer of rectifiers over centred rows, with weights drawn from ``generator``.

    Parameters
    ----------
    centre : Tensor, shape (width,)
    sizes : sequence of int
        Inputs, hidden units and outputs.
    generator : torch.Generator
        On the CPU.
    """

    def __init__(self, centre: Tensor, sizes: Sequence[int], generator: torch.Generator):
        self.centre, self.weights = centre, []
        for inner, outer in itertools.pairwise(sizes):
            weight = torch.randn(inner, outer, generator=generator) / math.sqrt(inner)
            self.weights += [weight.to(centre), torch.zeros(outer).to(centre)]

    def __call__(self, rows: Tensor, masked: int | None = None) -> Tensor:
        """Return outputs for rows of shape (n, width), independent of the column ``masked``."""
        inputs = rows - self.centre
        if masked is not None:
            # A copy: the caller's rows must not change.
            inputs = inputs.clone()
            inputs[:, masked] = 0.0
        first, bias, second, last = self.weights
        return torch.addmm(last, functional.relu(torch.addmm(bias, inputs, first)), second)

    def optimizer(self, learning_rate: float, weight_decay: float, **options: object) -> torch.optim.Optimizer:
        """Return AdamW over all weights, which are trainable until ``freeze``."""
        for parameter in self.weights:
            parameter.requires_grad_(True)
        return torch.optim.AdamW(self.weights, lr=learning_rate, weight_decay=weight_decay, fused=True, **options)

    def freeze(self) -> None:
        """End the training: gradients flow through the network but not into its weights."""
        for parameter in self.weights:
            parameter.requires_grad_(False)


class Auxiliary:
    """L_model by an auxiliary model of the real rows, as in TableGAN (Park et al. 2018).

    One hidden layer, trained on real training rows before the generator and then frozen, so that its score means
    the same throughout. It is the cross-entropy of the requested class for classification, and the squared error
    between a row's own target and the predicted one for regression. It favours typical rows (Gong et al. 2019): a large
    weight separates classes more than real rows do.

    Parameters
    ----------
    real : Tensor, shape (n, width)
        Scaled columns.
    labels : Tensor of int, shape (n,)
    target : int or None
        Column to predict from the others; None predicts the label.
    generator : torch.Generator

    Attributes
    ----------
    rows : Tensor of int
        Row numbers that batches may come from: all.
    """

    hidden_units, steps, batch_size, learning_rate, weight_decay = 64, 300, 256, 5e-3, 1e-2

    def __init__(self, real: Tensor, labels: Tensor, target: int | None, generator: torch.Generator):
        self.target, self.rows = target, torch.arange(len(real))
        outputs = int(labels.max()) + 1 if target is None else 1
        self.network = HiddenLayerNetwork(real.mean(dim=0), (real.shape[1], self.hidden_units, outputs), generator)
        optimizer = self.network.optimizer(self.learning_rate, self.weight_decay)
        for _ in range(self.steps):
            rows = torch.randint(len(real), (min(len(real), self.batch_size),), generator=generator).to(real.device)
            optimizer.zero_grad()
            self(real[rows], labels[rows]).backward()
            optimizer.step()
        self.network.freeze()

    def predict(self, rows: Tensor) -> Tensor:
        """Return class logits, shape (n, k), or the predicted target, shape (n, 1)."""
        return self.network(rows, self.target)

    def __call__(self, generated: Tensor, labels: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the mean loss of generated rows, shape (m, width), a scalar; the batch's real rows are not used."""
        if self.target is None:
            return functional.cross_entropy(self.predict(generated), labels)
        centred = generated[:, self.target] - self.network.centre[self.target]
        return functional.mse_loss(self.predict(generated)[:, 0], centred)
