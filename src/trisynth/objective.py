"""L_total = alpha L_rec + beta L_dist + gamma L_model: the three terms, in this one place.

Every term is an average, over rows and over columns, of columns scaled to unit variance, and is divided by its
value at the start of training: the weights mean the same on any table and at any batch size. ``L_rec`` comes
from the generator's family; ``L_dist`` and ``L_model`` are chosen by name from the tables at the foot of this
module, so that one more of either is one small function or class and one line.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor
from torch.nn import functional

from trisynth.errors import InputError
from trisynth.preprocessing.encoder import Block

# A class with fewer rows in a batch has no moments worth comparing; such classes are pooled.
_FEW = 8
# A term that starts near zero (one class only, say) is not blown up to one.
_SMALLEST_START = 1e-2
# Below this standard deviation a scaled column is constant.
_CONSTANT = 1e-6


class Diverged(RuntimeError):
    """Training stopped because a term is no longer finite.

    Parameters
    ----------
    term : str
        The term: ``rec``, ``dist``, ``model``, ``native`` or ``gradient``.
    value : float
        What it became.
    """

    def __init__(self, term: str, value: float):
        super().__init__(term, value)
        self.term, self.value = term, value

    def __str__(self) -> str:
        return (
            f"the loss term {self.term!r} became {self.value}; the generator keeps its weights of the last good "
            "epoch; lower learning_rate or the term's weight"
        )


@dataclass(frozen=True)
class Loss:
    """Weights and terms of L_total; values are checked when training starts.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of L_rec, the family's own error of reconstruction; (1, 0, 0) is the family's native loss.
    beta : float, default=0.1
        Weight of L_dist, the distance between real and generated rows, within each class.
    gamma : float, default=0.1
        Weight of L_model, what a predictive model says about the generated rows.
    distance : str, default="moments"
        Which L_dist; a key of ``DISTANCES``.
    model : str, default="auxiliary"
        Which L_model; a key of ``MODELS``.
    """

    alpha: float = 1.0
    beta: float = 0.1
    gamma: float = 0.1
    distance: str = "moments"
    model: str = "auxiliary"

    def checked(self) -> "Loss":
        """Itself.

        Raises
        ------
        InputError
            If a weight is negative, not finite or not a number, if all are zero, or if a term is unknown.
        """
        for name in ("alpha", "beta", "gamma"):
            weight = getattr(self, name)
            if isinstance(weight, bool) or not isinstance(weight, Real):
                raise InputError(f"loss.{name}", weight, "must be a number, 0 or more")
            if not math.isfinite(weight) or weight < 0:
                raise InputError(f"loss.{name}", weight, "must be finite and 0 or more")
        if not self.alpha + self.beta + self.gamma:
            raise InputError("loss.alpha", self.alpha, "alpha, beta and gamma are all 0; make one of them positive")
        for name, known in (("distance", DISTANCES), ("model", MODELS)):
            if getattr(self, name) not in known:
                raise InputError(f"loss.{name}", getattr(self, name), f"must be one of {', '.join(known)}")
        return self


class Objective:
    """L_total over one training run.

    Parameters
    ----------
    loss : Loss
    real : Tensor, shape (n, width)
        Encoded real training rows.
    labels : Tensor of int, shape (n,)
        Their classes 0..k-1 (quantile bins of a numeric target).
    blocks : sequence of Block
        Which columns encode which column of the table.
    generator : torch.Generator
        Randomness of L_model, on the CPU.
    target : int or None
        Column that holds a numeric target; None for classification.

    Attributes
    ----------
    terms : dict of str to float
        The last call's terms: raw under their names, what they added to L_total as ``<name>_weighted``.
        Terms of weight zero are neither computed nor listed, except ``rec``.
    """

    def __init__(
        self,
        loss: Loss,
        real: Tensor,
        labels: Tensor,
        blocks: Sequence[Block],
        generator: torch.Generator,
        target: int | None = None,
    ):
        self.loss = loss.checked()
        self.scale = unit_scale(real, blocks)
        self.terms: dict[str, float] = {}
        self._starts: dict[str, float] = {}
        self._distance = DISTANCES[loss.distance]
        self._model = MODELS[loss.model](real / self.scale, labels, target, generator) if loss.gamma else None

    @property
    def needs_fakes(self) -> bool:
        """Whether a term looks at generated rows."""
        return bool(self.loss.beta or self.loss.gamma)

    def start(self, term: str, value: Tensor) -> float:
        """Value of ``term`` at the start of training, which is the first call's."""
        return self._starts.setdefault(term, max(float(value.detach()), _SMALLEST_START))

    def __call__(
        self,
        rec: Tensor,
        real: Tensor,
        labels: Tensor,
        fakes: Tensor | None = None,
        native: Tensor | float = 0.0,
    ) -> Tensor:
        """L_total of one batch, a scalar.

        Parameters
        ----------
        rec : Tensor, scalar
            The family's L_rec, averaged over rows and columns.
        real, fakes : Tensor, shape (batch, width)
            Encoded real rows, and rows generated from the *prior* for the same labels.
        labels : Tensor of int, shape (batch,)
        native : Tensor, scalar
            What the family adds with weight one: the VAE's KL term, a GAN's adversarial loss.

        Raises
        ------
        Diverged
            If a term is not finite.
        """
        values = {"rec": (self.loss.alpha, rec)}
        if self.loss.beta:
            values["dist"] = (self.loss.beta, by_class(self._distance, real / self.scale, fakes / self.scale, labels))
        if self.loss.gamma:
            values["model"] = (self.loss.gamma, self._model(fakes / self.scale, labels))
        self.terms, total = {}, native
        for name, (weight, value) in values.items():
            _require_finite(name, value)
            weighted = weight * value / self.start(name, value)
            self.terms |= {name: float(value.detach()), f"{name}_weighted": float(weighted.detach())}
            total = total + weighted
        if isinstance(native, Tensor):
            _require_finite("native", native)
            self.terms["native"] = float(native.detach())
        self.terms["total"] = float(total.detach())
        return total


