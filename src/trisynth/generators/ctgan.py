"""Conditional tabular GAN (Xu et al. 2019, sections 4.1 to 4.3), trained with L_total."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.generators import networks
from trisynth.generators.adversarial import Dropout, Player, check_dropout, transport_cost
from trisynth.generators.base import Generator
from trisynth.generators.modes import EDGE, ModeEncoder
from trisynth.objective import Loss, Objective

# Weight of the gradient penalty, of the generator's decay, and temperature of the relaxed draws: the paper's.
_PENALTY, _DECAY, _TEMPERATURE = 10.0, 1e-6, 0.2
# Most rows of a step that L_rec, L_dist and L_model look at: pairing costs their number to the third power.
_MATCHED = 200
# Rows made at once: memory stays flat however many are asked for.
_ROWS = 4096


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
        self.layers = networks.mlp(
            [pac * width, *hidden, 1], generator, lambda: nn.Sequential(nn.LeakyReLU(0.2), Dropout(dropout, generator))
        )

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


class CTGAN(Generator):
    """Conditional tabular GAN: modes for numbers, a conditional vector, training by sampling.

    The label is one of the discrete columns of the conditional vector, and rows are asked for through it; a numeric
    target enters by its quantile bin. The Wasserstein loss and the cross-entropy of the asked category have weight one
    in L_total. Its other terms look at rows made for the labels of a plain batch of real rows, as numbers and
    categories and not as modes. A GAN has no pairs of rows, so L_rec is the mean squared distance under the
    cheapest pairing of that batch within classes (optimal transport).

    Parameters
    ----------
    latent : int, default=128
        Dimensions of the noise, standard normal.
    hidden : sequence of int, default=(256, 256)
        Hidden layers of either network.
    modes : int, default=10
        Most modes of a number; 1 is plain standardisation.
    pac : int, default=10
        Rows that the critic judges at once.
    dropout : float, default=0.5
        Share of the critic's hidden units that each step leaves out.
    log_frequency : bool, default=True
        Whether conditions are drawn by the logarithm of a category's count, which favours rare ones.
    transport : bool, default=True
        Whether L_rec pairs the rows; without it alpha has no effect, and ``loss=native`` is the published loss.
    epochs : int, default=50
        Epochs; the loss terms are recorded once in each.
    steps : int, default=1000
        Least number of steps of either player: where the rows give fewer, an epoch passes over them more than once.
    batch_size : int, default=500
        Rows of a step, rounded down to whole packs.
    learning_rate : float, default=1e-3
        Of Adam at the start, for both players; falls to zero along a cosine.
    device : {"cpu", "cuda"}, default="cpu"
    loss : Loss or None
        Weights of L_total; None stands for ``Loss()``.

    Attributes
    ----------
    weights_, critic_ : dict of str to ndarray
        Weights of generator and critic after the last good epoch, also when training ended in ``Diverged``.
    history_ : dict of str to list of float
        One number per epoch: each term raw and weighted, ``condition`` (the cross-entropy), ``native``, ``total``,
        and ``wasserstein``, the critic's estimate of the distance.

    Notes
    -----
    Source: Xu et al. (2019), Modeling Tabular Data using Conditional GAN. Faithful in normalisation, conditions,
    layers, packs and losses; scaled down from 300 epochs at a rate of 2e-4 to fewer steps at a higher, falling one.
    """

    def __init__(
        self,
        latent: int = 128,
        hidden: Sequence[int] = (256, 256),
        modes: int = 10,
        pac: int = 10,
        dropout: float = 0.5,
        log_frequency: bool = True,
        transport: bool = True,
        epochs: int = 50,
        steps: int = 1000,
        batch_size: int = 500,
        learning_rate: float = 1e-3,
        device: str = "cpu",
        loss: Loss | None = None,
    ):
        self.latent = latent
        self.hidden = hidden
        self.modes = modes
        self.pac = pac
        self.dropout = dropout
        self.log_frequency = log_frequency
        self.transport = transport
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.loss = loss

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self._check()
        device = networks.checked_device(self.device)
        loss = (Loss() if self.loss is None else self.loss).checked()
        self.encoder_ = ModeEncoder(self.modes).fit(table, rng)
        matrix = self.encoder_.transform(table, rng)
        spans, codes = self._discrete(), []
        for start, stop in spans[:-1]:
            codes.append(matrix[:, start:stop].argmax(axis=1))
        sizes = [stop - start for start, stop in spans]
        conditions = Conditions(np.column_stack([*codes, labels]), sizes, self.log_frequency)
        indicators = np.eye(len(self.labels_))[labels]
        real = torch.tensor(np.hstack([matrix, indicators]), dtype=torch.float32, device=device)
        generator = seeds.torch_generator(rng)
        with networks.one_thread():
            self._compete(real, torch.tensor(labels, dtype=torch.long, device=device), conditions, loss, generator, rng)

    def _compete(
        self,
        real: Tensor,
        labels: Tensor,
        conditions: Conditions,
        loss: Loss,
        generator: torch.Generator,
        rng: np.random.Generator,
    ) -> None:
        device, encoder = real.device, self.encoder_
        made = self._maker(generator).to(device)
        critic = Critic(real.shape[1] + conditions.width, self.hidden, self.pac, self.dropout, generator).to(device)
        flat, values = encoder.flat_, encoder.values(real[:, : encoder.width_])
        target = [b.name for b in flat].index(self.target_column_) if self.numeric_target_ else None
        objective = Objective(loss, values, labels, flat, generator, target)
        size = max(self.batch_size // self.pac, 1) * self.pac
        steps = max(-(-len(real) // size), -(-self.steps // self.epochs))
        makers = Player(made, self.epochs * steps, self.learning_rate, _DECAY)
        critics = Player(critic, self.epochs * steps, self.learning_rate)
        plain = networks.batches(len(real), _MATCHED, generator)
        paired = self.transport and loss.alpha > 0

        def noise(n: int) -> Tensor:
            return torch.randn(n, self.latent, generator=generator).to(device)

        def emit(raw: Tensor) -> Tensor:
            return self._emit(raw, torch.rand(raw.shape, generator=generator).to(device))

        def judge() -> float:
            column, category, row = conditions.draw(size, rng)
            asked = conditions.vector(column, category).to(device)
            with torch.no_grad():
                fakes = emit(made(torch.cat([noise(size), asked], dim=1)))
            x, fakes = torch.cat([real[row], asked], dim=1), torch.cat([fakes, asked], dim=1)
            distance = critic(x).mean() - critic(fakes).mean()
            uniform = torch.rand(size // self.pac, 1, generator=generator).to(device)
            critics.step(_PENALTY * critic.penalty(x, fakes, uniform) - distance)
            return float(distance.detach())

        def make() -> dict[str, float]:
            column, category, _ = conditions.draw(size, rng)
            asked, chosen = conditions.vector(column, category).to(device), next(plain).to(device)
            y, inputs = labels[chosen], [torch.cat([noise(size), asked], dim=1)]
            if paired or objective.needs_fakes:
                by_label = conditions.vector(-1, y.cpu().numpy()).to(device)
                inputs.append(torch.cat([noise(len(y)), by_label], dim=1))
            raw = made(torch.cat(inputs))
            condition = self._condition_loss(raw[:size], column, category)
            native = condition - critic(torch.cat([emit(raw[:size]), asked], dim=1)).mean()
            fakes, rec = None, torch.zeros_like(native)
            if len(inputs) > 1:
                fakes = encoder.values(emit(raw[size:])[:, : encoder.width_])
            if paired:
                rec = transport_cost(values[chosen] / objective.scale, fakes / objective.scale, y) / len(flat)
            makers.step(objective(rec, values[chosen], y, fakes, native=native))
            terms = {name: term for name, term in objective.terms.items() if paired or not name.startswith("rec")}
            return {**terms, "condition": float(condition.detach())}

        self.weights_, self.critic_, self.history_ = networks.to_arrays(made), networks.to_arrays(critic), {}
        for _ in range(self.epochs):
            records = [{"wasserstein": judge(), **make()} for _ in range(steps)]
            self.weights_, self.critic_ = networks.to_arrays(made), networks.to_arrays(critic)
            for name in records[0]:
                self.history_.setdefault(name, []).append(float(np.mean([record[name] for record in records])))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        device = networks.checked_device(self.device)
        # The draws of the first weights are overwritten, so their seed does not matter.
        made = networks.from_arrays(self._maker(torch.Generator()), self.weights_).to(device).eval()
        others, width = self._discrete()[-1][0] - self._numbers(), self.encoder_.width_
        tables = []
        with torch.no_grad(), networks.one_thread():
            for start in range(0, len(labels), _ROWS):
                y = labels[start : start + _ROWS]
                asked = np.zeros((len(y), others + len(self.labels_)), dtype=np.float32)
                asked[np.arange(len(y)), others + y] = 1.0
                drawn = self._draw(made, torch.from_numpy(asked).to(device), rng)
                tables.append(self.encoder_.inverse(drawn[:, :width]))
        return pd.concat(tables, ignore_index=True)

    def _draw(self, made: nn.Module, asked: Tensor, rng: np.random.Generator) -> np.ndarray:
        """Encoded rows, the label last, for conditional vectors of shape (n, width of the conditions)."""
        # A row's draws lie side by side, so that the batch size changes no row.
        width = self.encoder_.width_ + len(self.labels_)
        normal = rng.standard_normal((len(asked), self.latent + width), dtype=np.float32)
        draws = torch.from_numpy(normal).to(asked.device)
        raw = made(torch.cat([draws[:, : self.latent], asked], dim=1))
        return self._emit(raw, torch.special.ndtr(draws[:, self.latent :])).cpu().numpy().astype(float)

    def _numbers(self) -> int:
        return sum(block.stop - block.start for block in self.encoder_.blocks_ if block.kind == "modes")

    def _discrete(self) -> list[tuple[int, int]]:
        """Start and stop of each discrete column of a row, the label last."""
        blocks = [(b.start, b.stop) for b in self.encoder_.blocks_ if b.kind == "category" and b.stop > b.start]
        return [*blocks, (self.encoder_.width_, self.encoder_.width_ + len(self.labels_))]

    def _emit(self, raw: Tensor, uniform: Tensor) -> Tensor:
        width = self.encoder_.width_
        rows = self.encoder_.emit(raw[:, :width], uniform[:, :width], _TEMPERATURE)
        label = networks.gumbel_softmax(raw[:, width:], uniform[:, width:].clamp(EDGE, 1 - EDGE), _TEMPERATURE)
        return torch.cat([rows, label], dim=1)

    def _condition_loss(self, raw: Tensor, column: np.ndarray, category: np.ndarray) -> Tensor:
        """Cross-entropy of the asked category, mean over rows."""
        total = raw.new_zeros(())
        for i, (start, stop) in enumerate(self._discrete()):
            rows = torch.from_numpy(np.flatnonzero(column == i)).to(raw.device)
            asked = torch.from_numpy(category[column == i]).to(raw.device)
            total = total + functional.cross_entropy(raw[rows, start:stop], asked, reduction="sum")
        return total / len(raw)

    def _maker(self, generator: torch.Generator) -> nn.Module:
        spans = self._discrete()
        inner = self.latent + sum(stop - start for start, stop in spans)
        return maker(inner, self.hidden, spans[-1][1], generator)

    def _check(self) -> None:
        sizes = ("latent", "hidden", "modes", "pac", "epochs", "steps", "batch_size")
        networks.check_sizes(**{name: getattr(self, name) for name in sizes})
        networks.check_rates(learning_rate=self.learning_rate)
        for name in ("log_frequency", "transport"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(name, getattr(self, name), "must be true or false")
        check_dropout(self.dropout)
