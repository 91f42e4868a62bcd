"""Reversible discretization: columns of a table to tokens, and tokens back to cells."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.encoders.point_masses import is_discrete, point_masses

# A discrete column of at most this many values has a token for each value.
_VALUES = 256
# A repeated value with at least this fraction of the cells is a point mass with a token of its own.
_MASS = 0.005
# Smallest mean number of rows per bin, and number of equally likely pieces of the distribution within a bin.
_ROWS_PER_BIN, _PIECES = 8, 8


@dataclass(frozen=True)
class ColumnDiscretizer:
    """Tokens 0..size-1 of one column: missing cells, point masses, single values, categories or quantile bins.

    Parameters
    ----------
    missing : bool
        Whether the first token stands for a missing cell.
    counts : ndarray, shape (size,)
        Training cells of each token.
    categories : Index or None
        None for a number.
    codes : ndarray of int
        Category code of each token but that of missing cells; only categories of the training rows have tokens.
    edges : ndarray, shape (present tokens - 1,)
        Numbers: boundaries between neighbouring tokens, midway between their training values.
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
    def learn(cls, column: pd.Series, bins: int) -> "ColumnDiscretizer":
        """Learn the tokens of one canonical column, with at most about ``bins`` quantile bins besides point masses."""
        none = np.zeros(0)
        if isinstance(column.dtype, pd.CategoricalDtype):
            cells = column.cat.codes.to_numpy().astype(np.int64)
            seen, counts = np.unique(cells, return_counts=True)
            missing = bool(seen[0] < 0)
            return cls(missing, counts, column.cat.categories, seen[int(missing) :], none, none)
        values = column.to_numpy(float)
        present = values[~np.isnan(values)]
        absent = len(values) - len(present)
        tokens, edges, knots = _binned(present, bins)
        counts = np.bincount(tokens, minlength=len(knots))
        counts = np.concatenate([[absent], counts]) if absent else counts
        return cls(absent > 0, counts, None, none.astype(int), edges, knots)

    @property
    def size(self) -> int:
        """Number of tokens."""
        return len(self.counts)

    @property
    def code_type(self) -> np.dtype:
        """Smallest integer type that holds a category's codes and -1."""
        return np.min_scalar_type(-len(self.categories) - 1)

    @property
    def ordered(self) -> bool:
        """True for numbers: tokens are ordered, so that neighbours are alike."""
        return self.categories is None

    @property
    def imputable(self) -> bool:
        """True if missing cells have a token and a value could replace them."""
        return self.missing and self.size > 1

    def encode(self, column: pd.Series) -> np.ndarray:
        """Return the token of each cell, shape (n,), or -1 for a category or a missing cell without a training example.

        A number without a token gets the token of the nearest training value.
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
        """Return category codes (-1 for missing), or numbers drawn within their tokens (NaN for missing)."""
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
class TableDiscretizer:
    """Discretization of a table; the tokens of all columns are numbered consecutively.

    Parameters
    ----------
    names : list
    columns : list of ColumnDiscretizer
    """

    names: list
    columns: list

    @classmethod
    def learn(cls, table: pd.DataFrame, bins: int) -> "TableDiscretizer":
        """Learn the tokens of a canonical table."""
        return cls(list(table), [ColumnDiscretizer.learn(table[name], bins) for name in table])

    @property
    def starts(self) -> np.ndarray:
        """First token of each column, then the number of all tokens, shape (d + 1,)."""
        return np.concatenate([[0], np.cumsum([column.size for column in self.columns])])

    @property
    def counts(self) -> np.ndarray:
        """Number of training cells of each token."""
        return np.concatenate([column.counts for column in self.columns])

    def encode(self, table: pd.DataFrame) -> np.ndarray:
        """Return the tokens of a canonical table, shape (n, d); -1 for an absent column or a cell without a token."""
        tokens = np.full((len(table), len(self.names)), -1, np.int32)
        for j, (name, column, start) in enumerate(zip(self.names, self.columns, self.starts, strict=False)):
            if name in table:
                found = column.encode(table[name])
                tokens[:, j] = np.where(found < 0, -1, found + start)
        return tokens

    def table(self, cells: list[np.ndarray]) -> pd.DataFrame:
        """Return the canonical table of decoded columns."""
        columns = {
            name: cells_
            if column.categories is None
            else pd.Categorical.from_codes(cells_, categories=column.categories)
            for name, column, cells_ in zip(self.names, self.columns, cells, strict=True)
        }
        return pd.DataFrame(columns)


def _binned(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the token of each number, the boundaries of tokens, and the quantile function within each."""
    distinct, place, seen = np.unique(values, return_inverse=True, return_counts=True)
    if not len(distinct):
        return place, np.zeros(0), np.zeros((0, 1))
    if is_discrete(len(values), len(distinct), _VALUES):
        return place, _between(distinct[:-1], distinct[1:]), distinct[:, None]
    heavy = point_masses(seen, least=_MASS)
    light = np.where(heavy, 0, seen)
    parts = np.clip(light.sum() // _ROWS_PER_BIN, 1, bins)
    part = ((np.cumsum(light) - light / 2) / max(light.sum(), 1) * parts).astype(int)
    # A point mass is a token of its own and splits the bin that it lies in.
    begins = np.ones(len(distinct), bool)
    begins[1:] = (part[1:] != part[:-1]) | heavy[1:] | heavy[:-1]
    token = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(distinct)) - 1
    edges = _between(distinct[last[:-1]], distinct[first[1:]])
    ordered = np.sort(values)
    ends = np.cumsum(np.bincount(token, seen).astype(int))
    starts = np.concatenate([[0], ends[:-1]])
    # Positions of the pieces' ends among the sorted values; a token extends midway to its neighbours.
    reach = starts[:, None] - 0.5 + (ends - starts)[:, None] * np.linspace(0, 1, _PIECES + 1)
    mass = heavy[first][:, None]
    reach = np.where(mass, starts[:, None], reach)
    knots = np.interp(reach, np.arange(len(ordered)), ordered)
    return token[place], edges, knots


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    middle = low / 2 + high / 2
    return np.where(middle < high, np.maximum(middle, low), low)
