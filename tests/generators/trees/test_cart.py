"""Sequential trees keep dependences that one split after the other finds, and copy nothing that few rows hold."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trisynth.errors import InputError
from trisynth.generators.trees.cart import CART
from trisynth.generators.trees.growing import Predictors

pytestmark = pytest.mark.usefixtures("unprotected")


def checkerboard(rows: int, seed: int = 0) -> pd.DataFrame:
    """Numbers that depend without correlation, a category of the colour, and gaps on one colour."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"a": rng.uniform(0, 4, rows), "b": rng.uniform(0, 4, rows)})
    black = (table["a"].astype(int) + table["b"].astype(int)) % 2 == 0
    table["colour"] = pd.Categorical(np.where(black, "black", "white"))
    table["gap"] = np.where(black & (rng.random(rows) < 0.5), np.nan, rng.normal(size=rows))
    return table


@pytest.fixture(scope="module")
def fitted() -> tuple[CART, pd.DataFrame]:
    table = checkerboard(3_000)
    return CART(min_samples_leaf=10).fit(table, relations=False), table


def test_dependences_without_correlation_are_kept(fitted):
    generator, _ = fitted
    drawn = generator.sample(3_000, seed=1)
    black = (drawn["a"].astype(int) + drawn["b"].astype(int)) % 2 == 0
    assert np.mean(black == (drawn["colour"] == "black")) > 0.93
    missing = drawn["gap"].isna()
    assert missing[drawn["colour"] == "black"].mean() == pytest.approx(0.5, abs=0.05)
    assert missing[drawn["colour"] == "white"].mean() < 0.02


def test_marginals_are_those_of_the_rows(fitted):
    generator, table = fitted
    drawn = generator.sample(3_000, seed=2)
    for name in ("a", "b"):
        assert stats.ks_2samp(drawn[name], table[name]).pvalue > 1e-3


def test_no_number_of_one_row_is_repeated(fitted):
    generator, table = fitted
    drawn = generator.sample(3_000, seed=3)
    assert not np.isin(drawn["a"], table["a"]).any()


def test_weights_are_rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=200), "b": rng.integers(0, 3, 200).astype(float)})
    weights = np.where(table["b"] == 1, 8.0, 1.0)
    drawn = CART(20).fit(table, relations=False, weights=weights).sample(4_000, seed=0)
    assert (drawn["b"] == 1).mean() == pytest.approx(weights[table["b"] == 1].sum() / weights.sum(), abs=0.03)


def test_many_levels_are_ordered_by_their_response():
    rng = np.random.default_rng(0)
    town = rng.integers(0, 500, 6_000)
    height = rng.permutation(500)[town] / 500 + 0.05 * rng.normal(size=6_000)
    table = pd.DataFrame({"town": pd.Categorical(town.astype(str)), "height": height})
    drawn = CART(20).fit(table, relations=False).sample(6_000, seed=0)
    mean = table.groupby("town", observed=True)["height"].mean()
    assert np.corrcoef(mean[drawn["town"]], drawn["height"])[0, 1] > 0.9


def test_a_code_without_rows_has_the_position_of_the_mean():
    cells = np.array([0, 0, 2, 2])
    outcome = np.array([-1.0, -1.0, 1.0, 1.0])
    order = Predictors.learn([cells], outcome, np.ones(4)).orders[0]
    assert order[1] == 0 and order[0] == -order[2]


def test_a_numeric_target_is_first_whatever_its_place():
    rng = np.random.default_rng(0)
    a = rng.normal(size=1_000)
    table = pd.DataFrame({"a": a, "y": 2 * a + 0.3 * rng.normal(size=1_000)})
    generator = CART().fit(table, target="y", relations=False)
    drawn = generator.sample(1_000, seed=0)
    assert list(drawn) == ["a", "y"]
    assert drawn.corr().loc["a", "y"] > 0.95


def test_a_target_drawn_last_keeps_its_dependence_and_the_requested_labels():
    rng = np.random.default_rng(0)
    a = rng.normal(size=1_000)
    table = pd.DataFrame({"a": a, "y": np.where(a > 1.5, "rare", np.where(a > 0, "high", "low"))})
    generator = CART(10, target="last").fit(table, target="y", relations=False)
    drawn = generator.sample({"rare": 300, "low": 20, "high": 5}, seed=0)
    assert drawn["y"].value_counts().to_dict() == {"rare": 300, "low": 20, "high": 5}
    assert (drawn.loc[drawn["y"] == "rare", "a"] > 1.4).mean() > 0.95
    assert generator.sample(1_000, seed=0)["y"].value_counts()["rare"] == pytest.approx((a > 1.5).sum(), abs=1)


def test_a_numeric_target_drawn_last_keeps_its_dependence():
    rng = np.random.default_rng(0)
    a = rng.normal(size=1_000)
    table = pd.DataFrame({"y": 2 * a + 0.3 * rng.normal(size=1_000), "a": a})
    generator = CART(target="last").fit(table, target="y", relations=False)
    assert generator.sequence_[-1] == generator.target_column_
    assert generator.sample(1_000, seed=0).corr().loc["a", "y"] > 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_samples_leaf": 0}, "min_samples_leaf=0"),
        ({"min_samples_leaf": "small"}, "min_samples_leaf='small': must be a whole number or auto"),
        ({"smallest": 0}, "smallest=0"),
        ({"target": "middle"}, "target='middle': must be first or last"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        CART(**arguments).check()
