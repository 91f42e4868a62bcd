"""Sweepers of Hydra and the launcher of joblib, adapted to many short jobs that may be killed.

Hydra finds plugins in this namespace; ``conf/hydra`` names them ``grid``, ``search`` and ``parallel``.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import cloudpickle
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn
from hydra_plugins.hydra_joblib_launcher.joblib_launcher import JoblibLauncher
from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper
from omegaconf import OmegaConf

from trisynth import lifeline
from trisynth.sweeps import plan, worker


class Launcher(JoblibLauncher):
    """Launcher of joblib with messages of a few hundred bytes.

    The parent class sends what all jobs share, some 60 kB, with every job, and receives as much. Here it is written
    once to a file. That saves time, and a message that fits into one atomic write to a pipe cannot be left incomplete
    by a worker that is killed, on which the other processes would wait forever.

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
        from hydra_plugins.hydra_joblib_launcher._core import process_joblib_cfg
        from joblib import Parallel, delayed, effective_n_jobs, parallel_config

        options = OmegaConf.to_container(OmegaConf.create(self.joblib))
        process_joblib_cfg(options)
        # Workers end with this process, however it ends.
        start = {"initializer": lifeline.end_with, "initargs": (os.getpid(),)}
        shared = (self.hydra_context, self.config, self.task_function, Singleton.get_state())
        with tempfile.TemporaryDirectory(prefix="trisynth-") as folder:
            file = Path(folder) / "shared"
            content = cloudpickle.dumps((self.preload, shared))
            # The folder is private (mode 0700), and a worker reads only what has the digest that it is handed.
            file.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            workers = effective_n_jobs(options.get("n_jobs"))
            order = plan.order(job_overrides, workers)
            self._announce(order, job_overrides, initial_job_idx, workers)
            with parallel_config("loky", **start):
                done = Parallel(**options)(
                    delayed(worker.run)(str(file), digest, initial_job_idx + number, list(job_overrides[number]))
                    for number in order
                )
        return [result for _, result in sorted(zip(order, done, strict=True), key=itemgetter(0))]

    def _announce(self, order: list[int], batch: Sequence[Sequence[str]], first: int, workers: int) -> None:
        """Leave the plan in the sweep's folder, where the estimate of the remaining time reads it."""
        folder = OmegaConf.select(self.config, "hydra.sweep.dir")
        if folder:
            jobs = {str(first + number): tuple(batch[number]) for number in order}
            known = plan.Plan.read(Path(folder)).jobs
            plan.Plan(known | jobs, workers).write(Path(folder))


class Sweeper(BasicSweeper):
    """Grid sweeper of Hydra that checks each choice once before the start, not each combination of choices.

    Composing a configuration takes a tenth of a second, during which the workers of a large grid would be idle.
    """

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose as many jobs as it takes to see every override once."""
        seen: set[str] = set()
        telling = []
        for overrides in batch:
            if not seen.issuperset(overrides):
                telling.append(overrides)
                seen.update(overrides)
        super().validate_batch_is_legal(telling)


class Search(OptunaSweeper):
    """Sweeper of Optuna without its log: progress and failures are shown as for any other sweep.

    A search resumes without a storage: started again, the same seed suggests the same trials, and the results of the
    finished ones are read.
    """

    def sweep(self, arguments: list[str]) -> None:
        """Run the search; see the parent class."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            super().sweep(arguments)
        except ValueError as error:
            # Where all trials failed there is no best one; the failures are reported when the sweep ends.
            if "No trials are completed" not in str(error):
                raise
