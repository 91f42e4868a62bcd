"""Sequential forests keep linear and other dependences, and nest the copula and sequential trees."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trisynth.errors import InputError
from trisynth.generators.trees.selection import Setting
from trisynth.generators.trees.sequence import responses
from trisynth.generators.trees.sequential_forest import SequentialForest
from trisynth.objective import Loss

pytestmark = pytest.mark.usefixtures("unprotected")


def dependent(rows: int, seed: int = 0) -> pd.DataFrame:
    """A line, a checkerboard of two numbers and its colour, a point mass, gaps, and a class."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"a": rng.uniform(0, 4, rows), "b": rng.uniform(0, 4, rows)})
    black = (table["a"].astype(int) + table["b"].astype(int)) % 2 == 0
    table["colour"] = pd.Categorical(np.where(black, "black", "white"))
    table["line"] = table["a"] + 0.2 * rng.normal(size=rows)
    table["spent"] = np.where(rng.random(rows) < 0.3, 0.0, rng.gamma(2.0, size=rows))
    table["gap"] = np.where(black & (rng.random(rows) < 0.5), np.nan, rng.normal(size=rows))
    table["y"] = np.where(table["b"] + rng.normal(size=rows) > 2, "high", "low")
    return table


@pytest.fixture(scope="module")
def fitted() -> tuple[SequentialForest, pd.DataFrame]:
    table = dependent(2_000)
    return SequentialForest(n_estimators=4).fit(table, target="y", relations=False), table


def test_dependences_are_kept(fitted):
    generator, _ = fitted
    drawn = generator.sample(4_000, seed=1)
    black = (drawn["a"].astype(int) + drawn["b"].astype(int)) % 2 == 0
    assert np.mean(black == (drawn["colour"] == "black")) > 0.7
    assert drawn["a"].corr(drawn["line"]) > 0.97
    missing = drawn["gap"].isna()
    assert missing[drawn["colour"] == "black"].mean() == pytest.approx(0.5, abs=0.07)
    assert missing[drawn["colour"] == "white"].mean() < 0.08


def test_marginals_are_those_of_the_rows(fitted):
    generator, table = fitted
    drawn = generator.sample(2_000, seed=2)
    for name in ("a", "b", "line"):
        assert stats.ks_2samp(drawn[name], table[name]).pvalue > 1e-3
    assert (drawn["spent"] == 0).mean() == pytest.approx(0.3, abs=0.04)


def test_point_masses_come_back_and_no_other_number(fitted):
    generator, table = fitted
    drawn = generator.sample(2_000, seed=3)
    assert not np.isin(drawn["a"], table["a"]).any()
    assert set(drawn["spent"][np.isin(drawn["spent"], table["spent"])]) == {0.0}


def test_without_trees_it_is_a_copula():
    rng = np.random.default_rng(0)
    normal = rng.multivariate_normal(np.zeros(3), [[1, 0.8, 0.3], [0.8, 1, 0.5], [0.3, 0.5, 1]], 1_000)
    table = pd.DataFrame(np.exp(normal), columns=list("abc"))
    generator = SequentialForest(min_samples_leaf=1_000, max_copying=None).fit(table, relations=False)
    assert generator.diagnostics()["leaves"] == 3 * generator.diagnostics()["chains"]
    drawn = generator.sample(20_000, seed=0)
    expected, found = (t.corr("spearman").to_numpy() for t in (table, drawn))
    np.testing.assert_allclose(found, expected, atol=0.04)


def test_a_heteroscedastic_residual_is_kept():
    rng = np.random.default_rng(0)
    a = rng.uniform(size=3_000)
    table = pd.DataFrame({"a": a, "b": a + np.where(a > 0.5, 1.0, 0.02) * rng.normal(size=3_000)})
    drawn = SequentialForest().fit(table, relations=False).sample(3_000, seed=0)
    spread = (drawn["b"] - drawn["a"]).abs().groupby(drawn["a"] > 0.5).median()
    assert spread[False] < 0.1 and spread[True] > 0.5


def test_a_lower_bound_on_copying_merges_leaves():
    table = dependent(300)
    sizes = [SequentialForest(max_copying=bound).fit(table, target="y").setting_.size for bound in (1.0, 0.5)]
    assert sizes[0] == 10 < sizes[1]


def test_a_fit_to_copied_rows_is_measured_as_copying():
    table = dependent(600)
    coarse = SequentialForest(min_samples_leaf=200, max_copying=1.0).fit(table, target="y")
    fine = SequentialForest(min_samples_leaf=1, pruning=False, max_copying=1.0).fit(table, target="y")
    assert coarse.copying_ < 0.56 < fine.copying_


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_the_setting_of_the_lowest_loss_is_chosen(weights):
    generator = SequentialForest(n_estimators=2, max_copying=None, selection="loss", loss=Loss(*weights))
    generator.fit(dependent(400), target="y")
    tried = pd.DataFrame(generator.totals_)
    best = tried.loc[tried["total"].idxmin()]
    assert generator.setting_ == Setting(best["size"], best["pruned"], best["class_strength"])
    assert len(set(tried["size"])) > 1 and set(tried["pruned"]) == {True, False}
    assert len(set(tried["class_strength"])) == 3
    terms = dict(zip(("rec", "dist", "model"), weights, strict=True))
    assert all((f"{term}_weighted" in tried) == (weight > 0) for term, weight in terms.items())


