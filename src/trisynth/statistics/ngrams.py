"""Interpolated n-gram models of sequences of whole numbers, as sorted arrays: fitted, scored and sampled in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Symbols that no text holds: its end and its start, and a word that is unknown.
END, START, UNKNOWN = 0, 1, 2
# Bounds of a discount, which small samples estimate badly.
_LEAST, _MOST = 0.1, 0.95
# Draws of a symbol that must not be an end.
_FIRSTS = 20


@dataclass(frozen=True)
class Level:
    """Grams of one length, sorted by context and last symbol.

    Parameters
    ----------
    keys : ndarray of int64, shape (grams,)
        Context times the number of symbols, plus the last symbol. A context is the number of a gram of the level below;
        those of the first level are classes.
    weights : ndarray of float64, shape (grams,)
        Occurrences, or different symbols before the gram; 0 for those that end with a start or an unknown word.
    shown : ndarray of bool, shape (grams,)
        Whether the gram may be drawn; the weight of others goes to shorter grams.
    ends : ndarray of float64, shape (grams,)
        Sums of the weights up to each gram.
    first, last : ndarray of int64, shape (contexts,)
        Range of the grams of each context.
    freed : ndarray of float64, shape (contexts,)
        Weight of each context that goes to shorter grams.
    discount : float
    """

    keys: np.ndarray
    weights: np.ndarray
    shown: np.ndarray
    ends: np.ndarray
    first: np.ndarray
    last: np.ndarray
    freed: np.ndarray
    discount: float

    @classmethod
    def of(
        cls, keys: np.ndarray, weights: np.ndarray, shown: np.ndarray, contexts: int, size: int, discount: float
    ) -> "Level":
        """Build a level of ``contexts`` contexts and ``size`` symbols."""
        bounds = np.arange(contexts + 1) * size
        edges = np.searchsorted(keys, bounds)
        ends = np.cumsum(weights)
        sums = np.concatenate([[0.0], np.cumsum(_freed(weights, shown, discount))])
        freed = sums[edges[1:]] - sums[edges[:-1]]
        return cls(keys, weights, shown, ends, edges[:-1], edges[1:], freed, discount)

    def find(self, contexts: np.ndarray, symbols: np.ndarray, size: int) -> np.ndarray:
        """Return the number of each gram, -1 where it does not occur or its context is -1."""
        keys = contexts * size + symbols
        if not len(self.keys):
            return np.full(len(keys), -1)
        found = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where((contexts >= 0) & (self.keys[found] == keys), found, -1)

    def totals(self, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sum of the weights before and up to the end of each context."""
        first, last = self.first[contexts], self.last[contexts]
        return np.where(first > 0, self.ends[first - 1], 0.0), np.where(last > 0, self.ends[last - 1], 0.0)


