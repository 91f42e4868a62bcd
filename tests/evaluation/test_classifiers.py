"""Every shipped classifier, for both tasks and every decision, on easy, hard and unbalanced rows."""

# ruff: noqa: PD011 - a prediction has values of its own.
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, cross_val_predict
from threadpoolctl import threadpool_limits

from trisynth.config import instantiate
from trisynth.data import texts
from trisynth.data.dataset import TASKS, Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.evaluation.arms import ClassWeight, Real, Threshold, TrainingSet
from trisynth.evaluation.classifiers import Classifier, fit_predict, tune_multipliers

CONF = Path(__file__).parents[2] / "conf" / "classifier"
# The network for arrays has tests of its own.
FILES = [path for path in sorted(CONF.glob("*.yaml")) if path.stem != "cnn"]
CONFIGS = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
# A quarter of the trees does for these tables.
for task in TASKS:
    CONFIGS["forest"][task]["n_estimators"] = 25
each_classifier = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
# Labels that look like numbers, one of them without a single row.
CLASSES = ["0", "1", "2"]


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def rows(n, seed=0, task="classification", share=0.5):
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < share
    number = rng.normal(size=n) + 2.0 * positive
    number[rng.random(n) < 0.05] = np.nan
    kind = pd.Categorical(np.where(rng.random(n) < 0.2 + 0.6 * positive, "x", "y"), categories=["x", "y", "z"])
    X = pd.DataFrame({"number": number, "noise": rng.normal(size=n), "kind": kind})
    if task == "regression":
        # Far from standardised: the wrapper must cope with any unit.
        return Dataset(X, pd.Series(5e4 + 1e4 * positive, name="y"), Spec("small", "y", task=task))
    y = pd.Series(pd.Categorical(np.where(positive, "2", "0"), categories=CLASSES), name="y")
    return Dataset(X, y, Spec("small", "y"))


def made(config) -> Classifier:
    return Classifier(
        config.get("name", "mine"), **{task: instantiate(config[task]) for task in TASKS if task in config}
    )


def predict(config, train, X_test, arm=None, seed=0, encoder=None):
    arm = arm or Real()
    classes = CLASSES if train.spec.task == "classification" else None
    encoder = encoder or TableEncoder().fit(train.X)
    training = arm.compose(train, None, seed)
    return fit_predict(made(config), arm, training, encoder, X_test, classes, seed)


def test_all_six_families_are_there_and_named_by_their_file():
    assert {"logistic", "forest", "boosting", "svm", "knn", "mlp"} <= CONFIGS.keys()
    assert all(config["name"] == stem and set(TASKS) <= config.keys() for stem, config in CONFIGS.items())


@each_classifier
def test_classification_is_learned_and_reproducible(config):
    train, test = rows(200), rows(200, seed=1)
    first, again = (predict(config, train, test.X) for _ in range(2))
    assert np.mean(first.labels == test.y.to_numpy()) > 0.75
    assert first.probabilities.shape == (200, 3)
    assert first.probabilities.sum(axis=1) == pytest.approx(1)
    assert first.probabilities[:, 1].max() == 0.0
    assert np.array_equal(first.probabilities, again.probabilities)
    assert first.values is None
    assert first.converged
    assert first.fit_seconds > 0


@each_classifier
def test_regression_is_learned_in_the_units_of_the_target(config):
    train, test = rows(200, task="regression"), rows(200, seed=1, task="regression")
    first, again = (predict(config, train, test.X) for _ in range(2))
    assert np.mean((first.values - test.y) ** 2) < 0.6 * test.y.var()
    assert np.array_equal(first.values, again.values)
    assert first.probabilities is None


@each_classifier
def test_one_class_is_predicted_and_not_refused(config):
    train = rows(30, share=1.0)
    for arm in (Real(), ClassWeight(), Threshold()):
        prediction = predict(config, train, rows(5).X, arm)
        assert set(prediction.labels) == {"2"}
        assert (prediction.probabilities == [0, 0, 1]).all()


