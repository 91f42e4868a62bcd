"""The SMOTE family: new rows on the segments between neighbouring training rows of one class.

imbalanced-learn's samplers raise a class to a count. Here each is asked for the class's own count and ``n`` more,
and only the rows that it adds are kept: any class gives any number of rows, exactly.
"""

from abc import abstractmethod
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
from imblearn import over_sampling

from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.generators.base import Generator

# Rows of a class that nominal distances are worked among at once; SMOTEN holds a square matrix of them.
_BLOCK = 2048
# Cells of the largest dense matrix that one call of a sampler may hold (float64: 32 MB).
_CELLS = 2**22
# ADASYN rounds each seed row's share; with this many new rows for each of them the rounding is small.
_ROWS_PER_SEED = 4


class SMOTE(Generator):
    """The SMOTE that fits the columns: SMOTE for numbers, SMOTE-NC for mixed tables, SMOTEN for categories.

    Every new row starts at a training row of its class and goes a uniform part of the way to one of that row's
    nearest neighbours in the class; a category is the commonest one among the neighbours. Neighbours are sought
    on standardised numbers. A missing number stands at its column's median with an indicator beside it, and is
    missing again where the indicator ends up above one half; a missing category is a category of its own.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours of each row, at least 1; a class of k rows or fewer uses all of its rows.

    Notes
    -----
    Source: Chawla et al. (2002), SMOTE, https://doi.org/10.1613/jair.953, which defines SMOTE-NC and SMOTE-N too.
    Faithful, for every class and not only the smallest. Scaled down: with categories, neighbours are sought within
    random blocks of at most 2,048 rows of the class, which keeps time and memory linear in the rows. A class of
    one row repeats it; so do categories without a second class, as SMOTEN's distance is what they tell of the class.
    """

    def __init__(self, k_neighbors: int = 5):
        self.k_neighbors = k_neighbors

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        _check_neighbors("k_neighbors", self.k_neighbors)
        nominal = table.select_dtypes("category").columns
        self.categories_ = {name: table[name].cat.categories for name in nominal}
        self.encoder_ = TableEncoder().fit(table.drop(columns=nominal))
        self.numbers_ = self.encoder_.transform(table)
        self.codes_ = np.empty((len(table), len(nominal)), dtype=np.int32)
        for i, (name, categories) in enumerate(self.categories_.items()):
            codes = table[name].cat.codes.to_numpy()
            self.codes_[:, i] = np.where(codes < 0, len(categories), codes)
        self.rows_ = labels

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
        table = self.encoder_.inverse(numbers)
        for i, (name, categories) in enumerate(self.categories_.items()):
            known = np.where(codes[:, i] < len(categories), codes[:, i], -1)
            table[name] = pd.Categorical.from_codes(known, categories=categories)
        return table

    def _blocks(self, label: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Training rows to work among, one block after the other; in each, rows of the label come first."""
        own, others = np.flatnonzero(self.rows_ == label), np.flatnonzero(self.rows_ != label)
        parts = _parts(own, -(-len(own) // _BLOCK) if self._nominal() else 1, rng)
        # Only SMOTEN looks at the others, for what a category tells of the class: a sample of them does.
        few = min(len(others), _BLOCK)
        sampled = [rng.choice(others, few, replace=False) if len(parts) > 1 else others for _ in parts]
        return [np.concatenate(pair) for pair in zip(parts, sampled, strict=True)]

    def _at_once(self) -> int:
        """New rows that one call of a sampler may make; SMOTE-NC lays out the neighbours of each in one-hot form."""
        width = self.numbers_.shape[1] + self._one_hot_width()
        return max(1, _CELLS // (width * (self.k_neighbors if self._nominal() else 1)))

    def _one_hot_width(self) -> int:
        return sum(len(categories) + 1 for categories in self.categories_.values())

    def _nominal(self) -> list[int]:
        """Columns of ``numbers_`` and ``codes_``, side by side, that neighbours vote on."""
        return self._indicators_and_codes() if self.categories_ else []

    def _indicators_and_codes(self) -> list[int]:
        indicators = [block.start for block in self.encoder_.blocks_ if block.kind == "missing"]
        width = self.numbers_.shape[1]
        return [*indicators, *range(width, width + self.codes_.shape[1])]

    def _between(self, own: np.ndarray, rows: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and codes of ``n`` new rows between the training rows ``own``, a class's part of ``rows``."""
        width = self.numbers_.shape[1]
        k = min(self.k_neighbors, len(own) - 1)
        if width:
            points = np.hstack([self.numbers_[own], self.codes_[own]])
            new = _smote(points, self._nominal(), n, k, seed)
            return new[:, :width], new[:, width:]
        if len(own) == len(rows):
            new = self.codes_[np.random.default_rng(seed).choice(own, n)]
        else:
            sampler = over_sampling.SMOTEN(k_neighbors=k, random_state=seed)
            new = _added(sampler, self.codes_[rows], self.rows_[rows], self.rows_[own[0]], n)
        return np.empty((n, 0)), new


class SMOTENC(SMOTE):
    """SMOTE-NC: as ``SMOTE`` on mixed tables; whether a number is missing is always put to the neighbours' vote.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours of each row, at least 1; a class of k rows or fewer uses all of its rows.

    Notes
    -----
    Source: Chawla et al. (2002), section 6.1. Faithful, with the blocks that ``SMOTE`` states. A table without a
    category or a missing cell leaves the neighbours nothing to vote on: that is SMOTE; one without a number, SMOTEN.
    """

    def _nominal(self) -> list[int]:
        return self._indicators_and_codes()


class _Contrast(SMOTE):
    """Variants that choose seed rows by the other classes around them, on numbers and one-hot categories."""

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
        """``n`` new rows of the class marked by ``own``, or none where no row of it is near another class."""


class BorderlineSMOTE(_Contrast):
    """Borderline-SMOTE: only rows in danger, at least half of whose neighbours are of other classes, are seeds.

    Categories are one-hot, and a new row takes each from the nearer end of its segment. A class without a row in
    danger, or without another class, falls back on SMOTE from all of its rows.

    Parameters
    ----------
    k_neighbors : int, default=5
        Neighbours in the class that segments go to, at least 1; a class of k rows or fewer uses all of its rows.
    m_neighbors : int, default=10
        Neighbours among all rows that decide on danger, at least 1.
    kind : {"borderline-1", "borderline-2"}, default="borderline-1"
        Segments go to neighbours in the class, or, with "borderline-2", to neighbours among all rows.

    Notes
    -----
    Source: Han, Wang, Mao (2005), https://doi.org/10.1007/11538059_91, variant 1. Faithful on numbers; categories,
    which the paper leaves out, and every class instead of the smallest are ours: rows of every class then gather
    at the border, so that synthetic rows alone are a poor training set. Scaled down: above 16 million one-hot
    cells, random blocks of the rows are worked one by one.
    """

    def __init__(self, k_neighbors: int = 5, m_neighbors: int = 10, kind: str = "borderline-1"):
        super().__init__(k_neighbors)
        self.m_neighbors = m_neighbors
        self.kind = kind

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        _check_neighbors("m_neighbors", self.m_neighbors)
        if self.kind not in ("borderline-1", "borderline-2"):
            raise InputError("kind", self.kind, "must be borderline-1 or borderline-2")
        super()._fit(table, labels, rng)

    def _seeded(self, points: np.ndarray, own: np.ndarray, n: int, seed: int) -> np.ndarray:
        k, m = min(self.k_neighbors, own.sum() - 1), min(self.m_neighbors, len(points) - 1)
        sampler = over_sampling.BorderlineSMOTE(k_neighbors=k, m_neighbors=m, kind=self.kind, random_state=seed)
        return _added(sampler, points, own, 1, n)


class ADASYN(_Contrast):
    """ADASYN: a row is a seed as often as its neighbours are of other classes.

    Categories are one-hot, and a new row takes each from the nearer end of its segment. A class without such
    neighbours, or without another class, falls back on SMOTE from all of its rows.

    Parameters
    ----------
    n_neighbors : int, default=5
        Neighbours of each row, in the class and among all rows, at least 1; fewer in a class of n rows or fewer.

    Notes
    -----
    Source: He et al. (2008), https://doi.org/10.1109/IJCNN.2008.4633969. Faithful on numbers, except that counts are
    exact: rows are drawn at random from those that the sampler makes above the request. Categories, every class
    instead of the smallest, and the blocks are as in ``BorderlineSMOTE``.
    """

    renamed: ClassVar = {"k_neighbors": "n_neighbors"}

    def __init__(self, n_neighbors: int = 5):
        self.n_neighbors = n_neighbors

    @property
    def k_neighbors(self) -> int:
        """Neighbours within the class; imbalanced-learn has one number for both uses."""
        return self.n_neighbors

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        _check_neighbors("n_neighbors", self.n_neighbors)
        super()._fit(table, labels, rng)

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
            # The sampler's word for "no neighbour of another class".
            return points[:0]
        return new[np.random.default_rng(seed).permutation(len(new))[:n]]


def _parts(rows: np.ndarray, pieces: int, rng: np.random.Generator) -> list[np.ndarray]:
    return np.array_split(rng.permutation(rows), pieces) if pieces > 1 else [rows]


def _smote(points: np.ndarray, nominal: list[int], n: int, k: int, seed: int) -> np.ndarray:
    """``n`` rows between ``points``, all of one class, whose columns ``nominal`` hold codes."""
    sampler = over_sampling.SMOTE(k_neighbors=k, random_state=seed)
    if nominal:
        sampler = over_sampling.SMOTENC(nominal, k_neighbors=k, random_state=seed)
    # The sampler insists on a second class, which is none of its neighbours' business.
    classes = np.append(np.zeros(len(points), dtype=int), 1)
    return _added(sampler, np.vstack([points, points[:1]]), classes, 0, n)


def _added(sampler, points: np.ndarray, classes: np.ndarray, wanted: int, n: int) -> np.ndarray:
    """The rows that an imbalanced-learn sampler adds when asked for ``n`` more of the class ``wanted``."""
    classes = classes.astype(int)
    sampler.set_params(sampling_strategy={int(wanted): int(np.count_nonzero(classes == wanted)) + n})
    return sampler.fit_resample(points, classes)[0][len(points) :]


def _check_neighbors(parameter: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(parameter, value, "must be a whole number, at least 1")
