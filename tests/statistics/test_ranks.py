"""Ranks over data sets: Demšar's example and tables, scipy, and planted orders."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trisynth.errors import InputError
from trisynth.statistics.ranks import critical_difference, friedman, groups, ranks, wins


def scores(seed=0, n=12, k=4, shift=0.0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, k)) + shift * np.arange(k)
    return pd.DataFrame(values, [f"d{i}" for i in range(n)], list("abcdefgh")[:k])


def test_critical_differences_are_those_of_the_published_table():
    # Demšar (2006), table 5a: q is 2.569 for four methods and 3.164 for ten at 0.05; 2.291 for four at 0.10.
    for k, level, q in ((4, 0.05, 2.569), (10, 0.05, 3.164), (4, 0.10, 2.291)):
        assert critical_difference(k, 14, level) == pytest.approx(q * math.sqrt(k * (k + 1) / (6 * 14)), abs=2e-3)


def test_friedman_agrees_with_scipy_with_and_without_ties():
    for table in (scores(), scores(1).round(0)):
        n, k = table.shape
        chi2 = stats.friedmanchisquare(*(table[name] for name in table)).statistic
        f = (n - 1) * chi2 / (n * (k - 1) - chi2)
        assert friedman(table) == pytest.approx((f, stats.f.sf(f, k - 1, (k - 1) * (n - 1))))
    assert friedman(scores() * 0) == (0.0, 1.0)
    assert friedman(scores(shift=100.0)) == (math.inf, 0.0)


def test_a_planted_order_is_ranked_and_grouped():
    means = ranks(scores(shift=10.0)).mean()
    assert list(means.sort_values().index) == ["d", "c", "b", "a"]
    assert list(ranks(scores(shift=10.0), lower_is_better=True).mean()) == [1, 2, 3, 4]
    assert groups(pd.Series({"a": 1.0, "b": 1.5, "c": 2.4, "d": 4.0}), 1.2) == [["a", "b"], ["b", "c"]]
    assert groups(pd.Series({"a": 1.0, "b": 1.5, "c": 2.0}), 3.0) == [["a", "b", "c"]]


def test_wins_ties_and_losses_are_counted():
    assert wins(pd.Series([0.03, 0.01, -0.005, 0.0, -0.2]), rope=0.01) == (1, 3, 1)


def test_a_missing_score_is_named_and_not_averaged_away():
    table = scores()
    table.loc["d3", "b"] = np.nan
    with pytest.raises(InputError, match=r"d3.*has no score of b"):
        ranks(table)
    with pytest.raises(InputError, match="two data sets and two methods"):
        ranks(scores(n=1))
