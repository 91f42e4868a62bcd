"""How a training set is composed: real, synthetic and combined, and the cheap rivals a sceptic asks for.

An arm states which synthetic rows it needs and composes them with the real training rows. Arms that use no
synthetic rows do not depend on a generator, so their scores hold for all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from sklearn.utils.class_weight import compute_sample_weight

from trisynth import seeds
from trisynth.data.dataset import TASKS, Dataset
from trisynth.errors import InputError

# The amount that fills every class up to the largest.
BALANCE = "balance"


@dataclass(frozen=True)
class TrainingSet:
    """What a classifier is trained on.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
    y : Series, shape (n,)
    weight : ndarray of shape (n,) or None
        Weight of each row; None weighs all alike.
    """

    X: pd.DataFrame
    y: pd.Series
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Arm:
    """Base of all arms: the real rows as they are.

    Attributes
    ----------
    tasks : tuple of str
        Tasks that the arm applies to.
    uses_synthetic : bool
        Whether its scores depend on a generator.
    decision : {"argmax", "tuned"}
        How probabilities become a label.
    """

    tasks: ClassVar[tuple[str, ...]] = TASKS
    uses_synthetic: ClassVar[bool] = False
    decision: ClassVar[str] = "argmax"

    def informed(self, advice: Callable[[], float | str]) -> "Arm":
        """This arm, knowing what the generator advises; only one that follows it asks."""
        return self

    def needs(self, counts: Mapping[str, int]) -> int | dict[str, int] | None:
        """Synthetic rows to ask a generator for.

        Parameters
        ----------
        counts : mapping of label to int
            Real training rows per class; one entry of any name where the target is a number.

        Returns
        -------
        int, mapping of label to int, or None
            A number stands for the training shares of the labels; None, for no synthetic rows.
        """
        return None

    def compose(self, real: Dataset, synthetic: Dataset | None, seed: int) -> TrainingSet:
        """Training set from real training rows and the synthetic rows that ``needs`` asked for.

        Parameters
        ----------
        real : Dataset
        synthetic : Dataset or None
        seed : int
            Only arms that repeat real rows draw from it.

        Returns
        -------
        TrainingSet
        """
        return TrainingSet(real.X, real.y)


@dataclass(frozen=True)
class Real(Arm):
    """The real rows."""


@dataclass(frozen=True)
class Synthetic(Arm):
    """As many synthetic rows as there are real ones, and no real row."""

    uses_synthetic: ClassVar[bool] = True

    def needs(self, counts):
        return sum(counts.values())

    def compose(self, real, synthetic, seed):
        return TrainingSet(synthetic.X, synthetic.y)


@dataclass(frozen=True)
class _Proportional(Arm):
    ratio: float = 1.0

    def __post_init__(self):
        if isinstance(self.ratio, bool) or not isinstance(self.ratio, int | float) or not 0 <= self.ratio < np.inf:
            raise InputError("ratio", self.ratio, "must be a number >= 0: added rows for each real row")

    def _added(self, rows: int) -> int:
        return round(self.ratio * rows)


@dataclass(frozen=True)
class Combined(_Proportional):
    """The real rows and synthetic ones, class shares kept.

    Parameters
    ----------
    ratio : float, default=1.0
        Synthetic rows for each real row; must be >= 0.
    """

    uses_synthetic: ClassVar[bool] = True

    def needs(self, counts):
        return self._added(sum(counts.values()))

    def compose(self, real, synthetic, seed):
        return _stack(real, synthetic)


@dataclass(frozen=True)
class Balanced(Arm):
    """The real rows and the synthetic ones that fill every class up to the largest."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    uses_synthetic: ClassVar[bool] = True

    def needs(self, counts):
        # A class without a training row cannot be asked of any generator.
        most = max(counts.values())
        return {label: most - n for label, n in counts.items() if 0 < n < most}

    def compose(self, real, synthetic, seed):
        return _stack(real, synthetic)


@dataclass(frozen=True)
class Advised(Arm):
    """The real rows and as many synthetic ones as the generator advises: none at all, if it says so.

    Parameters
    ----------
    amount : float or "balance", default=1.0
        Synthetic rows for each real row, or those that fill every class; the generator's advice takes its place.
    """

    uses_synthetic: ClassVar[bool] = True
    amount: float | str = 1.0

    def informed(self, advice):
        return replace(self, amount=advice())

    def needs(self, counts):
        return adding(self.amount).needs(counts)

    def compose(self, real, synthetic, seed):
        return _stack(real, synthetic)


@dataclass(frozen=True)
class Duplicated(_Proportional):
    """The real rows, repeated where ``combined`` adds synthetic ones: the same amount without any news.

    Parameters
    ----------
    ratio : float, default=1.0
        Repeated rows for each real row; must be >= 0.
    """

    def compose(self, real, synthetic, seed):
        again = _systematic(real.y, self._added(len(real)), seeds.stream(seed, "arm.duplicated"))
        return _take(real, np.concatenate([np.arange(len(real)), again]))


@dataclass(frozen=True)
class Oversampled(Arm):
    """Real rows drawn again at random until every class is as large as the largest."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def compose(self, real, synthetic, seed):
        if real.y.nunique() < 2:
            return TrainingSet(real.X, real.y)
        sampler = RandomOverSampler(random_state=seeds.integer(seed, "arm.oversampled"))
        rows, _ = sampler.fit_resample(np.arange(len(real))[:, None], pd.factorize(real.y)[0])
        return _take(real, rows.ravel())


@dataclass(frozen=True)
class ClassWeight(Arm):
    """The real rows, each weighted by the inverse frequency of its class; the weights sum to n."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def compose(self, real, synthetic, seed):
        return TrainingSet(real.X, real.y, compute_sample_weight("balanced", pd.factorize(real.y)[0]))


@dataclass(frozen=True)
class Threshold(Arm):
    """The real rows, and a decision rule tuned on inner folds of them for macro-F1."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    decision: ClassVar[str] = "tuned"


def adding(amount: float | str) -> Arm:
    """The arm that adds an amount of synthetic rows to the real ones: a ratio, or ``"balance"``."""
    return Balanced() if amount == BALANCE else Combined(amount)


def _stack(real: Dataset, synthetic: Dataset | None) -> TrainingSet:
    # pandas warns about dtypes when it stacks an empty table.
    if synthetic is None or not len(synthetic):
        return TrainingSet(real.X, real.y)
    parts = (real.X, synthetic.X), (real.y, synthetic.y)
    return TrainingSet(*(pd.concat(part, ignore_index=True) for part in parts))


def _take(real: Dataset, rows: np.ndarray) -> TrainingSet:
    taken = real.take(rows)
    return TrainingSet(taken.X, taken.y)


def _systematic(y: pd.Series, n: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of ``n`` rows evenly spaced over the sorted target: shares stay, no row comes twice too often."""
    order = rng.permutation(len(y))
    values = y.cat.codes if isinstance(y.dtype, pd.CategoricalDtype) else y
    order = order[np.argsort(values.to_numpy()[order], kind="stable")]
    positions = ((np.arange(n) + rng.random()) * (len(y) / max(n, 1))).astype(int)
    return order[np.minimum(positions, len(y) - 1)]
