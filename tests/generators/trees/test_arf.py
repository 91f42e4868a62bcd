"""The adversarial forest: its leaves are a partition, its density integrates, its rounds end, its draws depend."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from tables import apart

from trisynth.errors import InputError
from trisynth.generators.independent import Independent
from trisynth.generators.trees.arf import ARF, _ordered
from trisynth.generators.trees.leaves import Frequencies, TruncatedNormals, partition

pytestmark = pytest.mark.usefixtures("unprotected")


def labelled(X: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    return X, pd.Series(["all"] * len(X))


def ring(rows: int, seed: int = 0) -> pd.DataFrame:
    """Dependent numbers without correlation."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, rows)
    return pd.DataFrame({"a": np.cos(angle), "b": np.sin(angle)}) + 0.1 * rng.normal(size=(rows, 2))


@pytest.fixture(scope="module")
def mixed_density() -> tuple[ARF, pd.DataFrame]:
    rng = np.random.default_rng(1)
    a = rng.normal(size=600)
    X = pd.DataFrame({"a": a, "b": a + 0.5 * rng.normal(size=600)})
    X["group"] = pd.Categorical(np.where(a + 0.5 * rng.normal(size=600) > 0, "u", "v"))
    X.loc[a < -0.5, "b"] = np.nan
    return ARF().fit(*labelled(X)), X


# Leaves


@pytest.mark.parametrize("least", [1, 12])
def test_boxes_are_a_partition_that_holds_the_rows(least):
    rng = np.random.default_rng(0)
    features = rng.random((300, 3)).astype(np.float32)
    features[rng.random((300, 3)) < 0.1] = np.nan
    forest = RandomForestClassifier(3, min_samples_leaf=2, random_state=0).fit(features, rng.random(300) < 0.5)
    points = rng.random((500, 3))
    merged = []
    for tree in forest.estimators_:
        leaf, lower, upper = partition(tree.tree_, features, least)
        inside = (lower[leaf] < features) & (features <= upper[leaf])
        assert (inside | np.isnan(features)).all()
        assert np.bincount(leaf).min() >= least and len(np.bincount(leaf)) == len(lower)
        boxes = ((lower < points[:, None]) & (points[:, None] <= upper)).all(axis=2)
        assert (boxes.sum(axis=1) == 1).all()
        merged.append(len(lower) < len(np.unique(tree.apply(features))))
        if least == 1:
            # Nothing is merged, so that the leaves are those of scikit-learn.
            assert len(np.unique(np.stack([leaf, tree.apply(features)]), axis=1).T) == len(lower)
    assert all(merged) == (least == 12)


def test_coverage_sums_to_one_and_no_leaf_is_small(mixed_density):
    fitted, X = mixed_density
    assert fitted.coverage_.sum() == pytest.approx(1.0)
    assert fitted.coverage_.min() * fitted.n_estimators * len(X) >= fitted.min_samples_leaf - 1e-9
    given = Frequencies.of(np.array([0, 0, 1]), np.array([2, 2, 0]), 3)
    assert given.probability(np.array([[0], [1]]), np.arange(3)).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_frequencies_are_smoothed():
    rng = np.random.default_rng(0)
    groups, outcomes = rng.integers(0, 3, 200), rng.integers(0, 4, 200) % 3
    law = Frequencies.of(groups, outcomes, 4, smoothing=5.0)
    pooled = np.bincount(outcomes, minlength=4) / 200
    own = np.array([np.bincount(outcomes[groups == g], minlength=4) for g in range(3)])
    wanted = (own + 5 * pooled) / (own.sum(axis=1, keepdims=True) + 5)
    np.testing.assert_allclose(law.probability(np.arange(3)[:, None], np.arange(4)), wanted)
    drawn = np.bincount(law.draw(np.full(20_000, 1), rng), minlength=4)
    assert drawn[3] == 0
    assert stats.chisquare(drawn[:3], 20_000 * wanted[1, :3]).pvalue > 1e-3


