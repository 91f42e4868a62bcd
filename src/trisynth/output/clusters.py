"""Parts of a large table as tasks of a cluster."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trisynth.errors import InputError
from trisynth.output import parts
from trisynth.output.parts import Launcher, Table
from trisynth.sweeps import on_ray

# Numbers that an error lists.
_SHOWN = 5


def launcher(name: str, settings: Mapping[str, str]) -> Launcher:
    """Return what makes parts on a cluster.

    Parameters
    ----------
    name : str
        Of a file of ``conf/hydra/launcher``; only ``ray``.
    settings : mapping of str to str
        Those of the file that differ, as they were typed.

    Raises
    ------
    InputError
        If there is no such cluster or setting.
    """
    if name != "ray":
        remedy = "must be ray; an array of Slurm makes parts by part=$SLURM_ARRAY_TASK_ID/1000"
        raise InputError("launcher", name, remedy)
    known = on_ray.settings(settings)

    def made(table: Table, numbers: Sequence[int]) -> Iterator[int]:
        arguments = [(str(Path.cwd()), number) for number in numbers]
        lost = set(numbers)
        with on_ray.cluster(known["address"], on_ray.cores(known["n_jobs"])):
            for _, number in on_ray.mapped(_part, table, arguments, known["cpus_per_job"], known["retries"]):
                lost.remove(number)
                yield number
        if lost:
            listed = ", ".join(map(str, sorted(lost)[:_SHOWN])) + (", ..." if len(lost) > _SHOWN else "")
            remedy = f"parts {listed} were lost with their workers; run the same command again"
            raise InputError("launcher", name, remedy)

    return made


def _part(table: Table, folder: str, number: int) -> int:
    # The folder of the parts may be relative to that of the command, which all machines must have.
    os.chdir(folder)
    return parts.one(table, number)
