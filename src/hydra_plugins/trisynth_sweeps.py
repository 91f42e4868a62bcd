"""Sweepers of Hydra and the launcher of joblib, adapted to many short jobs that may be killed.

Hydra finds plugins in this namespace; ``conf/hydra`` names them ``grid``, ``search`` and ``parallel``.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import cloudpickle
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper as HydraSweeper
from hydra.types import HydraContext, TaskFunction
from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher
from omegaconf import DictConfig, OmegaConf

from trisynth import lifeline
from trisynth.errors import InputError
from trisynth.sweeps import plan, worker
from trisynth.sweeps.folder import mark
from trisynth.temporary import temporary_folder


class Launcher(JoblibLauncher):
    """Launcher of joblib with messages of a few hundred bytes.

    The parent class sends the state that all jobs share, about 60 kB, with every job, and receives as much. This class
    writes it once to a file instead. That saves time. It also prevents a deadlock: a killed worker cannot leave behind
    an incomplete message, for which the other processes would wait forever, if each message is one atomic write.

    Parameters
    ----------
    preload : sequence of str
        Modules that every worker imports at its start. joblib compares a worker's memory with that after its first job
        and replaces a worker that has grown far beyond, so that late imports would cost a new start.
    **options
        Arguments of ``joblib.Parallel``.
    """

    def __init__(self, preload: Sequence[str] = (), **options: Any):
        super().__init__(**options)
        self.preload = list(preload)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """Run a batch of jobs; see the parent class."""
        workers = self._workers()
        order = plan.order(job_overrides, workers)
        shared = (self.hydra_context, self.config, self.task_function, Singleton.get_state())
        content = cloudpickle.dumps((self.preload, shared))
        jobs = [(initial_job_idx + number, list(job_overrides[number])) for number in order]
        done = self._run(content, jobs, lambda: self._announce(order, job_overrides, initial_job_idx, workers))
        return [result for _, result in sorted(zip(order, done, strict=True), key=itemgetter(0))]

    def _workers(self) -> int:
        """Return the number of jobs that run side by side."""
        from joblib import effective_n_jobs

        return effective_n_jobs(self._options()["n_jobs"])

    def _options(self) -> dict[str, Any]:
        options = OmegaConf.to_container(OmegaConf.create(self.joblib))
        if not isinstance(options.setdefault("n_jobs", None), int | None) or options["n_jobs"] == 0:
            remedy = "must be a whole number of jobs at a time, or -1 for as many as there are cores"
            raise InputError("hydra.launcher.n_jobs", options["n_jobs"], remedy)
        return options

    def _run(self, content: bytes, jobs: list[tuple[int, list[str]]], announce: Callable[[], None]) -> list[JobReturn]:
        """Run jobs in the given order, and return what each returns.

        Parameters
        ----------
        content : bytes
            What all jobs share, for ``worker.run``.
        jobs : list of (number, overrides)
        announce : callable
            Marks the sweep's folder; called when the workers can start.
        """
        from hydra_plugins.hydra_joblib_launcher._core import process_joblib_cfg
        from joblib import Parallel, delayed, parallel_config

        from trisynth.sweeps.backend import Waiting

        options = self._options()
        process_joblib_cfg(options)
        # Workers end with this process, however it ends.
        start = {"initializer": lifeline.end_with, "initargs": (os.getpid(),)}
        with temporary_folder("trisynth-") as folder:
            file = folder / "shared"
            # The folder is private (mode 0700), and a worker reads only what has the digest that it is handed.
            file.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            announce()
            with parallel_config(Waiting(**start)):
                return Parallel(**options)(delayed(worker.run)(str(file), digest, *job) for job in jobs)

    def _announce(self, order: list[int], batch: Sequence[Sequence[str]], first: int, workers: int) -> None:
        """Write into the sweep's folder its marker, and the plan for the estimate of the remaining time."""
        folder = OmegaConf.select(self.config, "hydra.sweep.dir")
        if folder:
            # Not before: a sweep that is refused leaves nothing.
            mark(Path(folder))
            jobs = {str(first + number): tuple(batch[number]) for number in order}
            known = plan.Plan.read(Path(folder)).jobs
            plan.Plan(known | jobs, workers).write(Path(folder))


class Sweeper(BasicSweeper):
    """Grid sweeper of Hydra that checks each choice once before the start, not each combination of choices.

    Composing a configuration takes a tenth of a second, during which the workers of a large grid would be idle.
    """

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose enough jobs to check every override once; one seed stands for all."""
        seen: set[str] = set()
        telling = []
        for overrides in batch:
            differing = {re.sub(r"^seed=\d+$", "seed=", override) for override in overrides}
            if not seen.issuperset(differing):
                telling.append(overrides)
                seen |= differing
        super().validate_batch_is_legal(telling)


class Search(HydraSweeper):
    """Sweeper of searches: each batch of trials is suggested by Optuna from the values of those before.

    The parameters are those of ``trisynth.sweeps.trials.search``; ``params`` has overrides that the command line may
    replace.
    """

    def __init__(self, params: Mapping[str, str] | None = None, **options: Any):
        self.params, self.options = params, options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Receive the configuration of the sweep; see the parent class."""
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            config=config, hydra_context=hydra_context, task_function=task_function
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the search; see the parent class."""
        # Optuna takes a second to import, and Hydra imports this module at every start.
        from trisynth.sweeps.trials import search

        declared = [f"{name}={value}" for name, value in (self.params or {}).items()]
        folder = Path(self.config.hydra.sweep.dir)
        search(self.launcher.launch, [*declared, *arguments], folder, **self.options)
