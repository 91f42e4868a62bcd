"""Junction tree: a distribution of many columns by tables of its cliques, fitted to noisy tables of few columns."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trisynth.generators.private.tables import tree

Scope = tuple[int, ...]

# Steps of a fit at most, and the decrease of the loss, relative to the loss, below which it ends.
_STEPS, _STILL = 40, 1e-4
# Halvings of a step at most, and the range of a log factor: cells below carry no row.
_HALVINGS, _RANGE = 30, 200.0


@dataclass(frozen=True)
class Measured:
    """Noisy table of some columns.

    Parameters
    ----------
    scope : tuple of int
        Columns, ascending.
    table : ndarray
        Noisy counts, one dimension for each column.
    weight : float
        Inverse of the variance of their noise.
    """

    scope: Scope
    table: np.ndarray
    weight: float

    def joined(self, other: "Measured") -> "Measured":
        """Return the average with another measurement of the same columns, weighted by their precision."""
        weight = self.weight + other.weight
        table = (self.weight * self.table + other.weight * other.table) / weight
        return Measured(self.scope, table, weight)


def cliques(sizes: Sequence[int], scopes: Iterable[Scope]) -> list[Scope]:
    """Return the maximal cliques of a triangulated graph in which the columns of each scope are neighbours.

    Columns are eliminated in the order of the smallest table.
    """
    near: list[set[int]] = [set() for _ in sizes]
    for scope in scopes:
        for column in scope:
            near[column].update(scope)
    near = [others | {column} for column, others in enumerate(near)]
    cells = [math.prod(sizes[other] for other in others) for others in near]
    left, found = set(range(len(sizes))), []
    while left:
        column = min(left, key=lambda each: (cells[each], each))
        clique = near[column]
        if not any(clique <= other for other in found):
            found.append(set(clique))
        left.discard(column)
        for other in clique - {column}:
            near[other] = (near[other] | clique) - {column}
            cells[other] = math.prod(sizes[each] for each in near[other])
    return [tuple(sorted(each)) for each in found]


def cells(sizes: Sequence[int], scopes: Iterable[Scope]) -> int:
    """Return the number of cells of all tables of the junction tree of some scopes."""
    return sum(math.prod(sizes[column] for column in clique) for clique in cliques(sizes, scopes))


@dataclass
class JunctionTree:
    """Distribution as a product of factors of few columns, with the tables of its cliques.

    Parameters
    ----------
    sizes : list of int
        Values of each column.
    total : float
        Rows.
    factors : dict of tuple of int to ndarray
        Log factor of each scope.
    scopes : list of tuple of int
        Cliques, each after its parent.
    parents : list of int
        Place of the parent of each clique; -1 for the first.
    tables : list of ndarray
        Rows of the cells of each clique.
    """

    sizes: list[int]
    total: float
    factors: dict[Scope, np.ndarray]
    scopes: list[Scope]
    parents: list[int]
    tables: list[np.ndarray] = field(default_factory=list)
    _given: dict[int, np.ndarray] = field(default_factory=dict)
    _homes: dict[Scope, int | None] = field(default_factory=dict)
    _pace: float = 1.0

    @classmethod
    def of(cls, sizes: Sequence[int], total: float, factors: Mapping[Scope, np.ndarray]) -> "JunctionTree":
        """Build a tree in which each scope lies within a clique."""
        found = cliques(sizes, factors)
        ordered, parents, waiting = [found.pop(0)], [-1], found
        while waiting:
            # Prim's algorithm on the number of shared columns gives a junction tree.
            pairs = (
                (-len(set(new) & set(old)), i, j) for i, new in enumerate(waiting) for j, old in enumerate(ordered)
            )
            _, i, j = min(pairs)
            ordered.append(waiting.pop(i))
            parents.append(j)
        made = cls(list(sizes), total, dict(factors), ordered, parents)
        made._propagate()
        return made

    def grown(self, scope: Scope) -> "JunctionTree":
        """Return the same distribution with a factor of a further scope."""
        if scope in self.factors:
            return self
        free = np.zeros([self.sizes[column] for column in scope])
        made = JunctionTree.of(self.sizes, self.total, {**self.factors, scope: free})
        made._pace = self._pace
        return made

    def _home(self, scope: Scope) -> int | None:
        """Return the place of the smallest clique with the columns."""
        if scope not in self._homes:
            inside = [i for i, own in enumerate(self.scopes) if set(scope) <= set(own)]
            size = {i: math.prod(self.sizes[column] for column in self.scopes[i]) for i in inside}
            self._homes[scope] = min(inside, key=size.__getitem__) if inside else None
        return self._homes[scope]

    def _separator(self, i: int) -> Scope:
        return tuple(sorted(set(self.scopes[i]) & set(self.scopes[self.parents[i]])))

    def _propagate(self) -> None:
        """Compute the table of each clique, by messages from the leaves to the root and back."""
        beliefs = [np.zeros([self.sizes[column] for column in scope]) for scope in self.scopes]
        for scope, factor in self.factors.items():
            home = self._home(scope)
            beliefs[home] += _spread(factor, scope, self.scopes[home])
        sent: list = [None] * len(beliefs)
        for i in range(len(beliefs) - 1, 0, -1):
            over, parent = self._separator(i), self.parents[i]
            sent[i] = _collapsed(beliefs[i], self.scopes[i], over)
            beliefs[parent] += _spread(sent[i], over, self.scopes[parent])
        for i in range(1, len(beliefs)):
            over, parent = self._separator(i), self.parents[i]
            back = _collapsed(beliefs[parent], self.scopes[parent], over) - sent[i]
            beliefs[i] += _spread(back, over, self.scopes[i])
        self.tables = [self.total * each / each.sum() for each in (np.exp(b - b.max()) for b in beliefs)]
        self._given = {}

    def fit(self, measured: Mapping[Scope, Measured], steps: int = _STEPS) -> None:
        """Change the factors so that the tables come near to measured ones, by entropic mirror descent.

        Parameters
        ----------
        measured : dict of tuple of int to Measured
            Of scopes that have factors.
        steps : int, default=40
        """
        heaviest = max(each.weight for each in measured.values())
        weights = {scope: each.weight / heaviest for scope, each in measured.items()}
        found, loss, slopes = self._misfit(measured, weights)
        for _ in range(steps):
            factors, old, before, pace = self.factors, found, loss, self._pace
            for _ in range(_HALVINGS):
                step = self._pace / self.total
                self.factors = {
                    scope: _bounded(factor - step * slopes[scope]) if scope in slopes else factor
                    for scope, factor in factors.items()
                }
                self._propagate()
                found, loss, new = self._misfit(measured, weights)
                if before - loss >= 0.5 * sum(float((slopes[s] * (old[s] - found[s])).sum()) for s in measured):
                    break
                self._pace /= 2
            else:
                # Rounding hides what is left of the descent.
                self.factors, self._pace = factors, pace
                self._propagate()
                return
            slopes, self._pace = new, self._pace * 1.5
            if before - loss < _STILL * before:
                return

    def _misfit(self, measured: Mapping[Scope, Measured], weights: dict) -> tuple[dict, float, dict]:
        """Return the tables of measured scopes, their squared distance from what was measured, and its derivatives."""
        found = {scope: self.table(scope) for scope in measured}
        away = {scope: found[scope] - each.table for scope, each in measured.items()}
        loss = sum(weights[scope] * float((each**2).sum()) for scope, each in away.items()) / 2
        return found, loss, {scope: weights[scope] * each for scope, each in away.items()}

    def table(self, scope: Scope) -> np.ndarray:
        """Return the table of any columns, which may lie in different cliques."""
        home = self._home(scope)
        if home is not None:
            return _summed(self.tables[home], self.scopes[home], scope)
        kept = self._spanned(scope)
        terms: list = []
        for i in kept:
            first = i == kept[0]
            terms += [self.tables[i] if first else self._conditional(i), list(self.scopes[i])]
        return np.einsum(*terms, list(scope), optimize="greedy")

    def _spanned(self, scope: Scope) -> list[int]:
        """Return the cliques of the smallest part of the tree that has the columns, each after its parent."""
        kept = set(range(len(self.scopes)))
        pruned = True
        while pruned:
            pruned = False
            for i in sorted(kept):
                near = [j for j in kept if self.parents[j] == i or self.parents[i] == j]
                shared = set().union(*(self.scopes[j] for j in near)) if near else set()
                if len(near) == 1 and set(scope) & set(self.scopes[i]) <= shared:
                    kept.discard(i)
                    pruned = True
        return sorted(kept)

    def _conditional(self, i: int) -> np.ndarray:
        """Return the table of a clique, divided by that of the columns it shares with its parent."""
        if i not in self._given:
            over = self._separator(i)
            below = _spread(_summed(self.tables[i], self.scopes[i], over), over, self.scopes[i])
            self._given[i] = np.divide(self.tables[i], below, out=np.zeros_like(self.tables[i]), where=below > 0)
        return self._given[i]

    def draw(self, rows: int, rng: np.random.Generator, given: dict[int, np.ndarray]) -> list[np.ndarray]:
        """Draw rows clique by clique; ``given`` columns, which lie in the first clique, keep their values."""
        found: dict[int, np.ndarray] = dict(given)
        for scope, table in zip(self.scopes, self.tables, strict=True):
            old = [column for column in scope if column in found]
            new = [column for column in scope if column not in found]
            if not new:
                continue
            flat = table.transpose([scope.index(column) for column in (*old, *new)])
            shape = [self.sizes[column] for column in new]
            flat = flat.reshape(-1, math.prod(shape))
            # Where no row is estimated, the other columns by themselves are the best guess.
            flat = np.where(flat.sum(1, keepdims=True) <= 1e-9, flat.sum(0) + 1e-12, flat)
            at = np.zeros(rows, int)
            for column in old:
                at = at * self.sizes[column] + found[column]
            drawn = np.unravel_index(tree.pick(flat, at, rng), shape)
            found.update(zip(new, drawn, strict=True))
        return [found[column] for column in range(len(self.sizes))]

    def rooted(self, column: int) -> "JunctionTree":
        """Return the tree with a clique of the given column first."""
        first = next(i for i, scope in enumerate(self.scopes) if column in scope)
        order, parents = [first], [-1]
        for i in order:
            near = [j for j in range(len(self.scopes)) if self.parents[j] == i or self.parents[i] == j]
            for j in near:
                if j not in order:
                    order.append(j)
                    parents.append(order.index(i))
        scopes, tables = ([each[i] for i in order] for each in (self.scopes, self.tables))
        return JunctionTree(self.sizes, self.total, self.factors, scopes, parents, tables)


def _bounded(log: np.ndarray) -> np.ndarray:
    highest = log.max()
    return np.maximum(log - highest, -_RANGE)


def _spread(table: np.ndarray, scope: Scope, wide: Scope) -> np.ndarray:
    """Return a table of some columns with dimensions of length 1 for the other columns of a wider scope."""
    sizes = dict(zip(scope, table.shape, strict=True))
    return table.reshape([sizes.get(column, 1) for column in wide])


def _summed(table: np.ndarray, scope: Scope, kept: Scope) -> np.ndarray:
    return table.sum(tuple(i for i, column in enumerate(scope) if column not in kept))


def _collapsed(log: np.ndarray, scope: Scope, kept: Scope) -> np.ndarray:
    """Return the logarithm of the sum of exponentials over the columns that are not kept."""
    over = tuple(i for i, column in enumerate(scope) if column not in kept)
    highest = log.max(over, keepdims=True)
    return np.log(np.exp(log - highest).sum(over)) + highest.reshape(
        [log.shape[i] for i, c in enumerate(scope) if c in kept]
    )
