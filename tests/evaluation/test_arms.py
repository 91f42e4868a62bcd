"""Arms compose training sets: counts, class frequencies, baselines, and nothing but real training rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from trisynth.config import instantiate
from trisynth.data.dataset import TASKS, Dataset, Spec
from trisynth.errors import InputError
from trisynth.evaluation.arms import Arm, Balanced, Combined, Duplicated

CONF = Path(__file__).parents[2] / "conf" / "arms"
ARMS = {name: instantiate(arm) for name, arm in yaml.safe_load((CONF / "default.yaml").read_text()).items()}
COUNTS = {"a": 30, "b": 9, "c": 1}


def dataset(counts=COUNTS, shift=0.0):
    labels = np.repeat(list(counts), list(counts.values()))
    numbers = np.arange(len(labels)) + shift
    kind = pd.Categorical(np.where(numbers % 2, "odd", "even"), categories=["even", "odd"])
    y = pd.Series(pd.Categorical(labels, categories=[*COUNTS, "unseen"]), name="y")
    return Dataset(pd.DataFrame({"number": numbers, "kind": kind}), y, Spec("small", "y"))


def regression():
    X = dataset().X
    return Dataset(X, X["number"].rename("y") * 2, Spec("small", "y", task="regression"))


def sampled(real, needs):
    """Make synthetic rows far from the real ones, so that the two can be distinguished."""
    if needs is None:
        return None
    if isinstance(needs, dict):
        return dataset(needs, shift=1000.0) if needs else dataset().take([])
    rows = real.take(np.arange(needs) % len(real))
    return replace(rows, X=rows.X.assign(number=rows.X["number"] + 1000))


def compose(arm, real, seed=0):
    return arm.compose(real, sampled(real, arm.needs(real.counts)), seed)


def test_both_yaml_files_hold_arms_and_the_minimal_one_is_a_part_of_the_default():
    default, minimal = (yaml.safe_load((CONF / f"{name}.yaml").read_text()) for name in ("default", "minimal"))
    assert list(minimal) == ["real", "synthetic", "combined"]
    assert minimal.items() <= default.items()
    assert all(isinstance(arm, Arm) for arm in ARMS.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("real", {"a": 30, "b": 9, "c": 1}),
        ("synthetic", {"a": 30, "b": 9, "c": 1}),
        ("combined", {"a": 60, "b": 18, "c": 2}),
        ("balanced", {"a": 30, "b": 30, "c": 30}),
        ("duplicated", {"a": 60, "b": 18, "c": 2}),
        ("oversampled", {"a": 30, "b": 30, "c": 30}),
        ("class_weight", {"a": 30, "b": 9, "c": 1}),
        ("threshold", {"a": 30, "b": 9, "c": 1}),
    ],
)
def test_rows_per_class(name, expected):
    training = compose(ARMS[name], dataset())
    assert Dataset(training.X, training.y, Spec("", "y")).counts == expected | {"unseen": 0}


@pytest.mark.parametrize(("name", "task"), [(name, task) for name, arm in ARMS.items() for task in arm.tasks])
def test_every_arm_keeps_columns_dtypes_and_inputs(name, task):
    real = dataset() if task == "classification" else regression()
    before = real.X.copy(), real.y.copy()
    training = compose(ARMS[name], real)
    assert training.X.dtypes.equals(real.X.dtypes)
    assert training.y.dtype == real.y.dtype
    assert training.X.index.equals(training.y.index)
    pd.testing.assert_frame_equal(real.X, before[0])
    pd.testing.assert_series_equal(real.y, before[1])


@pytest.mark.parametrize("name", ARMS)
def test_only_arms_that_say_so_hold_synthetic_rows(name):
    arm, training = ARMS[name], compose(ARMS[name], dataset())
    assert (training.X["number"] >= 1000).any() == arm.uses_synthetic
    assert (arm.needs(COUNTS) is not None) == arm.uses_synthetic
    # The real rows come along untouched, whichever arm adds to them.
    if name != "synthetic":
        pd.testing.assert_frame_equal(training.X.head(40), dataset().X)


@pytest.mark.parametrize("name", ARMS)
def test_same_seed_same_rows(name):
    one, two = (compose(ARMS[name], dataset(), seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.X, two.X)
    pd.testing.assert_series_equal(one.y, two.y)
    assert np.array_equal(one.weight, two.weight)


def test_repeating_arms_draw_by_their_seed():
    for arm in (ARMS["oversampled"], Duplicated(ratio=0.5)):
        drawn = [compose(arm, dataset(), seed).X["number"].tolist() for seed in range(2)]
        assert drawn[0] != drawn[1]


@pytest.mark.parametrize("real", [dataset(), regression()], ids=TASKS)
@pytest.mark.parametrize("ratio", [0, 0.3, 1, 2.5])
def test_duplicated_is_as_large_as_combined_and_repeats_evenly(real, ratio):
    twice, combined = compose(Duplicated(ratio), real), compose(Combined(ratio), real)
    assert len(twice) == len(combined) == 40 + round(40 * ratio)
    times = twice.X["number"].value_counts()
    assert set(times) <= {1 + int(np.floor(ratio)), 1 + int(np.ceil(ratio))}
    if real.spec.task == "regression":
        # Evenly spaced over the sorted target: the mean can move by no more than one spacing.
        assert abs(twice.y.mean() - real.y.mean()) <= 2 / max(ratio, 1)


def test_balanced_requests_only_missing_rows_of_classes_with_rows():
    assert Balanced().needs(COUNTS | {"unseen": 0}) == {"b": 21, "c": 29}
    level = {"a": 5, "b": 5}
    assert Balanced().needs(level) == {}
    real = dataset(level)
    pd.testing.assert_frame_equal(compose(Balanced(), real).X, real.X)


def test_class_weights_sum_to_n_and_weigh_classes_alike():
    training = compose(ARMS["class_weight"], dataset())
    sums = pd.Series(training.weight).groupby(training.y, observed=True).sum()
    assert training.weight.sum() == pytest.approx(40)
    assert sums.to_numpy() == pytest.approx([40 / 3] * 3)


def test_one_class_passes_through_every_arm():
    for arm in ARMS.values():
        assert set(compose(arm, dataset({"b": 4})).y) == {"b"}


def test_only_the_threshold_arm_tunes_its_decision():
    assert [name for name, arm in ARMS.items() if arm.decision == "tuned"] == ["threshold"]


@pytest.mark.parametrize("ratio", [-1, float("nan"), float("inf"), "1", True, None])
def test_a_bad_ratio_is_refused_by_name(ratio):
    with pytest.raises(InputError, match=r"^ratio="):
        Combined(ratio=ratio)
