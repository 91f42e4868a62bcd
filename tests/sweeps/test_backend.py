"""Workers whose results are waited for return every result in its place, and the error of a job that fails."""

import time
from types import SimpleNamespace

import pytest
from joblib import Parallel, delayed, parallel_config

from trisynth.sweeps.backend import Waiting


def _root(number):
    if number < 0:
        raise ValueError("no root")
    return number**0.5


def test_results_come_in_the_order_of_their_jobs():
    with parallel_config(Waiting()):
        assert Parallel(n_jobs=2)(delayed(_root)(number**2) for number in range(30)) == list(range(30))


@pytest.mark.parametrize("place", [0, 9])
def test_the_error_of_a_job_is_raised(place):
    with parallel_config(Waiting()), pytest.raises(ValueError, match="no root"):
        Parallel(n_jobs=2)(delayed(_root)(-1 if number == place else number) for number in range(10))


def test_the_main_thread_sleeps_while_jobs_run(monkeypatch):
    wakes = []
    clock = SimpleNamespace(time=time.time, sleep=lambda seconds: (wakes.append(seconds), time.sleep(seconds)))
    monkeypatch.setattr("joblib.parallel.time", clock)
    with parallel_config(Waiting()):
        Parallel(n_jobs=2)(delayed(time.sleep)(0.3) for _ in range(2))
    assert not wakes
