"""A fit and its samples in a process of their own: its environment, its limits, its files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth.cache import sha256, write_atomic
from trisynth.data.dataset import Dataset

HERE = Path(__file__).resolve().parent
OWN = "own"
SECONDS = 600
OUT_OF_TIME = "did not finish within 10 minutes"
BY_THE_CLOCK = "stopped by the clock"
# A busy machine may take this many times as long by the clock.
PATIENCE = 30
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"
)
_KINDS = {"i": "integer", "u": "integer", "f": "number"}


class DidNotFinishError(Exception):
    """A fit that ran into its limit of CPU seconds or of memory, or that failed; the message has the cause.

    ``log`` is what it wrote to its standard error.
    """

    log = ""


def requirements(environment: str) -> Path:
    """The pinned packages of a peer's environment."""
    return HERE / "requirements" / f"{environment}.txt"


def interpreter(environment: str) -> Path:
    """Python of an environment, which is made on first use and made again when its pins change."""
    if environment == OWN:
        return Path(sys.executable)
    folder, pins = HERE / ".venv" / environment, requirements(environment)
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists() or done.read_text() != sha256(pins):
        print(f"making the environment {environment}: minutes", flush=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        torch = [line for line in pins.read_text().splitlines() if line.startswith("torch==")]
        # By itself first, with what it needs on this machine; then the pins as they are, without what they would like.
        if torch:
            subprocess.run([*pip, *torch], check=True)
        subprocess.run([*pip, "--no-deps", "--requirement", str(pins)], check=True)
        write_atomic(done, sha256(pins))
    return python


def kinds(table: pd.DataFrame) -> dict[str, str]:
    """Kinds of the columns: ``category``, ``integer`` or ``number``."""
    return {name: _KINDS.get(getattr(column.dtype, "kind", ""), "category") for name, column in table.items()}


def fit_and_sample(
    environment: str, adapter: str, train: Dataset, requests: Sequence[Any], about: Mapping[str, Any], folder: Path
) -> None:
    """Fit on real training rows and write ``rows-<i>.parquet`` for each request and ``cost.json`` into ``folder``.

    Parameters
    ----------
    environment, adapter : str
        Where the generator lives, and the module of ``adapters`` that knows it.
    train : Dataset
    requests : sequence
        What to sample, one after the other: rows per class, or what ``Generator.sample`` takes.
    about : mapping
        What else the adapter must know: name, seed, configuration.
    folder : Path

    Raises
    ------
    DidNotFinishError
        If it took more than ten minutes of CPU time or failed.
    """
    facts = {**about, "target": train.spec.target}
    fit_and_sample_table(environment, adapter, train.target_last, requests, facts, folder)


def fit_and_sample_table(
    environment: str,
    adapter: str,
    table: pd.DataFrame,
    requests: Sequence[Any],
    about: Mapping[str, Any],
    folder: Path,
    seconds: int | None = None,
) -> None:
    """Fit as ``fit_and_sample`` does, on a plain table whose target ``about`` names, within given CPU seconds."""
    python, seconds = interpreter(environment), seconds or SECONDS
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        table.to_parquet(work / "train.parquet", index=False)
        facts = {**about, "kinds": kinds(table), "requests": list(requests)}
        (work / "about.json").write_text(json.dumps(facts))
        command = [str(python), str(HERE / "worker.py"), adapter, str(work), str(seconds)]
        path = str(HERE.parents[1] / "src") if environment == OWN else ""
        variables = {**os.environ, **ONE_THREAD, "PYTHONPATH": path, "HOME": name, "TMPDIR": name}
        run = _run(command, variables, seconds)
        if run.returncode or not (work / "cost.json").exists():
            error = DidNotFinishError(_reason(run))
            error.log = run.stderr
            raise error
        for path in work.glob("rows-*.parquet"):
            shutil.move(path, folder)
        shutil.move(work / "cost.json", folder)


def _run(command: list[str], variables: Mapping[str, str], seconds: int) -> subprocess.CompletedProcess:
    """A finished process; it dies with this one, as it reads a pipe whose other end is held here."""
    with tempfile.TemporaryFile("w+") as errors:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": errors}
        with subprocess.Popen(command, env=variables, cwd=HERE, **pipes) as process:
            try:
                process.wait(seconds * PATIENCE)
            except subprocess.TimeoutExpired:
                errors.write(f"\n{BY_THE_CLOCK}")
            finally:
                process.kill()
        errors.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, stderr=errors.read())


def _reason(run: subprocess.CompletedProcess) -> str:
    if run.returncode == -signal.SIGXCPU:
        return OUT_OF_TIME
    lines = [line for line in run.stderr.splitlines() if line.strip()]
    return f"failed: {lines[-1][:200]}" if lines else f"failed with status {run.returncode}"