def test_truncated_normal_is_the_textbook_one():
    rng = np.random.default_rng(0)
    values, leaves = rng.exponential(size=400), np.repeat([0, 1], 200)
    values[leaves == 1] = 7.0
    law = TruncatedNormals.of(leaves, values, np.array([0.0, 6.0]), np.array([4.0, 8.0]))
    mean, spread = values[:200].mean(), values[:200].std()
    textbook = stats.truncnorm((0 - mean) / spread, (4 - mean) / spread, mean, spread)
    x = np.linspace(0.01, 3.99, 50)
    np.testing.assert_allclose(law.density(np.zeros(50, int), x), textbook.pdf(x), rtol=1e-9)
    assert law.density(np.array([0, 0]), np.array([-0.1, 4.1])).tolist() == [0, 0]
    assert stats.kstest(law.draw(np.zeros(5000, int), rng), textbook.cdf).pvalue > 1e-3
    # Equal values are a point mass and are not blurred.
    assert (law.draw(np.ones(50, int), rng) == 7.0).all()


# Density


def test_density_integrates_to_one(mixed_density):
    fitted, X = mixed_density
    grid = [np.linspace(X[name].min() - 0.1, X[name].max() + 0.1, 90) for name in "ab"]
    a, b = (axis.ravel() for axis in np.meshgrid(*grid))
    total = 0.0
    for letter in ("u", "v"):
        group = pd.Categorical([letter] * len(a), ["u", "v"])
        both = fitted.density(pd.DataFrame({"a": a, "b": b, "group": group})).reshape(90, 90)
        alone = fitted.density(pd.DataFrame({"a": grid[0], "b": np.nan, "group": group[:90]}))
        total += integrate.trapezoid(integrate.trapezoid(both, grid[0]), grid[1]) + integrate.trapezoid(alone, grid[0])
    assert total == pytest.approx(1.0, abs=0.02)


def test_density_knows_the_dependence():
    fitted, fresh = ARF().fit(*labelled(ring(1000))), ring(200, seed=9)
    alone = sum(stats.gaussian_kde(ring(1000)[name]).logpdf(fresh[name]) for name in fresh)
    gained = np.log(fitted.density(fresh) + 1e-6) - alone
    assert gained.mean() > 0.4
    assert fitted.density(pd.DataFrame({"a": [0.0], "b": [0.0]}))[0] < 0.1 * np.median(fitted.density(fresh))


def test_draws_follow_the_density(mixed_density):
    fitted, _ = mixed_density
    drawn, _ = apart(fitted.sample(20_000))
    grid = np.linspace(drawn["a"].min(), drawn["a"].max(), 300)
    group = pd.Categorical(["u"] * 300, ["u", "v"])
    alone = fitted.density(pd.DataFrame({"a": grid, "b": np.nan, "group": group}))
    observed = (drawn["b"].isna() & (drawn["group"] == "u")).mean()
    assert integrate.trapezoid(alone, grid) == pytest.approx(observed, abs=0.01)


# Rounds


def test_accuracy_falls_over_the_rounds():
    rng = np.random.default_rng(2)
    common = rng.normal(size=(900, 1))
    X = pd.DataFrame(common + 0.15 * rng.normal(size=(900, 5)), columns=list("abcde"))
    accuracy = ARF().fit(*labelled(X)).accuracy_
    assert accuracy[0] > 0.9 and min(accuracy[1:]) < accuracy[0] - 0.2
    assert 2 <= len(accuracy) <= 11
    # Every round but the last one falls and is above the goal; the last one rises or reaches it.
    assert (np.diff(accuracy[:-1]) < 0).all() and accuracy[-2] > 0.5
    assert accuracy[-1] <= 0.5 or accuracy[-1] > accuracy[-2] or len(accuracy) == 11
    assert len(ARF(max_iter=0).fit(*labelled(X)).accuracy_) == 1
    assert len(ARF(tol=0.49).fit(*labelled(X)).accuracy_) == 1


def test_independent_columns_end_the_rounds_at_once():
    X = pd.DataFrame(np.random.default_rng(3).normal(size=(800, 4)), columns=list("abcd"))
    accuracy = ARF(tol=0.03).fit(*labelled(X)).accuracy_
    assert len(accuracy) == 1 and 0.4 < accuracy[0] < 0.53


# Draws


