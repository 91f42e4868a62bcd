"""L_model by training on synthetic rows: the loss on held-out real rows of a model fitted to generated rows."""

import torch
from torch import Tensor
from torch.nn import functional


class TrainOnSynthetic:
    """Loss on held-out real rows of a linear model fitted to the generated batch, differentiated through the fit.

    The inner problem is multinomial logistic regression of the labels, or ridge regression of a numeric target, on
    the generated rows; it is solved to optimality, so that by the implicit function theorem
    dL/dX = -(d2 inner / dX dW)^T H^-1 dL/dW with the inner Hessian H (Bengio 2000; Lorraine et al. 2020). Newton
    steps and H^-1 use conjugate gradients, with no Hessian in memory.

    Parameters
    ----------
    real : Tensor, shape (n, width)
        Scaled columns.
    labels : Tensor of int, shape (n,)
    target : int or None
        Column to predict from the others; None predicts the label.
    generator : torch.Generator
        Chooses the held-out rows.

    Attributes
    ----------
    rows : Tensor of int
        Row numbers that batches may come from: those not held out. A table too small to hold a row out is
        scored on the training rows.
    """

    fraction, max_rows, ridge = 0.2, 2048, 2e-2
    newton_steps, cg_steps, tolerance = 30, 200, 1e-4

    def __init__(self, real: Tensor, labels: Tensor, target: int | None, generator: torch.Generator):
        self.target, self.centre = target, real.mean(dim=0).double()
        self.classes = int(labels.max()) + 1
        mask = held_out(labels.cpu(), self.fraction, generator)
        self.rows = (~mask).nonzero()[:, 0]
        outer = mask.nonzero()[:, 0] if mask.any() else self.rows
        outer = outer[torch.randperm(len(outer), generator=generator)[: self.max_rows]].to(real.device)
        self.outer = self._problem(real[outer], labels[outer])
        self.weights = torch.zeros(self.outer[0].shape[1], self.outer[1].shape[1]).to(self.outer[0])

    def __call__(self, generated: Tensor, labels: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the outer loss of a model fitted to generated rows, shape (m, width); ``real`` is not used."""
        inputs, response = self._problem(generated, labels)
        with torch.no_grad():
            self.weights = weights = self._solve(inputs.detach(), response.detach())
            outer, gradient = self._value(*self.outer, weights), self._gradient(*self.outer, weights)
            adjoint = self._inverse_hessian(inputs.detach(), weights, gradient, self.tolerance)
        # Its value is zero but for rounding, and its derivative is the implicit one.
        stationary = -(adjoint * (self._gradient(inputs, response, weights) + self.ridge * weights)).sum()
        return (outer + stationary - stationary.detach()).to(generated)

    def _problem(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs with a constant, and the response: one-hot labels, or the target's own column."""
        rows = rows.double() - self.centre
        if self.target is None:
            return functional.pad(rows, (0, 1), value=1.0), functional.one_hot(labels, self.classes).to(rows)
        response = rows[:, self.target, None]
        others = torch.cat([rows[:, : self.target], rows[:, self.target + 1 :]], dim=1)
        return functional.pad(others, (0, 1), value=1.0), response

    def _mean(self, inputs: Tensor, weights: Tensor) -> Tensor:
        scores = inputs @ weights
        return scores.softmax(dim=1) if self.target is None else scores

    def _value(self, inputs: Tensor, response: Tensor, weights: Tensor) -> Tensor:
        scores = inputs @ weights
        if self.target is None:
            return -(response * scores.log_softmax(dim=1)).sum(dim=1).mean()
        return (scores - response).square().mean()

    def _gradient(self, inputs: Tensor, response: Tensor, weights: Tensor) -> Tensor:
        """Return the gradient of ``_value``, which includes the squared error's factor 2."""
        factor = 1 if self.target is None else 2
        return factor / len(inputs) * inputs.T @ (self._mean(inputs, weights) - response)

    def _solve(self, inputs: Tensor, response: Tensor) -> Tensor:
        """Return the weights at the minimum of the inner problem, starting from those of the last batch."""
        weights = self.weights

        def value(weights: Tensor) -> float:
            return float(self._value(inputs, response, weights) + self.ridge / 2 * weights.square().sum())

        now = value(weights)
        for _ in range(self.newton_steps):
            gradient = self._gradient(inputs, response, weights) + self.ridge * weights
            size = float(gradient.norm())
            if not size > self.tolerance:
                break
            # Far from the minimum an exact step is wasted (Dembo et al. 1982).
            step, length = self._inverse_hessian(inputs, weights, gradient, min(0.1, size)), 1.0
            # A full step can overshoot where the probabilities saturate.
            while (after := value(weights - length * step)) > now + 1e-12 and length > 1e-3:
                length /= 2
            weights, now = weights - length * step, after
        return weights

    def _inverse_hessian(self, inputs: Tensor, weights: Tensor, vector: Tensor, tolerance: float) -> Tensor:
        """Solve H x = ``vector`` by preconditioned conjugate gradients to a relative ``tolerance``."""
        p = self._mean(inputs, weights)
        n = len(inputs)

        def hessian(v: Tensor) -> Tensor:
            change = inputs @ v
            change = p * (change - (p * change).sum(dim=1, keepdim=True)) if self.target is None else 2 * change
            return inputs.T @ change / n + self.ridge * v

        # One block for all classes, with the mean curvature for every row (after Boehning 1992).
        curvature = float((p * (1 - p)).mean()) if self.target is None else 2.0
        block = curvature / n * inputs.T @ inputs
        block.diagonal().add_(self.ridge)
        factor = torch.linalg.cholesky_ex(block).L
        solution, rest = torch.zeros_like(vector), vector
        near = torch.cholesky_solve(rest, factor)
        direction, size = near, float((rest * near).sum())
        goal = tolerance**2 * max(size, 1e-30)
        for _ in range(self.cg_steps):
            if not size > goal:
                break
            image = hessian(direction)
            length = size / float((direction * image).sum())
            solution, rest = solution + length * direction, rest - length * image
            near = torch.cholesky_solve(rest, factor)
            before, size = size, float((rest * near).sum())
            direction = near + size / before * direction
        return solution


def held_out(labels: Tensor, fraction: float, generator: torch.Generator) -> Tensor:
    """Choose rows to hold out, a mask of shape (n,): that fraction of every class, rounded down."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero()[:, 0]
        order = torch.randperm(len(members), generator=generator)
        mask[members[order[: int(fraction * len(members))]]] = True
    return mask
