"""Lower bounds hold where nothing leaks and come near the truth where it does."""

import numpy as np
import pytest

from trisynth.auditing.bounds import ceiling, lower_bound, upper_rate


def test_intervals_are_those_of_clopper_and_pearson():
    assert upper_rate(0, 50) == pytest.approx(1 - 0.025 ** (1 / 50))
    assert upper_rate(5, 50) == pytest.approx(0.2181, abs=1e-4)
    assert upper_rate(50, 50) == 1


def test_ceilings_grow_with_the_fits():
    assert [round(ceiling(2 * n, 1e-6), 1) for n in (50, 500)] == [2.6, 4.9]


def test_scores_without_a_difference_bound_nothing():
    rng = np.random.default_rng(0)
    bounds = [lower_bound(rng.normal(size=300), rng.normal(size=300), 1e-6) for _ in range(100)]
    # A bound of 95 % confidence may exceed the truth in a twentieth of the cases.
    assert np.mean(np.array(bounds) > 0) <= 0.1


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_randomised_response_is_not_accused_and_nearly_reached(epsilon):
    rng = np.random.default_rng(1)
    p = np.exp(epsilon) / (1 + np.exp(epsilon))
    without, present = (rng.random(20_000) < share for share in (1 - p, p))
    assert 0.85 * epsilon < lower_bound(without.astype(float), present.astype(float), 0.0) <= epsilon
