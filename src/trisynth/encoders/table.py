"""A reversible encoder: any table to a matrix of floats, and back."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler

from trisynth.data import precision, tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds import Sequence, Text
from trisynth.data.schema import Schema
from trisynth.encoders.sequences import SequenceBlock
from trisynth.encoders.texts import TextBlock


@dataclass(frozen=True)
class Block:
    """Adjacent columns of the matrix that encode one column of the table.

    Parameters
    ----------
    name : str
        Column of the table.
    kind : {"number", "missing", "category"}
        A scaled value; an indicator, 1 where that value is missing; or one indicator per category, the
        last of which stands for a missing cell where ``missing`` is true.
    start, stop : int
        Columns of the matrix.
    missing : bool
    """

    name: str
    kind: str
    start: int
    stop: int
    missing: bool = False


@dataclass(frozen=True)
class TensorBlock:
    """Adjacent columns of the matrix that encode one column of tensors.

    Parameters
    ----------
    name : str
    start, stop : int
        Columns of the matrix.
    mean : ndarray, shape (stop - start,)
        Of each element.
    deviation : float
        Root mean square of the centred elements; 1 where they are constant.
    """

    name: str
    start: int
    stop: int
    mean: np.ndarray
    deviation: float

    @classmethod
    def learn(cls, name: str, cells: np.ndarray, start: int) -> "TensorBlock":
        """Learn the moments of training cells, shape (n, size)."""
        mean = cells.mean(axis=0, dtype=float)
        deviation = float(np.sqrt(np.mean((cells - mean) ** 2)))
        return cls(name, start, start + cells.shape[1], mean, deviation if deviation > 0 else 1.0)

    @property
    def elements(self) -> list[str]:
        """Names of the elements."""
        return tensors.names(self.name, self.stop - self.start)

    def encoded(self, cells: pd.Series) -> np.ndarray:
        """Return standardised elements, shape (n, stop - start)."""
        return (tensors.values(cells) - self.mean) / self.deviation

    def decoded(self, elements: np.ndarray) -> pd.Series:
        """Return cells in their own unit."""
        return tensors.column(precision.single(elements * self.deviation + self.mean, self.name), self.name)


class TableEncoder(BaseEstimator):
    """Scaled numbers, missing indicators and one-hot categories, all learned from the rows given to ``fit``.

    Elements of tensors are numbers after the others, centred one by one and divided by one standard deviation for the
    whole tensor, so that an element that hardly varies is not blown up. Modelled texts are tf-idf weights of the
    1,000 most frequent terms, and sequences their length and values at twelve places; a matrix with either has no
    inverse.

    A missing number becomes the column's median with its indicator at 1. A category, or a missing cell of a
    kind, that ``fit`` never saw has no column of its own: all of its indicators are 0.

    Parameters
    ----------
    scaler : scikit-learn transformer, default=StandardScaler()
        Invertible; applied to the numbers.
    """

    def __init__(self, scaler: BaseEstimator | None = None):
        self.scaler = scaler

    def fit(self, X: pd.DataFrame, facts: Mapping[str, Column] | None = None) -> "TableEncoder":
        """Learn schema, medians, scales and categories from training rows ``X``, shape (n, d).

        Of declared facts by column the shapes of arrays are read; all else is learned from the rows.
        """
        shapes = {name: fact for name, fact in (facts or {}).items() if fact.shape is not None and name in X}
        self.schema_ = Schema.learn(X, shapes)
        table = self.schema_.canonical(X)
        self.numbers_ = [c.name for c in self.schema_.columns if c.categories is None and c.flat]
        values = table[self.numbers_].to_numpy(float)
        absent = np.isnan(values)
        # An all-missing column has no median; zero keeps the matrix finite, and the indicator is 1 in every row.
        self.medians_ = np.array(
            [np.median(v[~m]) if not m.all() else 0.0 for v, m in zip(values.T, absent.T, strict=True)]
        )
        if self.numbers_:
            self.scaler_ = clone(self.scaler) if self.scaler is not None else StandardScaler()
            if "n_quantiles" in self.scaler_.get_params():
                self.scaler_.set_params(n_quantiles=min(self.scaler_.n_quantiles, len(X)))
            self.scaler_.fit(np.where(absent, self.medians_, values))
        self.tensors_ = self._tensors(table)
        self.blocks_ = self._blocks(table, absent)
        self.width_ = self.blocks_[-1].stop if self.blocks_ else 0
        return self

    def _tensors(self, table: pd.DataFrame) -> list[TensorBlock | SequenceBlock | TextBlock]:
        found, start = [], len(self.numbers_)
        for column in self.schema_.columns:
            if not column.flat:
                cells = table[column.name]
                if isinstance(column, Text):
                    found.append(TextBlock.learn(column.name, cells, start))
                elif isinstance(column, Sequence):
                    found.append(SequenceBlock.learn(column.name, cells, start))
                else:
                    found.append(TensorBlock.learn(column.name, tensors.values(cells), start))
                start = found[-1].stop
        return found

    def _blocks(self, table: pd.DataFrame, absent: np.ndarray) -> list[Block]:
        sizes = [(name, "number", 1, False) for name in self.numbers_]
        sizes += [(element, "number", 1, False) for each in self.tensors_ for element in each.elements]
        sizes += [(name, "missing", 1, False) for name, m in zip(self.numbers_, absent.T, strict=True) if m.any()]
        for column in self.schema_.columns:
            if column.categories is not None:
                missing = bool(table[column.name].isna().any())
                sizes.append((column.name, "category", len(column.categories) + missing, missing))
        blocks, start = [], 0
        for name, kind, size, missing in sizes:
            blocks.append(Block(name, kind, start, start + size, missing))
            start += size
        return blocks

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the matrix of ``X``, shape (n, width_), float64, without NaN."""
        table = self.schema_.canonical(X)
        matrix = np.zeros((len(table), self.width_))
        if self.numbers_:
            values = table[self.numbers_].to_numpy(float)
            absent = np.isnan(values)
            matrix[:, : len(self.numbers_)] = self.scaler_.transform(np.where(absent, self.medians_, values))
        for each in self.tensors_:
            matrix[:, each.start : each.stop] = each.encoded(table[each.name])
        for block in self.blocks_:
            if block.kind == "missing":
                matrix[:, block.start] = absent[:, self.numbers_.index(block.name)]
            elif block.kind == "category":
                # pandas stores the codes of few categories in eight bits, too few for the matrix's columns.
                codes = table[block.name].cat.codes.to_numpy().astype(int)
                codes = np.where(codes < 0, block.stop - block.start - 1 if block.missing else -1, codes)
                rows = np.flatnonzero(codes >= 0)
                matrix[rows, block.start + codes[rows]] = 1.0
        return matrix

    def inverse(self, matrix: np.ndarray) -> pd.DataFrame:
        """Return the table of a matrix, shape (n, width_): likeliest categories, numbers on their grid, in bounds."""
        columns: dict[str, pd.Series] = {}
        if self.numbers_:
            values = self.scaler_.inverse_transform(matrix[:, : len(self.numbers_)])
            columns = {name: pd.Series(values[:, i]) for i, name in enumerate(self.numbers_)}
        for each in self.tensors_:
            columns[each.name] = each.decoded(matrix[:, each.start : each.stop])
        schemas = {column.name: column for column in self.schema_.columns}
        for block in self.blocks_:
            if block.kind == "missing":
                columns[block.name] = columns[block.name].mask(matrix[:, block.start] > 0.5)
            elif block.kind == "category":
                known = schemas[block.name].categories
                part = matrix[:, block.start : block.stop]
                codes = part.argmax(axis=1) if part.shape[1] else np.full(len(matrix), -1)
                codes = np.where(codes >= len(known), -1, codes)
                columns[block.name] = pd.Series(pd.Categorical.from_codes(codes, categories=known))
        return self.schema_.restore(pd.DataFrame(columns, index=range(len(matrix))))
