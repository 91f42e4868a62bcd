"""Leaves give their own outcomes at their weights, point masses exactly, and never a rare number."""

import numpy as np
import pytest

from trisynth.generators.trees.donors import Codes, Numbers


def test_codes_have_the_weights_of_their_leaf():
    leaf = np.array([0, 0, 0, 1, 1, 2])
    code = np.array([3, 3, 1, 0, 2, 5])
    codes = Codes.learn(leaf, code, np.array([1.0, 1.0, 2.0, 1.0, 3.0, 0.5]))
    rng = np.random.default_rng(0)
    for place, expected in enumerate(({1: 0.5, 3: 0.5}, {0: 0.25, 2: 0.75}, {5: 1.0})):
        drawn = codes.draw(np.full(20_000, place), rng)
        found = {int(value): np.mean(drawn == value) for value in np.unique(drawn)}
        assert found == pytest.approx(expected, abs=0.02)


def test_the_largest_uniform_number_stays_in_its_leaf():
    weights = np.full(30, 0.1)
    codes = Codes.learn(np.repeat(np.arange(10), 3), np.tile(np.arange(3), 10), weights)
    last = np.nextafter(1.0, 0.0)
    assert (codes.donor(np.arange(10), np.full(10, last)) == np.arange(2, 30, 3)).all()


def test_numbers_lie_between_the_neighbours_of_their_leaf():
    values = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    leaf = np.array([0, 0, 0, 1, 1, 1])
    numbers = Numbers.learn(leaf, values, np.ones(6))
    rng = np.random.default_rng(0)
    low, high = numbers.draw(np.zeros(5_000, int), rng), numbers.draw(np.ones(5_000, int), rng)
    assert low.min() >= 0 and high.max() <= 12
    # A leaf reaches half a rank towards the values of others.
    assert low.max() <= 6 and high.min() >= 6
    assert not np.isin(np.concatenate([low, high]), values).any()


def test_point_masses_come_back_at_their_weight_and_values_of_four_rows_do_not():
    rng = np.random.default_rng(0)
    values = np.concatenate([np.zeros(50), np.full(4, 0.5), rng.uniform(0.1, 1, 46)])
    numbers = Numbers.learn(np.zeros(100, int), values, np.ones(100))
    drawn = numbers.draw(np.zeros(20_000, int), rng)
    assert np.mean(drawn == 0) == pytest.approx(0.5, abs=0.02)
    assert not np.isin(drawn, values[50:]).any()
    assert np.median(drawn[drawn > 0]) == pytest.approx(np.median(values[50:]), abs=0.03)


def test_a_leaf_of_point_masses_needs_no_other_value():
    numbers = Numbers.learn(np.zeros(20, int), np.repeat([1.0, 2.0], 10), np.ones(20))
    drawn = numbers.draw(np.zeros(100, int), np.random.default_rng(0))
    assert set(drawn) == {1.0, 2.0}
