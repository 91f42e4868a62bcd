"""Launchers of sweeps on Ray and on Slurm.

``conf/hydra/launcher`` names them ``ray`` and ``slurm``. What they need is installed by the extras of these names, and
imported when a sweep starts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hydra.core.utils import JobReturn

from hydra_plugins.trisynth_sweeps import Launcher


class RayLauncher(Launcher):
    """Launcher of the jobs of a sweep as tasks of Ray.

    Parameters
    ----------
    preload : sequence of str
        Modules that every worker imports at its start.
    address : str or None
        Address of a cluster, such as ``auto`` or ``ray://host:10001``; None starts one on this machine for the sweep.
    n_jobs : int
        Jobs at a time on this machine, -1 for as many as there are cores; a cluster decides by itself.
    cpus_per_job : float
        Cores that a job reserves.
    retries : int
        How often a job is started again whose worker or machine was lost.
    """

    def __init__(
        self,
        preload: Sequence[str] = (),
        address: str | None = None,
        n_jobs: int = -1,
        cpus_per_job: float = 1,
        retries: int = 3,
    ):
        super().__init__(preload, n_jobs=n_jobs)
        self.address, self.cpus_per_job, self.retries = address, cpus_per_job, retries

    def _run(self, content: bytes, jobs: list[tuple[int, list[str]]], announce: Callable[[], None]) -> list[JobReturn]:
        from trisynth.sweeps import on_ray

        with on_ray.cluster(self.address, self._workers()):
            announce()
            return on_ray.run(content, jobs, self.cpus_per_job, self.retries)


class SlurmLauncher(Launcher):
    """Launcher of the jobs of a sweep as tasks of a Slurm array, by submitit.

    Parameters
    ----------
    preload : sequence of str
        Modules that every task imports at its start.
    n_jobs : int
        Tasks of the array; jobs that share a fit belong to the same task.
    cluster : {"slurm", "local"}
        ``local`` runs the same tasks as processes of this machine.
    **parameters
        Those of submitit, such as ``timeout_min``, ``mem_gb``, ``cpus_per_task``, ``slurm_partition``.
    """

    def __init__(self, preload: Sequence[str] = (), n_jobs: int = 4, cluster: str = "slurm", **parameters: Any):
        super().__init__(preload, n_jobs=n_jobs)
        self.cluster, self.parameters = cluster, parameters

    def _run(self, content: bytes, jobs: list[tuple[int, list[str]]], announce: Callable[[], None]) -> list[JobReturn]:
        from trisynth.sweeps import on_slurm

        parameters: Mapping[str, Any] = {name: value for name, value in self.parameters.items() if value is not None}
        folder = str(self.config.hydra.sweep.dir)
        with on_slurm.executor(self.cluster, folder, parameters) as made:
            announce()
            return on_slurm.run(made, folder, content, jobs, self._options()["n_jobs"])
