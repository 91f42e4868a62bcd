"""Thinned jobs train on fewer rows and are scored on the same test rows."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.dataset import Dataset, Spec
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
    with pytest.raises(InputError, match="set validation=false and fold=null"):
        job_of({**config(), "train_rows": 60, **more})
