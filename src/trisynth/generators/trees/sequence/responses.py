"""Columns in their sequence: normal scores, linear parts and equalities, and what trees predict of each column."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from trisynth.generators.trees.chain import Response
from trisynth.generators.trees.growing import pooled
from trisynth.generators.trees.normal_scores import NormalScores
from trisynth.generators.trees.ridge import Block, Ridge

# Tables of this many rows have few chains, whose trees are not pruned, predict values rather than residuals, and may
# use every feature in a split: there are rows enough to find a line, and residuals blur values that repeat or that are
# an exact function of an earlier column.
LARGE = 10_000
# Indicators of a category that have a linear prediction.
_INDICATORS = 8
# Smallest fraction of the rows in which a column equals an earlier one, and that the next such column must add; most of
# these columns; and the fraction of the cells from which a value is a point mass, whose coincidences do not count.
_SHARE, _FURTHER, _SOURCES, _MASS = 0.02, 0.01, 3, 0.005


@dataclass(frozen=True)
class Linear:
    """Linear part of one column.

    Parameters
    ----------
    ridge : Ridge
    scale : float
        Standard deviation of the residuals.
    offset : bool
        Whether the trees predict residuals; otherwise the prediction is a feature of theirs and nothing else.
    """

    ridge: Ridge
    scale: float
    offset: bool


@dataclass
class Sequence:
    """Columns in the order in which they are drawn.

    A column has up to three steps, whose keys are its name and one of the words *gap*, whether a number is missing,
    *equal*, the earlier column that it equals, and *value*.

    Parameters
    ----------
    names : list
    categories : dict of object to Index
    linear_part : bool
        Whether columns have a linear part.
    scores : dict of object to NormalScores
    linear : dict of tuple to Linear
    sources : dict of object to list
        Earlier columns that a number equals in some rows, in the order of their codes from 1.
    """

    names: list
    categories: dict
    linear_part: bool
    scores: dict = field(default_factory=dict)
    linear: dict = field(default_factory=dict)
    sources: dict = field(default_factory=dict)

    def responses(
        self, table: pd.DataFrame, labels: np.ndarray, own: np.ndarray | None, weights: np.ndarray, size: int, rng
    ) -> Iterator[tuple]:
        """Yield key, rows and response of each step in order, and learn the scores and linear parts on the way.

        Parameters
        ----------
        table : DataFrame, shape (n, d)
        labels : ndarray of int, shape (n,)
        own : ndarray of int, shape (n,), or None
            Labels of the class step.
        weights : ndarray, shape (n,)
        size : int
            Minimum number of rows in a leaf.
        rng : Generator
        """
        everywhere = np.ones(len(table), bool)
        cells = [labels.astype(np.int64)]
        blocks = [Block.of(cells[0])]
        for name in self.names:
            if name in self.categories:
                codes = table[name].cat.codes.to_numpy().astype(np.int64)
                codes = np.where(codes < 0, len(self.categories[name]), codes)
                response = self._category((name, "value"), codes, cells, blocks, own, weights)
                yield (name, "value"), everywhere, response
                cells.append(codes)
            else:
                numbers = table[name].to_numpy(float)
                seen = ~np.isnan(numbers)
                if not seen.all():
                    gap = (~seen).astype(np.int64)
                    response = self._category((name, "gap"), gap, cells, blocks, own, weights)
                    yield (name, "gap"), everywhere, response
                equal = self._equal(name, numbers, table) if len(table) >= LARGE else np.zeros(0, np.int64)
                if len(equal):
                    known = _rows(seen, cells, blocks, own, weights)
                    yield (name, "equal"), seen, self._category((name, "equal"), equal[seen], *known)
                    seen = seen & (equal == 0)
                scored, every = np.full(len(numbers), np.nan), ~np.isnan(numbers)
                if every.any():
                    self.scores[name], (ranked, counts) = NormalScores.learn(numbers[every], weights[every], rng)
                    if seen.any():
                        known = _rows(seen, cells, blocks, own, weights)
                        ranked, counts = ranked[seen[every]], counts[seen[every]]
                        yield (name, "value"), seen, self._number(name, numbers[seen], ranked, counts, *known, size)
                    scored[every] = self.scores[name].of(numbers[every])
                cells.append(scored)
            blocks.append(Block.of(cells[-1]))

    def _category(self, key, codes, cells, blocks, labels, weights) -> Response:
        """Learn the linear part of a category, of missing or of equal cells, and return the response."""
        earlier = list(cells)
        if self.linear_part and codes.min() < codes.max():
            common = pooled(codes, _INDICATORS)
            outcome = (common[:, None] == np.arange(max(common.max(), 1))).astype(float)
            ridge, _ = Ridge.learn(tuple(blocks), cells, outcome, weights)
            self.linear[key] = Linear(ridge, 1.0, False)
            earlier += list(ridge.predict(cells).T)
        return Response(earlier, codes, None, labels, weights, False)

    def _number(self, name, numbers, scores, counts, cells, blocks, labels, weights, size) -> Response:
        """Learn the linear part of a number, and return the response."""
        if not self.linear_part or numbers.min() == numbers.max():
            return Response(list(cells), numbers, scores, labels, weights, False)
        ridge, leverage = Ridge.learn(tuple(blocks), cells, scores[:, None], weights)
        predicted = ridge.predict(cells)
        earlier = [*cells, *predicted.T]
        if len(numbers) >= LARGE or np.average(counts >= size, weights=weights) >= 0.5:
            self.linear[name, "value"] = Linear(ridge, 1.0, False)
            return Response(earlier, numbers, self.scores[name].of(numbers), labels, weights, False)
        residuals = (scores - predicted[:, 0]) / np.sqrt(1 - leverage)
        scale = float(np.sqrt(np.average(residuals**2, weights=weights))) or 1.0
        self.linear[name, "value"] = Linear(ridge, scale, True)
        return Response(earlier, residuals / scale, residuals / scale, labels, weights, True)

    def _equal(self, name: object, numbers: np.ndarray, table: pd.DataFrame) -> np.ndarray:
        """Return the code of the earlier column that each cell equals, 0 for none; empty if no column is equal."""
        earlier = [one for one in self.names[: self.names.index(name)] if one not in self.categories]
        counts = pd.Series(numbers).map(pd.Series(numbers).value_counts()).to_numpy()
        rare = counts < _MASS * len(numbers)
        equal = {one: rare & (table[one].to_numpy(float) == numbers) for one in earlier}
        found, codes = [], np.zeros(len(numbers), dtype=np.int64)
        for one in sorted(earlier, key=lambda one: -equal[one].sum()):
            hit = equal[one] & (codes == 0)
            if equal[one].mean() < _SHARE or len(found) == _SOURCES:
                break
            if hit.mean() >= _FURTHER:
                found.append(one)
                codes[hit] = len(found)
        self.sources[name] = found
        return codes if found else np.zeros(0, dtype=np.int64)

    def equal_codes(self, name: object, numbers: np.ndarray, columns: dict) -> np.ndarray:
        """Return the code of the earlier column that each number equals, 0 for none."""
        codes = np.zeros(len(numbers), dtype=np.int64)
        for code, source in reversed(list(enumerate(self.sources[name], start=1))):
            codes[columns[source] == numbers] = code
        return codes

    def equal(
        self, name: object, numbers: np.ndarray, columns: dict, seen: np.ndarray, codes: np.ndarray
    ) -> np.ndarray:
        """Set the rows ``seen`` whose code names an earlier column equal to it; return which rows are left."""
        every = np.zeros(len(numbers), dtype=np.int64)
        every[seen] = codes
        for code, source in enumerate(self.sources[name], start=1):
            numbers[every == code] = columns[source][every == code]
        # An earlier cell that is missing cannot be equalled.
        return seen & np.isnan(numbers)

    def features(self, key: tuple, cells: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the features of a step and its linear prediction, shape (n, predictions), for earlier cells."""
        linear = self.linear.get(key)
        predicted = linear.ridge.predict(cells) if linear else np.empty((len(cells[0]), 0))
        return [*cells, *predicted.T], predicted

    def restored(self, key: tuple, drawn: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Return the numbers of drawn residuals; codes and numbers as they are."""
        linear = self.linear.get(key)
        if linear and linear.offset:
            return self.scores[key[0]].restore(predicted[:, 0] + linear.scale * drawn)
        return drawn

    def compared(self, key: tuple, cells: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Return the residuals of known numbers, as the trees predict them; codes and numbers as they are."""
        linear = self.linear.get(key)
        if linear and linear.offset:
            return (self.scores[key[0]].of(cells) - predicted[:, 0]) / linear.scale
        return cells

    def cells(self, name: object, column: np.ndarray) -> np.ndarray:
        """Return codes of a category as they are, and scores of numbers."""
        return column if name in self.categories or name not in self.scores else self.scores[name].of(column)

    def column(self, name: object, column: np.ndarray) -> np.ndarray | pd.Categorical:
        """Return the canonical column of codes or numbers."""
        if name not in self.categories:
            return column
        categories = self.categories[name]
        return pd.Categorical.from_codes(np.where(column < len(categories), column, -1), categories=categories)


def _rows(seen: np.ndarray, cells: list, blocks: list, labels: np.ndarray | None, weights: np.ndarray) -> tuple:
    """Return what is known of some rows."""
    if seen.all():
        return cells, blocks, labels, weights
    own = None if labels is None else labels[seen]
    return [column[seen] for column in cells], blocks, own, weights[seen]
