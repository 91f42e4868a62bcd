"""Worker processes that run the trials, and are killed when the time is up."""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from joblib import effective_n_jobs
from joblib.externals.loky import ProcessPoolExecutor

from trisynth.experiment.run import run_job
from trisynth.lifeline import end_with


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
    """

    keys: list[str] = field(default_factory=list)
    problem: str = ""
    seconds: float = 0.0


class Workers(Protocol):
    """Interface of the workers of a search."""

    count: int

    def submit(self, configs: Sequence[Mapping[str, Any]]) -> Future:
        """Start jobs, one after the other in one process; the future's value is ``Done``."""

    def kill(self) -> None:
        """End all jobs that are running."""


def run_all(configs: Sequence[Mapping[str, Any]]) -> Done:
    """Run jobs one after the other, up to the first that fails."""
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
        self.count = effective_n_jobs(n_jobs)
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, configs: Sequence[Mapping[str, Any]]) -> Future:
        """Start jobs in one process; see ``Workers``."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self.count, initializer=end_with, initargs=(os.getpid(),))
        return self._executor.submit(run_all, list(configs))

    def kill(self) -> None:
        """End all processes; the next jobs get new ones."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


class InProcess:
    """Workers for tests and benchmarks: every job runs in this process before ``submit`` returns."""

    count = 1

    def submit(self, configs: Sequence[Mapping[str, Any]]) -> Future:
        """Run jobs now; see ``Workers``."""
        future: Future = Future()
        future.set_result(run_all(configs))
        return future

    def kill(self) -> None:
        """Do nothing: no job is running."""


def first(futures: Sequence[Future], timeout: float) -> set[Future]:
    """Wait until one of the futures has ended or the time is over, and return those that have ended."""
    return wait(futures, timeout=max(timeout, 0.0), return_when=FIRST_COMPLETED).done


def outcome(future: Future) -> Done:
    """Return what a future's jobs did; a process that died is a problem of its jobs."""
    error = future.exception()
    return (
        future.result() if error is None else Done(problem=" ".join(f"{type(error).__name__}: {error}".split())[:200])
    )
