"""The launcher's messages are small both ways; the grid is checked once per choice; a dead worker ends the sweep."""

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path

import cloudpickle
import pytest
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext
from omegaconf import OmegaConf

from hydra_plugins import trisynth_sweeps
from trisynth.errors import InputError
from trisynth.sweeps import plan, worker

# What a pipe takes in one piece, by POSIX at least 512 bytes and on Linux 4,096.
ATOMIC = 4096


def test_messages_fit_into_one_write(tmp_path, monkeypatch):
    class Loader:
        def load_sweep_config(self, master, overrides):
            return OmegaConf.create({"hydra": {"job": {"name": "run"}}})

    def run_job(task, config, *_):
        number = config.hydra.job.num
        return JobReturn(["long"], config, config, status=JobStatus.COMPLETED, _return_value=number)

    monkeypatch.setattr(worker, "run_job", run_job)
    sent = []

    def parallel(**options):
        assert options == {"n_jobs": 2}
        return lambda tasks: [sent.append(task) or task[0](*task[1], **task[2]) for task in tasks]

    monkeypatch.setattr("joblib.Parallel", parallel)
    launcher = trisynth_sweeps.Launcher(n_jobs=2)
    launcher.setup(
        hydra_context=HydraContext(config_loader=Loader(), callbacks=None),
        task_function=print,
        config=OmegaConf.create({"large": "x" * 100_000, "hydra": {"sweep": {"dir": str(tmp_path)}, "job": {}}}),
    )
    jobs = [["dataset=a", "classifier=svm"], ["dataset=a", "classifier=knn"], ["dataset=b", "classifier=svm"]]
    back = launcher.launch(jobs, 5)
    assert [(job.overrides, job.return_value) for job in back] == list(zip(jobs, (5, 6, 7), strict=True))
    assert [task[1][2] for task in sent] == [5, 7, 6]
    assert plan.Plan.read(tmp_path) == plan.Plan({"5": tuple(jobs[0]), "7": tuple(jobs[2]), "6": tuple(jobs[1])}, 2)
    assert all(len(cloudpickle.dumps(message)) < ATOMIC for message in (*sent, *back))


@pytest.mark.parametrize("jobs", [0, "x", 1.5])
def test_a_number_of_workers_that_cannot_be_is_refused(jobs):
    with pytest.raises(InputError, match=r"^hydra.launcher.n_jobs=.*: must be a whole number of jobs at a time"):
        trisynth_sweeps.Launcher(n_jobs=jobs).launch([["seed=0"]], 0)


def test_every_choice_is_checked_once(monkeypatch):
    checked = []
    monkeypatch.setattr(HydraSweeper, "validate_batch_is_legal", lambda self, batch: checked.extend(batch))
    batch = [[f"generator={g}", f"seed={s}"] for g in ("smote", "vae", "arf") for s in range(50)]
    trisynth_sweeps.Sweeper(None).validate_batch_is_legal(batch)
    choices = [{o for job in jobs for o in job if not o.startswith("seed=")} for jobs in (checked, batch)]
    assert choices[0] == choices[1]
    assert len(checked) == 3


def test_a_thousand_seeds_are_checked_once(monkeypatch):
    checked = []
    monkeypatch.setattr(HydraSweeper, "validate_batch_is_legal", lambda self, batch: checked.extend(batch))
    batch = [[f"generator={name}", f"seed={seed}"] for seed in range(1000) for name in ("vae", "smote")]
    trisynth_sweeps.Sweeper(None).validate_batch_is_legal([*batch, ["generator=vae", "seed=x"]])
    assert checked == [["generator=vae", "seed=0"], ["generator=smote", "seed=0"], ["generator=vae", "seed=x"]]


@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_worker_ends_the_sweep_with_one_line(
    number, overrides, config, until, held, light, warm, warm_workers, tmp_path
):
    given = overrides(tmp_path, "classes", "seed=range(3)", "hydra.launcher.n_jobs=2", light)
    line = [*warm, "trisynth.run", "-m", *given]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": warm_workers}
    # The last job cannot end, so that both workers are alive when one of them is killed.
    with held(config("seed=2"), tmp_path / "cache"):
        process = subprocess.Popen(line, cwd=tmp_path, start_new_session=True, **pipes)
        try:
            until(lambda: any((tmp_path / "runs").glob("*/result.json")) and len(workers(tmp_path)) == 2, process)
            os.kill(workers(tmp_path)[number], signal.SIGKILL)
            _, err = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 1
    assert "error: a worker process died" in err and "run the same command again" in err


@pytest.mark.parametrize(("number", "status"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGKILL", -9)])
def test_the_end_of_a_sweep_ends_its_workers(
    number, status, overrides, config, until, held, light, warm, warm_workers, tmp_path
):
    given = overrides(tmp_path, "classes", "seed=range(3)", "hydra.launcher.n_jobs=2", light)
    line = [*warm, "trisynth.run", "-m", *given]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": warm_workers}
    with held(config("seed=2"), tmp_path / "cache"):
        process = subprocess.Popen(line, cwd=tmp_path, start_new_session=True, **pipes)
        until(lambda: any((tmp_path / "runs").glob("*/result.json")) and len(workers(tmp_path)) == 2, process)
        orphans = workers(tmp_path)
        process.send_signal(getattr(signal, number))
        _, err = process.communicate()
        assert process.returncode == status, err
        # The lock is still held, so that the job which waits for it can end by a signal alone.
        while any(map(is_running, orphans)):
            threading.Event().wait(0.05)
    if number != "SIGKILL":
        assert err.splitlines()[-1] == (
            "error: interrupted; what was finished is kept: run the same command again to continue"
        )
        assert "Traceback" not in err


def is_running(number: int) -> bool:
    """Return whether a process exists and is no mere entry that waits for its parent."""
    import psutil

    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def workers(folder: Path) -> list[int]:
    """Workers of the sweep that was started in a folder, oldest first."""
    import psutil

    parents = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(folder) and any(part.endswith("warm.py") for part in process.cmdline()):
                parents[process.pid] = process.ppid()
    return sorted(number for number, parent in parents.items() if parent in parents)
