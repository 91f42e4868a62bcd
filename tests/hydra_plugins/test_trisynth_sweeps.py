"""The launcher's messages are small both ways, the grid is checked once per choice, a dead worker ends the sweep."""

import os
import signal
import subprocess
import sys
import time

import cloudpickle
import hydra_plugins.hydra_joblib_launcher._core as core
import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext, RunMode
from omegaconf import OmegaConf

from hydra_plugins import trisynth_sweeps
from trisynth.config import CONF

# What a pipe takes in one piece, by POSIX at least 512 bytes and on Linux 4,096.
ATOMIC = 4096


def test_messages_fit_into_one_write(tmp_path, monkeypatch):
    def execute_job(number, overrides, context, config, task, state):
        return JobReturn(overrides, OmegaConf.create(config), config, status=JobStatus.COMPLETED, _return_value=number)

    monkeypatch.setattr(core, "execute_job", execute_job)
    sent = []

    def parallel(**options):
        assert options == {"n_jobs": 2, "backend": "loky"}
        return lambda tasks: [sent.append(task) or task[0](*task[1], **task[2]) for task in tasks]

    monkeypatch.setattr("joblib.Parallel", parallel)
    launcher = trisynth_sweeps.Launcher(n_jobs=2)
    launcher.setup(
        hydra_context=HydraContext(config_loader=None, callbacks=None),
        task_function=print,
        config={"large": "x" * 100_000},
    )
    back = launcher.launch([["seed=1"], ["seed=2"]], 5)
    assert [(job.overrides, job.return_value) for job in back] == [(["seed=1"], 5), (["seed=2"], 6)]
    assert all(len(cloudpickle.dumps(message)) < ATOMIC for message in (*sent, *back))


def test_workers_import_what_they_are_told_to(tmp_path):
    (tmp_path / "planted_module.py").write_text("")
    (tmp_path / "shared").write_bytes(cloudpickle.dumps((["planted_module"], "all")))
    sys.path.insert(0, str(tmp_path))
    try:
        assert trisynth_sweeps._shared(str(tmp_path / "shared")) == "all"
        assert "planted_module" in sys.modules
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("planted_module", None)


def test_a_seed_set_by_hand_is_a_seed_composed():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", ["hydra.sweep.dir=here"], RunMode.MULTIRUN)
        quick = trisynth_sweeps.SeedByHand(loader)
        for generator in ("smote", "vae"):
            for seed in range(3):
                job = [f"generator={generator}", f"seed={seed}", "loss.alpha=2", "test_size=0.2"]
                expected = loader.load_sweep_config(master, job)
                got = quick.load_sweep_config(master, job)
                assert got == expected
                got.loss.alpha = 100.0  # what a job does to its configuration must not reach the next one
        assert len(quick._composed) == 2
        for odd in (["generator=smote"], ["++seed=1"], ["seed=4", "generator=smote"]):
            assert quick.load_sweep_config(master, odd) == loader.load_sweep_config(master, odd)


def test_every_choice_is_checked_once(monkeypatch):
    checked = []
    monkeypatch.setattr(HydraSweeper, "validate_batch_is_legal", lambda self, batch: checked.extend(batch))
    batch = [[f"generator={g}", f"seed={s}"] for g in ("smote", "vae", "arf") for s in range(50)]
    trisynth_sweeps.Sweeper(None).validate_batch_is_legal(batch)
    assert {override for job in checked for override in job} == {override for job in batch for override in job}
    assert len(checked) == 3 + 50 - 1


@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_worker_ends_the_sweep_with_one_line(number, overrides, tmp_path):
    given = overrides(tmp_path, "classes", "seed=range(20)", "hydra.launcher.n_jobs=2")
    line = [sys.executable, "-m", "trisynth.run", "-m", *given]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(line, cwd=tmp_path, start_new_session=True, **pipes)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "runs").glob("*/result.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(workers(process.pid)[number], signal.SIGKILL)
    try:
        _, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 1
    assert "error: a worker process died" in err and "run the same command again" in err


def workers(parent: int) -> list[int]:
    """joblib's workers of a process, oldest first."""
    import psutil

    children = psutil.Process(parent).children(recursive=True)
    return sorted(child.pid for child in children if any("popen_loky" in part for part in child.cmdline()))
