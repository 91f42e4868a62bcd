"""Hydra's sweepers and joblib's launcher, made fit for many short jobs that may be killed.

Hydra looks for plugins in this namespace; ``conf/hydra`` gives them their names, ``grid``, ``search`` and ``parallel``.
"""

import tempfile
from collections import Counter
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

from trisynth.sweeps import worker


class Launcher(JoblibLauncher):
    """joblib's launcher with messages of a few hundred bytes.

    The parent class sends what all jobs share, some 60 kB, with every job, and gets as much back. Here it goes once
    through a file. That saves time, and a message that fits into one atomic write to a pipe cannot be left half
    written by a worker that is killed, for which the other processes would wait for ever.

    Parameters
    ----------
    preload : sequence of str
        Modules that every worker imports at its start. joblib takes the memory of a worker's first job for its
        measure and renews a worker that grows far beyond, so that late imports would cost a new start.
    **options
        Arguments of ``joblib.Parallel``.
    """

    def __init__(self, preload: Sequence[str] = (), **options: Any):
        super().__init__(**options)
        self.preload = list(preload)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """Run a batch of jobs; see the parent class."""
        from hydra_plugins.hydra_joblib_launcher._core import process_joblib_cfg
        from joblib import Parallel, delayed

        options = OmegaConf.to_container(OmegaConf.create(self.joblib)) | {"backend": "loky"}
        process_joblib_cfg(options)
        shared = (self.hydra_context, self.config, self.task_function, Singleton.get_state())
        with tempfile.TemporaryDirectory(prefix="trisynth-") as folder:
            file = Path(folder) / "shared"
            file.write_bytes(cloudpickle.dumps((self.preload, shared)))
            order = apart(job_overrides)
            done = Parallel(**options)(
                delayed(worker.run)(str(file), initial_job_idx + number, list(job_overrides[number]))
                for number in order
            )
        return [result for _, result in sorted(zip(order, done, strict=True), key=itemgetter(0))]


def apart(batch: Sequence[Sequence[str]]) -> list[int]:
    """Numbers of the jobs in an order that keeps those apart that differ in their classifier alone.

    They share one fit. Side by side, the first would make it while the others held their cores and waited.
    """
    met: Counter = Counter()
    rounds = []
    for overrides in batch:
        shared = tuple(sorted(override for override in overrides if not override.startswith("classifier=")))
        rounds.append(met[shared])
        met[shared] += 1
    return sorted(range(len(batch)), key=rounds.__getitem__)


class Sweeper(BasicSweeper):
    """Hydra's grid sweeper that checks each choice once before the start, not each combination of choices.

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
    """Optuna's sweeper without its remarks: progress and failures are shown as for any other sweep.

    A search needs no storage to go on where it was killed: started again, the same seed asks for the same trials, and
    the finished ones are read.
    """

    def sweep(self, arguments: list[str]) -> None:
        """Run the search; see the parent class."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            super().sweep(arguments)
        except ValueError as error:
            # Where all trials failed there is no best one; the failures are told when the sweep ends.
            if "No trials are completed" not in str(error):
                raise
