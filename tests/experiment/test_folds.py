"""Fold jobs share nothing with ordinary ones but what does not depend on the rows."""

import pytest

from trisynth.errors import InputError
from trisynth.experiment.folds import FoldJob
from trisynth.experiment.job import Job
from trisynth.experiment.run import run_job

FOLD = {"stage": "confirm", "index": 1}


def test_an_ordinary_job_does_not_know_folds(config):
    plain = config()
    assert plain["fold"] is None
    without = {name: value for name, value in plain.items() if name != "fold"}
    assert Job.from_config(plain).key == Job.from_config(without).key
    assert "fold" not in Job.from_config(plain).config


def test_each_fold_has_keys_of_its_own(config):
    plain = config()
    folds = [FOLD, FOLD | {"index": 2}, FOLD | {"repeat": 1}, FOLD | {"stage": "choose"}, FOLD | {"seed": 1}]
    jobs = [Job.from_config(plain), *(FoldJob.from_config({**plain, "fold": fold}) for fold in folds)]
    for key in ("split_key", "generator_key", "key"):
        assert len({getattr(job, key) for job in jobs}) == len(jobs)


def test_a_fold_job_is_scored_on_its_fold_and_read_the_second_time(config):
    given = {**config(), "fold": FOLD}
    result, cached = run_job(given)
    assert not cached
    assert result.config["fold"] == {"parts": 10, "choosing": 4, "repeat": 0, "seed": 0, "rows": 0} | FOLD
    assert sum(result.counts["real"].values()) == 135
    assert "real/f1_macro" in result.metrics
    assert run_job(given) == (result, True)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        ({"stage": "confirm"}, "fold={'stage': 'confirm'}: must map"),
        ("choose", "fold='choose': must map"),
        ({}, "fold={}"),
    ],
)
def test_a_bad_fold_is_one_line(config, fold, message):
    with pytest.raises(InputError) as error:
        run_job({**config(), "fold": fold})
    assert str(error.value).startswith(message)
    with pytest.raises(InputError, match="validation=false"):
        run_job({**config("validation=true"), "fold": FOLD})
