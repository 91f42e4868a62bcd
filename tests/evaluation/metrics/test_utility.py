"""Utility scores against scikit-learn's and against closed forms."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import metrics as reference

from trisynth.config import instantiate
from trisynth.errors import InputError
from trisynth.evaluation.classifiers import Prediction
from trisynth.evaluation.metrics import minority, utility

CLASSES = ["0", "1", "2"]
DEFAULT = yaml.safe_load((Path(__file__).parents[3] / "conf" / "metrics" / "default.yaml").read_text())


def outcome(n=300, k=3, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(k, size=n)
    p = rng.dirichlet(np.ones(k), size=n) + 0.5 * np.eye(k)[codes] * rng.random((n, 1))
    p /= p.sum(axis=1, keepdims=True)
    classes = np.array(CLASSES[:k], dtype=object)
    y = pd.Series(pd.Categorical(classes[codes], categories=classes))
    return y, Prediction(labels=classes[p.argmax(axis=1)], probabilities=p), list(classes)


def every(y, prediction, classes):
    metrics = [instantiate(each) for each in DEFAULT["utility"].values()]
    return {name: value for metric in metrics for name, value in metric.score(y, prediction, classes).items()}


@pytest.mark.parametrize("k", [2, 3])
def test_decisions_agree_with_scikit_learn(k):
    y, prediction, classes = outcome(k=k)
    ours, truth, labels = (
        utility.Decisions().score(y, prediction, classes),
        y.astype(str),
        prediction.labels.astype(str),
    )
    report = reference.classification_report(truth, labels, output_dict=True, zero_division=0)
    assert ours["accuracy"] == pytest.approx(report["accuracy"])
    assert ours["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(truth, labels))
    for average in ("macro", "weighted"):
        for name in ("precision", "recall"):
            assert ours[f"{name}_{average}"] == pytest.approx(report[f"{average} avg"][name])
        assert ours[f"f1_{average}"] == pytest.approx(report[f"{average} avg"]["f1-score"])
    for label in classes:
        shown = [report[label][name] for name in ("precision", "recall", "f1-score")]
        assert [ours[f"{name}/{label}"] for name in ("precision", "recall", "f1")] == pytest.approx(shown)


def test_ranking_agrees_with_scikit_learn():
    y, prediction, classes = outcome(k=2)
    ours, score = utility.Ranking().score(y, prediction, classes), prediction.probabilities[:, 1]
    assert ours["roc_auc"] == pytest.approx(reference.roc_auc_score(y == "1", score))
    assert ours["average_precision"] == pytest.approx(reference.average_precision_score(y == "1", score))
    y, prediction, classes = outcome(k=3)
    ours, codes = utility.Ranking().score(y, prediction, classes), y.cat.codes.to_numpy()
    expected = reference.roc_auc_score(codes, prediction.probabilities, multi_class="ovr", average="macro")
    assert ours["roc_auc"] == pytest.approx(expected)
    assert ours["average_precision"] == pytest.approx(
        reference.average_precision_score(np.eye(3)[codes], prediction.probabilities, average="macro")
    )


def test_auc_counts_ties_one_half():
    assert utility.auc(np.array([0, 1, 0, 1]), np.zeros(4)) == 0.5
    assert utility.auc(np.array([0, 0, 1]), np.array([0.1, 0.5, 0.5])) == 0.75


@pytest.mark.parametrize("k", [2, 3])
def test_probability_scores_agree_with_scikit_learn(k):
    y, prediction, classes = outcome(k=k)
    ours = utility.Probabilities().score(y, prediction, classes)
    assert ours["log_loss"] == pytest.approx(reference.log_loss(y.astype(str), prediction.probabilities))
    brier = reference.brier_score_loss(y.astype(str), prediction.probabilities, labels=classes, scale_by_half=False)
    assert ours["brier"] == pytest.approx(brier)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    n = 1000
    truth = np.arange(n) % 10 < 7
    y = pd.Series(pd.Categorical(np.where(truth, "1", "0"), categories=["0", "1"]))
    for confidence, gap in ((0.7, 0.0), (0.9, 0.2), (1.0, 0.3)):
        p = np.column_stack([np.full(n, 1 - confidence), np.full(n, confidence)])
        prediction = Prediction(labels=np.full(n, "1", dtype=object), probabilities=p)
        # All confidences are tied: any order of the rows must give the same error.
        for order in (np.arange(n), np.argsort(~truth, kind="stable")):
            found = utility.Probabilities().score(y.iloc[order], prediction, ["0", "1"])["ece"]
            assert found == pytest.approx(gap)


def test_a_calibrated_forecaster_has_little_calibration_error_and_a_bold_one_much():
    rng = np.random.default_rng(0)
    p = rng.random(5000)
    y = pd.Series(pd.Categorical(np.where(rng.random(5000) < p, "1", "0"), categories=["0", "1"]))

    def error(q):
        prediction = Prediction(probabilities=np.column_stack([1 - q, q]))
        return utility.Probabilities().score(y, prediction, ["0", "1"])["ece"]

    assert error(p) < 0.03
    assert error(np.clip(3 * (p - 0.5) + 0.5, 0, 1)) > 0.1


def test_a_class_of_one_test_row_has_no_part_in_the_mean_ranking():
    y, prediction, classes = outcome(k=3)
    rows = (y != "2").to_numpy() | (np.arange(len(y)) == np.flatnonzero(y == "2")[0])
    part = Prediction(labels=prediction.labels[rows], probabilities=prediction.probabilities[rows])
    found, known = utility.Ranking().score(y[rows], part, classes), part.probabilities
    expected = [reference.roc_auc_score(y[rows] == name, known[:, i]) for i, name in enumerate("01")]
    assert found["roc_auc"] == pytest.approx(np.mean(expected))
    pair = [np.flatnonzero(y == name)[0] for name in "01"]
    part = Prediction(labels=prediction.labels[pair], probabilities=prediction.probabilities[pair])
    assert "roc_auc" in utility.Ranking().score(y.iloc[pair], part, classes)


def test_a_class_without_test_rows_is_left_out_in_silence():
    y, prediction, classes = outcome(k=3)
    rows = (y != "2").to_numpy()
    part = Prediction(labels=prediction.labels[rows], probabilities=prediction.probabilities[rows])
    found = every(y[rows], part, classes)
    assert "f1/2" not in found
    assert found["f1_macro"] == pytest.approx((found["f1/0"] + found["f1/1"]) / 2)
    assert np.isfinite(list(found.values())).all()
    only = (y == "1").to_numpy()
    single = Prediction(labels=prediction.labels[only], probabilities=prediction.probabilities[only])
    found = every(y[only], single, classes)
    assert "roc_auc" not in found
    assert found["recall/1"] == found["accuracy"]


def test_log_loss_of_an_impossible_class_is_finite():
    y = pd.Series(pd.Categorical(["0", "1"], categories=["0", "1"]))
    prediction = Prediction(labels=np.array(["0", "0"], dtype=object), probabilities=np.array([[1.0, 0.0]] * 2))
    assert utility.Probabilities().score(y, prediction, ["0", "1"])["log_loss"] == pytest.approx(-np.log(1e-6) / 2)


def test_regression_scores():
    y = pd.Series([1.0, 2.0, 3.0, 4.0])
    found = every(y, Prediction(values=np.array([1.0, 2.0, 3.0, 2.0])), None)
    assert found == pytest.approx({"mse": 1.0, "mae": 0.5, "r2": 1 - 4 / 5})
    assert "r2" not in every(y[:1], Prediction(values=np.array([1.0])), None)


def test_arguments_change_scores_and_are_checked():
    y, prediction, classes = outcome()
    one, many = (utility.Probabilities(n_bins=n).score(y, prediction, classes)["ece"] for n in (1, 15))
    assert one < many
    with pytest.raises(InputError, match="n_bins=0: must be a whole number, 1 or more"):
        utility.Probabilities(n_bins=0)


@pytest.mark.parametrize("k", [2, 3])
def test_the_minority_is_the_rarest_class_against_all_others(k):
    y, prediction, classes = outcome(k=k)
    kept = np.flatnonzero((y != "0").to_numpy() | (np.arange(len(y)) % 5 == 0))
    y, labels, p = y.iloc[kept], prediction.labels[kept], prediction.probabilities[kept]
    found = minority.Minority().score(y, Prediction(labels=labels, probabilities=p), classes)
    truth, predicted = (y == "0").to_numpy(), labels == "0"
    assert found["minority_recall"] == pytest.approx(reference.recall_score(truth, predicted))
    assert found["minority_specificity"] == pytest.approx(reference.recall_score(~truth, ~predicted))
    assert found["minority_precision"] == pytest.approx(reference.precision_score(truth, predicted))
    assert found["minority_average_precision"] == pytest.approx(reference.average_precision_score(truth, p[:, 0]))
    assert found["minority_probability_gap"] == pytest.approx(p[:, 0].mean() - truth.mean())


def test_the_minority_needs_two_classes_among_the_test_rows():
    y, prediction, classes = outcome(k=2)
    ones = y[y == "1"]
    assert minority.Minority().score(ones, prediction, classes) == {}
    assert minority.Minority().score(pd.Series([1.0, 2.0]), Prediction(values=np.ones(2)), None) == {}
    never = Prediction(labels=np.full(len(y), "1", object), probabilities=np.tile([0.0, 1.0], (len(y), 1)))
    if (y == "0").sum() < (y == "1").sum():
        assert minority.Minority().score(y, never, classes)["minority_precision"] == 0
