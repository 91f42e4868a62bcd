"""Mode-specific normalisation (Xu et al. 2019, section 4.2): a number as its mode and its place within the mode."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture
from torch import Tensor

from trisynth.encoders.table import Block
from trisynth.errors import InputError

# A mode reaches this many standard deviations to either side.
_REACH = 4.0
# Modes of less weight are dropped, as in the authors' code, and the concentration prior is theirs.
_LEAST_WEIGHT, _CONCENTRATION = 5e-3, 1e-3
# Most cells that a mixture is fitted on.
_CELLS = 5_000


@dataclass(frozen=True)
class Modes:
    """Gaussian mixture of one number, after standardisation.

    Parameters
    ----------
    mean, scale : float
        Mean and standard deviation of the column; the scale is 1 where it is constant.
    weights, means, deviations : ndarray, shape (k,)
        The mixture of the standardised column.
    """

    mean: float
    scale: float
    weights: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    @classmethod
    def learn(cls, values: np.ndarray, max_modes: int, rng: np.random.Generator) -> "Modes":
        """Fit modes to ``values``, shape (n,), without NaN; ``max_modes`` = 1 is plain standardisation."""
        seed = int(rng.integers(2**31 - 1))
        if not len(values):
            return cls(0.0, 1.0, np.ones(1), np.zeros(1), np.ones(1))
        mean, scale = float(values.mean()), float(values.std())
        if not scale > 1e-9 * max(abs(mean), 1e-300):
            return cls(mean, 1.0, np.ones(1), np.zeros(1), np.ones(1))
        standard = (values - mean) / scale
        if len(standard) > _CELLS:
            standard = rng.permutation(standard)[:_CELLS]
        mixture = BayesianGaussianMixture(
            n_components=min(max_modes, len(np.unique(standard))),
            # The same as "full" in one dimension, without its loop over components.
            covariance_type="diag",
            weight_concentration_prior=_CONCENTRATION,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # A mixture that has not converged after 100 iterations still separates the modes.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(standard[:, None])
        kept = mixture.weights_ > _LEAST_WEIGHT
        deviations = np.sqrt(mixture.covariances_[kept, 0])
        return cls(mean, scale, mixture.weights_[kept], mixture.means_[kept, 0], deviations)

    def encode(self, values: np.ndarray, uniform: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return places within the mode, in -1..1, shape (n,), and weights of the modes, shape (n, k).

        The mode is drawn from its posterior by one uniform number per value, and has all weight; without such numbers
        it is the likeliest one, and the weights are the posterior.
        """
        standard = ((values - self.mean) / self.scale)[:, None]
        log = np.log(self.weights) - 0.5 * ((standard - self.means) / self.deviations) ** 2 - np.log(self.deviations)
        posterior = np.exp(log - log.max(axis=1, keepdims=True))
        if uniform is None:
            chosen, weights = posterior.argmax(axis=1), posterior / posterior.sum(axis=1, keepdims=True)
        else:
            cumulative = posterior.cumsum(axis=1)
            chosen = (cumulative < uniform[:, None] * cumulative[:, -1:]).sum(axis=1)
            weights = np.eye(len(self.means))[chosen]
        place = (standard[:, 0] - self.means[chosen]) / (_REACH * self.deviations[chosen])
        return np.clip(place, -1.0, 1.0), weights


