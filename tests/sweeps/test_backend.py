"""Workers whose results are waited for return every result in its place, and the error of a job that fails."""

import threading
import time
from concurrent.futures import Future
from pathlib import Path
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


def _fail(begun):
    Path(begun).touch()
    raise ValueError("no root")


def _succeed_after(begun):
    while not Path(begun).exists():
        time.sleep(0.01)
    time.sleep(0.2)


class Late(Waiting):
    """Workers where the job that ends in the moment of an error starts another one, which waits when all is killed."""

    def __init__(self):
        super().__init__()
        self.submitted, self.killed, self.count = threading.Event(), threading.Event(), 0

    def submit(self, func, callback=None):
        future = super().submit(func, callback)
        self.count += 1
        if self.count == 3:
            self.submitted.set()
        future.add_done_callback(self._hold)
        return future

    def _hold(self, future):
        if self.submitted.is_set() and future.exception() is None:
            self.killed.wait(5)

    def retrieve_result(self, out, timeout=None):
        try:
            return super().retrieve_result(out, timeout)
        finally:
            self.submitted.wait(5)

    def abort_everything(self, ensure_ready=True):
        flags = self._workers._flags
        flag = flags.flag_as_shutting_down
        flags.flag_as_shutting_down = lambda *given: (flag(*given), self.killed.set())
        super().abort_everything(ensure_ready)


def test_a_job_started_in_the_moment_of_an_error_breaks_nothing(tmp_path):
    # Without care, loky's thread fails, which pytest reports, and leaves what it would have cleaned up.
    late = Late()
    jobs = [delayed(_fail)(tmp_path / "begun"), delayed(_succeed_after)(tmp_path / "begun"), delayed(time.sleep)(0)]
    with parallel_config(late), pytest.raises(ValueError, match="no root"):
        Parallel(n_jobs=2, pre_dispatch=2)(jobs)
    assert late.submitted.is_set()
    assert late.killed.is_set()


def test_no_job_starts_after_the_end():
    started = []
    backend = Waiting()
    backend.parallel = SimpleNamespace(_lock=threading.RLock(), _aborting=True)
    future = Future()
    backend._workers = SimpleNamespace(submit=lambda func: future)
    backend.submit(None, started.append)
    future.set_result(None)
    assert not started
