"""Observation of a running sweep: which jobs have started and ended, and the time that is left."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import yaml

from trisynth.config import CONF
from trisynth.experiment.results import seconds
from trisynth.sweeps.folder import Sweep
from trisynth.sweeps.plan import Plan, choices_of, fit_of
from trisynth.sweeps.remaining import Progress, remaining

# Steps whose results the jobs of all classifiers share.
_SHARED = ("fit", "sample", "metrics")
# Expected duration of a fit by the package of its generator, in units of the others'; only for generators not yet seen.
_WEIGHTS = {"trisynth.generators.neural": 10.0, "trisynth.generators.trees": 3.0, "trisynth.recommend": 30.0}
STATES = ("done", "cached", "failed")


class Watch:
    """Jobs of one sweep as far as its folder shows them.

    Parameters
    ----------
    sweep : Sweep
    total : int or None
        Number of jobs; None where it is not known in advance.
    """

    def __init__(self, sweep: Sweep, total: int | None):
        self.sweep, self.total = sweep, total
        self.started: dict[str, float] = {}
        self.ended: dict[str, dict] = {}
        self._shared: dict[str, float] = {}
        self._plan: tuple[tuple[int, ...], Plan, dict[str, Progress]] = ((), Plan({}), {})

    def look(self, now: float) -> dict[str, dict]:
        """Read the folder; return the statuses of jobs that have ended since the last call.

        Parameters
        ----------
        now : float
            Reading of any clock, in seconds.
        """
        for name in self.sweep.started():
            self.started.setdefault(name, now)
        new = self.sweep.states(known=self.ended)
        for name, state in new.items():
            self.ended[name] = state
            if state["state"] == "done":
                self._shared[name] = min(self._shared_seconds(state["key"]), state.get("seconds", 0.0))
        return new

    @property
    def summary(self) -> str:
        """Number of ended jobs by how they ended."""
        counts = {kind: sum(state["state"] == kind for state in self.ended.values()) for kind in STATES}
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)

    def remaining(self, now: float) -> float | None:
        """Estimate the seconds until all jobs have ended; None while too little is known."""
        plan, planned = self._planned()
        unplanned = {name: Progress(frozenset()) for name in self.started if name not in planned}
        jobs = [self._progress(name, job, now) for name, job in (planned | unplanned).items()]
        jobs += [Progress(frozenset()) for _ in range(max((self.total or 0) - len(jobs), 0))]
        begun = min(self.started.values(), default=now)
        return remaining(jobs, plan.workers, now - begun)

    def _shared_seconds(self, key: str) -> float:
        spent = seconds(self.sweep.runs / key)
        return sum(spent.get(step, 0.0) for step in _SHARED)

    def _planned(self) -> tuple[Plan, dict[str, Progress]]:
        """Read the plan, unless it is the one that was read before; return it and its jobs as if none had started."""
        written = Plan.stamp(self.sweep.folder)
        if written != self._plan[0]:
            plan = Plan.read(self.sweep.folder)
            fits: set[frozenset[str]] = set()
            jobs = {}
            for name, overrides in plan.jobs.items():
                fit = fit_of(overrides)
                first = fit not in fits or not overrides
                jobs[name] = Progress(choices_of(overrides), first, weight=weight(overrides))
                fits.add(fit)
            self._plan = written, plan, jobs
        return self._plan[1:]

    def _progress(self, name: str, job: Progress, now: float) -> Progress:
        """Return a job of the plan as far as it has come."""
        state = self.ended.get(name)
        if state is None:
            return replace(job, elapsed=now - self.started[name]) if name in self.started else job
        if state["state"] != "done":
            return replace(job, cached=True)
        return replace(job, elapsed=state.get("seconds", 0.0), shared=self._shared[name])


def weight(overrides: Sequence[str]) -> float:
    """Return the expected duration of a job's fit in units of that of most generators."""
    return math.prod(_weight(o.removeprefix("generator=")) for o in overrides if o.startswith("generator="))


@lru_cache(maxsize=256)
def _weight(generator: str) -> float:
    try:
        target = str(yaml.safe_load((CONF / "generator" / f"{generator}.yaml").read_text()).get("_target_"))
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return 1.0  # a choice of the user's own
    return next((times for package, times in _WEIGHTS.items() if target.startswith(f"{package}.")), 1.0)


def spoken(seconds: float | None) -> str:
    """Format a duration as a person would give an estimate: "40 s", "3 min", "2 h 10 min"."""
    if seconds is None:
        return "unknown"
    if seconds < 90:
        return f"{5 * round(seconds / 5) if seconds > 10 else round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
