"""Columns to discrete tokens and back, and the prior that lets neighbouring tokens lend each other strength."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

# A number with at most this many values, each seen about three times or more, has a token for each value.
_VALUES, _REPEATS = 256, 3
# A repeated value with at least this share of the cells is a point mass among an otherwise smooth column.
_MASS = 0.005
# Rows that a bin has at least on average, and the equally likely pieces that a smooth bin's law consists of.
_ROWS_PER_BIN, _PIECES = 8, 8


@dataclass(frozen=True)
class ColumnCodec:
    """Tokens 0..size-1 of one column; the first one stands for a missing cell if ``missing``.

    Parameters
    ----------
    missing : bool
    counts : ndarray, shape (size,)
        Training cells of each token.
    categories : Index or None
        None marks a number.
    codes : ndarray of int
        Category code of each present token; tokens exist only for categories that were seen.
    edges : ndarray, shape (present tokens - 1,)
        Numbers: cuts between neighbouring tokens, half-way between their training values.
    knots : ndarray, shape (present tokens, pieces + 1)
        Numbers: the quantile function inside each token, linear between equally likely pieces; constant for a value.
    """

    missing: bool
    counts: np.ndarray
    categories: pd.Index | None
    codes: np.ndarray
    edges: np.ndarray
    knots: np.ndarray

    @classmethod
    def learn(cls, column: pd.Series, bins: int) -> "ColumnCodec":
        """Tokens of one canonical column, its numbers in at most about ``bins`` bins besides point masses."""
        none = np.zeros(0)
        if isinstance(column.dtype, pd.CategoricalDtype):
            cells = column.cat.codes.to_numpy().astype(np.int64)
            seen, counts = np.unique(cells, return_counts=True)
            missing = bool(seen[0] < 0)
            return cls(missing, counts, column.cat.categories, seen[int(missing) :], none, none)
        values = column.to_numpy(float)
        present = values[~np.isnan(values)]
        absent = len(values) - len(present)
        tokens, edges, knots = _cut(present, bins)
        counts = np.bincount(tokens, minlength=len(knots))
        counts = np.concatenate([[absent], counts]) if absent else counts
        return cls(absent > 0, counts, None, none.astype(int), edges, knots)

    @property
    def size(self) -> int:
        """Number of tokens."""
        return len(self.counts)

    @property
    def code_type(self) -> np.dtype:
        """Smallest whole numbers that hold a category's codes and -1."""
        return np.min_scalar_type(-len(self.categories) - 1)

    @property
    def ordered(self) -> bool:
        """Whether neighbouring tokens are alike."""
        return self.categories is None

    @property
    def fillable(self) -> bool:
        """Whether a missing cell has a token and could have a value instead."""
        return self.missing and self.size > 1

    def encode(self, column: pd.Series) -> np.ndarray:
        """Token of each cell, shape (n,); -1 for a category, or for any gap, that training rows never showed.

        A number that is not there counts as the nearest one that is.
        """
        first, absent = int(self.missing), 0 if self.missing else -1
        if self.categories is not None:
            lookup = np.full(len(self.categories) + 1, -1)
            lookup[-1] = absent
            lookup[self.codes] = first + np.arange(len(self.codes))
            return lookup[column.cat.codes.to_numpy()]
        values = column.to_numpy(float)
        if not len(self.knots):
            return np.where(np.isnan(values), absent, -1)
        return np.where(np.isnan(values), absent, first + np.searchsorted(self.edges, values))

    def decode(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Category codes (-1 for missing), or numbers drawn inside their tokens (NaN for missing)."""
        if self.categories is not None:
            lookup = np.concatenate([[-1], self.codes]) if self.missing else self.codes
            return lookup.astype(self.code_type).take(tokens)
        if not self.missing and self.knots.shape[1] == 1:
            return self.knots[:, 0].take(tokens)
        width = self.knots.shape[1]
        knots = np.concatenate([np.full((1, width), np.nan), self.knots]) if self.missing else self.knots
        if width == 1:
            return knots[:, 0].take(tokens)
        place = rng.random(len(tokens)) * (width - 1)
        piece = place.astype(np.int64)
        place -= piece
        piece += tokens * width
        low = knots.ravel().take(piece)
        piece += 1
        return low + place * (knots.ravel().take(piece) - low)


@dataclass(frozen=True)
class Codec:
    """The tokens of all columns, numbered through.

    Parameters
    ----------
    names : list
    columns : list of ColumnCodec
    """

    names: list
    columns: list

    @classmethod
    def learn(cls, table: pd.DataFrame, bins: int) -> "Codec":
        """Codec of a canonical table."""
        return cls(list(table), [ColumnCodec.learn(table[name], bins) for name in table])

    @property
    def starts(self) -> np.ndarray:
        """First token of each column, and the number of all tokens, shape (d + 1,)."""
        return np.concatenate([[0], np.cumsum([column.size for column in self.columns])])

    @property
    def counts(self) -> np.ndarray:
        """Training cells of each token."""
        return np.concatenate([column.counts for column in self.columns])

    def encode(self, table: pd.DataFrame) -> np.ndarray:
        """Tokens of a canonical table, shape (n, d); -1 for an absent column or an unknown cell."""
        tokens = np.full((len(table), len(self.names)), -1, np.int32)
        for j, (name, column, start) in enumerate(zip(self.names, self.columns, self.starts, strict=False)):
            if name in table:
                found = column.encode(table[name])
                tokens[:, j] = np.where(found < 0, -1, found + start)
        return tokens

    def table(self, cells: list[np.ndarray]) -> pd.DataFrame:
        """Canonical table of decoded columns."""
        columns = {
            name: cells_
            if column.categories is None
            else pd.Categorical.from_codes(cells_, categories=column.categories)
            for name, column, cells_ in zip(self.names, self.columns, cells, strict=True)
        }
        return pd.DataFrame(columns)


def _cut(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Token of each number, the cuts between tokens and the quantile function inside each."""
    distinct, place, seen = np.unique(values, return_inverse=True, return_counts=True)
    if not len(distinct):
        return place, np.zeros(0), np.zeros((0, 1))
    if len(distinct) <= _VALUES and len(values) >= _REPEATS * len(distinct):
        return place, _between(distinct[:-1], distinct[1:]), distinct[:, None]
    heavy = (seen >= _REPEATS) & (seen >= _MASS * len(values))
    light = np.where(heavy, 0, seen)
    wanted = np.clip(light.sum() // _ROWS_PER_BIN, 1, bins)
    part = ((np.cumsum(light) - light / 2) / max(light.sum(), 1) * wanted).astype(int)
    # A point mass is a token of its own and ends the bin that it lies in.
    begins = np.ones(len(distinct), bool)
    begins[1:] = (part[1:] != part[:-1]) | heavy[1:] | heavy[:-1]
    token = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(distinct)) - 1
    edges = _between(distinct[last[:-1]], distinct[first[1:]])
    ordered = np.sort(values)
    ends = np.cumsum(np.bincount(token, seen).astype(int))
    starts = np.concatenate([[0], ends[:-1]])
    # Positions of the pieces' ends among the sorted values; a token reaches half-way to its neighbours.
    reach = starts[:, None] - 0.5 + (ends - starts)[:, None] * np.linspace(0, 1, _PIECES + 1)
    mass = heavy[first][:, None]
    reach = np.where(mass, starts[:, None], reach)
    knots = np.interp(reach, np.arange(len(ordered)), ordered)
    return token[place], edges, knots


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    middle = low / 2 + high / 2
    return np.where(middle < high, np.maximum(middle, low), low)