def test_pairs_keep_what_marginals_lose(mixed_density):
    _, X = mixed_density
    drawn, lost = (apart(generator.fit(*labelled(X)).sample(4000))[0] for generator in (ARF(), Independent()))
    assert drawn["a"].corr(drawn["b"]) == pytest.approx(X["a"].corr(X["b"]), abs=0.12)
    assert abs(lost["a"].corr(lost["b"])) < 0.1
    circle, flat = (apart(generator.fit(*labelled(ring(1000))).sample(2000))[0] for generator in (ARF(), Independent()))
    hole = [(np.hypot(table["a"], table["b"]) < 0.5).mean() for table in (ring(1000), circle, flat)]
    assert hole[0] < 0.01 and hole[1] < 0.3 * hole[2]


def test_missing_cells_and_categories_keep_their_dependence(mixed_density):
    fitted, X = mixed_density
    drawn, _ = apart(fitted.sample(4000))
    for table in (X, drawn):
        assert (table["b"].isna() == (table["a"] < -0.5)).mean() > 0.93
        assert ((table["group"] == "u") == (table["a"] > 0)).mean() > 0.78
    assert drawn["b"].isna().mean() == pytest.approx(X["b"].isna().mean(), abs=0.03)


@pytest.fixture(scope="module")
def classes() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(4)
    label = rng.choice(3, 900, p=[0.85, 0.1, 0.05])
    X = pd.DataFrame(rng.normal(size=(900, 4)), columns=list("abcd"))
    X["a"] += 2.5 * (label == 1)
    X["b"] += 2.5 * (label == 2)
    return X, pd.Series(np.array(["common", "rare", "rarest"])[label])


def test_rows_are_of_the_requested_class(classes):
    X, y = classes
    drawn, asked = apart(ARF().fit(X, y).sample({"common": 500, "rare": 500, "rarest": 500}))
    judge = LogisticRegression(class_weight="balanced").fit(X, y)
    right = judge.predict(drawn) == asked
    real = (judge.predict(X) == y).groupby(y).mean()
    for label in ("common", "rare", "rarest"):
        assert right[asked == label].mean() > max(0.6, real[label] - 0.25)


def test_class_conditions_are_exact(classes):
    X, y = classes
    fitted = ARF().fit(X, y)
    every = np.arange(len(fitted.coverage_))
    given = fitted.leaves_.probability(np.arange(3)[:, None], every)
    np.testing.assert_allclose(given.sum(axis=1), 1.0)
    # The classes' leaf weights, mixed by the classes' shares, are the coverage: Bayes' rule.
    np.testing.assert_allclose(fitted.counts_ / len(y) @ given, fitted.coverage_, atol=1e-12)


def test_heaped_and_empirical_numbers_are_training_values():
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"smooth": rng.normal(size=500), "heaped": rng.choice([0.0, 1.37, 9.61, 44.25], 500)})
    for family, share in (("truncated_normal", 0.0), ("empirical", 1.0)):
        drawn, _ = apart(ARF(family=family).fit(*labelled(X)).sample(500))
        assert drawn["heaped"].isin(X["heaped"]).all()
        assert drawn["smooth"].isin(X["smooth"]).mean() == pytest.approx(share, abs=0.05)


def test_categories_are_ordered_by_the_class():
    rng = np.random.default_rng(6)
    rate = np.array([0.5, 0.1, 0.9, 0.3, 0.7])
    codes = rng.integers(0, 5, 5000)
    order = _ordered(codes, (rng.random(5000) < rate[codes]).astype(int)).tolist()
    assert order in ([1, 3, 0, 4, 2], [2, 4, 0, 3, 1])
    assert _ordered(np.array([2, -1, 0, 2]), np.zeros(4, int)).tolist() == [0, 2]


def test_smoothing_lets_rare_categories_into_every_leaf():
    X = pd.DataFrame({"a": np.linspace(0, 1, 400), "c": pd.Categorical(["u"] * 200 + ["v"] * 200)})
    wrong = []
    for smoothing in (0.0, 20.0):
        drawn, _ = apart(ARF(smoothing=smoothing).fit(*labelled(X), relations=False).sample(2000))
        wrong.append(((drawn["a"] > 0.5) != (drawn["c"] == "v")).mean())
    assert wrong[0] < 0.03 and wrong[1] > 0.15


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n_estimators", 0),
        ("min_samples_leaf", 2.5),
        ("max_iter", -1),
        ("max_iter", True),
        ("tol", -0.1),
        ("tol", np.nan),
        ("smoothing", "much"),
        ("family", "uniform"),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, classes):
    with pytest.raises(InputError, match=f"^{parameter}="):
        ARF(**{parameter: value}).fit(*classes)