class ModeEncoder:
    """Reversible encoder of canonical tables: modes for numbers, one-hot blocks for categories.

    A number is a block of its place within a mode and of one indicator per mode; where the training column has
    missing cells, one more indicator stands for them. A category is a block of indicators, the last of which
    stands for a missing cell where there is one.

    Parameters
    ----------
    max_modes : int
        Largest number of modes of a number.
    soft : bool
        Whether the indicators of a number's modes are their posterior, as in TGAN, and not one drawn mode.

    Attributes
    ----------
    blocks_ : list of Block
        Of kind ``modes`` or ``category``.
    value_blocks_ : list of Block
        Columns of ``values``: numbers, then missing indicators, then categories.
    """

    def __init__(self, max_modes: int, soft: bool = False):
        self.max_modes, self.soft = max_modes, soft

    def fit(self, table: pd.DataFrame, rng: np.random.Generator) -> "ModeEncoder":
        """Learn from a canonical table of training rows."""
        if not isinstance(self.max_modes, int | np.integer) or self.max_modes < 1:
            raise InputError("max_modes", self.max_modes, "must be a whole number, 1 or more")
        self.columns_ = list(table.columns)
        self.categories_ = {name: table[name].cat.categories for name in table.select_dtypes("category")}
        self.modes_ = {
            name: Modes.learn(table[name].dropna().to_numpy(float), self.max_modes, rng)
            for name in table.columns
            if name not in self.categories_
        }
        self.blocks_, start = [], 0
        for name in [*self.modes_, *self.categories_]:
            missing = bool(table[name].isna().any())
            known = 1 + len(self.modes_[name].weights) if name in self.modes_ else len(self.categories_[name])
            kind = "modes" if name in self.modes_ else "category"
            self.blocks_.append(Block(name, kind, start, start + known + missing, missing))
            start += known + missing
        self.width_ = start
        self.value_blocks_ = self._value_blocks()
        return self

    def _value_blocks(self) -> list[Block]:
        numbers = [block for block in self.blocks_ if block.kind == "modes"]
        sizes = [(block.name, "number", 1) for block in numbers]
        sizes += [(block.name, "missing", 1) for block in numbers if block.missing]
        sizes += [(b.name, "category", b.stop - b.start) for b in self.blocks_ if b.kind == "category"]
        ends = np.cumsum([size for *_, size in sizes]).tolist()
        return [Block(name, kind, end - size, end) for (name, kind, size), end in zip(sizes, ends, strict=True)]

    def fit_transform(self, table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Learn from a canonical table of training rows and return its matrix."""
        return self.fit(table, rng).transform(table, rng)

    def transform(self, table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Return the matrix of shape (n, width_); modes are drawn from their posterior by ``rng``."""
        matrix = np.zeros((len(table), self.width_))
        for block in self.blocks_:
            column = table[block.name]
            absent = column.isna().to_numpy()
            last = block.stop - block.start - 1
            if block.kind == "modes":
                values = column.to_numpy(float)[~absent]
                uniform = None if self.soft else rng.random(len(absent))[~absent]
                place, weights = self.modes_[block.name].encode(values, uniform)
                matrix[~absent, block.start] = place
                matrix[~absent, block.start + 1 : block.start + 1 + weights.shape[1]] = weights
                matrix[absent, block.stop - 1] = 1.0
            elif block.stop > block.start:
                codes = np.where(absent, last, column.cat.codes.to_numpy().astype(int))
                matrix[np.arange(len(codes)), block.start + codes] = 1.0
        return matrix

    def inverse(self, matrix: np.ndarray) -> pd.DataFrame:
        """Return the canonical table of a matrix, shape (n, width_), with the mode or category of largest indicator."""
        columns = {}
        for block in self.blocks_:
            part = matrix[:, block.start : block.stop]
            if block.kind == "modes":
                modes = self.modes_[block.name]
                chosen = part[:, 1:].argmax(axis=1)
                absent = chosen == len(modes.weights)
                chosen = np.where(absent, 0, chosen)
                standard = modes.means[chosen] + _REACH * modes.deviations[chosen] * np.clip(part[:, 0], -1, 1)
                columns[block.name] = np.where(absent, np.nan, standard * modes.scale + modes.mean)
            else:
                known = self.categories_[block.name]
                codes = part.argmax(axis=1) if part.shape[1] else np.full(len(part), -1)
                columns[block.name] = pd.Categorical.from_codes(
                    np.where(codes >= len(known), -1, codes), categories=known
                )
        return pd.DataFrame({name: columns[name] for name in self.columns_})

    def values(self, rows: Tensor) -> Tensor:
        """Return rows of shape (n, width_) in the columns of ``value_blocks_``; a missing number has the mean, 0.

        Differentiable in ``rows``.
        """
        numbers, absent, categories = [], [], []
        for block in self.blocks_:
            part = rows[:, block.start : block.stop]
            if block.kind == "category":
                categories.append(part)
                continue
            modes = self.modes_[block.name]
            means, reach = (torch.tensor(a).to(part) for a in (modes.means, _REACH * modes.deviations))
            weights = part[:, 1 : 1 + len(means)]
            numbers.append((weights * (means + reach * part[:, :1])).sum(dim=1, keepdim=True))
            if block.missing:
                absent.append(part[:, -1:])
        return torch.cat([*numbers, *absent, *categories], dim=1)
