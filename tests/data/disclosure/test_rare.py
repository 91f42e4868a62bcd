"""Rare categories are pooled; where a column has no others, a line states that it is left empty."""

import numpy as np
import pandas as pd

from trisynth import Circuit
from trisynth.data.disclosure.rare import Guard
from trisynth.data.disclosure.seen import Seen


def test_a_column_of_rare_categories_only_is_told_to_be_empty():
    table = pd.DataFrame({"city": [f"town {i % 20}" for i in range(60)], "age": [20 + i % 40 for i in range(60)]})
    notes = Circuit().fit(table).notes
    assert any("only 20 rare" in line and "left empty" in line and "rare: 0" in line for line in notes)


def test_a_birth_date_in_six_rows_of_one_person_is_rare():
    rng = np.random.default_rng(0)
    born = np.sort(rng.choice(20_000, 60, replace=False)).astype(float)
    persons = np.repeat(np.arange(60), 6)
    cells = rng.permuted(born[persons])
    assert Guard.learn(born[persons], 1.0, 5, rng) is None
    guard = Guard.learn(born[persons], 1.0, 5, rng, persons)
    # Neither the dates nor the four smallest and largest come back, whoever drew them.
    assert (guard.lower, guard.upper) == (born[4], born[-5])
    moved = guard.apply(cells, 1.0, np.rint, rng)
    assert not np.isin(moved, born).any()
    assert np.abs(moved - np.clip(cells, born[4], born[-5])).max() < 3000


def test_a_frequent_value_stays_even_if_its_digest_equals_that_of_a_rare_one():
    cells = np.concatenate([np.repeat(np.arange(0.0, 1000.0, 10.0), 6), [3.0, 7.0, 991.0]])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        guard = Guard.learn(cells, 1.0, 5, rng)
        inside = cells[(cells >= guard.lower) & (cells <= guard.upper)]
        moved = guard.apply(inside, 1.0, np.rint, rng)
        frequent = inside % 10 == 0
        assert (moved == inside)[frequent].all() and not (moved == inside)[~frequent].any()


def test_a_cell_whose_moves_all_leave_the_range_takes_a_free_or_a_frequent_value():
    seen = Seen.learn(np.arange(10.0), np.random.default_rng(0))
    guard = Guard(0.0, 9.0, np.array([0.0, 1e9]), 1.0, seen, np.array([5.0]))
    moved = guard.apply(np.full(2_000, 3.0), 1.0, np.rint, np.random.default_rng(0))
    assert set(moved) == {5.0}
    # Without any free value, a frequent one outside the range is taken.
    guard = Guard(0.0, 9.0, np.array([0.0, 1e9]), 1.0, seen, np.array([20.0]))
    assert set(guard.apply(np.full(20, 3.0), 1.0, np.rint, np.random.default_rng(0))) == {20.0}
