"""Means, win rates and tests over data sets: closed forms, and the coverage of the intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trisynth.statistics.across_datasets import holm, mean_over_datasets, p_value, wilcoxon_p, win_rate


def test_a_data_set_counts_once_however_many_seeds_it_has():
    index = pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("a", 2), ("b", 0)], names=["dataset", "seed"])
    found = mean_over_datasets(pd.Series([1.0, 1.0, 1.0, 0.0], index))
    assert found.mean == 0.5 and found.count == 4 and found.half == pytest.approx(12.706 * 0.5, rel=1e-3)
    assert np.isnan(mean_over_datasets(pd.Series([1.0], index[:1])).half)


def won(rates: list[float], pairs: int) -> pd.Series:
    """Gains of +1 and -1 with a rate of wins for each data set."""
    gains = {(d, i): 1.0 if i < rate * pairs else -1.0 for d, rate in enumerate(rates) for i in range(pairs)}
    return pd.Series(gains).rename_axis(["dataset", "seed"])


def test_wins_of_a_few_data_sets_are_never_certain():
    few, many = win_rate(won([1.0] * 3, 10)), win_rate(won([1.0] * 20, 10))
    assert few.mean == many.mean == 1 and few.low < 0.5 < many.low
    assert np.isnan(win_rate(won([0.6], 10)).half)
    assert win_rate(won([0.5, 0.7] * 4, 10)).half < win_rate(won([0.2, 1.0] * 4, 10)).half


def test_interval_of_the_win_rate_has_nominal_coverage():
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        rates = rng.beta(6, 4, size=8)
        gains = pd.Series(
            {(d, i): rng.choice([1.0, -1.0], p=[p, 1 - p]) for d, p in enumerate(rates) for i in range(10)}
        )
        rate = win_rate(gains.rename_axis(["dataset", "seed"]))
        held.append(rate.low <= 0.6 <= rate.high)
    assert np.mean(held) > 0.93


def test_p_value_is_students_t_over_the_data_sets():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(8), range(2)], names=["dataset", "seed"])
    one = pd.Series(rng.normal(0.01, 0.002, len(index)), index)
    means = one.groupby(level="dataset").mean()
    t = means.mean() / (means.std() / np.sqrt(8))
    assert p_value(one) == pytest.approx(2 * stats.t.sf(t, 7))
    assert p_value(one[:1]) == p_value(0 * one) == 1 and p_value(0 * one + 1) == 0


def test_holm_keeps_the_order_and_multiplies_by_what_is_left():
    p = pd.Series({"a": 0.03, "b": 0.01, "c": 0.02, "d": 0.9})
    assert holm(p).to_dict() == pytest.approx({"a": 0.06, "b": 0.04, "c": 0.06, "d": 0.9})


def test_holm_with_wilcoxon_keeps_the_level_and_finds_a_planted_difference():
    rng, alarms, found = np.random.default_rng(0), [], []
    for _ in range(400):
        gaps = pd.DataFrame(rng.normal(size=(12, 5)), columns=list("abcde")).rename_axis("dataset")
        gaps["e"] += 2
        p = holm(gaps.apply(wilcoxon_p))
        alarms.append((p.drop("e") < 0.05).any())
        found.append(p["e"] < 0.05)
    # Binomial error of 400 repetitions: 0.011.
    assert np.mean(alarms) < 0.05 + 3 * 0.011 and np.mean(found) > 0.9
    zero = pd.Series([0.0, 0.0], pd.Index(["a", "b"], name="dataset"))
    assert wilcoxon_p(zero) == wilcoxon_p(zero[:1] + 1) == 1
