"""Arms, the training sets to compare: real, synthetic and combined rows, and cheap baselines without a generator.

An arm states which synthetic rows it needs and composes them with the real training rows. Arms without synthetic
rows do not depend on a generator, so that their scores are the same for every generator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_sample_weight

from trisynth import seeds
from trisynth.data.dataset import TASKS, Dataset
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.places import part

# The amount that fills every class up to the largest.
BALANCE = "balance"


@dataclass(frozen=True)
class TrainingSet:
    """Rows that a classifier is trained on.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
    y : Series, shape (n,)
    weight : ndarray of shape (n,) or None
        Weight of each row; None gives all the same.
    """

    X: pd.DataFrame
    y: pd.Series
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)


@part
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

    def needs(
        self, counts: Mapping[str, int], generator: Callable[[], Generator] | None = None
    ) -> int | dict[str, int] | None:
        """Return the synthetic rows to sample.

        Parameters
        ----------
        counts : mapping of label to int
            Real training rows per class; one entry of any name where the target is a number.
        generator : callable, optional
            Returns the fitted generator, for arms whose amount depends on it.

        Returns
        -------
        int, mapping of label to int, or None
            A number keeps the class frequencies of the training rows; None requests no synthetic rows.
        """
        return None

    def compose(self, real: Dataset, synthetic: Dataset | None, seed: int) -> TrainingSet:
        """Compose the training set of real training rows and the synthetic rows that ``needs`` requested.

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

    def needs(self, counts, generator=None):
        """Return the synthetic rows to sample; see ``Arm``."""
        return sum(counts.values())

    def compose(self, real, synthetic, seed):
        """Compose the training set; see ``Arm``."""
        return TrainingSet(synthetic.X, synthetic.y)


@dataclass(frozen=True)
class _Proportional(Arm):
    ratio: float = 1.0

    def __post_init__(self):
        """Check the ratio."""
        if isinstance(self.ratio, bool) or not isinstance(self.ratio, int | float) or not 0 <= self.ratio < np.inf:
            raise InputError("ratio", self.ratio, "must be 0 or more: synthetic rows added per real row")

    def _added(self, rows: int) -> int:
        return round(self.ratio * rows)


@dataclass(frozen=True)
class Combined(_Proportional):
    """The real rows and synthetic ones, with the class frequencies of the real ones.

    Parameters
    ----------
    ratio : float, default=1.0
        Synthetic rows for each real row; must be >= 0.
    """

    uses_synthetic: ClassVar[bool] = True

    def needs(self, counts, generator=None):
        """Return the synthetic rows to sample; see ``Arm``."""
        return self._added(sum(counts.values()))

    def compose(self, real, synthetic, seed):
        """Compose the training set; see ``Arm``."""
        return _stack(real, synthetic)


@dataclass(frozen=True)
class Balanced(Arm):
    """The real rows and the synthetic ones that fill every class up to the largest."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    uses_synthetic: ClassVar[bool] = True

    def needs(self, counts, generator=None):
        """Return the synthetic rows to sample; see ``Arm``."""
        # No generator can sample a class without a training row.
        most = max(counts.values())
        return {label: most - n for label, n in counts.items() if 0 < n < most}

    def compose(self, real, synthetic, seed):
        """Compose the training set; see ``Arm``."""
        return _stack(real, synthetic)


@dataclass(frozen=True)
class Duplicated(_Proportional):
    """The real rows, repeated where ``combined`` adds synthetic ones: equally many rows without new information.

    Parameters
    ----------
    ratio : float, default=1.0
        Repeated rows for each real row; must be >= 0.
    """

    def compose(self, real, synthetic, seed):
        """Compose the training set; see ``Arm``."""
        again = _systematic(real.y, self._added(len(real)), seeds.stream(seed, "arm.duplicated"))
        return _take(real, np.concatenate([np.arange(len(real)), again]))


@dataclass(frozen=True)
class Oversampled(Arm):
    """Real rows drawn again at random until every class is as large as the largest."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def compose(self, real, synthetic, seed):
        """Compose the training set; see ``Arm``."""
        if real.y.nunique() < 2:
            return TrainingSet(real.X, real.y)
        # Imported here: it imports most of scikit-learn, which most commands and workers do without.
        from imblearn.over_sampling import RandomOverSampler

        sampler = RandomOverSampler(random_state=seeds.integer(seed, "arm.oversampled"))
        rows, _ = sampler.fit_resample(np.arange(len(real))[:, None], pd.factorize(real.y)[0])
        return _take(real, rows.ravel())


@dataclass(frozen=True)
class ClassWeight(Arm):
    """The real rows, each weighted by the inverse frequency of its class; the weights sum to n."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def compose(self, real, synthetic, seed):
        """Compose the training set; see ``Arm``."""
        return TrainingSet(real.X, real.y, compute_sample_weight("balanced", pd.factorize(real.y)[0]))


@dataclass(frozen=True)
class Threshold(Arm):
    """The real rows, with a decision rule tuned for macro-F1 on inner folds of them."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    decision: ClassVar[str] = "tuned"


def adding(amount: float | str) -> Arm:
    """Build the arm that adds an amount of synthetic rows to the real ones: a ratio, or ``"balance"``."""
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
    """Choose ``n`` positions evenly spaced over the sorted target, which keeps its distribution."""
    order = rng.permutation(len(y))
    values = y.cat.codes if isinstance(y.dtype, pd.CategoricalDtype) else y
    order = order[np.argsort(values.to_numpy()[order], kind="stable")]
    positions = ((np.arange(n) + rng.random()) * (len(y) / max(n, 1))).astype(int)
    return order[np.minimum(positions, len(y) - 1)]
