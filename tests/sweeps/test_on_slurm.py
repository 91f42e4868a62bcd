"""Tasks of Slurm: jobs of one fit stay together, lost tasks do not stop the others, and mistakes are one line."""

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hydra.core.utils import JobReturn

from trisynth.errors import InputError
from trisynth.sweeps import on_slurm

JOBS = [(i, [f"generator={g}", f"classifier={c}"]) for i, (g, c) in enumerate((g, c) for c in "xyz" for g in "abc")]


def test_jobs_that_share_a_fit_belong_to_one_task():
    for tasks in (1, 2, 3, 5):
        dealt = on_slurm.groups(JOBS, tasks)
        assert len(dealt) == min(tasks, 3)
        assert sorted(job for group in dealt for job in group) == JOBS
        homes = Counter(overrides[0] for group in dealt for overrides in {o[0]: o for _, o in group}.values())
        assert set(homes.values()) == {1}


class Executor:
    """Stands for submitit: runs a task when it is submitted; the second one is lost."""

    def batch(self):
        return nullcontext()

    def submit(self, function, *arguments):
        self.count = getattr(self, "count", 0) + 1
        lost = self.count == 2
        value = None if lost else function(*arguments)
        return SimpleNamespace(
            wait=lambda: None,
            state="FAILED" if lost else "COMPLETED",
            exception=lambda: None,
            result=lambda: value,
            done=lambda: True,
        )


def test_a_lost_task_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(file, digest, number, overrides):
        assert Path(file).read_bytes() == b"content"
        return JobReturn(overrides=overrides, _return_value=number)

    monkeypatch.setattr(on_slurm.worker, "run", run)
    done = on_slurm.run(Executor(), str(tmp_path), b"content", JOBS, 3)
    assert [job.overrides for job in done] == [overrides for _, overrides in JOBS]
    values = {job.overrides[0]: job._return_value is not None for job in done}
    assert values == {"generator=a": True, "generator=b": False, "generator=c": True}
    assert not list((tmp_path / on_slurm.FOLDER).glob("shared-*"))


@pytest.fixture
def submitit(monkeypatch) -> SimpleNamespace:
    """Stand-in for submitit on a machine without Slurm."""
    fake, seen = ModuleType("submitit"), SimpleNamespace(parameters=None)

    class AutoExecutor:
        def __init__(self, folder, cluster):
            if cluster == "slurm":
                raise RuntimeError('Could not detect "srun"')

        def update_parameters(self, **parameters):
            if "speed" in parameters:
                raise NameError("Unknown argument(s): speed")
            seen.parameters = parameters

    fake.AutoExecutor = AutoExecutor
    monkeypatch.setitem(sys.modules, "submitit", fake)
    return seen


@pytest.mark.parametrize(
    ("cluster", "parameters", "message"),
    [
        ("slurm", {}, 'is not available here .Could not detect "srun".'),
        ("pbs", {}, "must be one of slurm, local"),
        ("local", {"speed": 1}, "has a wrong parameter of submitit"),
    ],
)
def test_what_cannot_be_started_is_one_line(submitit, tmp_path, cluster, parameters, message):
    with pytest.raises(InputError, match=message), on_slurm.executor(cluster, str(tmp_path), parameters):
        pass


def test_parameters_are_passed_on(submitit, tmp_path):
    with on_slurm.executor("local", str(tmp_path), {"timeout_min": 5}):
        assert submitit.parameters == {"timeout_min": 5}


def test_without_submitit_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "submitit", None)
    missing = pytest.raises(InputError, match=r"pip install 'trisynth\[slurm\]'")
    with missing, on_slurm.executor("local", str(tmp_path), {}):
        pass
