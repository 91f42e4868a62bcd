"""The processes of a search end without a word."""

import threading

import pytest

from trisynth.recommend.pool import Pool


class Ending:
    """Executor whose thread ends by an error, as loky's does if a job comes just before the end."""

    def __init__(self, name):
        self.thread = threading.Thread(target=self.fail, name=name)

    def fail(self):
        """Raise what loky raises."""
        raise KeyError(23)

    def shutdown(self, **_):
        """Run the thread to its end."""
        self.thread.start()
        self.thread.join()


def test_a_job_that_comes_just_before_the_end_prints_no_traceback(monkeypatch):
    seen, pool = [], Pool(1)
    monkeypatch.setattr(threading, "excepthook", lambda error: seen.append(error.thread.name))
    shown = threading.excepthook
    for name in ("ExecutorManagerThread", "other"):
        pool._executor = Ending(name)
        pool.kill()
    assert seen == ["other"]
    assert threading.excepthook is shown


@pytest.mark.parametrize("jobs", [0, 3])
def test_processes_that_are_ended_at_once_are_gone(jobs):
    pool = Pool(1)
    for _ in range(jobs):
        pool.submit([])
    pool.kill()
    assert pool._executor is None
