"""Attribute inference: an attacker knows all cells of a row but one, and takes it from the nearest synthetic row."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trisynth import seeds
from trisynth.auditing.rates import Risk
from trisynth.auditing.records import Records, nearest


def attribute_inference(records: Records, seed: int, attacks: int = 500, tolerance: float = 0.05) -> dict[object, Risk]:
    """Attack each column by itself, the secret; all others are known (Giomi et al. 2023).

    A guess is right where the category is the same, or the number lies within ``tolerance`` of its true value, as a
    fraction of it; of a date, as a fraction of the column's range without its hundredths of extremes.

    Parameters
    ----------
    records : Records
    seed : int
        Seed of the attacked rows, of ties and of random guesses.
    attacks : int, default=500
        Maximum number of rows of each side that are attacked.
    tolerance : float, default=0.05

    Returns
    -------
    dict of hashable to Risk
        By the name of the secret column; empty for a table of one column, or without rows on a side.
    """
    if min(map(len, (records.train, records.control, records.synthetic))) < 1 or len(records.names) < 2:
        return {}
    rng = seeds.stream(seed, "auditing.attributes")
    synthetic, found = records.synthetic, []
    codes = records.codes(synthetic)
    for side in (records.train, records.control):
        targets = records.attacked(side, attacks, rng)
        right = np.empty(targets.shape, bool)
        for rows, distances in records.batches(records.codes(targets), codes):
            whole = distances.sum(0, dtype=np.int32)
            for i in range(targets.shape[1]):
                # Of equally near rows a random one, whatever their order.
                places = nearest(whole - distances[i], rng)
                right[rows, i] = _right(records, i, synthetic[places, i], targets[rows, i], tolerance)
        found.append((targets, right))
    (targets, main), (_, control) = found
    naive = synthetic[rng.integers(0, len(synthetic), len(targets))]
    guessed = [_right(records, i, naive[:, i], targets[:, i], tolerance) for i in range(len(records.names))]
    return {
        name: Risk.of(main[:, i], control[:, i], guessed[i], used=records.synthetic_used)
        for i, name in enumerate(records.names)
    }


def worst(found: Mapping[object, Risk]) -> tuple[object, Risk] | None:
    """Return the column with the largest risk, its interval widened for the choice among all (Bonferroni)."""
    if not found:
        return None
    name = max(found, key=lambda each: found[each].interval[0])
    return name, replace(found[name], compared=len(found))


def _right(records: Records, column: int, guesses: np.ndarray, secrets: np.ndarray, tolerance: float) -> np.ndarray:
    missing = np.isnan(guesses) & np.isnan(secrets)
    if records.is_category[column]:
        return missing | (guesses == secrets)
    allowed = records.spreads[column] if records.is_point[column] else np.abs(secrets)
    return missing | (np.abs(guesses - secrets) <= tolerance * allowed)
