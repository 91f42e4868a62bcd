"""Jobs of a sweep as tasks of a Slurm array, which submitit starts."""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.sweeps import plan, worker

CLUSTERS = ("slurm", "local")
# Scripts, logs and results of the tasks, in the folder of the sweep.
FOLDER = "jobs/slurm"


@contextmanager
def executor(cluster: str, folder: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
    """Prepare an executor of submitit.

    Parameters
    ----------
    cluster : {"slurm", "local"}
    folder : str
        Folder of the sweep, which all machines can read and write.
    parameters : mapping
        Those of submitit.

    Raises
    ------
    InputError
        If submitit is not installed, there is no Slurm, or a parameter is unknown.
    """
    if cluster not in CLUSTERS:
        raise InputError("hydra.launcher.cluster", cluster, f"must be one of {', '.join(CLUSTERS)}")
    try:
        import submitit
    except ImportError:
        raise InputError("hydra/launcher", "slurm", "needs submitit; pip install 'trisynth[slurm]'") from None
    logging.getLogger("submitit").setLevel(logging.ERROR)
    try:
        made = submitit.AutoExecutor(Path(folder) / FOLDER, cluster=cluster)
    except RuntimeError as error:
        remedy = f"is not available here ({error}); start on a login node, or test with hydra.launcher.cluster=local"
        raise InputError("hydra.launcher.cluster", cluster, remedy) from None
    try:
        made.update_parameters(**parameters)
    except (TypeError, NameError, ValueError) as error:
        raise InputError("hydra.launcher", dict(parameters), f"has a wrong parameter of submitit ({error})") from None
    yield made


def run(made: Any, folder: str, content: bytes, jobs: Sequence[tuple[int, list[str]]], tasks: int) -> list[JobReturn]:
    """Run the jobs of a sweep; those of a task that is lost return no value, and the others go on.

    Parameters
    ----------
    made : submitit executor
    folder : str
        Folder of the sweep.
    content : bytes
        What ``worker.run`` reads from a file.
    jobs : sequence of (number, overrides)
    tasks : int
        Maximum number of tasks; jobs that share a fit belong to one task, so that no lock between machines is needed.
    """
    digest = hashlib.sha256(content).hexdigest()
    file = Path(folder) / FOLDER / f"shared-{digest[:16]}"
    write_atomic(file, content)
    file.chmod(0o600)
    found: dict[int, JobReturn] = {}
    try:
        with made.batch():
            submitted = [
                made.submit(_task, str(file.resolve()), digest, str(Path.cwd()), group) for group in groups(jobs, tasks)
            ]
        try:
            for task in submitted:
                task.wait()
                if task.state in ("FINISHED", "COMPLETED", "DONE") and task.exception() is None:
                    found |= task.result()
        finally:
            for task in submitted:
                if not task.done():
                    task.cancel()
    finally:
        file.unlink(missing_ok=True)
    return [found.get(number, JobReturn(overrides=o, status=JobStatus.COMPLETED)) for number, o in jobs]


def groups(jobs: Sequence[tuple[int, list[str]]], tasks: int) -> list[list[tuple[int, list[str]]]]:
    """Deal jobs to at most ``tasks`` tasks, those that share a fit to the same one."""
    fits: dict[frozenset[str], list[tuple[int, list[str]]]] = {}
    for number, overrides in jobs:
        fits.setdefault(plan.fit_of(overrides), []).append((number, overrides))
    dealt = [[job for fit in list(fits.values())[start::tasks] for job in fit] for start in range(tasks)]
    return [group for group in dealt if group]


def _task(file: str, digest: str, folder: str, jobs: Sequence[tuple[int, list[str]]]) -> dict[int, JobReturn]:
    os.chdir(folder)
    return {number: worker.run(file, digest, number, overrides) for number, overrides in jobs}