def test_the_native_loss_leaves_the_choice_to_the_rule():
    table = dependent(300)
    native = SequentialForest(selection="loss", loss=Loss(1, 0, 0, pairing="none")).fit(table, target="y")
    assert not native.totals_
    pd.testing.assert_frame_equal(native.sample(50), SequentialForest().fit(table, target="y").sample(50))


def test_a_loss_chooses_leaves_for_a_numeric_target():
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    table = pd.DataFrame({"a": a, "y": 2 * a + 0.3 * rng.normal(size=300)})
    generator = SequentialForest(selection="loss", loss=Loss(1, 1, 1)).fit(table, target="y", relations=False)
    tried = pd.DataFrame(generator.totals_)
    assert set(tried["class_strength"]) == {4.0} and tried["model"].gt(0).all()


def test_weights_are_rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=300), "b": rng.integers(0, 3, 300).astype(float)})
    weights = np.where(table["b"] == 1, 8.0, 1.0)
    drawn = SequentialForest(max_copying=None).fit(table, relations=False, weights=weights).sample(4_000, seed=0)
    assert (drawn["b"] == 1).mean() == pytest.approx(weights[table["b"] == 1].sum() / weights.sum(), abs=0.04)


def test_a_numeric_target_keeps_its_dependence():
    rng = np.random.default_rng(0)
    a = rng.normal(size=1_000)
    table = pd.DataFrame({"a": a, "y": 2 * a + 0.3 * rng.normal(size=1_000)})
    drawn = SequentialForest().fit(table, target="y", relations=False).sample(1_000, seed=0)
    assert list(drawn) == ["a", "y"]
    assert drawn.corr().loc["a", "y"] > 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_samples_leaf": 0}, "min_samples_leaf=0"),
        ({"n_estimators": "many"}, "n_estimators='many': must be a whole number or auto"),
        ({"max_copying": 0.3}, "max_copying=0.3"),
        ({"class_strength": -1}, "class_strength=-1"),
        ({"pruning": "yes"}, "pruning='yes': must be true or false"),
        ({"selection": "best"}, "selection='best': must be rule or loss"),
        ({"selection": "loss", "loss": Loss(model="adc")}, "loss.model='adc': a forest supports only auxiliary"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        SequentialForest(**arguments).check()


def test_partial_rows_are_completed_with_their_known_cells(fitted):
    generator, table = fitted
    given = pd.DataFrame({"line": np.repeat([1.0, 3.0], 200), "colour": np.tile(["black", "white"], 200)})
    made = generator.conditional(given, seed=4)
    assert (made[list(given)].to_numpy() == given.to_numpy()).all()
    near = [(table["line"] - line).abs() < 0.1 for line in (1.0, 3.0)]
    for rows, own in zip(np.split(np.arange(400), 2), near, strict=True):
        # "line" comes after "a", so that candidates of "a" are weighed by it.
        assert made["a"][rows].mean() == pytest.approx(table["a"][own].mean(), abs=0.12)
        assert made["a"][rows].std() < 0.35
    black = (made["a"].astype(int) + made["b"].astype(int)) % 2 == 0
    assert np.mean(black == (made["colour"] == "black")) > 0.7


def test_an_unknown_target_is_drawn_given_the_cells(fitted):
    generator, table = fitted
    made = generator.conditional(pd.DataFrame({"b": np.repeat([0.5, 3.5], 300), "gap": None}), seed=5)
    low, high = ((made["y"] == "high")[rows].mean() for rows in np.split(np.arange(600), 2))
    assert low == pytest.approx((table["y"] == "high")[table["b"] < 1].mean(), abs=0.07)
    assert high == pytest.approx((table["y"] == "high")[table["b"] > 3].mean(), abs=0.07)
    # A column that is given with empty cells is filled.
    assert made["gap"].notna().all()


def test_equal_columns_stay_equal_in_their_fraction_of_the_rows(monkeypatch):
    monkeypatch.setattr(responses, "LARGE", 1_000)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"bill": rng.gamma(2.0, 100.0, 1_500), "y": rng.integers(2, size=1_500).astype(str)})
    table["paid"] = np.where(rng.random(1_500) < 0.4, table["bill"], rng.gamma(2.0, 30.0, 1_500))
    generator = SequentialForest(n_estimators=2).fit(table, target="y", relations=False)
    drawn = generator.sample(1_500, seed=0)
    assert (drawn["bill"] == drawn["paid"]).mean() == pytest.approx(0.4, abs=0.05)
    assert not np.isin(drawn["paid"], table["paid"]).any()
    made = generator.conditional(pd.DataFrame({"bill": [100.0] * 400}), seed=1)
    assert (made["paid"] == 100).mean() == pytest.approx(0.4, abs=0.1)
    assert len(generator.conditional(pd.DataFrame({"paid": [100.0, 50.0], "bill": [100.0, None]}), seed=1)) == 2
