"""Plan of a sweep: the jobs that its launcher starts, their order and the number of workers."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trisynth.cache import sealed, text_of, unsealed, write_atomic

PLAN = "plan.json"


def order(batch: Sequence[Sequence[str]], workers: int = 1) -> list[int]:
    """Order in which to start the jobs of a batch.

    Jobs that differ in their classifier alone share one fit. Side by side, the first would make it while the others
    held their cores and waited, so that the first ones are started before the second ones. All combinations are started
    with few seeds before any is started with the next seeds: every kind of job, and how long it takes, is seen early.

    Parameters
    ----------
    batch : sequence of sequence of str
        Overrides of each job.
    workers : int
        Number of jobs that run side by side.

    Returns
    -------
    list of int
        Positions in ``batch``.
    """
    rounds: Counter = Counter()
    passes: Counter = Counter()
    places = []
    for overrides in batch:
        fit = fit_of(overrides)
        seedless = choices_of(overrides)
        places.append((rounds[fit], passes[seedless]))
        rounds[fit] += 1
        passes[seedless] += 1
    # As many seeds at a time as it takes to have two fits for each worker.
    fits = max(sum(place == (0, 0) for place in places), 1)
    together = -(-2 * workers // fits)
    return sorted(range(len(batch)), key=lambda i: (places[i][1] // together, *places[i]))


def fit_of(overrides: Sequence[str]) -> frozenset[str]:
    """Select the overrides that decide which fit a job uses: all but its classifier."""
    return _without(overrides, "classifier=")


def choices_of(overrides: Sequence[str]) -> frozenset[str]:
    """Select the overrides that may decide how long a job takes: all but its seed."""
    return _without(overrides, "seed=")


def _without(overrides: Sequence[str], prefix: str) -> frozenset[str]:
    return frozenset(override for override in overrides if not override.startswith(prefix))


@dataclass(frozen=True)
class Plan:
    """Jobs that were handed to the workers, in the order of their start.

    Parameters
    ----------
    jobs : mapping of str to tuple of str
        Overrides by the name of the job's folder.
    workers : int
        Number of jobs that run side by side.
    """

    jobs: dict[str, tuple[str, ...]]
    workers: int = 1

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Plan of the sweep in ``folder``; an empty one where its launcher wrote none."""
        try:
            known = unsealed(text_of(folder / PLAN))
        except (OSError, ValueError):
            return cls({})
        # Most jobs of a sweep have most overrides in common.
        jobs = {name: tuple(map(sys.intern, overrides)) for name, overrides in known["jobs"]}
        return cls(jobs, known["workers"])

    @staticmethod
    def stamp(folder: Path) -> tuple[int, ...]:
        """Return what differs once another plan is written: file number, time and size; empty where there is none."""
        try:
            seen = (folder / PLAN).stat()
        except OSError:
            return ()
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def write(self, folder: Path) -> None:
        """Write the plan into the folder of its sweep."""
        jobs = [[name, list(overrides)] for name, overrides in self.jobs.items()]
        write_atomic(folder / PLAN, sealed({"workers": self.workers, "jobs": jobs}))
