"""The correlated t test against values of another implementation, and its limits."""

import numpy as np
import pytest

from trisynth.errors import InputError
from trisynth.statistics.bayes import correlated_t

DIFFERENCES = np.array([0.012, 0.031, -0.004, 0.022, 0.018, 0.027, 0.009, 0.015, -0.011, 0.024])


def test_probabilities_sum_to_one_and_change_sides_with_the_sign():
    one, other = correlated_t(DIFFERENCES, 0.1), correlated_t(-DIFFERENCES, 0.1)
    assert one.worse + one.equivalent + one.better == pytest.approx(1)
    assert (one.worse, one.equivalent, one.better) == pytest.approx((other.better, other.equivalent, other.worse))


def test_without_a_region_the_probability_is_that_of_the_corrected_t_test():
    from trisynth.statistics.resampling import p_value

    found = correlated_t(DIFFERENCES, 1 / 3, rope=0)
    assert found.equivalent == 0 and 2 * found.worse == pytest.approx(p_value(DIFFERENCES, 1 / 3))


def test_equal_differences_are_certain_and_one_split_shows_nothing():
    assert correlated_t([0.02] * 5, 1 / 3).better == 1 and correlated_t([0.005] * 5, 1 / 3).equivalent == 1
    assert np.isnan(correlated_t([0.02], 1 / 3).better)
    with pytest.raises(InputError, match="rope"):
        correlated_t(DIFFERENCES, 0.1, rope=-1)


def test_values_are_those_of_another_implementation():
    # baycomp 1.0.3, CorrelatedTTest.probs(zeros, differences, rope=0.01, runs=1): ten folds.
    for shift, expected in ((0.0, (0.00168568, 0.24960242, 0.7487119)), (0.015, (0.08260226, 0.85927725, 0.05812050))):
        found = correlated_t(DIFFERENCES - shift, 0.1)
        assert (found.worse, found.equivalent, found.better) == pytest.approx(expected, abs=1e-7)
