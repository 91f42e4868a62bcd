"""Complete rows of a chain of trees given some of their cells, by sequential importance resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trisynth.generators.trees.density_ratio import picked
from trisynth.generators.trees.sequence.likelihood import likelihood

if TYPE_CHECKING:
    from trisynth.generators.trees.sequential_forest import SequentialForest

# Particles of one partial row, and of all rows of a block.
_PARTICLES, _BLOCK = 60, 120_000


def completed(
    forest: SequentialForest, known: pd.DataFrame, labels: np.ndarray | None, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw complete canonical rows given known cells.

    Each partial row has particles, which draw their unknown cells in the order of the sequence. At a known
    cell particles are drawn again in proportion to its likelihood given their earlier cells (Gordon, Salmond and Smith
    1993). Where no unknown cell comes before a known one, all particles are alike and the draw is exact. If the forest
    chooses among candidates, it chooses among the particles.

    Parameters
    ----------
    forest : SequentialForest
        Fitted.
    known : DataFrame, shape (m, any)
        Canonical columns that are given; their missing cells are drawn, and are not missing then.
    labels : ndarray of int, shape (m,), or None
        None draws labels as well.
    rng : Generator

    Returns
    -------
    table : DataFrame, shape (m, d)
    labels : ndarray of int, shape (m,)
    """
    size = _BLOCK // _PARTICLES
    parts = [
        _block(forest, known.iloc[a : a + size], None if labels is None else labels[a : a + size], rng)
        for a in range(0, len(known), size)
    ]
    return pd.concat([table for table, _ in parts], ignore_index=True), np.concatenate([own for _, own in parts])