def _require_finite(term: str, value: Tensor) -> None:
    if not math.isfinite(number := float(value.detach())):
        raise Diverged(term, number)


def unit_scale(real: Tensor, blocks: Sequence[Block]) -> Tensor:
    """Divisor of each encoded column, shape (width,), that gives every block of ``real`` a total variance of one.

    For a scaled number that is its standard deviation. The indicators of a category share one divisor, so that a
    column of 300 categories weighs as much as one number and a rare category does not outweigh a common one.
    """
    variance = real.var(dim=0, correction=0)
    scale = torch.ones_like(variance)
    for block in blocks:
        spread = variance[block.start : block.stop].sum().sqrt()
        if spread > _CONSTANT:
            scale[block.start : block.stop] = spread
    return scale


def by_class(distance: Callable[[Tensor, Tensor], Tensor], real: Tensor, fakes: Tensor, labels: Tensor) -> Tensor:
    """Mean of ``distance`` over the classes of a batch, weighted by their share.

    Row i of both tables, shape (batch, width), has class ``labels[i]``. Classes with few rows are pooled into
    one; when the pool is too small as well, it joins the largest class.
    """
    counts = torch.bincount(labels)
    group = torch.arange(len(counts), device=labels.device)
    few = counts < _FEW
    rest = int(counts[few].sum())
    group[few] = int(counts.argmax()) if rest < _FEW else len(counts)
    groups = group[labels]
    parts = []
    for number in torch.unique(groups):
        rows = groups == number
        parts.append(rows.sum() / len(labels) * distance(real[rows], fakes[rows]))
    return torch.stack(parts).sum()


def moments(real: Tensor, fakes: Tensor) -> Tensor:
    """Mean over columns of (mu_X - mu_Y)^2 + (sigma_X - sigma_Y)^2, for tables of shapes (n, d) and (m, d).

    Column by column this is the squared 2-Wasserstein distance of two Gaussians: zero for equal means and
    variances, whatever else differs.
    """
    (variance, mean), (other_variance, other_mean) = (torch.var_mean(x, dim=0, correction=0) for x in (real, fakes))
    # The root has no gradient at zero, where a constant column sits.
    gap = (variance + _CONSTANT**2).sqrt() - (other_variance + _CONSTANT**2).sqrt()
    return ((mean - other_mean).square() + gap.square()).mean()


class Auxiliary:
    """L_model by an auxiliary model: how badly generated rows fit what real rows teach (TableGAN, Park et al. 2018).

    One hidden layer, trained on real training rows before the generator and then frozen, so that its score means
    the same throughout. Cross-entropy of the asked class for classification; squared error between a row's own
    target and the predicted one for regression. It rewards easy rows (Gong et al. 2019): a large weight sharpens
    classes beyond the truth.

    Parameters
    ----------
    real : Tensor, shape (n, width)
        Scaled columns.
    labels : Tensor of int, shape (n,)
    target : int or None
        Column to predict from the others; None predicts the label.
    generator : torch.Generator
    """

    hidden, steps, batch_size, learning_rate, decay = 64, 300, 256, 5e-3, 1e-2

    def __init__(self, real: Tensor, labels: Tensor, target: int | None, generator: torch.Generator):
        self.target = target
        self.centre = real.mean(dim=0)
        outputs = int(labels.max()) + 1 if target is None else 1
        sizes = ((real.shape[1], self.hidden), (self.hidden, outputs))
        self.weights = []
        for inner, outer in sizes:
            weight = torch.randn(inner, outer, generator=generator) / math.sqrt(inner)
            self.weights += [weight.to(real.device), torch.zeros(outer, device=real.device)]
        for parameter in self.weights:
            parameter.requires_grad_(True)
        optimizer = torch.optim.AdamW(self.weights, lr=self.learning_rate, weight_decay=self.decay)
        for _ in range(self.steps):
            rows = torch.randint(len(real), (min(len(real), self.batch_size),), generator=generator).to(real.device)
            optimizer.zero_grad()
            self(real[rows], labels[rows]).backward()
            optimizer.step()
        for parameter in self.weights:
            parameter.requires_grad_(False)

    def predict(self, rows: Tensor) -> Tensor:
        """Class logits, shape (n, k), or the predicted target, shape (n, 1)."""
        inputs = rows - self.centre
        if self.target is not None:
            # A copy: the target's own column must not be seen, and the caller's rows must not change.
            inputs = inputs.clone()
            inputs[:, self.target] = 0.0
        first, bias, second, last = self.weights
        return functional.relu(inputs @ first + bias) @ second + last

    def __call__(self, fakes: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of generated rows, shape (m, width), a scalar."""
        if self.target is None:
            return functional.cross_entropy(self.predict(fakes), labels)
        return functional.mse_loss(self.predict(fakes)[:, 0], (fakes - self.centre)[:, self.target])


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"moments": moments}
MODELS: dict[str, Callable] = {"auxiliary": Auxiliary}
