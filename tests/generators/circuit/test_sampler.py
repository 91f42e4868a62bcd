"""Alias tables: their cells add up to the laws they stand for, and draws follow them."""

import numpy as np
import pytest

from trisynth.generators.circuit.sampler import AliasTable


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


def test_even_draws_meet_the_shares_of_every_law_and_each_alone_follows_it():
    weights = np.array([[1.0, 2.0, 7.0], [6.0, 3.0, 1.0]])
    table, laws = AliasTable.of(weights), weights / 10
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(2, dtype=np.int32), [500, 50]))
    rng = np.random.default_rng(1)
    drawn = np.array([table.draw(rows, rng, stratified=True) for _ in range(2_000)])
    for law in range(2):
        counts = np.stack([(drawn[:, rows == law] == outcome).sum(axis=1) for outcome in range(3)], axis=1)
        # Independent draws miss by several times as much: the deviation of 500 draws of .2 is 9.
        assert np.abs(counts - laws[law] * (rows == law).sum()).max() < 4
    one = drawn[:, 7]
    shares = [(one == outcome).mean() for outcome in range(3)]
    assert shares == pytest.approx(laws[rows[7]], abs=0.04)
    # Where a draw lies says nothing about its neighbour's.
    pairs = np.corrcoef(drawn[:, rows == 0][:, :2].T)[0, 1]
    assert abs(pairs) < 0.08


def test_even_draws_of_no_row_and_of_one():
    table = AliasTable.of(np.array([[1.0, 1.0]]))
    rng = np.random.default_rng(0)
    assert not len(table.draw(np.zeros(0, np.int32), rng, stratified=True))
    assert {int(table.draw(np.zeros(1, np.int32), rng, stratified=True)[0]) for _ in range(50)} == {0, 1}
