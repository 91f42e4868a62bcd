"""Standard deviation of synthetic rows and correlation of their cheapest pairs, where both are known."""

import numpy as np
import pytest

from trisynth.evaluation.metrics.shrinkage import Shrinkage

spread = Shrinkage().score


def normal(columns, n, seed, scale=1.0, width=1, shift=0.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return columns(**{f"x{i}": scale * rng.normal(size=n) + 10 * y + shift for i in range(width)}, y=y.astype(str))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_ratio_is_that_within_classes(columns, context, scale):
    real, synthetic = normal(columns, 2000, 0), normal(columns, 3000, 1, scale, shift=3.0)
    assert spread(context(real, real, synthetic))["spread_ratio"] == pytest.approx(scale, rel=0.05)


def test_cheapest_pairs_of_one_number_are_sorted_and_of_many_are_hardly_alike(columns, context):
    found = {}
    for width in (1, 3, 12):
        real, synthetic = normal(columns, 1000, 0, width=width), normal(columns, 1000, 1, width=width)
        found[width] = spread(context(real, real, synthetic))["pair_correlation"]
    assert found[1] > 0.95 > found[3] > found[12] > 0.3


def test_equal_rows_are_perfect_pairs(columns, context):
    real = normal(columns, 128, 0, width=3)
    found = spread(context(real, real, real))
    assert found["spread_ratio"] == pytest.approx(1)


def test_constant_rows_have_no_spread_and_no_correlation(columns, context):
    real, flat = normal(columns, 200, 0), normal(columns, 200, 1, scale=0.0)
    assert spread(context(real, real, flat)) == pytest.approx({"spread_ratio": 0.0, "pair_correlation": 0.0})


def test_the_same_seed_gives_the_same_numbers(draw, context):
    parts = draw(300, 0), draw(100, 1), draw(300, 2)
    assert spread(context(*parts, seed=4)) == spread(context(*parts, seed=4)) != spread(context(*parts, seed=5))


def test_numeric_targets_make_one_class_and_tables_without_numbers_none(columns, context):
    rng = np.random.default_rng(0)
    real = columns(x=rng.normal(size=100), y=rng.normal(size=100))
    assert spread(context(real, real, real))["spread_ratio"] == pytest.approx(1)
    letters = columns(x=list("ab") * 50, y=list("ppqq") * 25)
    assert spread(context(letters, letters, letters)) == {}


def test_classes_too_small_on_either_side_are_left_out(columns, context):
    real = normal(columns, 200, 0)
    few = columns(x0=np.r_[np.zeros(60), 1e6], y=["0"] * 60 + ["1"])
    assert spread(context(real, real, few)) == pytest.approx({"spread_ratio": 0.0, "pair_correlation": 0.0})
    assert spread(context(real, real, columns(x0=[1.0, 2.0], y=["0", "1"]))) == {}
