"""The interquartile mean and the coverage of its interval."""

import numpy as np
import pandas as pd
import pytest

from trisynth.statistics.bootstrap import interquartile_mean


def test_extreme_data_sets_do_not_decide():
    index = pd.MultiIndex.from_product([list("abcdefgh"), range(2)], names=["dataset", "seed"])
    values = pd.Series(np.repeat([1.0, 1, 1, 1, 1, 1, 1, 100.0], 2), index)
    found = interquartile_mean(values)
    assert found.mean == 1 and found.half == 0 and found.count == 16
    assert np.isnan(interquartile_mean(values.xs(0, level="seed", drop_level=False)).half)


def test_the_interval_holds_the_mean_of_the_same_data_sets():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(10), range(10)], names=["dataset", "seed"])
    effects = np.repeat(np.linspace(-0.05, 0.05, 10), 10)
    covered = []
    for seed in range(100):
        found = interquartile_mean(pd.Series(effects + rng.normal(0, 0.05, 100), index), seed, repeats=200)
        covered.append(found.low <= 0 <= found.high)
    assert np.mean(covered) > 0.85
    assert interquartile_mean(pd.Series(effects, index), 1) == interquartile_mean(pd.Series(effects, index), 1)


def test_strata_are_drawn_apart():
    index = pd.MultiIndex.from_product([range(4), range(3)], names=["dataset", "seed"])
    assert interquartile_mean(pd.Series(np.repeat([0.0, 1, 2, 3], 3), index)).half == pytest.approx(0)
