"""State of the jobs, read from a sweep's folder."""

import json

import pytest

from trisynth.cache import sealed, unsealed
from trisynth.sweeps.folder import State, Sweep
from trisynth.sweeps.plan import Plan
from trisynth.sweeps.watch import Watch


@pytest.fixture
def sweep(tmp_path):
    return Sweep(tmp_path / "sweep", tmp_path / "runs")


@pytest.fixture
def end(sweep):
    """Write the status of a job as if it had taken so many seconds, so many of them for the fit."""

    def write(name: str, state: str, seconds: float, fit: float = 0.0) -> None:
        key = None if state == "failed" else f"key{name}"
        State(sweep.folder / "jobs" / name, "").write(key, state)
        path = sweep.folder / "jobs" / name / "state.json"
        path.write_text(sealed(unsealed(path.read_text()) | {"seconds": seconds}))
        timings = sweep.runs / f"key{name}" / "timings.json"
        timings.parent.mkdir(parents=True, exist_ok=True)
        timings.write_text(json.dumps({"fit": fit, "classify": 1.0}))

    return write


def test_started_and_ended_jobs_are_seen_once(sweep, end):
    watch = Watch(sweep, 3)
    assert watch.look(0.0) == {}
    (sweep.folder / "jobs" / "1").mkdir(parents=True)
    end("0", "failed", 2.0)
    assert list(watch.look(1.0)) == ["0"]
    assert watch.look(2.0) == {}
    end("1", "done", 2.0)
    end("2", "cached", 0.0)
    assert sorted(watch.look(3.0)) == ["1", "2"]
    assert watch.summary == "1 done, 1 cached, 1 failed"


def test_the_time_left_comes_from_the_plan_and_the_timings(sweep, end):
    jobs = {str(i): (f"classifier={c}", "seed=0") for i, c in enumerate("abc")}
    Plan(jobs, workers=1).write(sweep.folder)
    watch = Watch(sweep, 3)
    assert watch.remaining(0.0) is None
    (sweep.folder / "jobs" / "0").mkdir(parents=True)
    watch.look(0.0)
    assert watch.remaining(50.0) is None
    end("0", "done", 60.0, fit=50.0)
    watch.look(60.0)
    # The fit is not made again.
    assert watch.remaining(60.0) == pytest.approx(20.0)


def test_without_a_plan_the_jobs_are_alike(sweep, end):
    watch = Watch(sweep, 4)
    (sweep.folder / "jobs" / "0").mkdir(parents=True)
    watch.look(0.0)
    end("0", "done", 10.0)
    watch.look(10.0)
    assert watch.remaining(10.0) == pytest.approx(30.0)


def test_a_cached_or_failed_job_does_not_change_the_estimate_of_others(sweep, end):
    watch = Watch(sweep, 3)
    end("0", "cached", 0.1)
    end("1", "failed", 0.1)
    watch.look(1.0)
    assert watch.remaining(1.0) is None
