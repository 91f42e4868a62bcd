"""Odds learned from unseen rows move draws towards the real density, and nothing is learned where there is nothing."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.generators.persistence import load, save
from trisynth.generators.trees import density_ratio, sequential_forest
from trisynth.generators.trees.density_ratio import DensityRatio, picked
from trisynth.generators.trees.sequential_forest import SequentialForest

pytestmark = pytest.mark.usefixtures("unprotected")


def rows(correlation: float, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    a = rng.normal(size=len(labels))
    b = correlation * a + np.sqrt(1 - correlation**2) * rng.normal(size=len(labels))
    return pd.DataFrame({"a": a, "b": b, "c": pd.Categorical.from_codes(labels, ["no", "yes"])})


@pytest.fixture(scope="module")
def learned() -> DensityRatio:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=4_000)
    parts = [rng.random(4_000) < 0.6 for _ in range(2)]
    found = DensityRatio.learn(
        rows(0.8, labels, rng), labels, np.ones(4_000), parts, lambda chain, own, rng: rows(0.0, own, rng), rng
    )
    assert found is not None
    return found


def test_a_candidate_is_picked_in_proportion_to_its_odds():
    odds = np.tile(np.log([[1.0], [2.0], [5.0]]), 40_000)
    found = np.bincount(picked(odds, np.random.default_rng(0))) / 40_000
    np.testing.assert_allclose(found, [0.125, 0.25, 0.625], atol=0.01)


def test_a_dependence_that_draws_lack_is_restored(learned):
    rng = np.random.default_rng(1)
    labels = np.arange(6_000) % 2
    drawn = learned.chosen(labels, 16, lambda own: rows(0.0, own, rng), rng)
    # Of sixteen independent candidates the best are still not quite as dependent as real rows.
    assert 0.6 < drawn["a"].corr(drawn["b"]) < 0.85
    assert (drawn["c"].cat.codes == labels).all()
    assert drawn["a"].std() == pytest.approx(1.0, abs=0.08)


def test_blocks_of_candidates_have_the_same_distribution(learned, monkeypatch):
    monkeypatch.setattr(density_ratio, "_BLOCK", 1_000)
    rng = np.random.default_rng(1)
    drawn = learned.chosen(np.zeros(2_050, int), 4, lambda own: rows(0.0, own, rng), rng)
    assert len(drawn) == 2_050 and drawn["a"].corr(drawn["b"]) > 0.3


@pytest.mark.parametrize("repeats", [1, 3])
def test_draws_of_the_real_distribution_leave_nothing_to_learn(repeats):
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=3_000)
    # A row that several chains have not seen must not be learned by heart.
    parts = [rng.random(3_000) < 0.6 for _ in range(repeats)]
    table = rows(0.8, labels, rng)
    assert (
        DensityRatio.learn(table, labels, np.ones(3_000), parts, lambda chain, own, rng: rows(0.8, own, rng), rng)
        is None
    )


def test_a_forest_of_single_leaves_regains_a_dependence_and_is_saved(monkeypatch, tmp_path):
    monkeypatch.setattr(sequential_forest, "_MANY", 3_000)
    rng = np.random.default_rng(0)
    a = rng.uniform(-2, 2, 3_000)
    table = pd.DataFrame({"a": a, "b": a**2 + 0.2 * rng.normal(size=3_000), "y": np.where(a > 0, "high", "low")})
    coarse = {"min_samples_leaf": 3_000, "max_copying": None, "n_estimators": 2}
    curve = {}
    for candidates in (1, 8):
        forest = SequentialForest(n_candidates=candidates, **coarse).fit(table, target="y", relations=False)
        drawn = forest.sample(1_000, seed=1)
        curve[candidates] = np.corrcoef(drawn["a"] ** 2, drawn["b"])[0, 1]
    assert curve[1] < 0.1 and curve[8] > 0.7
    assert forest.diagnostics()["candidates"] == 8
    save(forest, tmp_path / "forest")
    again = load(tmp_path / "forest", SequentialForest)
    pd.testing.assert_frame_equal(again.sample(1_000, seed=1), drawn)
    made = forest.conditional(pd.DataFrame({"a": np.repeat([0.0, 1.8], 300)}), seed=2)["b"]
    assert made[:300].mean() < 0.8 < 2.2 < made[300:].mean()


def test_no_candidate_at_all_is_refused():
    with pytest.raises(InputError, match="n_candidates=0"):
        SequentialForest(n_candidates=0).check()
