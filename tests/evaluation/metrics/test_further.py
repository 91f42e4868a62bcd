"""Further metrics at known answers: fresh rows, copies, shifted rows and columns without dependence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trisynth.data.dataset import Dataset
from trisynth.evaluation.classifiers import Prediction
from trisynth.evaluation.metrics import models, support, two_sample
from trisynth.evaluation.metrics.calibration import Calibration
from trisynth.evaluation.metrics.subgroups import Subgroups

METRICS = (
    support.SupportPrecision(),
    support.AlphaPrecision(),
    support.Authenticity(),
    two_sample.SlicedWasserstein(permutations=99),
    two_sample.MMD(permutations=99),
    two_sample.PMSE(),
    Subgroups(),
    models.ImportancePreservation(repeats=1),
    models.GlobalUtility(),
    models.ModelSelection(),
    models.TrainTestGap(),
    models.ShiftRobustness(),
)


def permuted(rows: Dataset) -> Dataset:
    """The same columns, each in an order of its own."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({name: rows.X[name].array[rng.permutation(len(rows))] for name in rows.X})
    return replace(rows, X=X, y=rows.y.iloc[rng.permutation(len(rows))].reset_index(drop=True))


@pytest.fixture
def scores(draw, context):
    """Maker of the scores of synthetic rows beside 400 training and 400 held-out rows."""
    train, test = draw(400, 0), draw(400, 1)
    kinds = {
        "fresh": lambda: draw(400, 2),
        "copies": lambda: train,
        "shifted": lambda: draw(400, 2, shift=10.0),
        "independent": lambda: permuted(draw(400, 2)),
    }

    def make(kind, metrics=METRICS):
        given = context(train, test, kinds[kind]())
        return {name: value for metric in metrics for name, value in metric.score(given).items()}

    return make


def test_fresh_rows_reach_the_ideal_values(scores):
    found = scores("fresh")
    assert found["support_precision"] > 0.95 and found["support_recall"] > 0.95
    assert found["alpha_precision"] > 0.9 and found["beta_recall"] > 0.85
    assert found["authenticity"] == pytest.approx(found["authenticity_base"], abs=0.08)
    assert min(found[f"{name}_p"] for name in ("sliced_wasserstein", "mmd")) > 0.02 and abs(found["mmd"]) < 0.005
    assert 0.3 < found["pmse_ratio"] < 2
    assert found["subgroup_distance"] < 0.1 and found["subgroup_worst"] < 0.15
    assert found["importance_correlation"] > found["importance_correlation_real"] - 0.4
    assert found["global_utility"] == pytest.approx(found["global_utility_real"], abs=0.06)
    assert found["selection_regret"] < 0.03 and found["model_rank_correlation"] > 0.3
    assert 0 < found["train_test_gap"] < found["train_test_gap_real"]
    assert 0 < found["shift_loss"] == pytest.approx(found["shift_loss_real"], abs=0.05)


def test_copies_are_not_authentic_and_all_else_is_right(scores):
    found = scores("copies", (support.Authenticity(), support.SupportPrecision(), models.GlobalUtility()))
    assert found["authenticity"] == 0 and found["authenticity_base"] > 0.3
    assert found["support_precision"] > 0.95
    assert found["global_utility"] == pytest.approx(found["global_utility_real"], abs=0.05)


def test_shifted_rows_fail_every_test_of_two_samples(scores):
    found = scores("shifted", (*METRICS[:2], *METRICS[3:7]))
    assert found["support_precision"] < 0.1 and found["support_recall"] < 0.1 and found["alpha_precision"] < 0.1
    assert found["sliced_wasserstein_p"] == found["mmd_p"] == 0.01 and found["mmd"] > 0.1
    assert found["pmse_ratio"] > 20 and found["pmse"] <= 0.25
    assert found["subgroup_distance"] > 0.5


def test_independent_columns_are_useless_to_models(scores):
    found = scores("independent", METRICS[4:10])
    assert found["global_utility"] < 0.3 * found["global_utility_real"] and found["global_utility_real"] > 0.1
    assert found["mmd_p"] == 0.01 and found["subgroup_distance"] > 0.15
    assert found["pmse_ratio"] < 3  # main effects do not see the missing dependence


def test_rows_of_a_population_that_training_rows_lack_help_there(columns, context):
    rng = np.random.default_rng(0)

    def rows(high):
        a, b = rng.uniform(-3, high, 300), rng.normal(size=300)
        return columns(a=a, b=b, y=np.where((np.abs(a) > 1.5) ^ (rng.random(300) < 0.05), "out", "in"))

    found = models.ShiftRobustness().score(context(rows(0), rows(3), rows(3)))
    assert found["shift_worst_real"] < 0.6 < 0.8 < found["shift_worst"]
    assert found["shift_loss"] < found["shift_loss_real"]
    assert models.ShiftRobustness(min_rows=300).score(context(rows(3), rows(3), rows(3))) == {}


def test_p_values_of_fresh_rows_are_uniform(draw, context):
    tests = (two_sample.MMD(19, 50), two_sample.SlicedWasserstein(10, 19, 50))
    given = [context(draw(50, i), draw(50, 500 + i), draw(50, 900 + i)) for i in range(40)]
    for metric in tests:
        found = np.array([list(metric.score(each).values())[1] for each in given])
        assert np.mean(found <= 0.1) < 0.25 and 0.35 < found.mean() < 0.65


def test_the_ratio_of_pmse_is_one_on_average_for_fresh_rows(draw, context):
    train = draw(50, 0)
    found = [two_sample.PMSE().score(context(train, draw(200, 2 * i), draw(200, 2 * i + 1))) for i in range(1, 41)]
    assert np.mean([each["pmse_ratio"] for each in found]) == pytest.approx(1, abs=0.3)


def test_scores_of_a_numeric_target_and_of_none(columns, context):
    rng = np.random.default_rng(0)

    def rows(n):
        x = rng.normal(size=(n, 3))
        return columns(a=x[:, 0], b=x[:, 1], c=x[:, 2], y=2 * x[:, 0] + x[:, 1] + rng.normal(size=n))

    given = context(rows(300), rows(300), rows(300))
    found = {name: value for metric in METRICS for name, value in metric.score(given).items()}
    assert found["importance_correlation"] == pytest.approx(1, abs=0.3) and found["selection_regret"] < 0.1
    assert "subgroup_distance" not in found
    useless = context(rows(300), rows(300), permuted(rows(300)))
    assert METRICS[7].score(useless)["importance_correlation"] < found["importance_correlation"]
    few = context(rows(30), rows(4), rows(4))
    found = {name: value for metric in METRICS for name, value in metric.score(few).items()}
    assert not {"support_precision", "alpha_precision", "pmse", "importance_correlation"} & set(found)


def test_a_calibrated_model_has_no_excess_at_150_rows():
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.05, 0.95, 150)
        y = pd.Series(np.where(rng.random(150) < p, "yes", "no"))
        wrong = np.clip(p + 0.3 * np.sign(p - 0.5), 0.01, 0.99)
        scores = [
            Calibration().score(y, Prediction(probabilities=np.column_stack([1 - q, q])), ["no", "yes"])
            for q in (p, wrong)
        ]
        found.append([scores[0]["ece_excess"], scores[0]["ece_p"], scores[1]["ece_excess"], scores[1]["ece_p"]])
    excess, p, wrong, wrong_p = np.mean(found, axis=0)
    assert abs(excess) < 0.01 and 0.35 < p < 0.65
    assert wrong > 0.05 and wrong_p < 0.1
    assert Calibration().score(pd.Series([1.0]), Prediction(values=np.ones(1)), None) == {}
