"""Estimate of a sweep's remaining time from its finished, running and waiting jobs.

The time of a job has two parts: what the jobs of all classifiers share (the fit, the synthetic rows, their comparison
with the real ones) is spent by the first of them alone; the rest is spent by each. Each part is predicted for the jobs
that have not ended by a regression of its logarithm on the job's overrides, and the waiting jobs are then dealt to the
workers in their order. No clock is read here: all durations are arguments.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Shortest duration that is distinguished from none, in seconds.
_SHORTEST = 0.02
# Weight of the penalty on the effect of one override, in jobs.
_PENALTY = 0.3
# Largest factor by which busy workers may be slower than the sum of their jobs.
_LARGEST_OVERHEAD = 4.0


@dataclass(frozen=True)
class Progress:
    """Progress of one job.

    Parameters
    ----------
    choices : frozenset of str
        Overrides that may decide how long the job takes, all but its seed.
    first : bool
        Whether the job is the first of those that share a fit.
    elapsed : float or None
        Seconds since the job was started, or its duration where it has ended; None while it waits.
    shared : float or None
        Seconds of ``elapsed`` that were spent on the shared part; None while the job has not ended.
    cached : bool
        Whether the job's result existed before, so that its duration is not representative.
    weight : float
        Expected duration of the shared part in units of that of a usual job, before any is seen.
    """

    choices: frozenset[str]
    first: bool = True
    elapsed: float | None = None
    shared: float | None = None
    cached: bool = False
    weight: float = 1.0

    @property
    def has_ended(self) -> bool:
        """True if the job is finished, failed or cached."""
        return self.shared is not None or self.cached


def remaining(jobs: Sequence[Progress], workers: int, since_start: float | None = None) -> float | None:
    """Estimate the seconds until all jobs have ended.

    Parameters
    ----------
    jobs : sequence of Progress
        All jobs of the sweep, in the order in which they are started.
    workers : int
        Number of jobs that run side by side.
    since_start : float, optional
        Seconds since the first job was started; with it, time between jobs and contention are taken into account.

    Returns
    -------
    float or None
        None before the first job that is not cached has ended.
    """
    ended = [job for job in jobs if job.has_ended and not job.cached]
    left = [job for job in jobs if not job.has_ended]
    if not left:
        return 0.0
    if not ended:
        return None
    running = [job for job in left if job.elapsed is not None]
    predicted = _durations(ended, running, left)
    now = {id(job): max(predicted[id(job)] - job.elapsed, 0.15 * job.elapsed) for job in running}
    free = [*now.values(), *[0.0] * max(workers - len(running), 0)]
    heapq.heapify(free)
    end = max(now.values(), default=0.0)
    for job in left:
        if job.elapsed is None:
            ends = heapq.heappop(free) + predicted[id(job)]
            heapq.heappush(free, ends)
            end = max(end, ends)
    return end * _overhead(ended, running, workers, since_start)


def _durations(ended: list[Progress], running: list[Progress], left: list[Progress]) -> dict[int, float]:
    """Predicted duration of every job of ``left`` by its identity."""
    # A first job without a shared part has an unknown cost: its fit was in the cache.
    shared = {job: job.shared / job.weight for job in ended if job.first and job.shared > _SHORTEST}
    own = {job: job.elapsed - job.shared for job in ended}
    first, each = _fitted(shared), _fitted(own)

    def predict_shared(job: Progress) -> float:
        return first(job.choices) * job.weight if job.first else 0.0

    def predict(job: Progress) -> float:
        return each(job.choices) + predict_shared(job)

    # A job that already runs for longer than predicted is an observation, too: a lower bound of its duration.
    late = {job: 1.5 * job.elapsed for job in running if job.elapsed > predict(job)}
    if late:
        part = {job: predict_shared(job) / max(predict(job), _SHORTEST) for job in late}
        shared |= {job: part[job] * seconds / job.weight for job, seconds in late.items() if part[job]}
        own |= {job: (1 - part[job]) * seconds for job, seconds in late.items()}
        first, each = _fitted(shared), _fitted(own)
    return {id(job): predict(job) for job in left}


def _fitted(observed: dict[Progress, float]):
    """Fit a ridge regression of the logarithm of seconds on overrides; return its prediction as a function."""
    if not observed:
        return lambda choices: 0.0
    # An override that all observed jobs have in common explains nothing.
    common = frozenset.intersection(*(job.choices for job in observed))
    columns = {choice: i for i, choice in enumerate(sorted({c for job in observed for c in job.choices - common}))}
    design = np.array([[choice in job.choices for choice in columns] for job in observed], dtype=float)
    seconds = np.array([max(value, _SHORTEST) for value in observed.values()])
    logs = np.log(seconds)
    centre = logs.mean()
    penalised = design.T @ design + _PENALTY * np.eye(len(columns))
    effects = np.linalg.solve(penalised, design.T @ (logs - centre)) if columns else np.zeros(0)
    fitted = np.exp(centre + design @ effects)
    # The mean of logarithms underestimates the mean; the observed total corrects it (Duan's smearing, 1983).
    smearing = seconds.sum() / fitted.sum()

    def predict(choices: frozenset[str]) -> float:
        return smearing * math.exp(centre + sum(effects[columns[choice]] for choice in choices if choice in columns))

    return predict


def _overhead(ended: list[Progress], running: list[Progress], workers: int, since_start: float | None) -> float:
    """Factor by which the workers need longer than the sum of their jobs."""
    if since_start is None:
        return 1.0
    busy = sum(job.elapsed for job in [*ended, *running])
    available = min(workers, len(ended) + len(running)) * since_start
    return min(max(available / max(busy, _SHORTEST), 1.0), _LARGEST_OVERHEAD)