@dataclass(frozen=True)
class NGrams:
    """Interpolated Kneser-Ney model of sequences that belong to classes (Ney, Essen and Kneser 1994).

    The weight of a gram below the longest is the number of different symbols before it, within its class. A discount
    D = n1 / (n1 + 2 n2) is taken from each weight; the mass that it frees goes to the gram that is shorter by its first
    symbol, and that of the shortest to the symbols of all classes, each counted once more than it occurs.

    Parameters
    ----------
    size : int
        Number of symbols, those of the module among them.
    levels : tuple of Level
        By the length of their grams, from 1.
    base : ndarray of float64, shape (size,)
        Probabilities of symbols whatever their class.
    """

    size: int
    levels: tuple[Level, ...]
    base: np.ndarray

    @classmethod
    def learn(
        cls,
        sequences: Sequence[np.ndarray],
        classes: np.ndarray,
        size: int,
        order: int,
        rare: int = 0,
        owners: np.ndarray | None = None,
    ) -> "NGrams":
        """Learn from sequences of symbols without start and end.

        Parameters
        ----------
        sequences : sequence of ndarray of int
        classes : ndarray of int, shape (len(sequences),)
            Numbered from 0.
        size : int
        order : int
            Length of the longest grams; one symbol is drawn given ``order - 1`` others.
        rare : int, default=0
            Grams of two or more symbols that fewer sequences hold, of whatever class, are not drawn as such. Above 1,
            the weight of a gram below the longest is the weight that the longer ones do not keep, so that symbols are
            as frequent as in the sequences.
        owners : ndarray of int, shape (len(sequences),), optional
            Owner of each sequence, to count owners instead of sequences.
        """
        symbols, place, roots = joined(sequences, classes)
        silent = (symbols == START) | ((symbols == UNKNOWN) & (rare < 2))
        numbers, contexts = roots, int(classes.max(initial=0)) + 1
        grams: list[tuple] = []
        for length in range(1, order + 1):
            held = np.flatnonzero(place >= length - 1)
            before = numbers if length == 1 else _before(numbers)
            asked = before[held] * size + symbols[held]
            keys, first, inverse = np.unique(asked, return_index=True, return_inverse=True)
            counts = np.bincount(inverse, minlength=len(keys)).astype(float)
            mine = np.full(len(symbols), -1)
            mine[held] = inverse
            grams.append((keys, counts, held[first], mine, contexts))
            numbers, contexts = mine, len(keys)
        shown = _shown(symbols, place, [each[2] for each in grams], size, rare, owners)
        levels: list[Level] = []
        for length in range(order, 0, -1):
            keys, counts, at, mine, contexts = grams[length - 1]
            weights = counts
            if length < order:
                # A gram at the start of a text has nothing before it.
                starts = place[at] == length - 1
                longer_at, longer = grams[length][2], levels[-1]
                parts = _freed(longer.weights, longer.shown, longer.discount) if rare > 1 else np.ones(len(longer_at))
                weights = np.bincount(mine[longer_at], parts, minlength=len(keys))
                weights = np.where(starts & (weights == 0), counts, weights)
            weights = np.where(silent[at], 0.0, weights)
            discount = _discount(counts if rare > 1 else weights)
            levels.append(Level.of(keys, weights, shown[length - 1], contexts, size, discount))
        base = np.bincount(symbols[~silent], minlength=size).astype(float)
        base[START] = -1.0
        return cls(size, tuple(reversed(levels)), (base + 1) / (base + 1).sum())

    @property
    def order(self) -> int:
        """Length of the longest grams."""
        return len(self.levels)

    def log_probabilities(self, sequences: Sequence[np.ndarray], classes: np.ndarray) -> np.ndarray:
        """Return the natural logarithm of the probability of each symbol, ends included, of all sequences joined."""
        symbols, place, roots = joined(sequences, classes)
        numbers, found = roots, self.base[symbols]
        for length, level in enumerate(self.levels, 1):
            contexts = numbers if length == 1 else _before(numbers)
            numbers = np.where(place >= length - 1, level.find(contexts, symbols, self.size), -1)
            known = np.flatnonzero((contexts >= 0) & (place >= length - 1))
            low, high = level.totals(contexts[known])
            known, mass = known[high > low], (high - low)[high > low]
            drawn = (numbers[known] >= 0) & level.shown[numbers[known]]
            weight = np.where(drawn, level.weights[numbers[known]], 0.0)
            freed = level.freed[contexts[known]] / mass
            found[known] = np.maximum(weight - level.discount, 0) / mass + freed * found[known]
        return np.log(found[place > 0])

    def sample(
        self,
        classes: np.ndarray,
        longest: int,
        rng: np.random.Generator,
        starts: Sequence[np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """Draw a sequence of at most ``longest`` symbols for each class, which continues its start if one is given."""
        n = len(classes)
        drawn = np.zeros((n, longest), dtype=np.int32)
        sizes = np.full(n, longest)
        rows = np.arange(n)
        states = self._next(np.column_stack([classes] + [np.full(n, -1)] * (self.order - 1)), np.full(n, START))
        begun = np.zeros(n, int) if starts is None else np.array([len(each) for each in starts], int)
        for i in np.flatnonzero(begun):
            drawn[i, : begun[i]] = starts[i]
        for back in range(min(self.order - 1, begun.max(initial=0)), 0, -1):
            held = np.flatnonzero(begun >= back)
            states[held] = self._next(states[held], drawn[held, begun[held] - back])
        bare, ends = (begun == 0) & self._never_empty(states), np.cumsum(self.base)
        for step in range(longest):
            kept = begun[rows] + step < longest
            rows, states = rows[kept], states[kept]
            if not len(rows):
                break
            chosen = self._draw(states, ends, rng)
            self._begin(chosen, states, bare[rows], ends, rng)
            bare[rows] &= chosen == UNKNOWN
            over = chosen == END
            sizes[rows[over]] = begun[rows[over]] + step
            rows, chosen, states = rows[~over], chosen[~over], states[~over]
            drawn[rows, begun[rows] + step] = chosen
            states = self._next(states, chosen)
        return [row[:size] for row, size in zip(drawn, sizes, strict=True)]

    def _never_empty(self, states: np.ndarray) -> np.ndarray:
        """Decide for each state at a start whether no sequence of its class is empty."""
        length = min(1, self.order - 1)
        return self.levels[length].find(states[:, length], np.full(len(states), END), self.size) < 0

    def _begin(
        self, chosen: np.ndarray, states: np.ndarray, bare: np.ndarray, ends: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Draw symbols again that would end a bare sequence, which has no known symbol and must not be empty."""
        for _ in range(_FIRSTS):
            empty = np.flatnonzero((chosen == END) & bare)
            if not len(empty):
                return
            chosen[empty] = self._draw(states[empty], ends, rng)

    def _next(self, states: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Return the contexts after one more symbol, shape (n, order): those of 0, 1, ... symbols, -1 where unknown."""
        after = np.empty_like(states)
        after[:, 0] = states[:, 0]
        for length in range(1, self.order):
            after[:, length] = self.levels[length - 1].find(states[:, length - 1], symbols, self.size)
        return after

    def _draw(self, states: np.ndarray, ends: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a symbol for each state: one of the longest known context, or else of a shorter one."""
        chosen = np.full(len(states), -1)
        for length in range(self.order, 0, -1):
            level, contexts = self.levels[length - 1], states[:, length - 1]
            asked = np.flatnonzero((chosen < 0) & (contexts >= 0))
            low, high = level.totals(contexts[asked])
            asked, low, high = asked[high > low], low[high > low], high[high > low]
            at = np.searchsorted(level.ends, low + rng.random(len(asked)) * (high - low), side="right")
            at = np.minimum(at, level.last[contexts[asked]] - 1)
            kept = (rng.random(len(asked)) * level.weights[at] >= level.discount) & level.shown[at]
            chosen[asked[kept]] = level.keys[at[kept]] % self.size
        left = np.flatnonzero(chosen < 0)
        chosen[left] = np.minimum(np.searchsorted(ends, rng.random(len(left)), side="right"), self.size - 1)
        return np.where(chosen == START, END, chosen)


def _discount(weights: np.ndarray) -> float:
    ones, twos = (weights == 1).sum(), (weights == 2).sum()
    return float(np.clip(ones / max(ones + 2 * twos, 1), _LEAST, _MOST))


def _freed(weights: np.ndarray, shown: np.ndarray, discount: float) -> np.ndarray:
    """Return the weight of each gram that goes to shorter ones."""
    return np.where(shown, np.minimum(weights, discount), weights)


def joined(sequences: Sequence[np.ndarray], classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join sequences with start and end to one, with the place of each symbol in its sequence and its class."""
    sizes = np.array([len(each) + 2 for each in sequences], dtype=np.int64)
    stops = np.cumsum(sizes)
    symbols = np.empty(sizes.sum(), dtype=np.int64)
    place = np.arange(len(symbols)) - np.repeat(stops - sizes, sizes)
    inner = np.ones(len(symbols), bool)
    inner[stops - 1], inner[stops - sizes] = False, False
    symbols[stops - 1], symbols[stops - sizes] = END, START
    symbols[inner] = np.concatenate([np.zeros(0, np.int64), *sequences])
    return symbols, place, np.repeat(np.asarray(classes, dtype=np.int64), sizes)


def common(
    sequences: Sequence[np.ndarray], size: int, order: int, rare: int, owners: np.ndarray | None = None
) -> list[np.ndarray]:
    """Return where n-grams of several sequences end, for the lengths 2, ..., ``order``.

    Parameters
    ----------
    sequences : sequence of ndarray of int
    size, order, rare, owners
        As in ``NGrams.learn``.

    Returns
    -------
    list of ndarray of bool
        For each length: whether the gram that ends at a symbol occurs in at least ``rare`` sequences; for all sequences
        joined, with start and end. A gram that would begin before the start counts as the one from the start.
    """
    symbols, place, _ = joined(sequences, np.zeros(len(sequences), int))
    numbers, rows, found = symbols, _rows(place, owners), []
    shorter = np.ones(len(symbols), bool)
    for length in range(2, order + 1):
        held = np.flatnonzero(place >= length - 1)
        inverse, many = _of_rows(numbers, symbols, rows, held, size, rare)
        shorter = shorter.copy()
        shorter[held] = many[inverse]
        found.append(shorter)
        numbers = np.full(len(symbols), -1)
        numbers[held] = inverse
    return found


def _of_rows(
    numbers: np.ndarray, symbols: np.ndarray, rows: np.ndarray, held: np.ndarray, size: int, rare: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of the grams that end at some places, and which of them at least ``rare`` sequences hold."""
    inverse = np.unique(_before(numbers)[held] * size + symbols[held], return_inverse=True)[1]
    pairs = np.unique(np.column_stack([inverse, rows[held]]), axis=0)
    return inverse, np.bincount(pairs[:, 0], minlength=1) >= rare


def _shown(
    symbols: np.ndarray,
    place: np.ndarray,
    firsts: Sequence[np.ndarray],
    size: int,
    rare: int,
    owners: np.ndarray | None,
) -> list[np.ndarray]:
    """Return for each length which grams at least ``rare`` sequences hold; ``firsts`` are their last places."""
    found = [np.ones(len(at), bool) for at in firsts]
    rows, numbers = _rows(place, owners), symbols
    for length in range(2, len(firsts) + 1 if rare > 1 else 2):
        held = np.flatnonzero(place >= length - 1)
        inverse, many = _of_rows(numbers, symbols, rows, held, size, rare)
        numbers = np.full(len(symbols), -1)
        numbers[held] = inverse
        found[length - 1] = many[numbers[firsts[length - 1]]]
    return found


def _rows(place: np.ndarray, owners: np.ndarray | None) -> np.ndarray:
    """Return the sequence of each symbol, or its owner."""
    rows = np.cumsum(place == 0) - 1
    return rows if owners is None else owners[rows]


def _before(numbers: np.ndarray) -> np.ndarray:
    """Return the number at the place before; -1 at the first."""
    return np.concatenate([[-1], numbers[:-1]])
