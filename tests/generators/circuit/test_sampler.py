"""Alias tables: cells add up to their distributions, and independent and stratified draws follow them."""

import numpy as np
import pytest

from trisynth.generators.circuit.sampler import AliasTable


@pytest.mark.parametrize("size", [1, 2, 3, 300])
def test_cells_add_up_to_the_distribution(size):
    weights = np.random.default_rng(size).gamma(0.3, size=(7, size))
    weights[:, 0] += 1e-3
    weights[2, 1:] = 0.0
    table = AliasTable.of(weights)
    held = table.cut / size
    np.add.at(held, (np.arange(7)[:, None], table.other), (1 - table.cut) / size)
    assert held == pytest.approx(weights / weights.sum(axis=1, keepdims=True), abs=1e-6)


def test_draws_follow_their_distribution_and_skip_impossible_outcomes():
    weights = np.array([[0.0, 1.0, 3.0], [5.0, 0.0, 0.0]])
    rows = np.repeat(np.arange(2, dtype=np.int32), 40_000)
    drawn = AliasTable.of(weights).draw(rows, np.random.default_rng(0))
    assert (drawn[rows == 1] == 0).all() and (drawn[rows == 0] != 0).all()
    assert (drawn[rows == 0] == 2).mean() == pytest.approx(0.75, abs=0.01)


def test_stratified_draws_meet_every_distribution_and_each_alone_follows_it():
    weights = np.array([[1.0, 2.0, 7.0], [6.0, 3.0, 1.0]])
    table, distributions = AliasTable.of(weights), weights / 10
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(2, dtype=np.int32), [500, 50]))
    rng = np.random.default_rng(1)
    drawn = np.array([table.draw(rows, rng, stratified=True) for _ in range(2_000)])
    for row in range(2):
        counts = np.stack([(drawn[:, rows == row] == outcome).sum(axis=1) for outcome in range(3)], axis=1)
        # Independent draws miss by several times as much: the deviation of 500 draws of 0.2 is 9.
        assert np.abs(counts - distributions[row] * (rows == row).sum()).max() < 4
    one = drawn[:, 7]
    shares = [(one == outcome).mean() for outcome in range(3)]
    assert shares == pytest.approx(distributions[rows[7]], abs=0.04)
    # Draws of different rows are uncorrelated.
    pairs = np.corrcoef(drawn[:, rows == 0][:, :2].T)[0, 1]
    assert abs(pairs) < 0.08


def test_stratified_draws_of_no_row_and_of_one():
    table = AliasTable.of(np.array([[1.0, 1.0]]))
    rng = np.random.default_rng(0)
    assert not len(table.draw(np.zeros(0, np.int32), rng, stratified=True))
    assert {int(table.draw(np.zeros(1, np.int32), rng, stratified=True)[0]) for _ in range(50)} == {0, 1}


@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_alias_tables_hold_their_distributions_exactly(size):
    weights = np.random.default_rng(size).gamma(0.2, size=(5, size))
    weights[:, 0] += 1e-6
    weights[0, 1:] = 0.0
    table = AliasTable.of(weights)
    held = table.cut.astype(float) / size
    for row in range(5):
        held[row] += np.bincount(table.other[row], (1.0 - table.cut[row].astype(float)) / size, size)
    assert held == pytest.approx(weights / weights.sum(axis=1, keepdims=True), abs=1e-6)
    rows = np.repeat(np.arange(5, dtype=np.int32), 20_000)
    drawn = table.draw(rows, np.random.default_rng(0))
    shares = np.bincount(rows * size + drawn, minlength=5 * size).reshape(5, size) / 20_000
    assert np.abs(shares - weights / weights.sum(axis=1, keepdims=True)).max() < 0.02
    assert (drawn[rows == 0] == 0).all()
