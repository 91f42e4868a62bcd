"""Conditional tabular GAN (Xu et al. 2019, sections 4.1 to 4.3), trained with L_total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth.generators.neural import networks
from trisynth.generators.neural.adversarial import BETAS, TEMPERATURE, Adversarial, network
from trisynth.generators.neural.spaces import Modal
from trisynth.generators.neural.training import Run

# Weight of the gradient penalty and of the generator's decay: the paper's.
_PENALTY, _DECAY = 10.0, 1e-6
# Most rows of a step that L_rec, L_dist and L_model look at: pairing costs their number to the third power.
_MATCHED = 200


class Conditions:
    """Training by sampling: a discrete column, a category of it, and a row that has it.

    Parameters
    ----------
    codes : ndarray of int, shape (n, columns)
        Category of each row in each discrete column.
    sizes : sequence of int
        Number of categories of each column.
    log_frequency : bool
        Whether a category is drawn by the logarithm of its count, and not by the count.
    """

    def __init__(self, codes: np.ndarray, sizes: Sequence[int], log_frequency: bool):
        self.codes, self.width = codes, int(sum(sizes))
        self.starts = np.cumsum([0, *sizes[:-1]])
        self.rows = np.argsort(codes, axis=0, kind="stable")
        self.counts = [np.bincount(column, minlength=size) for column, size in zip(codes.T, sizes, strict=True)]
        weights = [np.log1p(counts) if log_frequency else counts.astype(float) for counts in self.counts]
        self.cumulative = [np.cumsum(weight) / weight.sum() for weight in weights]

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Column, category and row, each of shape (n,)."""
        column = rng.integers(len(self.starts), size=n)
        category, row = np.empty(n, dtype=int), np.empty(n, dtype=int)
        uniform = rng.random((2, n))
        for i in range(len(self.starts)):
            at = np.flatnonzero(column == i)
            counts = self.counts[i]
            category[at] = chosen = np.searchsorted(self.cumulative[i], uniform[0, at], side="right")
            first = np.cumsum(counts) - counts
            row[at] = self.rows[first[chosen] + (uniform[1, at] * counts[chosen]).astype(int), i]
        return column, category, row

    def vector(self, column: np.ndarray | int, category: np.ndarray) -> Tensor:
        """Conditional vectors, shape (n, width): one indicator of all columns' categories is 1."""
        place = torch.from_numpy(np.asarray(self.starts[column] + category))
        return functional.one_hot(place, self.width).float()


class Residual(nn.Module):
    """Affine layer, batch norm and rectifier, whose output is joined to its input."""

    def __init__(self, inner: int, outer: int, generator: torch.Generator):
        super().__init__()
        self.layer, self.norm = networks.linear(inner, outer, generator), nn.BatchNorm1d(outer)

    def forward(self, rows: Tensor) -> Tensor:
        """Shape (n, inner) to (n, inner + outer)."""
        return torch.cat([self.norm(self.layer(rows)).relu(), rows], dim=1)


def maker(inner: int, hidden: Sequence[int], width: int, generator: torch.Generator) -> nn.Sequential:
    """The generator's network: residual layers, then one affine layer to raw outputs."""
    layers = []
    for outer in hidden:
        layers.append(Residual(inner, outer, generator))
        inner += outer
    return nn.Sequential(*layers, networks.linear(inner, width, generator))


