"""Commands in processes that are forked where all libraries have been imported, in a fraction of the time of new ones.

A command of the campaign spends most of its time on imports, its own and those of its workers, in which nothing is
written that a kill could harm. A forked command, and its forked workers, reach what is to be harmed at once.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import popen_fork
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

# What commands and their workers import.
PRELOADED = (
    *("trisynth.run", "trisynth.experiment.run", "trisynth.experiment.build", "trisynth.report.artefacts"),
    *("trisynth.report.steps", "trisynth.recommend.__main__", "trisynth.sweeps.trials", "trisynth.tracking"),
    *("trisynth.sweeps.worker", "hydra_plugins.trisynth_sweeps", "hydra_plugins.hydra_joblib_launcher._core"),
    *("trisynth.generators.circuit", "trisynth.generators.independent", "trisynth.evaluation.metrics"),
    *("sklearn.ensemble", "sklearn.linear_model", "sklearn.neighbors", "sklearn.pipeline", "scipy.stats", "optuna"),
    *("mlflow.store.tracking.sqlalchemy_store", "benchmarks.faults.warm"),
)


class Command:
    """Command that runs in a forked process, with the part of ``subprocess.Popen`` that the campaign uses.

    Parameters
    ----------
    process : multiprocessing.Process
        Its exit status is that of the command.
    """

    def __init__(self, process: BaseProcess):
        self._process = process
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        """Status of the command, None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the status, None while the command runs."""
        return self.returncode

    def wait(self) -> int:
        """Wait for the end of the command; return its status."""
        self._process.join()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the command, unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def ready() -> None:
    """Import what commands need, so that the first command takes no longer than the others."""
    process = _context().Process(target=int)
    process.start()
    process.join()


def _context() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    # Set before the first process; it has no effect later.
    context.set_forkserver_preload(list(PRELOADED))
    return context


def start(folder: Path, command: str, arguments: tuple[str, ...], before: Callable[[], None] | None = None) -> Command:
    """Start a command as ``python -m trisynth.COMMAND`` would; ``before`` is called in its process."""
    process = _context().Process(target=_run, args=(str(folder), command, arguments, before))
    process.start()
    return Command(process)


def _run(folder: str, command: str, arguments: tuple[str, ...], before: Callable[[], None] | None) -> None:
    """Become the command: a session, a folder and output of its own."""
    os.setsid()
    os.chdir(folder)
    for name, number in ((os.devnull, 1), ("errors.txt", 2)):
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(handle, number)
        os.close(handle)
    if before is not None:
        before()
    _fork_workers()
    from joblib.externals.loky import reusable_executor

    from trisynth import commandline

    sys.argv = [f"trisynth.{command}", *arguments]
    try:
        commandline.enter(command, list(arguments))
    finally:
        # A process of its own does this at its exit.
        if reusable_executor._executor is not None:
            reusable_executor._executor.shutdown(kill_workers=True)


def _fork_workers() -> None:
    """Let joblib fork its workers; the queues between them stay as they are."""
    from joblib.externals.loky.backend.process import LokyProcess

    LokyProcess._Popen = staticmethod(popen_fork.Popen)
