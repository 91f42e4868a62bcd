"""Linkability: two halves of a row are linked by the synthetic row that is nearest to both."""

import numpy as np

from trisynth import seeds
from trisynth.auditing.rates import Risk
from trisynth.auditing.records import Records


def linkability(records: Records, seed: int, attacks: int = 500, divisions: int = 5) -> Risk | None:
    """Attack rows whose columns are divided at random between two tables (Giomi et al. 2023).

    An attack succeeds where both halves have the same nearest synthetic row. Equal synthetic rows count as one.

    Parameters
    ----------
    records : Records
    seed : int
        Seed of the attacked rows, of the divisions, of ties and of random guesses.
    attacks : int, default=500
        Most rows of each side that are attacked.
    divisions : int, default=5
        Random divisions of the columns, each for its part of the attacked rows.

    Returns
    -------
    Risk or None
        None for a table of one column, or without rows on a side.
    """
    columns = len(records.names)
    if min(map(len, (records.train, records.control, records.synthetic))) < 1 or columns < 2:
        return None
    rng = seeds.stream(seed, "auditing.linkability")
    halves = np.array([rng.permutation(columns) < columns // 2 for _ in range(divisions)])
    distinct = np.unique(records.synthetic, axis=0)
    found = []
    for side in (records.train, records.control):
        targets = side[np.sort(rng.permutation(len(side))[:attacks])]
        linked = np.empty(len(targets), bool)
        for rows, distances in records.batches(targets, distinct):
            first = halves[rows % divisions].astype(np.float32)
            nearest = [
                (_weighted(distances, half) + rng.random(distances.shape[1:], np.float32) * 1e-5).argmin(1)
                for half in (first, 1 - first)
            ]
            linked[rows] = nearest[0] == nearest[1]
        found.append(linked)
    guesses = rng.integers(0, len(distinct), (2, len(found[0])))
    return Risk.of(*found, guesses[0] == guesses[1])


def _weighted(distances: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum distances of shape (d, rows, others) over columns, with weights of each row of shape (rows, d)."""
    return np.einsum("drs,rd->rs", distances, weights)