@each_classifier
@pytest.mark.parametrize("arm", [Real(), ClassWeight(), Threshold()], ids=lambda arm: type(arm).__name__)
def test_a_class_with_one_member_and_a_tiny_table(config, arm):
    train = rows(12, share=0.0)
    train = Dataset(train.X, train.y.where(np.arange(12) > 0, "2"), train.spec)
    prediction = predict(config, train, rows(7).X, arm)
    assert np.isfinite(prediction.probabilities).all()
    assert set(prediction.labels) <= {"0", "2"}


@each_classifier
def test_a_constant_target_is_predicted(config):
    train = rows(20, task="regression")
    train = Dataset(train.X, train.y * 0 + 3.5, train.spec)
    assert predict(config, train, rows(4).X).values == pytest.approx(3.5)


@each_classifier
def test_class_weights_and_tuned_decisions_serve_the_rare_class(config):
    train, test = rows(600, share=0.06), rows(1000, seed=1, share=0.06)
    real, weighted, tuned = (predict(config, train, test.X, arm) for arm in (Real(), ClassWeight(), Threshold()))
    assert np.sum(weighted.labels == "2") > np.sum(real.labels == "2")
    # Tuning moves the decision and nothing else.
    assert np.array_equal(tuned.probabilities, real.probabilities)
    scores = [f1_score(test.y, each.labels, average="macro") for each in (real, tuned)]
    assert scores[1] > scores[0] - 0.03


@each_classifier
@pytest.mark.parametrize("task", TASKS)
def test_test_rows_do_not_change_each_others_predictions(config, task):
    """The canary: a wild test row moves nothing that is fitted, so all other predictions keep their bytes."""
    train, X = rows(80, task=task), rows(40, seed=1).X
    canary = X.assign(number=np.where(X.index == 0, 1e9, X["number"]))
    encoder = TableEncoder().fit(train.X)
    arm = Threshold() if task == "classification" else Real()
    plain, wild = (predict(config, train, each, arm, encoder=encoder) for each in (X, canary))
    for one, two in ((plain.probabilities, wild.probabilities), (plain.values, wild.values)):
        assert one is None or np.array_equal(one[1:], two[1:])


def test_planted_leak_is_caught_by_the_canary():
    """An encoder fitted on test rows too is the leak: the same comparison must see it."""
    train, X = rows(80), rows(40, seed=1).X
    canary = X.assign(number=np.where(X.index == 0, 1e9, X["number"]))
    leaky = [
        predict(CONFIGS["knn"], train, each, encoder=TableEncoder().fit(pd.concat([train.X, each])))
        for each in (X, canary)
    ]
    assert not np.array_equal(leaky[0].probabilities[1:], leaky[1].probabilities[1:])


def test_rows_without_a_feature_are_refused_in_one_line():
    X = pd.DataFrame({"note": texts.column(pd.Series([""] * 30), "note")})
    y = pd.Series(pd.Categorical(["0", "2"] * 15, categories=CLASSES), name="y")
    with pytest.raises(InputError, match="the training rows have no usable feature"):
        predict(CONFIGS["logistic"], Dataset(X, y, Spec("empty", "y")), X)


def test_seed_reaches_the_estimator_and_nested_ones():
    train, test = rows(100), rows(50, seed=1)
    forests = [predict(CONFIGS["forest"], train, test.X, seed=seed).probabilities for seed in (0, 1)]
    assert not np.array_equal(*forests)
    nested = {
        "name": "nested",
        "classification": {
            "_target_": "sklearn.calibration.CalibratedClassifierCV",
            "estimator": {"_target_": "sklearn.ensemble.RandomForestClassifier", "n_estimators": 5},
            "cv": 2,
        },
    }
    one, two = (predict(nested, train, test.X).probabilities for _ in range(2))
    assert np.array_equal(one, two)


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for config in CONFIGS.values():
        predict(config, rows(60), rows(5).X, ClassWeight())
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_an_iteration_limit_is_recorded_and_not_shouted():
    short = {"name": "mlp", "classification": CONFIGS["mlp"]["classification"] | {"max_iter": 2}}
    assert not predict(short, rows(60), rows(5).X).converged


