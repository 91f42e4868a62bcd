"""Linkability: two halves of a row are linked by the synthetic row that is nearest to both."""

import numpy as np

from trisynth import seeds
from trisynth.auditing.rates import Risk
from trisynth.auditing.records import Records, nearest


def linkability(records: Records, seed: int, attacks: int = 500, divisions: int = 5) -> Risk | None:
    """Attack rows whose columns are divided at random between two tables (Giomi et al. 2023).

    An attack succeeds where both halves have the same nearest synthetic row. Equal synthetic rows count as one.

    Parameters
    ----------
    records : Records
    seed : int
        Seed of the attacked rows, of the divisions, of ties and of random guesses.
    attacks : int, default=500
        Maximum number of rows of each side that are attacked.
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
    distinct = records.codes(records.synthetic[records.distinct])
    found = []
    for side in (records.train, records.control):
        targets = records.codes(records.attacked(side, attacks, rng))
        linked = np.empty(len(targets), bool)
        for division, half in enumerate(halves):
            own = np.arange(division, len(targets), divisions)
            for rows, distances in records.batches(targets[own], distinct):
                ends = [nearest(distances[part].sum(0, dtype=np.int32), rng) for part in (half, ~half)]
                linked[own[rows]] = ends[0] == ends[1]
        found.append(linked)
    guesses = rng.integers(0, len(distinct), (2, len(found[0])))
    return Risk.of(*found, guesses[0] == guesses[1], used=records.synthetic_used)
