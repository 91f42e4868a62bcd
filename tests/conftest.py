"""Settings and fixtures of all tests: no telemetry, no display, and small experiments without a download."""

import copy
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import absl.logging

# Before numpy, since it decides on the threads of all others.
import cores  # noqa: F401
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import settings

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DVC_NO_ANALYTICS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# Hydra's joblib launcher takes all cores; the test suite already does.
os.environ["LOKY_MAX_CPU_COUNT"] = "2"
# The machine's load must not decide on a test.
settings.register_profile("steady", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("steady")
# A shell that starts the suite in the background has it ignore interrupts, and every process of a test inherits that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hydra ends all handlers of logging when it sets its own, and absl's then closes the stream that it found when it was
# imported: a file of pytest's, unless it is the interpreter's own.
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

QUICK = (
    "preprocessing=standard",
    "generator=independent",
    "classifier=logistic",
    "arms=minimal",
    "tracking=none",
    "tracking.figure=false",
    "metrics=minimal",
)

# For sweeps without a network: their workers need not import torch, which takes longer than all jobs of a test.
LIGHT = "hydra.launcher.preload=[trisynth.experiment.steps]"

SUPPORT = Path(__file__).parent / "support"

# Files whose tests start commands that take long.
LONG = ("test_readme.py", "test_search.py", "test_portable.py", "test_trisynth_sweeps.py", "test_folder.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: item.path.name not in LONG)


def patients(rows: int = 150) -> pd.DataFrame:
    """Numbers, a whole number, categories and missing cells, with a rare class that depends on them."""
    rng = np.random.default_rng(7)
    age = rng.integers(20, 90, rows)
    dose = np.round(rng.gamma(2.0, 3.0, rows), 2)
    table = pd.DataFrame(
        {
            "age": age,
            "dose": np.where(rng.random(rows) < 0.1, np.nan, dose),
            "sex": rng.choice(["female", "male"], rows),
            "stage": rng.choice(["I", "II", "III"], rows),
        }
    )
    risk = (age - 55) / 15 + (dose - 6) / 4 + rng.normal(size=rows)
    return table.assign(cost=np.round(100 + 3 * age + 20 * risk, 2), outcome=np.where(risk > 1, "sick", "well"))


@pytest.fixture(scope="session")
def tables(tmp_path_factory) -> dict[str, Path]:
    """Files of the same patients: one with classes as its target, one with a number."""
    folder = tmp_path_factory.mktemp("tables")
    table = patients()
    files = {"classes": folder / "patients.csv", "number": folder / "costs.csv"}
    table.drop(columns="cost").to_csv(files["classes"], index=False)
    table.drop(columns="outcome").to_csv(files["number"], index=False)
    return files


@pytest.fixture(scope="session")
def overrides(tables):
    """Command-line overrides of a quick experiment whose folders all lie in the given one."""

    def make(folder: Path, task: str = "classes", *more: str) -> list[str]:
        target = "outcome" if task == "classes" else "cost"
        data = ["dataset=csv", f"dataset.path={tables[task]}", f"dataset.target={target}", f"dataset.name={task}"]
        paths = [f"paths.{name}={folder / name}" for name in ("raw", "cache", "runs", "sweeps")]
        given = {argument.partition("=")[0] for argument in more}
        return [*(a for a in [*data, *QUICK] if a.partition("=")[0] not in given), *paths, *more]

    return make


@pytest.fixture(scope="session")
def light() -> str:
    """Override of a sweep whose jobs train no network."""
    return LIGHT


@pytest.fixture
def config(overrides, tmp_path):
    """Resolved configuration of a quick experiment, changed by overrides."""
    from trisynth.commandline import composed

    return lambda *more, task="classes": composed(overrides(tmp_path, task, *more))


@contextmanager
def server() -> Iterator[str]:
    """Run a server of warm commands and yield its address; a command waits until the server has imported everything.

    A cold process imports for three to eight seconds, which is longer than most commands of the tests take.
    """
    # Addresses of sockets have at most 100 characters.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm"
        line = [sys.executable, SUPPORT / "warm.py", path]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "listening\n"
            yield str(path)
            process.stdin.close()


SERVER = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Let the workers of a test run have one server of warm commands."""
    if SERVER not in node.config.stash:
        running = ExitStack()
        node.config.stash[SERVER] = running.enter_context(server())
        node.config.add_cleanup(running.close)
    node.workerinput["warm"] = node.config.stash[SERVER]


@pytest.fixture(scope="session")
def warm(request) -> Iterator[list[str]]:
    """Start of a command line that does as ``python -m`` or ``python -c`` in a process that imports nothing more."""
    given = getattr(request.config, "workerinput", {}).get("warm")
    with nullcontext(given) if given else server() as path:
        yield [sys.executable, "-IS", str(SUPPORT / "warm_client.py"), path]


@pytest.fixture(scope="session")
def warm_workers() -> dict[str, str]:
    """Environment of a sweep whose workers need not import anything either; other sweeps have joblib's own."""
    return {**os.environ, "WARM_WORKERS": "1"}


@pytest.fixture(scope="session")
def command(warm):
    """``python -m trisynth.<module> <arguments>`` in a process of its own."""

    def run(module: str, *arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess:
        line = [*warm, f"trisynth.{module}", *map(str, arguments)]
        return subprocess.run(line, cwd=cwd, capture_output=True, text=True, **options)

    return run


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Path:
    """An empty database of MLflow, to be copied; making one takes longer than most runs of the tests."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def until():
    """Wait for a condition, or for a process to end, however long a busy machine takes."""

    def wait(condition: Callable[[], object], process: subprocess.Popen) -> None:
        pause = threading.Event()
        while not condition() and process.poll() is None:
            pause.wait(0.05)

    return wait


@pytest.fixture(scope="session")
def held():
    """Keep a job of a resolved config from fitting its generator: whatever runs it must wait inside the block.

    With it a test decides at which moment it kills a sweep; no machine is too fast or too slow for that.
    """

    @contextmanager
    def hold(config: dict, cache: Path) -> Iterator[None]:
        from trisynth.experiment.job import Job
        from trisynth.experiment.validation import ValidationJob

        job = (ValidationJob if config.get("validation") else Job).from_config(config)
        (cache / "generator").mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "generator" / f".{job.generator_key}.lock"):
            yield

    return hold


@pytest.fixture(scope="session", autouse=True)
def compositions() -> Iterator[None]:
    """Compose a command line once, whatever its folders are: Hydra takes a fifth of a second for each."""
    from omegaconf import OmegaConf

    from trisynth.commandline import choices, compose

    known, compose_only = {}, compose.compose_only

    def composed_once(arguments: list[str]):
        folders = [a for a in arguments if re.fullmatch(r"paths\.(raw|cache|runs|sweeps)=/[\w/.-]+", a)]
        rest = tuple(a for a in arguments if a not in folders)
        # Flags and search paths name other folders of choices, as packages do; the last of two folders counts.
        own = any(a.startswith(("-", "paths.")) or "hydra" in a for a in rest)
        if own or any(map(choices.installed, choices.ENTRY_POINTS)):
            return compose_only(arguments)
        if rest not in known:
            known[rest] = compose_only(list(rest))
        config = copy.deepcopy(known[rest])
        for folder in folders:
            OmegaConf.update(config, *folder.split("=", 1))
        return config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "compose_only", composed_once)
        yield


@pytest.fixture(autouse=True)
def loggers():
    """Enable the package's loggers: a command that a test runs in this process may have silenced them."""
    logging.root.setLevel(logging.WARNING)
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("trisynth") and isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture
def unprotected(monkeypatch):
    """Fit DataFrames without the protection of rare values, so that a method alone is tested."""
    monkeypatch.setattr("trisynth.generators.inputs.RARE", 0)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, overrides, command) -> dict:
    """A sweep of eight jobs that was started twice: its folder, its overrides and what was printed; made once."""
    base = tmp_path_factory.getbasetemp()
    # The workers of one test run share their base folder's parent.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    record = folder / "record.json"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        if not record.exists():
            uri = f"tracking.uri=sqlite:///{folder / 'mlflow.db'}"
            sweep = [
                "generator=independent,copula",
                "classifier=logistic,knn",
                "seed=0,1",
                "hydra.launcher.n_jobs=2",
                LIGHT,
            ]
            given = overrides(folder, "classes", *sweep, "tracking=sqlite", uri)
            starts = []
            for _ in range(2):
                done = command("run", "-m", *given, "tracking.figure=true", cwd=folder)
                files = {str(path): path.stat().st_mtime_ns for path in (folder / "runs").rglob("*.json")}
                starts.append({"code": done.returncode, "out": done.stdout, "err": done.stderr, "files": files})
            record.write_text(json.dumps({"overrides": given, "starts": starts}))
    return {"folder": folder, **json.loads(record.read_text())}