def test_weights_without_support_become_repeated_rows():
    train, test = rows(200, share=0.1), rows(50, seed=1)
    weighted = predict(CONFIGS["knn"], train, test.X, ClassWeight())
    rare = train.y == "2"
    ratio = round((~rare).sum() / rare.sum())
    again = np.concatenate([np.flatnonzero(~rare), np.repeat(np.flatnonzero(rare), ratio)])
    repeated = predict(CONFIGS["knn"], train.take(again), test.X, encoder=TableEncoder().fit(train.X))
    assert np.abs(weighted.probabilities - repeated.probabilities).mean() < 0.05


def test_multipliers_match_an_exhaustive_search_over_thresholds():
    rng = np.random.default_rng(0)
    truth = (rng.random(300) < 0.1).astype(int)
    p = 1 / (1 + np.exp(3 - 2 * truth - rng.normal(size=300)))
    probabilities = np.column_stack([1 - p, p])
    tuned = (probabilities * tune_multipliers(probabilities, truth)).argmax(axis=1)
    exhaustive = max(f1_score(truth, p >= threshold, average="macro") for threshold in p)
    assert f1_score(truth, tuned, average="macro") == pytest.approx(exhaustive)
    assert exhaustive > f1_score(truth, p >= 0.5, average="macro")


def test_multipliers_are_no_worse_than_scikit_learns_threshold():
    train = rows(400, share=0.08)
    X, y = TableEncoder().fit(train.X).transform(train.X), (train.y == "2").to_numpy().astype(int)
    probabilities = cross_val_predict(LogisticRegression(), X, y, cv=5, method="predict_proba")
    ours = (probabilities * tune_multipliers(probabilities, y)).argmax(axis=1)
    scorer = make_scorer(f1_score, average="macro")
    theirs = TunedThresholdClassifierCV(LogisticRegression(), scoring=scorer, cv=5).fit(X, y).best_threshold_
    assert f1_score(y, ours, average="macro") >= f1_score(y, probabilities[:, 1] >= theirs, average="macro")


def test_multipliers_help_many_classes_and_leave_a_perfect_argmax_alone():
    rng = np.random.default_rng(1)
    truth = rng.choice(4, size=600, p=[0.7, 0.2, 0.07, 0.03])
    probabilities = rng.dirichlet(np.ones(4), size=600) + [0.9, 0.3, 0.1, 0.0] + 0.4 * np.eye(4)[truth]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    multipliers = tune_multipliers(probabilities, truth)
    plain, tuned = (
        f1_score(truth, p.argmax(axis=1), average="macro") for p in (probabilities, probabilities * multipliers)
    )
    assert tuned > plain + 0.1
    assert (tune_multipliers(np.eye(4)[truth], truth) == 1).all()


def test_mistakes_are_named():
    train = rows(20)
    with pytest.raises(InputError, match=r"classifier\.forest"):
        fit_predict(
            made(CONFIGS["forest"]),
            Real(),
            TrainingSet(train.X.iloc[:0], train.y.iloc[:0]),
            TableEncoder().fit(train.X),
            train.X,
            CLASSES,
            0,
        )
    silent = {"name": "mute", "classification": {"_target_": "sklearn.svm.LinearSVC"}}
    with pytest.raises(InputError, match=r"classifier\.classification=.LinearSVC.: must have predict_proba"):
        predict(silent, train, train.X)
    with pytest.raises(InputError, match=r"classifier\.regression=None: one has no estimator for regression"):
        Classifier("one", made(CONFIGS["knn"]).classification).estimator("regression", 0)


def test_other_warnings_pass_through(monkeypatch):
    def fit(self, X, y, sample_weight=None):
        warnings.warn("look here", UserWarning, stacklevel=1)
        self.classes_ = np.unique(y)
        return self

    monkeypatch.setattr(LogisticRegression, "fit", fit)
    monkeypatch.setattr(LogisticRegression, "predict_proba", lambda self, X: np.full((len(X), 2), 0.5))
    with pytest.warns(UserWarning, match="look here"):
        predict(CONFIGS["logistic"], rows(20), rows(5).X)
