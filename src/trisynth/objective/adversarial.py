"""L_model by a classifier that learns beside the generator to tell real from generated rows of each class."""

import torch
from torch import Tensor
from torch.nn import functional

from trisynth.objective.auxiliary import Network


class DiscriminativeClassifier:
    """L_model by ADC-GAN's auxiliary discriminative classifier over label x real/fake (Hou et al. 2022).

    The classifier C takes one step per batch, before it scores the generated rows. With its best response the ratio
    C(y, fake | x) / C(y, real | x) is q(x, y) / p(x, y), so that, unlike the auxiliary model, it rewards no row for
    being easy: the minimum is p = q. The paper minimises the mean log ratio r; here it is log(1 + e^r), the
    non-saturating form, which is positive and has a start to be divided by (log 2).

    For a numeric target the rows contain it, and the squared error takes the place of the cross-entropy: a critic
    learns 1 for real and 0 for generated rows, whose score is (critic - 1)^2 (Mao et al. 2017).

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

    hidden, learning_rate, decay, betas = 64, 2e-3, 1e-2, (0.5, 0.9)

    def __init__(self, real: Tensor, labels: Tensor, target: int | None, generator: torch.Generator):
        self.target, self.rows = target, torch.arange(len(real))
        self.classes = int(labels.max()) + 1
        outputs = 2 * self.classes if target is None else 1
        self.network = Network(real.mean(dim=0), (real.shape[1], self.hidden, outputs), generator)
        # Zero weights of the last layer: the game starts even.
        self.network.weights[2].zero_()
        self.network.weights[3].fill_(0.0 if target is None else 0.5)
        self.optimizer = self.network.optimizer(self.learning_rate, self.decay, betas=self.betas)

    def __call__(self, fakes: Tensor, labels: Tensor, real: Tensor) -> Tensor:
        """Score of generated rows, a scalar, after one step on them and on as many real rows of the same labels."""
        self.learn(fakes.detach(), labels, real)
        self.network.freeze()
        score = self.score(fakes, labels)
        for parameter in self.network.weights:
            parameter.requires_grad_(True)
        return score

    def learn(self, fakes: Tensor, labels: Tensor, real: Tensor) -> None:
        """One step of the classifier; a batch that is not finite teaches it nothing."""
        outputs = self.network(torch.cat([real, fakes]))
        if self.target is None:
            loss = functional.cross_entropy(outputs, torch.cat([labels, labels + self.classes]))
        else:
            loss = (outputs[: len(real)] - 1).square().mean() + outputs[len(real) :].square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        if torch.isfinite(loss):
            self.optimizer.step()

    def score(self, fakes: Tensor, labels: Tensor) -> Tensor:
        """What the classifier of this moment says about generated rows."""
        outputs = self.network(fakes)
        if self.target is not None:
            return (outputs - 1).square().mean()
        asked = labels[:, None]
        return functional.softplus(outputs.gather(1, asked + self.classes) - outputs.gather(1, asked)).mean()
