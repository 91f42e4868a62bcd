"""SMOTE family: interpolation between neighbouring training rows of one class, by imbalanced-learn.

The samplers of imbalanced-learn oversample a class to a given count. Here each of them oversamples the class by ``n``
rows, and only the added rows are kept, so that any class can be sampled in any number.
"""

from abc import abstractmethod
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
from imblearn import over_sampling

from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError, require_whole
from trisynth.generators.base import Generator

# Most rows of a class in one block with nominal distances; SMOTEN holds their square matrix.
_BLOCK = 2048
# Most cells of a dense matrix in one call of a sampler (32 MB of float64).
_CELLS = 2**22
# ADASYN rounds the number of rows per seed row; with this many of them the rounding is small.
_ROWS_PER_SEED = 4


class SMOTE(Generator):
    """SMOTE for numbers, SMOTE-NC for mixed tables and SMOTE-N for categories, depending on the columns.

    Every new row lies at a uniform position on the segment from a training row of its class to one of that row's
    nearest neighbours in the class; a category is the most frequent one among the neighbours. Distances are those of
    standardised numbers. A missing number is encoded as its column's median with an indicator, and is missing in a new
    row whose indicator exceeds one half; a missing category is a category of its own.

    Where relations are searched, as in a DataFrame or a file of one's own, missing cells, numbers that 5 % of the rows
    have, and categories are taken from the nearer end of the segment, and only its first half is used: the nearer end
    is then a row drawn from all rows, so that their fractions stay the same. In columns of categories, or of up to
    twelve whole numbers, each cell takes the farther end with a probability that is the position on the segment,
    independently of the other columns; otherwise tables of such columns would be copied.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours of each row, at least 1; a class of k rows or fewer uses all of its rows.

    Notes
    -----
    Source: Chawla et al. (2002), SMOTE, https://doi.org/10.1613/jair.953, which defines SMOTE-NC and SMOTE-N too.
    The method follows it, for every class and not only the smallest. Scaled down: with categories, neighbours are
    searched within random blocks of at most 2,048 rows of the class, so that time and memory are linear in the rows. A
    class of one row repeats it. Categories without a second class are repeated as well, as the distance of SMOTE-N
    depends on their association with the class.
    """

    # The most frequent category among neighbours would make rare flags rarer; an interpolated number does not.
    numeric_flags: ClassVar[bool] = True

    def __init__(self, k_neighbors: int = 5):
        self.k_neighbors = k_neighbors

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        require_whole("k_neighbors", self.k_neighbors, 1)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        nominal = table.select_dtypes("category").columns
        self.categories_ = {name: table[name].cat.categories for name in nominal}
        self.encoder_ = TableEncoder().fit(table.drop(columns=nominal))
        self.numbers_ = self.encoder_.transform(table)
        self.codes_ = np.empty((len(table), len(nominal)), dtype=np.int32)
        for i, (name, categories) in enumerate(self.categories_.items()):
            codes = table[name].cat.codes.to_numpy()
            self.codes_[:, i] = np.where(codes < 0, len(categories), codes)
        self.rows_ = labels

    def summary(self) -> str:
        """Describe the relations, and what a vote among neighbours does to categories alone."""
        if self.numbers_.shape[1]:
            return super().summary()
        line = (
            "in tables of categories alone each cell is the most frequent one among neighbours: rare categories become "
            "rarer; use circuit for a table like the real one"
        )
        return "\n".join(filter(None, [super().summary(), line]))

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        numbers = np.empty((len(labels), self.numbers_.shape[1]))
        codes = np.empty((len(labels), self.codes_.shape[1]), dtype=np.int32)
        for label in np.unique(labels):
            wanted = np.flatnonzero(labels == label)
            blocks = self._blocks(label, rng)
            shares = rng.multinomial(len(wanted), np.full(len(blocks), 1 / len(blocks)))
            for rows, share in zip(blocks, shares, strict=True):
                own, mine = rows[self.rows_[rows] == label], wanted[:share]
                wanted = wanted[share:]
                for start in range(0, share, self._at_once()):
                    here = mine[start : start + self._at_once()]
                    if len(own) == 1:
                        numbers[here], codes[here] = self.numbers_[own], self.codes_[own]
                    else:
                        seed = int(rng.integers(2**31))
                        numbers[here], codes[here] = self._between(own, rows, len(here), seed)
        table = self._drawn(self.encoder_.inverse(numbers), numbers, rng)
        for i, (name, categories) in enumerate(self.categories_.items()):
            known = np.where(codes[:, i] < len(categories), codes[:, i], -1)
            table[name] = pd.Categorical.from_codes(known, categories=categories)
        return table

    def _drawn(self, table: pd.DataFrame, numbers: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Draw the end of the segment for each column whose cells all have marks; a table has rounded marks."""
        for step in self.relations_.apart:
            places = [self.encoder_.numbers_.index(name) for name in step.helpers]
            marks = numbers[:, places] * self.encoder_.scaler_.scale_[places] + self.encoder_.scaler_.mean_[places]
            table[list(step.helpers)] = step.drawn(marks, rng)
        return table

    def _blocks(self, label: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Divide training rows into blocks; in each, rows of the label come first."""
        own, others = np.flatnonzero(self.rows_ == label), np.flatnonzero(self.rows_ != label)
        parts = _parts(own, -(-len(own) // _BLOCK) if self._nominal() else 1, rng)
        # Only SMOTEN uses the others, to associate categories with classes, for which a sample suffices.
        few = min(len(others), _BLOCK)
        sampled = [rng.choice(others, few, replace=False) if len(parts) > 1 else others for _ in parts]
        return [np.concatenate(pair) for pair in zip(parts, sampled, strict=True)]

    def _at_once(self) -> int:
        """Compute the most new rows per call of a sampler; SMOTE-NC holds the neighbours of each in one-hot form."""
        width = self.numbers_.shape[1] + self._one_hot_width()
        return max(1, _CELLS // (width * (self.k_neighbors if self._nominal() else 1)))

    def _one_hot_width(self) -> int:
        return sum(len(categories) + 1 for categories in self.categories_.values())

    def _nominal(self) -> list[int]:
        """Return the nominal columns of ``numbers_`` and ``codes_`` side by side."""
        return self._indicators_and_codes() if self.categories_ else []

    def _indicators_and_codes(self) -> list[int]:
        indicators = [block.start for block in self.encoder_.blocks_ if block.kind == "missing"]
        width = self.numbers_.shape[1]
        return [*indicators, *range(width, width + self.codes_.shape[1])]

    def _between(self, own: np.ndarray, rows: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample numbers and codes of ``n`` new rows between the training rows ``own``, a class's part of ``rows``."""
        width = self.numbers_.shape[1]
        k = min(self.k_neighbors, len(own) - 1)
        if width:
            points = np.hstack([self.numbers_[own], self.codes_[own]])
            new = _smote(points, self._nominal(), n, k, seed, self.relations_.marked)
            return new[:, :width], new[:, width:]
        if len(own) == len(rows):
            new = self.codes_[np.random.default_rng(seed).choice(own, n)]
        else:
            sampler = over_sampling.SMOTEN(k_neighbors=k, random_state=seed)
            new = _added(sampler, self.codes_[rows], self.rows_[rows], self.rows_[own[0]], n)
        return np.empty((n, 0)), new


class SMOTENC(SMOTE):
    """SMOTE-NC, in which missing indicators of numbers are nominal even in tables without categories.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours of each row, at least 1; a class of k rows or fewer uses all of its rows.

    Notes
    -----
    Source: Chawla et al. (2002), section 6.1, with the blocks of ``SMOTE``. On a table without a category or a missing
    cell this is SMOTE, on one without a number SMOTE-N.
    """

    def _nominal(self) -> list[int]:
        return self._indicators_and_codes()


class _Contrast(SMOTE):
    """Base of variants that select seed rows by the classes of their neighbours; categories are one-hot."""

    def summary(self) -> str:
        """Describe what such rows are made for."""
        line = (
            "rows lie near other classes, so that means, fractions and missing cells of columns differ from the real "
            "ones; made to balance classes, not to be shared; use smote or circuit for a table like the real one"
        )
        return "\n".join(filter(None, [Generator.summary(self), line]))

    def _blocks(self, label: int, rng: np.random.Generator) -> list[np.ndarray]:
        own, others = np.flatnonzero(self.rows_ == label), np.flatnonzero(self.rows_ != label)
        width = self.numbers_.shape[1] + self._one_hot_width()
        pieces = min(-(-len(self.rows_) * width // (4 * _CELLS)), len(own))
        pairs = zip(_parts(own, pieces, rng), _parts(others, pieces, rng), strict=True)
        return [np.concatenate(pair) for pair in pairs]

    def _between(self, own: np.ndarray, rows: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        width, edges = self.numbers_.shape[1], np.cumsum([0, *(len(c) + 1 for c in self.categories_.values())])
        points = np.zeros((len(rows), width + edges[-1]))
        points[:, :width] = self.numbers_[rows]
        if len(edges) > 1:
            # Rows that differ in a category are one standard deviation apart, as in SMOTE-NC.
            np.put_along_axis(points, width + edges[:-1] + self.codes_[rows], np.sqrt(0.5), axis=1)
        is_own = np.arange(len(rows)) < len(own)
        new = self._seeded(points, is_own, n, seed) if len(own) < len(rows) else points[:0]
        if not len(new):
            new = _smote(points[is_own], [], n, min(self.k_neighbors, len(own) - 1), seed)
        parts = [new[:, width + a : width + b].argmax(axis=1) for a, b in pairwise(edges)]
        return new[:, :width], np.array(parts, dtype=np.int32).reshape(len(parts), n).T

    @abstractmethod
    def _seeded(self, points: np.ndarray, own: np.ndarray, n: int, seed: int) -> np.ndarray:
        """Sample ``n`` new rows of the class marked by ``own``, or none if no row of it is near another class."""


class BorderlineSMOTE(_Contrast):
    """Borderline-SMOTE: only rows in danger, with at least half of their neighbours in other classes, are seeds.

    Categories are one-hot, and a new row takes each from the nearer end of its segment. A class without a row in
    danger, or without another class, falls back on SMOTE from all of its rows.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours in the class that segments go to, at least 1; a class of k rows or fewer uses all of its rows.
    m_neighbors : int, default=10
        Neighbours among all rows that determine danger, at least 1.
    kind : {"borderline-1", "borderline-2"}, default="borderline-1"
        Segments go to neighbours in the class, or, with "borderline-2", to neighbours among all rows.

    Notes
    -----
    Source: Han, Wang, Mao (2005), https://doi.org/10.1007/11538059_91. The method follows it on numbers; categories and
    the extension to every class are ours. Rows of every class then concentrate at the border, so that synthetic rows
    alone are a poor training set. Scaled down: above 16 million one-hot cells, random blocks of the rows are processed
    one by one.
    """

    def __init__(self, k_neighbors: int = 5, m_neighbors: int = 10, kind: str = "borderline-1"):
        super().__init__(k_neighbors)
        self.m_neighbors = m_neighbors
        self.kind = kind

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        require_whole("m_neighbors", self.m_neighbors, 1)
        if self.kind not in ("borderline-1", "borderline-2"):
            raise InputError("kind", self.kind, "must be borderline-1 or borderline-2")

    def _seeded(self, points: np.ndarray, own: np.ndarray, n: int, seed: int) -> np.ndarray:
        k, m = min(self.k_neighbors, own.sum() - 1), min(self.m_neighbors, len(points) - 1)
        sampler = over_sampling.BorderlineSMOTE(k_neighbors=k, m_neighbors=m, kind=self.kind, random_state=seed)
        return _added(sampler, points, own, 1, n)


class ADASYN(_Contrast):
    """ADASYN: a row is a seed in proportion to the fraction of its neighbours in other classes.

    Categories are one-hot, and a new row takes each from the nearer end of its segment. A class without such
    neighbours, or without another class, falls back on SMOTE from all of its rows.

    Parameters
    ----------
    n_neighbors : int, default=5
        Neighbours of each row, in the class and among all rows, at least 1; fewer in a class of n rows or fewer.

    Notes
    -----
    Source: He et al. (2008), https://doi.org/10.1109/IJCNN.2008.4633969. The method follows it on numbers, except that
    counts are exact: rows are drawn at random from a larger sample. Categories, all classes and blocks are treated as
    in ``BorderlineSMOTE``.
    """

    renamed: ClassVar = {"k_neighbors": "n_neighbors"}

    def __init__(self, n_neighbors: int = 5):
        self.n_neighbors = n_neighbors

    @property
    def k_neighbors(self) -> int:
        """Neighbours within the class; imbalanced-learn has one number for both uses."""
        return self.n_neighbors

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        require_whole("n_neighbors", self.n_neighbors, 1)

    def _seeded(self, points: np.ndarray, own: np.ndarray, n: int, seed: int) -> np.ndarray:
        count = int(own.sum())
        # Rounding loses at most half a row for each seed row, so that this is never short of n.
        ask = max(n + count, _ROWS_PER_SEED * count)
        try:
            new = _added(
                over_sampling.ADASYN(n_neighbors=min(self.n_neighbors, count - 1), random_state=seed),
                points,
                own,
                1,
                ask,
            )
        except RuntimeError:
            # The sampler raises this where no row has a neighbour of another class.
            return points[:0]
        return new[np.random.default_rng(seed).permutation(len(new))[:n]]


def _parts(rows: np.ndarray, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
    return np.array_split(rng.permutation(rows), pieces) if pieces > 1 else [rows]


class _FirstHalf(over_sampling.SMOTE):
    """SMOTE on the first half of each segment, so that the nearer end is the row that was drawn from all rows."""

    def _make_samples(self, *arguments):
        # The last argument is the length of the step.
        return super()._make_samples(*arguments[:6], 0.5)


def _smote(points: np.ndarray, nominal: list[int], n: int, k: int, seed: int, first_half: bool = False) -> np.ndarray:
    """Sample ``n`` rows between ``points``, all of one class, whose columns ``nominal`` hold codes."""
    sampler = (_FirstHalf if first_half else over_sampling.SMOTE)(k_neighbors=k, random_state=seed)
    if nominal:
        sampler = over_sampling.SMOTENC(nominal, k_neighbors=k, random_state=seed)
    # The sampler requires a second class; its row is not a neighbour of the first class.
    classes = np.append(np.zeros(len(points), dtype=int), 1)
    return _added(sampler, np.vstack([points, points[:1]]), classes, 0, n)


def _added(sampler, points: np.ndarray, classes: np.ndarray, label: int, n: int) -> np.ndarray:
    """Return the ``n`` rows by which an imbalanced-learn sampler oversamples the class ``label``."""
    classes = classes.astype(int)
    sampler.set_params(sampling_strategy={int(label): int(np.count_nonzero(classes == label)) + n})
    return sampler.fit_resample(points, classes)[0][len(points) :]