def _block(
    forest: SequentialForest, known: pd.DataFrame, labels: np.ndarray | None, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    particles = _Particles(forest, known, labels, rng)
    for name in forest.sequence_.names:
        particles.advance(name)
    return particles.chosen()


class _Particles:
    """Particles of some partial rows, those of one row one after the other."""

    def __init__(
        self, forest: SequentialForest, known: pd.DataFrame, labels: np.ndarray | None, rng: np.random.Generator
    ):
        self.forest, self.known, self.rng = forest, known, rng
        self.rows = len(known)
        if labels is None:
            shares = forest.counts_ / forest.counts_.sum()
            labels = rng.choice(len(shares), self.rows * _PARTICLES, p=shares)
        else:
            labels = np.repeat(labels, _PARTICLES)
        self.cells = [labels.astype(np.int64)]
        # The chains are spread evenly over the particles of a row.
        first = rng.integers(len(forest.chains_), size=self.rows)
        self.chain = (np.arange(len(labels)) + np.repeat(first, _PARTICLES)) % len(forest.chains_)
        self.columns: dict = {}

    def advance(self, name: object) -> None:
        """Draw the cells of one column, or weigh the particles by those that are known."""
        given = name in self.known
        if name in self.forest.sequence_.categories:
            column, weights = self._codes(name, given)
        else:
            column, weights = self._numbers(name, given)
        self.columns[name] = column
        self.cells.append(self.forest.sequence_.cells(name, column))
        if given:
            self._resample(weights)

    def _codes(self, name: object, given: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of a category, known or drawn, and the weights of the particles."""
        codes = np.full(len(self.chain), -1)
        if given:
            codes = np.repeat(self.known[name].cat.codes.to_numpy().astype(np.int64), _PARTICLES)
        weights = self._weighed((name, "value"), codes, codes >= 0)
        open_ = np.flatnonzero(codes < 0)
        codes[open_] = self._drawn((name, "value"), open_)
        if given:
            # A known column has no missing cells.
            weights[codes == len(self.forest.sequence_.categories[name])] = 0.0
        return codes, weights

    def _numbers(self, name: object, given: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells of a number, known or drawn, and the weights of the particles."""
        steps, size = self.forest.chains_[0], len(self.chain)
        numbers, weights, seen = np.full(size, np.nan), np.ones(size), np.ones(size, bool)
        if given:
            numbers = np.repeat(self.known[name].to_numpy(float), _PARTICLES)
        fixed = ~np.isnan(numbers)
        if (name, "gap") in steps and given:
            weights = self._weighed((name, "gap"), np.zeros(size, np.int64), seen)
        elif (name, "gap") in steps:
            seen = self._drawn((name, "gap"), np.arange(size)) == 0
        if (name, "equal") in steps:
            codes = self.forest.sequence_.equal_codes(name, numbers, self.columns)
            weights = weights * self._weighed((name, "equal"), codes, fixed)
            open_ = seen & ~fixed
            drawn = self._drawn((name, "equal"), np.flatnonzero(open_))
            self.forest.sequence_.equal(name, numbers, self.columns, open_, drawn)
            weigh = fixed & (codes == 0)
        else:
            weigh = fixed
        if (name, "value") in steps:
            weights = weights * self._weighed((name, "value"), numbers, weigh)
            open_ = np.flatnonzero(seen & np.isnan(numbers))
            numbers[open_] = self._drawn((name, "value"), open_)
        return numbers, weights

    def _by_chain(self, rows: np.ndarray):
        """Yield each chain and its particles among ``rows``."""
        for chain, steps in enumerate(self.forest.chains_):
            own = rows[self.chain[rows] == chain]
            if len(own):
                yield steps, own

    def _whole(self, key: tuple) -> bool:
        return key[1] != "value" or key[0] in self.forest.sequence_.categories

    def _drawn(self, key: tuple, rows: np.ndarray) -> np.ndarray:
        """Draw the cells of some particles."""
        found = np.empty(len(self.chain), np.int64 if self._whole(key) else float)
        for steps, own in self._by_chain(rows):
            earlier, predicted = self.forest.sequence_.features(key, [column[own] for column in self.cells])
            drawn = steps[key].draw(earlier, self.cells[0][own], self.rng, False)
            found[own] = self.forest.sequence_.restored(key, drawn, predicted)
        return found[rows]

    def _weighed(self, key: tuple, cells: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the likelihood of the known cells, 1 for the others, shape (particles,)."""
        found = np.ones(len(self.chain))
        for steps, own in self._by_chain(np.flatnonzero(known)):
            earlier, predicted = self.forest.sequence_.features(key, [column[own] for column in self.cells])
            wanted = self.forest.sequence_.compared(key, cells[own], predicted)
            found[own] = likelihood(steps[key], earlier, self.cells[0][own], wanted)
        return found

    def _resample(self, weights: np.ndarray) -> None:
        """Draw the particles of each row again in proportion to their weights, evenly."""
        weights = weights.reshape(self.rows, _PARTICLES)
        weights[weights.sum(axis=1) <= 0] = 1.0
        if (weights == weights[:, :1]).all():
            return
        cumulated = np.cumsum(weights, axis=1)
        cumulated /= cumulated[:, -1:]
        places = (np.arange(_PARTICLES) + self.rng.random((self.rows, 1))) / _PARTICLES
        flat = (cumulated + np.arange(self.rows)[:, None]).ravel()
        taken = np.searchsorted(flat, (places + np.arange(self.rows)[:, None]).ravel(), side="right")
        taken = np.minimum(taken, np.repeat(np.arange(1, self.rows + 1) * _PARTICLES - 1, _PARTICLES))
        self.cells = [column[taken] for column in self.cells]
        self.columns = {name: column[taken] for name, column in self.columns.items()}
        self.chain = self.chain[taken]

    def chosen(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return one particle of each row, and its label."""
        place, names = self.rng.integers(_PARTICLES, size=self.rows), self.forest.names_
        if self.forest.ratio_ is not None:
            columns = {name: self.forest.sequence_.column(name, column) for name, column in self.columns.items()}
            odds = self.forest.ratio_.odds(pd.DataFrame(columns, columns=names), self.cells[0])
            place = picked(odds.reshape(self.rows, _PARTICLES).T, self.rng)
        at = np.arange(self.rows) * _PARTICLES + place
        table = {name: self.forest.sequence_.column(name, column[at]) for name, column in self.columns.items()}
        return pd.DataFrame(table, columns=names), self.cells[0][at]