class Critic(nn.Module):
    """Wasserstein critic over packs of rows (PacGAN, Lin et al. 2018)."""

    def __init__(self, width: int, hidden: Sequence[int], pac: int, dropout: float, generator: torch.Generator):
        super().__init__()
        self.pac = pac
        self.layers = network([pac * width, *hidden, 1], dropout, generator)

    def forward(self, rows: Tensor) -> Tensor:
        """Scores of packs, shape (n / pac, 1), from rows of shape (n, width)."""
        return self.layers(rows.reshape(len(rows) // self.pac, -1))

    def penalty(self, real: Tensor, fakes: Tensor, uniform: Tensor) -> Tensor:
        """(|gradient| - 1)^2 on the lines between packs, a scalar (Gulrajani et al. 2017); ``uniform``: (packs, 1)."""
        share = uniform.repeat_interleave(self.pac, dim=0)
        between = (share * real + (1 - share) * fakes).requires_grad_()
        (slope,) = torch.autograd.grad(self(between).sum(), between, create_graph=True)
        # The root has no gradient at zero.
        lengths = (slope.reshape(len(uniform), -1).square().sum(dim=1) + 1e-12).sqrt()
        return (lengths - 1).square().mean()


@dataclass(eq=False, repr=False)
class CTGAN(Adversarial, Modal):
    """Conditional tabular GAN: modes for numbers, a conditional vector, training by sampling.

    The label is one of the discrete columns of the conditional vector, and rows are asked for through it; a numeric
    target enters by its quantile bin. The Wasserstein loss and the cross-entropy of the asked category have weight one
    in L_total. Its other terms look at rows made for the labels of a plain batch of real rows, as numbers and
    categories and not as modes; L_rec is their cheapest pairing with that batch.

    Parameters
    ----------
    dropout : float, default=0.5
        Share of the critic's hidden units that each step leaves out.
    pac : int, default=10
        Rows that the critic judges at once.
    conditional : bool, default=True
        Whether the conditional vector names a category of any discrete column and rows are drawn to show it; else it
        names the label alone, and rows are drawn as they come.
    log_frequency : bool, default=True
        Whether conditions are drawn by the logarithm of a category's count, which favours rare ones.
    batch_size : int, default=500
        Rows of a step, rounded down to whole packs.

    Attributes
    ----------
    critic_ : dict of str to ndarray
        Weights of the critic.
    history_ : dict of str to list of float
        Beside the terms, ``condition`` (the cross-entropy) and ``wasserstein``, the critic's estimate of the distance.

    Notes
    -----
    Source: Xu et al. (2019), Modeling Tabular Data using Conditional GAN. Faithful in normalisation, conditions,
    layers, packs and losses; scaled down from 300 epochs at a rate of 2e-4 to fewer steps at a higher, falling one.
    """

    hidden_layer_sizes: Sequence[int] = (256, 256)
    min_steps: int = 1000
    batch_size: int = 500
    learning_rate: float = 1e-3
    latent_dim: int = 128
    dropout: float = 0.5
    pac: int = 10
    conditional: bool = True
    log_frequency: bool = True

    renamed = Adversarial.renamed | Modal.renamed

    def _encode(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        # The label is the row's last column: the critic sees it, and the generator makes it.
        return np.hstack([super()._encode(table, labels, rng), np.eye(len(self.labels_))[labels]])

    def _decode(self, matrix: np.ndarray) -> pd.DataFrame:
        return super()._decode(matrix[:, : self.encoder_.width_])

    def _values(self, rows: Tensor) -> Tensor:
        return super()._values(rows[:, : self.encoder_.width_])

    def _network(self, generator: torch.Generator) -> nn.Module:
        spans = self._conditions()
        inner = self.latent_dim + sum(stop - start for start, stop in spans)
        return maker(inner, self.hidden_layer_sizes, spans[-1][1], generator)

    def _training(self, run: Run) -> Callable[[], dict[str, float]]:
        spans, width = self._conditions(), run.rows.shape[1]
        codes = np.column_stack([run.rows[:, start:stop].argmax(dim=1).cpu().numpy() for start, stop in spans])
        by_logarithm = self.log_frequency and self.conditional
        conditions = Conditions(codes, [stop - start for start, stop in spans], by_logarithm)
        makers = run.player("weights", self._network(run.generator), betas=BETAS, weight_decay=_DECAY)
        critics = run.player(
            "critic",
            Critic(width + conditions.width, self.hidden_layer_sizes, self.pac, self.dropout, run.generator),
            betas=BETAS,
        )
        made, critic, plain = makers.network, critics.network, run.batches(_MATCHED)
        size = max(self.batch_size // self.pac, 1) * self.pac
        looked_at = run.objective.loss.pairs or run.objective.needs_fakes

        def inputs(asked: Tensor) -> Tensor:
            return torch.cat([run.normal(len(asked), self.latent_dim), asked], dim=1)

        def emit(raw: Tensor) -> Tensor:
            return self._emit(raw, run.uniform(*raw.shape))

        def judge() -> float:
            column, category, row = conditions.draw(size, run.rng)
            asked = conditions.vector(column, category).to(run.rows.device)
            with torch.no_grad():
                fakes = emit(made(inputs(asked)))
            real = run.rows[torch.from_numpy(row).to(asked.device)]
            x, fakes = torch.cat([real, asked], dim=1), torch.cat([fakes, asked], dim=1)
            distance = critic(x).mean() - critic(fakes).mean()
            critics.step(_PENALTY * critic.penalty(x, fakes, run.uniform(size // self.pac, 1)) - distance)
            return float(distance.detach())

        def make() -> dict[str, float]:
            column, category, _ = conditions.draw(size, run.rng)
            asked, rows = conditions.vector(column, category).to(run.rows.device), next(plain)
            x, y, wanted = self._values(run.rows[rows]), run.labels[rows], asked
            if looked_at:
                by_label = conditions.vector(-1, y.cpu().numpy()).to(run.rows.device)
                wanted = torch.cat([asked, by_label])
            raw = made(inputs(wanted))
            condition = condition_loss(raw[:size], spans, column, category)
            native = condition - critic(torch.cat([emit(raw[:size]), asked], dim=1)).mean()
            fakes = self._values(emit(raw[size:])) if looked_at else None
            terms = self._minimise(run, makers, x, y, fakes, native)
            return {**terms, "condition": float(condition.detach())}

        return lambda: {"wasserstein": judge(), **make()}

    def _draw(self, network: nn.Module, labels: Tensor, rng: np.random.Generator) -> Tensor:
        spans = self._conditions()
        others = sum(stop - start for start, stop in spans[:-1])
        asked = functional.one_hot(others + labels, others + len(self.labels_)).float()
        return self._answer(network, asked, rng)

    def _answer(self, network: nn.Module, asked: Tensor, rng: np.random.Generator) -> Tensor:
        """Encoded rows for conditional vectors of shape (n, width of the conditions)."""
        width = self.encoder_.width_ + len(self.labels_)
        normal = rng.standard_normal((len(asked), self.latent_dim + width), dtype=np.float32)
        draws = torch.from_numpy(normal).to(asked.device)
        raw = network(torch.cat([draws[:, : self.latent_dim], asked], dim=1))
        return self._emit(raw, torch.special.ndtr(draws[:, self.latent_dim :]))

    def _conditions(self) -> list[tuple[int, int]]:
        """Start and stop of each discrete column that the conditional vector names, the label last."""
        blocks = [(b.start, b.stop) for b in self.encoder_.blocks_ if b.kind == "category" and b.stop > b.start]
        label = (self.encoder_.width_, self.encoder_.width_ + len(self.labels_))
        return [*(blocks if self.conditional else []), label]

    def _emit(self, raw: Tensor, uniform: Tensor) -> Tensor:
        width = self.encoder_.width_
        rows = self.encoder_.emit(raw[:, :width], uniform[:, :width], TEMPERATURE)
        edge = networks.EDGE
        label = networks.gumbel_softmax(raw[:, width:], uniform[:, width:].clamp(edge, 1 - edge), TEMPERATURE)
        return torch.cat([rows, label], dim=1)

    def _check(self) -> None:
        super()._check()
        networks.check_sizes(pac=self.pac)
        networks.check_shares(dropout=self.dropout)
        networks.check_switches(conditional=self.conditional, log_frequency=self.log_frequency)


def condition_loss(raw: Tensor, spans: Sequence[tuple[int, int]], column: np.ndarray, category: np.ndarray) -> Tensor:
    """Cross-entropy of the asked category of the asked column, mean over rows of raw outputs."""
    total = raw.new_zeros(())
    for i, (start, stop) in enumerate(spans):
        rows = torch.from_numpy(np.flatnonzero(column == i)).to(raw.device)
        asked = torch.from_numpy(category[column == i]).to(raw.device)
        total = total + functional.cross_entropy(raw[rows, start:stop], asked, reduction="sum")
    return total / len(raw)
