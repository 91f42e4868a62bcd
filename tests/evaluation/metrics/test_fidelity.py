"""Fidelity: closed forms, the classifier tests' known traps, and what may be learned from which rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import norm
from tables import apart

from trisynth.config import instantiate
from trisynth.data.dataset import Dataset
from trisynth.evaluation.metrics.c2st import C2ST
from trisynth.evaluation.metrics.context import bin_edges
from trisynth.evaluation.metrics.fidelity import Correlation, Distances, Divergences, Moments, js, kl
from trisynth.evaluation.references import references
from trisynth.generators.copy import Copy
from trisynth.generators.independent import Independent

c2st, moments, distances = C2ST().score, Moments().score, Distances().score
divergences, correlation = Divergences().score, Correlation().score
DEFAULT = yaml.safe_load((Path(__file__).parents[3] / "conf" / "metrics" / "default.yaml").read_text())


def everything(context):
    metrics = [instantiate(each) for group in ("fidelity", "copying") for each in DEFAULT[group].values()]
    return {key: value for metric in metrics for key, value in metric.score(context).items()}


def test_kl_and_js_of_known_distributions():
    assert kl(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert js(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)
    assert js(np.array([0.3, 0.7]), np.array([0.3, 0.7])) == 0.0


def test_a_shift_moves_each_score_by_its_closed_form(columns, context):
    rng = np.random.default_rng(0)
    train, values = rng.normal(5, 2, size=4000), rng.normal(5, 2, size=4000)
    y = np.repeat(["a", "b"], 2000)
    shifted = context(columns(x=train, y=y), columns(x=values, y=y), columns(x=values + 2.0, y=y))
    unit = train.std()
    assert moments(shifted)["standardized_mean_difference"] == pytest.approx(2 / unit)
    assert moments(shifted)["variance_gap"] == pytest.approx(0, abs=1e-12)
    assert distances(shifted)["wasserstein"] == pytest.approx(2 / unit)
    # Normal distributions one standard deviation apart: KS = 2 Phi(1/2) - 1, KL = 1/2 (a little less in 20 bins); the
    # target, equal on both sides, is the other column of the mean.
    assert distances(shifted)["ks"] == pytest.approx(2 * norm.cdf(0.5) - 1, abs=0.02)
    assert 2 * divergences(shifted)["kl"] == pytest.approx(0.5, abs=0.06)


def test_scale_and_categories_and_missing_cells(columns, context):
    y = ["a", "b"] * 50
    x = np.arange(100.0)
    kind = pd.Categorical(["u"] * 60 + ["v"] * 40)
    holes = np.where(np.arange(100) < 30, np.nan, x)
    real = columns(x=x, kind=kind, y=y)
    wide = context(real, real, columns(x=3 * x, kind=kind, y=y))
    assert moments(wide)["variance_gap"] == pytest.approx(8.0)
    other = context(real, real, columns(x=x, kind=pd.Categorical(["u"] * 10 + ["v"] * 90), y=y))
    assert distances(other)["tv"] == pytest.approx(0.5 / 2)
    empty = context(real, real, columns(x=holes, kind=kind, y=y))
    assert moments(empty)["missing_gap"] == pytest.approx(0.3 / 3)
    assert divergences(empty)["kl"] > 0.05
    gone = context(real, real, columns(x=x, kind=pd.Categorical([None] * 100, categories=["u", "v"]), y=y))
    assert distances(gone)["tv"] == pytest.approx(1.0 / 2)


def test_correlation_gap_sees_lost_dependence_and_the_target(draw, context):
    train, test = draw(1500, 0), draw(1500, 1)
    same = correlation(context(train, test, draw(1500, 2)))["correlation_gap"]
    independent = Dataset(*apart(Independent().fit(train.X, train.y).sample(1500)), train.spec)
    lost = correlation(context(train, test, independent))["correlation_gap"]
    assert same < 0.05 < 0.3 < lost
    shuffled = Dataset(train.X, train.y.sample(frac=1, random_state=0).reset_index(drop=True), train.spec)
    assert correlation(context(train, test, shuffled))["correlation_gap"] > same + 0.1


def test_few_values_get_a_bin_each_and_point_masses_one():
    assert bin_edges(np.array([3.0, 1.0, 1.0, 2.0, np.nan])).tolist() == [1.5, 2.5]
    assert bin_edges(np.full(5, np.nan)).tolist() == []
    edges = bin_edges(np.concatenate([np.zeros(900), np.linspace(1, 2, 100)]))
    assert len(edges) == len(set(edges)) <= 19
    assert edges[0] == 0.0


def test_c2st_is_one_half_for_equal_distributions(draw, context):
    found = [c2st(context(draw(1000, 10 * i), draw(500, 10 * i + 1), draw(1000, 10 * i + 2), i)) for i in range(3)]
    # The AUC of 2 x 500 rows has a standard error of 0.018, their mean one of 0.011.
    for name in ("c2st_boosting", "c2st_linear"):
        assert abs(np.mean([each[name] for each in found]) - 0.5) < 0.035


def test_standard_errors_of_c2st_reach_one_half_for_equal_distributions_only(draw, context):
    score, train = C2ST(standard_errors=True).score, draw(20, 0)
    few, many, shifted = (
        score(context(train, draw(n, 1), draw(n, 2, shift=shift))) for n, shift in ((60, 0.0), (240, 0.0), (60, 2.0))
    )
    for name in ("c2st_boosting", "c2st_linear"):
        assert abs(few[name] - 0.5) < 2 * few[f"{name}_se"]
        assert shifted[name] - 0.5 > 4 * shifted[f"{name}_se"]
        assert many[f"{name}_se"] == pytest.approx(few[f"{name}_se"] / 2, rel=0.25)


def test_c2st_sees_a_shift(draw, context):
    found = c2st(context(draw(600, 0), draw(400, 1), draw(600, 2, shift=4.0)))
    assert min(found.values()) > 0.99


def test_c2st_sees_another_precision_and_another_pattern_of_missing_cells(draw, context):
    fine, whole = draw(600, 0), draw(600, 2, integer=True)
    whole = Dataset(whole.X.astype({"x0": float}), whole.y, whole.spec)
    assert c2st(context(fine, draw(400, 1), whole))["c2st_boosting"] > 0.9
    holes = draw(600, 3)
    holes = Dataset(holes.X.assign(x0=holes.X["x0"].where(np.arange(600) % 2 == 0)), holes.y, holes.spec)
    assert c2st(context(fine, draw(400, 1), holes))["c2st_linear"] > 0.7


def test_independent_columns_pass_the_linear_test_and_fail_the_trees(draw, context):
    train = draw(1000, 0)
    independent = Dataset(*apart(Independent().fit(train.X, train.y).sample(1000)), train.spec)
    found = c2st(context(train, draw(800, 1), independent))
    assert found["c2st_boosting"] > 0.7
    assert found["c2st_linear"] < 0.58


def test_repeated_rows_are_scored_and_not_recognised(draw, context):
    train, test = draw(1000, 0), draw(600, 1)
    repeats = train.take(np.random.default_rng(0).integers(200, size=1000))
    found = c2st(context(train, test, repeats))
    assert abs(found["c2st_boosting"] - 0.5) < 0.08
    # The planted fault: twins that differ in the 12th digit cannot be grouped, and the trees recognise them.
    noise = np.random.default_rng(1).normal(size=1000) * 1e-12
    hidden = Dataset(repeats.X.assign(x0=repeats.X["x0"] + noise), repeats.y, repeats.spec)
    assert c2st(context(train, test, hidden))["c2st_boosting"] > 0.75


def test_a_collapse_to_few_rows_is_found(draw, context):
    train = draw(600, 0)
    assert c2st(context(train, draw(300, 1), train.take(np.arange(600) % 4)))["c2st_boosting"] > 0.95
    assert c2st(context(train, draw(300, 1), train.take(np.zeros(600, int))))["c2st_boosting"] > 0.95


def test_c2st_of_a_table_of_categories_is_a_coin_toss_too(columns, context):
    def cells(n, seed):
        rng = np.random.default_rng(seed)
        shown = {f"c{i}": pd.Categorical(rng.choice(list("xyz"), n), categories=list("xyz")) for i in range(4)}
        return columns(**shown, y=rng.choice(["a", "b"], n))

    found = [c2st(context(cells(800, 3 * i), cells(500, 3 * i + 1), cells(800, 3 * i + 2))) for i in range(3)]
    assert abs(np.mean([each["c2st_boosting"] for each in found]) - 0.5) < 0.035


def test_floor_and_ceiling_frame_the_scores(draw, context):
    train, test = draw(800, 0), draw(400, 1)

    def compare(synthetic):
        return everything(context(train, test, synthetic))

    frame = references(train, 0, compare)
    assert set(frame) == {f"{name}_{end}" for name in compare(draw(800, 2)) for end in ("floor", "ceiling")}
    assert frame["correlation_gap_floor"] > 0.2 > 0.08 > frame["correlation_gap_ceiling"]
    assert frame["c2st_boosting_floor"] > 0.7 > 0.56 > frame["c2st_boosting_ceiling"]
    assert frame["identical_match_share_floor"] == 0.0
    assert frame["identical_match_share_ceiling"] == 1.0
    assert frame == references(train, 0, compare)


def test_all_scores_are_reproducible_and_leave_the_rows_alone(draw, context):
    parts = draw(200, 0), draw(150, 1), draw(200, 2)
    before = [part.X.copy() for part in parts]
    assert everything(context(*parts, seed=3)) == everything(context(*parts, seed=3))
    for part, kept in zip(parts, before, strict=True):
        pd.testing.assert_frame_equal(part.X, kept)


def test_no_scale_or_bin_comes_from_held_out_or_synthetic_rows(draw, context):
    """The canary: wild rows on either side leave all that is learned untouched."""
    train, test, synthetic = draw(200, 0), draw(100, 1), draw(200, 2)
    wild = draw(100, 3, shift=1e6)
    plain = context(train, test, synthetic)
    for other in (context(train, wild, synthetic), context(train, test, wild)):
        assert other.scales == plain.scales
        assert other.schema == plain.schema or repr(other.schema) == repr(plain.schema)
        assert all(np.array_equal(other.edges(name), plain.edges(name)) for name in plain.numbers)
    # A wild training row is the planted violation: the comparison must see it.
    assert context(wild, test, synthetic).scales != plain.scales


HARD = {
    "one column of numbers": {"x": np.arange(40.0)},
    "one column of categories": {"c": pd.Categorical(["u", "v"] * 20)},
    "constants": {"x": np.ones(40), "c": pd.Categorical(["u"] * 40)},
    "all missing": {"x": np.full(40, np.nan), "c": pd.Categorical([None] * 40, categories=["u"])},
    "huge": {"x": np.linspace(-8e307, 8e307, 40), "z": np.arange(40.0)},
    "many categories": {"c": pd.Categorical([f"c{i // 2}" for i in range(40)])},
}


@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("target", [np.array(["a", "b"] * 20), np.arange(40.0), np.array(["a"] * 40)])
def test_hard_tables_give_finite_scores(case, target, columns, context, unprotected):
    data = columns(**HARD[case], y=target)
    for generator in (Copy(), Independent()):
        synthetic = Dataset(*apart(generator.fit(data.X, data.y).sample(40)), data.spec)
        found = everything(context(data, data.take(np.arange(25)), synthetic))
        assert np.isfinite(list(found.values())).all()


def test_single_rows_and_empty_samples(draw, context):
    train = draw(50, 0)
    for test, synthetic in ((draw(1, 1), draw(1, 2)), (draw(30, 1), draw(1, 2)), (draw(1, 1), draw(50, 2))):
        assert np.isfinite(list(everything(context(train, test, synthetic)).values())).all()
