"""Small experiment that the campaign harms: its table, its commands, and what they must leave behind."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from benchmarks.faults.warm import Command
from benchmarks.faults.warm import start as forked

QUICK = [
    *("dataset=csv", "dataset.path=patients.csv", "dataset.target=outcome", "dataset.name=patients"),
    *("preprocessing=standard", "generator=independent", "classifier=logistic", "arms=minimal", "metrics=minimal"),
    *("tracking.figure=false", "hydra.launcher.n_jobs=2", "hydra.launcher.preload=[trisynth.experiment.steps]"),
]
MIRRORED = "tracking.uri=sqlite:///mlflow.db"
# Seconds within which the processes of a killed command must have ended.
LIMIT = 10.0


@dataclass(frozen=True)
class Row:
    """Outcome of one part of the campaign.

    Parameters
    ----------
    part, what : str
    tried, good : int
    wrong : list of str
        What went wrong, one line each.
    note : str
        Sizes, and a measured value where there is one.
    """

    part: str
    what: str
    tried: int
    good: int
    wrong: list[str] = field(default_factory=list)
    note: str = ""


def table(folder: Path, rows: int = 120) -> None:
    """Write the table of the experiment."""
    rng = np.random.default_rng(7)
    age = rng.integers(20, 90, rows)
    sick = (age - 55) / 15 + rng.normal(size=rows) > 0.5
    frame = pd.DataFrame({"age": age, "sex": rng.choice(["f", "m"], rows), "outcome": np.where(sick, "sick", "well")})
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "patients.csv", index=False)


def start(
    folder: Path, command: str, *arguments: str, warm: bool = False, before: Callable[[], None] | None = None
) -> subprocess.Popen | Command:
    """Start a command in a folder, in a session of its own; its errors go to ``errors.txt``.

    Parameters
    ----------
    folder : Path
    command : str
        Name of a module of this package.
    *arguments : str
    warm : bool, default=False
        Fork the command and its workers where all libraries have been imported, instead of new processes.
    before : callable, optional
        Called in the new process.

    Returns
    -------
    Popen or Command
    """
    if warm:
        return forked(folder, command, arguments, before)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "errors.txt").open("w") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", f"trisynth.{command}", *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            env=environment,
            preexec_fn=before,
        )


def errors(folder: Path) -> list[str]:
    """Read the lines that the last command of a folder printed as errors."""
    lines = (folder / "errors.txt").read_text(errors="replace").splitlines()
    return [line for line in lines if line.startswith(("error:", "Traceback", "failed:"))]


def members(session: int) -> list[int]:
    """List the processes of a session that still run."""
    found = []
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if os.getsid(process.pid) == session and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (OSError, psutil.Error):
            continue
    return found


def kill(process: subprocess.Popen | Command) -> list[int]:
    """Kill a command alone; return those of its processes that outlive it by more than the limit, which are ended."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + LIMIT
    while (left := members(process.pid)) and time.monotonic() < until:
        time.sleep(0.1)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def results(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every result, and of every sweep's table and findings."""
    patterns = ("runs/*/result.json", "sweeps/*/results.csv", "sweeps/*/optimization_results.yaml")
    return {str(path.relative_to(folder)): path.read_bytes() for pattern in patterns for path in folder.glob(pattern)}


def keys(folder: Path) -> set[str]:
    """Return the keys of all results."""
    return {path.parent.name for path in folder.glob("runs/*/result.json")}


def mirrored(folder: Path) -> Counter:
    """Count the complete runs of each key in the mirror."""
    query = (
        "select k.value from tags k join tags c on c.run_uuid = k.run_uuid join runs r on r.run_uuid = k.run_uuid "
        "where k.key = 'trisynth.key' and c.key = 'trisynth.complete' and r.lifecycle_stage = 'active'"
    )
    base = sqlite3.connect(folder / "mlflow.db")
    try:
        return Counter(key for (key,) in base.execute(query))
    finally:
        base.close()


def unlike(folder: Path, expected: dict[str, bytes], mirror: bool, common: bool = False) -> list[str]:
    """List how a folder differs from an undisturbed one; with ``common``, only in results of jobs that both have."""
    found = results(folder)
    names = expected.keys() | found.keys()
    if common:
        names = {name for name in expected.keys() & found.keys() if name.startswith("runs")}
    wrong = [f"{name} differs" for name in sorted(names) if expected.get(name) != found.get(name)]
    if mirror and mirrored(folder) != Counter(keys(folder)):
        wrong.append(f"the mirror has {sum(mirrored(folder).values())} runs of {len(keys(folder))} results")
    return wrong
