"""L_model by a classifier of label x real/generated that is trained beside the generator."""

import torch
from torch import Tensor
from torch.nn import functional

from trisynth.objective.auxiliary import HiddenLayerNetwork


class DiscriminativeClassifier:
    """L_model by ADC-GAN's auxiliary discriminative classifier over label x real/generated (Hou et al. 2022).

    The classifier C takes one step per batch, before it scores the generated rows. For the optimal classifier
    the ratio C(y, generated | x) / C(y, real | x) is q(x, y) / p(x, y), so that, unlike for the auxiliary model, the
    minimum is p = q. The paper minimises the mean log ratio r; here it is log(1 + e^r), the non-saturating form, which
    is positive and starts at log 2.

    For a numeric target the rows contain it, and the squared error replaces the cross-entropy: a critic is trained
    towards 1 for real and 0 for generated rows, whose score is (critic - 1)^2 (Mao et al. 2017).

    Parameters
    ----------
    real : Tensor, shape (n, width)
        Scaled columns.
    labels : Tensor of int, shape (n,)
    target : int or None
        Column of a numeric target.
    generator : torch.Generator

    Attributes
    ----------
    rows : Tensor of int
        Row numbers that batches may come from: all.
    """

    hidden_units, learning_rate, weight_decay, betas = 64, 2e-3, 1e-2, (0.5, 0.9)

    def __init__(self, real: Tensor, labels: Tensor, target: int | None, generator: torch.Generator):
        self.target, self.rows = target, torch.arange(len(real))
        self.classes = int(labels.max()) + 1
        outputs = 2 * self.classes if target is None else 1
        self.network = HiddenLayerNetwork(real.mean(dim=0), (real.shape[1], self.hidden_units, outputs), generator)
        # Zero weights in the last layer: at the start all classes are equally probable.
        self.network.weights[2].zero_()
        self.network.weights[3].fill_(0.0 if target is None else 0.5)
        self.optimizer = self.network.optimizer(self.learning_rate, self.weight_decay, betas=self.betas)

    def __call__(self, generated: Tensor, labels: Tensor, real: Tensor) -> Tensor:
        """Return the score of generated rows after one step on them and on as many real rows of the same labels."""
        self.learn(generated.detach(), labels, real)
        self.network.freeze()
        score = self.score(generated, labels)
        for parameter in self.network.weights:
            parameter.requires_grad_(True)
        return score

    def learn(self, generated: Tensor, labels: Tensor, real: Tensor) -> None:
        """Train the classifier for one step; a batch whose loss is not finite is skipped."""
        outputs = self.network(torch.cat([real, generated]))
        if self.target is None:
            loss = functional.cross_entropy(outputs, torch.cat([labels, labels + self.classes]))
        else:
            loss = (outputs[: len(real)] - 1).square().mean() + outputs[len(real) :].square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        if torch.isfinite(loss):
            self.optimizer.step()

    def score(self, generated: Tensor, labels: Tensor) -> Tensor:
        """Return the score of generated rows, a scalar, by the classifier as it is."""
        outputs = self.network(generated)
        if self.target is not None:
            return (outputs - 1).square().mean()
        own = labels[:, None]
        return functional.softplus(outputs.gather(1, own + self.classes) - outputs.gather(1, own)).mean()
