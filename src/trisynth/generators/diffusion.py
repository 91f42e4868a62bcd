"""Class-conditional diffusion on mixed tables (Karras et al. 2022), trained with L_total."""

import copy
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from torch import Tensor, nn

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.generators import networks
from trisynth.generators.base import Generator
from trisynth.generators.edm import SIGMA_DATA, Denoiser, glide, heun, loss_weight, noise_levels, training_noise
from trisynth.objective import Loss, Objective
from trisynth.preprocessing.encoder import TableEncoder

# An encoded number with less spread than this is constant.
_CONSTANT = 1e-9
# Rows denoised at once: memory stays flat however many are asked for.
_ROWS = 4096
# Rows and steps of the short runs that L_dist and L_model look at.
_GLIDING, _STEPS = 128, 6


class Diffusion(Generator):
    """EDM: rows are noised, a network learns to see the clean rows through the noise, and noise is solved into rows.

    Numbers, missing indicators and one-hot categories are noised alike, as numbers; at the end the largest indicator
    of a category is the category. L_rec is the paper's loss: the squared error of the clean row's estimate, weighted
    by noise level, of columns scaled to unit variance. It is a paired error, and ``loss=native``, (1, 0, 0), is EDM.
    L_dist and L_model look at rows that a short run of the same flow draws from pure noise for classes of the batch,
    and not at the estimates: these are means and must vary less than rows do. Their unit, the value at the start, is
    that of rows at the columns' means.

    Parameters
    ----------
    hidden : sequence of int, default=(256, 256)
        Hidden layers of the denoiser.
    epochs : int, default=50
        Epochs; the loss terms are recorded once in each.
    steps : int, default=1500
        Least number of gradient steps in all: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int, default=256
    learning_rate : float, default=3e-3
        Of Adam at the start; falls to zero along a cosine.
    ema : float, default=0.999
        Share of the weights' running average that a step keeps, less in the first steps; rows are drawn with the
        average.
    levels : int, default=50
        Noise levels of the solver, each of which takes two passes through the network.
    device : {"cpu", "cuda"}, default="cpu"
    encoder : TableEncoder or None
        From table to matrix; None stands for ``TableEncoder()``.
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Averaged weights of the last good epoch, also when training ended in ``Diverged``.
    history_ : dict of str to list of float
        One number per epoch: each term raw and weighted, and ``total``.

    Notes
    -----
    Source: Karras, Aittala, Aila and Laine (2022), https://arxiv.org/abs/2206.00364. Faithful in preconditioning,
    noise, loss weights, averaging and Heun's solver (50 levels, 99 passes); scaled down to a small fully connected
    network and to one-hot categories without a learned embedding.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (256, 256),
        epochs: int = 50,
        steps: int = 1500,
        batch_size: int = 256,
        learning_rate: float = 3e-3,
        ema: float = 0.999,
        levels: int = 50,
        device: str = "cpu",
        encoder: TableEncoder | None = None,
        loss: Loss | None = None,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.ema = ema
        self.levels = levels
        self.device = device
        self.encoder = encoder
        self.loss = loss

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self._check()
        device = networks.checked_device(self.device)
        loss = (Loss() if self.loss is None else self.loss).checked()
        self.encoder_ = (TableEncoder() if self.encoder is None else clone(self.encoder)).fit(table)
        matrix, blocks = self.encoder_.transform(table), self.encoder_.blocks_
        number = np.arange(matrix.shape[1]) < len(self.encoder_.numbers_)
        deviation = matrix.std(axis=0)
        self.centre_ = matrix.mean(axis=0)
        # An indicator of a common category has the paper's deviation, one half, as it is.
        self.spread_ = np.where(number & (deviation > _CONSTANT), deviation / SIGMA_DATA, 1.0)
        real = torch.tensor((matrix - self.centre_) / self.spread_, dtype=torch.float32, device=device)
        classes = torch.tensor(labels, dtype=torch.long, device=device)
        generator = seeds.torch_generator(rng)
        with networks.one_thread():
            model = self._model(generator).to(device)
            average = Average(model, self.ema)
            target = self.encoder_.numbers_.index(self.target_column_) if self.numeric_target_ else None
            objective = Objective(loss, real, classes, blocks, generator, target)

            def step(rows: Tensor) -> tuple[Tensor, dict[str, float]]:
                average.update(model)
                rows = rows.to(device)
                x, y = real[rows], classes[rows]
                sigma = training_noise(len(x), generator).to(device)
                noised = x + sigma * torch.randn(x.shape, generator=generator).to(device)
                error = ((model(noised, sigma, y) - x) / objective.scale).square().sum(dim=1, keepdim=True)
                rec = (loss_weight(sigma) * SIGMA_DATA**2 * error).mean() / len(blocks)
                few, fakes = slice(0, _GLIDING), None
                if objective.needs_fakes and not objective.terms:
                    # The flow starts with the right moments, so that its own first value is no unit of L_dist.
                    fakes = torch.zeros_like(x[few])
                elif objective.needs_fakes:
                    noise = torch.randn(x[few].shape, generator=generator).to(device)
                    fakes = glide(model, noise, y[few], _STEPS)
                return objective(rec, x[few], y[few], fakes), objective.terms

            self.weights_, self.history_ = networks.to_arrays(model), {}
            rows = networks.batches(len(real), self.batch_size, generator)
            per_epoch = max(-(-len(real) // self.batch_size), -(-self.steps // self.epochs))
            for record in networks.descend(model, step, rows, self.epochs, per_epoch, self.learning_rate):
                self.weights_ = networks.to_arrays(average.model)
                for name, value in record.items():
                    self.history_.setdefault(name, []).append(value)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        device = networks.checked_device(self.device)
        # The draws of the first weights are overwritten, so their seed does not matter.
        model = networks.from_arrays(self._model(torch.Generator()), self.weights_).to(device)
        levels, tables = noise_levels(self.levels).to(device), []
        with torch.inference_mode(), networks.one_thread():
            for start in range(0, len(labels), _ROWS):
                y = torch.tensor(labels[start : start + _ROWS], dtype=torch.long, device=device)
                noise = rng.standard_normal((len(y), len(self.centre_)), dtype=np.float32)
                drawn = heun(lambda x, sigma, y=y: model(x, sigma, y), torch.tensor(noise, device=device), levels)
                tables.append(self.encoder_.inverse(drawn.cpu().numpy() * self.spread_ + self.centre_))
        return pd.concat(tables, ignore_index=True)

    def _model(self, generator: torch.Generator) -> Denoiser:
        return Denoiser(len(self.centre_), len(self.labels_), self.hidden, generator)

    def _check(self) -> None:
        sizes = ("hidden", "epochs", "steps", "batch_size", "levels")
        networks.check_sizes(**{name: getattr(self, name) for name in sizes})
        for name, below in (("learning_rate", float("inf")), ("ema", 1)):
            value = getattr(self, name)
            positive = name == "learning_rate"
            if isinstance(value, bool) or not isinstance(value, float | int) or not 0 <= value < below:
                raise InputError(name, value, f"must be a number from 0 to below {below}")
            if positive and not value:
                raise InputError(name, value, "must be positive")


class Average:
    """Running average of a network's weights.

    Parameters
    ----------
    model : Module
    share : float
        Share that a step keeps; at most (1 + k) / (10 + k) in step k, so that the first weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, share: float):
        self.model, self.share, self.updates = copy.deepcopy(model), share, 0

    def update(self, model: nn.Module) -> None:
        """Take in the weights of ``model``."""
        share = min(self.share, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        with torch.no_grad():
            for kept, new in zip(self.model.parameters(), model.parameters(), strict=True):
                kept.lerp_(new, 1 - share)
