"""Thinned jobs train on fewer rows and are scored on the same test rows."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.dataset import Dataset, Spec
from trisynth.data.splits.rare import imbalance, rarer
from trisynth.data.splits.thin import thin
from trisynth.errors import InputError
from trisynth.experiment.job import Job
from trisynth.experiment.run import job_of, notes_of, run_job


def labelled(counts):
    """A data set with so many rows of each class; its feature is the number of the row."""
    y = pd.Series(pd.Categorical(np.repeat(list(counts), list(counts.values())), categories=list(counts)), name="y")
    return Dataset(pd.DataFrame({"x": np.arange(len(y), dtype=float)}), y, Spec("small", "y"))


def test_classes_stay_in_proportion_and_smaller_numbers_keep_a_subset():
    whole = labelled({"a": 600, "b": 300, "c": 100, "d": 3})
    kept = {n: thin(whole, n, 0) for n in (50, 200, 2_000)}
    assert list(kept[200].y.value_counts()[["a", "b", "c", "d"]]) == pytest.approx([119, 60, 20, 2], abs=2)
    assert set(kept[50].X["x"]) < set(kept[200].X["x"])
    assert kept[50].y.value_counts().min() == 2 and len(kept[50]) == 50
    assert kept[2_000].X.equals(whole.X)
    assert set(thin(whole, 50, 1).X["x"]) != set(kept[50].X["x"])


def test_a_number_below_two_rows_of_every_class_is_refused():
    with pytest.raises(InputError, match="train_rows=5: is too small for two rows of every class; set 6 or more"):
        thin(labelled({"a": 9, "b": 9, "c": 9}), 5, 0)


def test_a_thinned_job_has_keys_and_rows_of_its_own_and_the_ordinary_test_rows(config):
    plain = config()
    assert "train_rows" not in Job.from_config(plain).config
    jobs = [job_of({**plain, "train_rows": rows}) for rows in (None, 60, 80)]
    assert len({job.key for job in jobs}) == len({job.generator_key for job in jobs}) == 3
    thinned, cached = run_job({**plain, "train_rows": 60})
    ordinary, _ = run_job(plain)
    assert not cached and thinned.config["train_rows"] == 60
    assert not any("train_rows" in line for line in notes_of(plain["paths"]["runs"], thinned))
    larger, _ = run_job({**plain, "train_rows": 9_000})
    line = f"train_rows=9000: the split has {sum(ordinary.counts['real'].values())} training rows; all of them are used"
    assert line in notes_of(plain["paths"]["runs"], larger)
    assert sum(thinned.counts["real"].values()) == thinned.metrics["data/train_rows"] == 60
    assert thinned.digests["real_test"] == ordinary.digests["real_test"]


@pytest.mark.parametrize("more", [{"validation": True}, {"fold": {"stage": "choose", "index": 0}}])
def test_validation_and_folds_are_not_thinned(config, more):
    for thinned in ({"train_rows": 60}, {"imbalance": 9}):
        with pytest.raises(InputError, match="set validation=false and fold=null"):
            job_of({**config(), **thinned, **more})


def test_only_the_rarest_class_is_thinned_and_larger_ratios_keep_a_subset():
    whole = labelled({"a": 600, "b": 300, "c": 100})
    kept = {ratio: rarer(whole, ratio, 0) for ratio in (9, 30, 130)}
    assert kept[9].X.equals(whole.X) and imbalance(whole) == 9
    assert [part.y.value_counts()["c"] for part in kept.values()] == [100, 30, 7]
    assert all(part.y.value_counts()[["a", "b"]].tolist() == [600, 300] for part in kept.values())
    assert set(kept[130].X["x"]) < set(kept[30].X["x"])
    assert kept[30].X["x"].is_monotonic_increasing
    assert set(rarer(whole, 130, 1).X["x"]) != set(kept[130].X["x"])


def test_the_ratio_holds_for_the_rows_that_train_rows_keeps():
    both = thin(rarer(labelled({"a": 6_000, "b": 2_000}), 30, 0), 620, 0)
    assert len(both) == 620 and imbalance(both) == 30


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        (0.5, "imbalance=0.5: must be 1 or more"),
        ("9", "imbalance='9': must be 1 or more"),
        (True, "imbalance=True: must be 1 or more"),
        (700, "imbalance=700: leaves 1 training rows of class 'b'; set 300 or less"),
    ],
)
def test_a_ratio_that_cannot_be_had_is_one_clear_line(ratio, message):
    with pytest.raises(InputError, match=message):
        rarer(labelled({"a": 600, "b": 300}), ratio, 0)


def test_a_ratio_needs_classes():
    numeric = Dataset(
        pd.DataFrame({"x": [1.0, 2.0, 3.0]}), pd.Series([1.0, 2.0, 3.0], name="y"), Spec("n", "y", task="regression")
    )
    with pytest.raises(InputError, match="imbalance=9: needs classes, but the target 'y' is a number"):
        rarer(numeric, 9, 0)
    with pytest.raises(InputError, match="at least two classes"):
        rarer(labelled({"a": 9}), 9, 0)


def test_a_job_of_a_rarer_class_keeps_the_test_rows_and_says_what_it_did(config):
    plain = config()
    jobs = [job_of({**plain, "imbalance": ratio}) for ratio in (None, 5, 9)]
    assert len({job.key for job in jobs}) == len({job.generator_key for job in jobs}) == 3
    ordinary, _ = run_job(plain)
    rare, _ = run_job({**plain, "imbalance": 9, "train_rows": 60})
    assert rare.digests["real_test"] == ordinary.digests["real_test"]
    assert rare.config["imbalance"] == 9 and rare.metrics["data/train_rows"] == 60
    assert rare.metrics["data/imbalance"] == pytest.approx(9, abs=1)
    counts = rare.counts["real"]
    assert 60 / min(counts.values()) - 1 == rare.metrics["data/imbalance"]
    assert not any("imbalance" in line for line in notes_of(plain["paths"]["runs"], rare))
    idle, _ = run_job({**plain, "imbalance": 1})
    assert "imbalance=1: the training rows have" in "".join(notes_of(plain["paths"]["runs"], idle))
    assert idle.digests["real_train"] == ordinary.digests["real_train"]


def test_a_ratio_is_refused_before_anything_is_read(config):
    with pytest.raises(InputError, match="imbalance=0: must be 1 or more"):
        job_of({**config(), "imbalance": 0})
