"""Singling out: predicates that hold for one synthetic row hold for exactly one real row."""

from dataclasses import replace

import numpy as np

from trisynth import seeds
from trisynth.auditing.rates import Risk
from trisynth.auditing.records import Records

# Conditions on one cell; a condition on a missing cell is EQUAL to NaN.
EQUAL, LEAST, MOST, UNEQUAL, ABOVE, BELOW = range(6)
# Predicates that are tried for each one that is kept.
_TRIES = 10

# Columns, conditions and values of one predicate, all of which must hold.
Predicate = tuple[np.ndarray, np.ndarray, np.ndarray]


def univariate(records: Records, seed: int, attacks: int = 500) -> Risk | None:
    """Attack by a condition on one column: a value that one synthetic row alone has, or the end of a range.

    Equal synthetic rows count as one.

    Parameters
    ----------
    records : Records
    seed : int
        Seed of the choice of predicates, and of random ones.
    attacks : int, default=500
        Maximum number of predicates.

    Returns
    -------
    Risk or None
        None where no predicate singles out a synthetic row.
    """
    rng = seeds.stream(seed, "auditing.univariate")
    found = []
    for i, column in enumerate(records.synthetic[records.distinct].T):
        present = column[~np.isnan(column)]
        if np.isnan(column).sum() == 1:
            found.append((i, EQUAL, np.nan))
        values, counts = np.unique(present, return_counts=True)
        found += [(i, EQUAL, value) for value in values[counts == 1]]
        if len(present) and not records.is_category[i]:
            ends = (MOST, 0), (LEAST, -1)
            found += [(i, condition, values[end]) for condition, end in ends if counts[end] == 1]
    chosen = [found[place] for place in rng.permutation(len(found))[:attacks]]
    return _risk(records, [tuple(np.array([part]) for part in each) for each in chosen], 1, rng)


def multivariate(records: Records, seed: int, attacks: int = 500, columns: int = 3) -> Risk | None:
    """Attack by conditions on several columns, the cells of one synthetic row; see :func:`univariate`.

    Numbers above the column's median have to be at least as large, others at most as large; categories are equal.
    """
    rng = seeds.stream(seed, "auditing.multivariate")
    synthetic, width = records.synthetic[records.distinct], len(records.names)
    if width < columns or not len(synthetic):
        return None
    with np.errstate(all="ignore"):
        medians = np.array([np.median(c[~np.isnan(c)]) if (~np.isnan(c)).any() else 0.0 for c in synthetic.T])
    found, seen = [], set()
    for _ in range(_TRIES * attacks):
        if len(found) == attacks:
            break
        chosen = np.sort(rng.permutation(width)[:columns])
        values = synthetic[rng.integers(len(synthetic)), chosen]
        ends = np.where(values > medians[chosen], LEAST, MOST)
        conditions = np.where(records.is_category[chosen] | np.isnan(values), EQUAL, ends)
        key = (*chosen, *conditions, *map(str, values))
        if key not in seen and holds(synthetic, (chosen, conditions, values)).sum() == 1:
            seen.add(key)
            found.append((chosen, conditions, values))
    return _risk(records, found, columns, rng)


def holds(rows: np.ndarray, predicate: Predicate) -> np.ndarray:
    """Return for which rows all conditions of a predicate hold, shape (n,)."""
    found = np.ones(len(rows), bool)
    for column, condition, value in zip(*predicate, strict=True):
        cells = rows[:, column]
        if np.isnan(value):
            found &= np.isnan(cells) == (condition == EQUAL)
        elif condition == EQUAL:
            found &= cells == value
        elif condition == UNEQUAL:
            found &= cells != value
        elif condition == LEAST:
            found &= cells >= value
        elif condition == MOST:
            found &= cells <= value
        elif condition == ABOVE:
            found &= cells > value
        else:
            found &= cells < value
    return found


def _risk(records: Records, predicates: list[Predicate], columns: int, rng: np.random.Generator) -> Risk | None:
    if not predicates or not len(records.train):
        return None
    naive = [_random(records, columns, rng) for _ in predicates]
    sides = (records.train, predicates), (records.control, predicates), (records.train, naive)
    found, overlaps = [], []
    for rows, given in sides:
        matches = [np.flatnonzero(holds(rows, each)) for each in given]
        alone = [int(match[0]) if len(match) == 1 else -1 for match in matches]
        found.append(np.array(alone) >= 0)
        overlaps.append(_overlap(np.array(alone)))
    risk = Risk.of(*found, used=min(records.train_used, records.synthetic_used))
    return replace(risk, overlap=max(overlaps[:2]))


def _overlap(alone: np.ndarray) -> float:
    """Return how many successful predicates share their row, on average over successes: the design effect of clusters.

    Predicates that hold for the same row alone succeed and fail together, and count as one attack.
    """
    counts = np.unique(alone[alone >= 0], return_counts=True)[1]
    return float((counts**2).sum() / counts.sum()) if len(counts) else 1.0


def _random(records: Records, columns: int, rng: np.random.Generator) -> Predicate:
    """Draw a predicate of random columns, conditions and synthetic values."""
    chosen = np.sort(rng.permutation(len(records.names))[:columns])
    values, conditions = [], []
    for column in chosen:
        values.append(rng.choice(np.unique(records.synthetic[:, column])))
        conditions.append(rng.choice([EQUAL, UNEQUAL]) if records.is_category[column] else rng.integers(6))
    return chosen, np.array(conditions), np.array(values)
