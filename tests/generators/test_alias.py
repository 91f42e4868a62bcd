"""Alias tables: their cells add up to the laws they stand for, and draws follow them."""

import numpy as np
import pytest

from trisynth.generators.alias import AliasTable


@pytest.mark.parametrize("size", [1, 2, 3, 300])
def test_cells_add_up_to_the_law(size):
    weights = np.random.default_rng(size).gamma(0.3, size=(7, size))
    weights[:, 0] += 1e-3
    weights[2, 1:] = 0.0
    table = AliasTable.of(weights)
    law = table.cut / size
    np.add.at(law, (np.arange(7)[:, None], table.other), (1 - table.cut) / size)
    assert law == pytest.approx(weights / weights.sum(axis=1, keepdims=True), abs=1e-6)


def test_draws_follow_the_law_of_their_row_and_skip_what_is_impossible():
    weights = np.array([[0.0, 1.0, 3.0], [5.0, 0.0, 0.0]])
    rows = np.repeat(np.arange(2, dtype=np.int32), 40_000)
    drawn = AliasTable.of(weights).draw(rows, np.random.default_rng(0))
    assert (drawn[rows == 1] == 0).all() and (drawn[rows == 0] != 0).all()
    assert (drawn[rows == 0] == 2).mean() == pytest.approx(0.75, abs=0.01)
