"""Worker processes that run the trials, and are killed when the time is up.

Nothing is imported here that a worker may import while the program still reads its settings.
"""

import importlib
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from joblib import effective_n_jobs
from joblib.externals.loky import ProcessPoolExecutor

from trisynth.lifeline import end_with

# Name of the thread that hands jobs to the processes.
_MANAGER = "ExecutorManagerThread"


@dataclass(frozen=True)
class Done:
    """Outcome of jobs that ran one after the other in one process.

    Parameters
    ----------
    keys : list of str
        Keys of their results, as far as they succeeded.
    problem : str
        The first error, in one line; empty if there was none.
    seconds : float
    lost : bool
        Whether the process ended without an outcome, for whatever reason; others may have ended with it.
    """

    keys: list[str] = field(default_factory=list)
    problem: str = ""
    seconds: float = 0.0
    lost: bool = False


class Workers(Protocol):
    """Interface of the workers of a search."""

    count: int

    def start(self) -> None:
        """Prepare processes ahead of the first job."""

    def submit(self, configs: Sequence[Mapping[str, Any]]) -> Future:
        """Start jobs, one after the other in one process; the future's value is ``Done``."""

    def wait(self, futures: Sequence[Future], timeout: float) -> set[Future]:
        """Wait until one of the futures has ended or the time is over, and return those that have ended."""

    def kill(self) -> None:
        """End all jobs that are running."""


# Modules that the first jobs need, and those whose code is part of every key.
_EARLY = ("trisynth.experiment.build", "trisynth.experiment.folds", "sklearn.linear_model")
_KEYED = ("trisynth.experiment.steps", "trisynth.experiment.build", "trisynth.experiment.folds")


def _ready(parent: int) -> None:
    """Prepare a worker: it ends with its parent, and does ahead of the first job what takes that job a second."""
    end_with(parent)
    for name in _EARLY:
        importlib.import_module(name)
    importlib.import_module("trisynth.config").code_digest(*_KEYED)


def run_all(configs: Sequence[Mapping[str, Any]]) -> Done:
    """Run jobs one after the other, up to the first that fails."""
    from trisynth.experiment.run import run_job

    begun, keys = time.monotonic(), []
    try:
        for config in configs:
            keys.append(run_job(config)[0].key)
    except Exception as error:
        # A candidate that fails must not stop the others; its message is one of the trials.
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        return Done(keys, problem, time.monotonic() - begun)
    return Done(keys, "", time.monotonic() - begun)


class Pool:
    """Processes of loky, the library that joblib's launcher uses.

    Parameters
    ----------
    n_jobs : int
        As in joblib.
    """

    def __init__(self, n_jobs: int = -1):
        # A value that is refused later must not fail here.
        whole = isinstance(n_jobs, int) and n_jobs and not isinstance(n_jobs, bool)
        self.count = effective_n_jobs(n_jobs) if whole else 1
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, configs: Sequence[Mapping[str, Any]]) -> Future:
        """Start jobs in one process; see ``Workers``."""
        try:
            return self._processes().submit(run_all, list(configs))
        except BrokenExecutor:
            # A process was killed, for example for its memory; the others have ended with it.
            self.kill()
            return self._processes().submit(run_all, list(configs))

    def start(self) -> None:
        """Start the processes, which import while the caller does something else."""
        for _ in range(self.count):
            self._processes().submit(os.getpid)

    def _processes(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self.count, initializer=_ready, initargs=(os.getpid(),))
        return self._executor

    def wait(self, futures: Sequence[Future], timeout: float) -> set[Future]:
        """Wait for the first of the futures; see ``Workers``."""
        return first(futures, timeout)

    def kill(self) -> None:
        """End all processes; the next jobs get new ones."""
        if self._executor is not None:
            with _without_tracebacks():
                self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Print no traceback of loky's thread, which ends by an error if a job comes just before its end."""
    shown = threading.excepthook

    def hook(error: threading.ExceptHookArgs) -> None:
        if getattr(error.thread, "name", "") != _MANAGER:
            shown(error)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = shown


class InProcess:
    """Workers for tests and benchmarks: every job runs in this process before ``submit`` returns."""

    count = 1

    def start(self) -> None:
        """Do nothing: there is no process."""

    def submit(self, configs: Sequence[Mapping[str, Any]]) -> Future:
        """Run jobs now; see ``Workers``."""
        future: Future = Future()
        future.set_result(run_all(configs))
        return future

    def wait(self, futures: Sequence[Future], timeout: float) -> set[Future]:
        """Return all futures, which have ended."""
        return first(futures, timeout)

    def kill(self) -> None:
        """Do nothing: no job is running."""


def first(futures: Sequence[Future], timeout: float) -> set[Future]:
    """Wait until one of the futures has ended or the time is over, and return those that have ended."""
    return wait(futures, timeout=max(timeout, 0.0), return_when=FIRST_COMPLETED).done


def outcome(future: Future) -> Done:
    """Return what a future's jobs did; a process that died is a problem of its jobs."""
    error = future.exception()
    if error is None:
        return future.result()
    problem = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return Done(problem=problem, lost=isinstance(error, BrokenExecutor))
