"""Validation jobs: nothing of the test rows reaches them, and ordinary jobs do not depend on them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trisynth.data import load, split
from trisynth.data.splits.inner import inner
from trisynth.errors import InputError
from trisynth.experiment import steps, validation
from trisynth.experiment.job import PARTS, Job
from trisynth.experiment.run import run_job
from trisynth.experiment.validation import ValidationJob


def numbered(dataset):
    """A data set whose ages are the numbers of its rows."""
    return replace(dataset, X=dataset.X.assign(age=np.arange(len(dataset), dtype=float)))


def planted(monkeypatch, cfg):
    """First load the table as it is; then with other cells and labels in exactly the rows that the split tests."""
    job = Job.from_config(cfg)
    plain = load(job.dataset, job.raw)
    plain = replace(plain, X=plain.X.astype({"age": float, "dose": float}))
    tested = split(numbered(plain), job.seed, job.test_size)[1].X["age"].astype(int).to_numpy()
    X, y = plain.X.copy(), plain.y.copy()
    X.loc[tested, ["age", "dose"]] = 1e6
    # The same strata, so that the split stays; the labels within the tested rows change places among equals only.
    for rows in (plain, replace(plain, X=X, y=y)):
        monkeypatch.setattr(steps.data, "load", lambda *_, rows=rows: rows)
        yield


def results(monkeypatch, cfg, tmp_path) -> list[bytes]:
    """All files that the job writes with either test rows, those of its store included."""
    found = []
    for number, _ in enumerate(planted(monkeypatch, cfg)):
        paths = {name: str(tmp_path / str(number) / name) for name in ("runs", "cache")}
        _, cached = run_job({**cfg, "paths": {**cfg["paths"], **paths}})
        assert not cached
        files = sorted((tmp_path / str(number)).rglob("*"))
        found.append(
            {
                str(f.relative_to(tmp_path / str(number))): f.read_bytes()
                for f in files
                if f.is_file() and f.name not in ("timings.json", "manifest.json") and not f.name.endswith(".lock")
            }
        )
    return found


@pytest.mark.parametrize("generator", ["copula", "smote", "vae"])
def test_a_sealed_job_is_the_same_whatever_the_test_rows_hold(config, tmp_path, monkeypatch, generator):
    more = ["generator.epochs=2", "generator.min_steps=4"] if generator == "vae" else []
    cfg = config(f"generator={generator}", "validation=true", "metrics=default", *more)
    first, second = results(monkeypatch, cfg, tmp_path)
    assert len(first) > 8
    assert first == second


def test_a_planted_leak_is_found(config, tmp_path, monkeypatch):
    def leaky(train, seed, test_size):
        fitted, scored = inner(train, seed, test_size)
        _, test = split(steps.data.load(), seed, test_size)
        return fitted, replace(scored, X=pd.concat([scored.X[:-1], test.X[:1]], ignore_index=True))

    monkeypatch.setattr(validation, "inner", leaky)
    first, second = results(monkeypatch, config("validation=true"), tmp_path)
    assert first != second


def test_an_ordinary_job_does_see_its_test_rows(config, tmp_path, monkeypatch):
    first, second = results(monkeypatch, config(), tmp_path)
    assert first != second


def test_validation_rows_are_training_rows_that_are_not_fitted_on(config):
    job = Job.from_config(config())
    train, test = split(numbered(load(job.dataset, job.raw)), 0)
    fitted, scored = inner(train, 0)
    rows = [set(part.X["age"]) for part in (fitted, scored)]
    assert not rows[0] & rows[1]
    assert rows[0] | rows[1] == set(train.X["age"])
    assert not (rows[0] | rows[1]) & set(test.X["age"])
    assert set(fitted.y) == set(scored.y) == set(train.y)


def test_the_inner_split_is_a_stream_of_its_own(config):
    job = Job.from_config(config())
    train, _ = split(numbered(load(job.dataset, job.raw)), 0)
    assert set(inner(train, 0)[1].X["age"]) != set(split(train, 0)[1].X["age"])
    assert set(inner(train, 0)[1].X["age"]) != set(inner(train, 1)[1].X["age"])


def test_ordinary_jobs_have_the_config_and_keys_that_they_had(config):
    ordinary, sealed = (cls.from_config(config()) for cls in (Job, ValidationJob))
    assert tuple(ordinary.config) == PARTS
    assert sealed.config == {**ordinary.config, "validation": True}
    for name in ("key", "split_key", "generator_key", "name"):
        assert getattr(ordinary, name) != getattr(sealed, name)
    assert ordinary.arm_key("real", None) != sealed.arm_key("real", None)
    assert ordinary.comparison_key(None) != sealed.comparison_key(None)
    assert sealed.name == f"{ordinary.name} validation"


def test_no_code_of_an_ordinary_job_knows_of_sealed_ones(monkeypatch):
    from trisynth import config as config_module

    read = []
    source = config_module._source
    monkeypatch.setattr(config_module, "_source", lambda name: read.append(name) or source(name))
    config_module.code_digest("trisynth.experiment.steps")
    assert "trisynth.experiment.job" in read
    assert not {"trisynth.experiment.validation", "trisynth.data.splits.inner"} & set(read)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_what_is_neither_true_nor_false_is_one_line(config, value):
    with pytest.raises(InputError, match=r"validation=.*must be true or false"):
        run_job({**config(), "validation": value})
