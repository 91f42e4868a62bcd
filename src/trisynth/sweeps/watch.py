"""Observation of a running sweep: which jobs have started and ended, and the time that is left."""

from trisynth.experiment.results import seconds_of
from trisynth.sweeps.folder import Sweep
from trisynth.sweeps.plan import Plan, choices_of, fit_of
from trisynth.sweeps.remaining import Progress, remaining

# Steps whose results the jobs of all classifiers share.
_SHARED = ("fit", "sample", "metrics")
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
                seconds = seconds_of(self.sweep.runs, state["key"])
                self._shared[name] = min(sum(seconds.get(step, 0.0) for step in _SHARED), state.get("seconds", 0.0))
        return new

    @property
    def summary(self) -> str:
        """Number of ended jobs by how they ended."""
        counts = {kind: sum(state["state"] == kind for state in self.ended.values()) for kind in STATES}
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)

    def remaining(self, now: float) -> float | None:
        """Estimate the seconds until all jobs have ended; None while too little is known."""
        plan = Plan.read(self.sweep.folder)
        names = [*plan.jobs, *(name for name in self.started if name not in plan.jobs)]
        fits: set[frozenset[str]] = set()
        jobs = []
        for name in names:
            overrides = plan.jobs.get(name, ())
            fit = fit_of(overrides)
            jobs.append(self._progress(name, choices_of(overrides), fit not in fits or not overrides, now))
            fits.add(fit)
        jobs += [Progress(frozenset()) for _ in range(max((self.total or 0) - len(jobs), 0))]
        begun = min(self.started.values(), default=now)
        return remaining(jobs, plan.workers, now - begun)

    def _progress(self, name: str, choices: frozenset[str], first: bool, now: float) -> Progress:
        state = self.ended.get(name)
        if state is None:
            elapsed = now - self.started[name] if name in self.started else None
            return Progress(choices, first, elapsed)
        if state["state"] != "done":
            return Progress(choices, first, cached=True)
        return Progress(choices, first, state.get("seconds", 0.0), self._shared[name])


def spoken(seconds: float | None) -> str:
    """Format a duration as a person would give an estimate: "40 s", "3 min", "2 h 10 min"."""
    if seconds is None:
        return "unknown"
    if seconds < 90:
        return f"{5 * round(seconds / 5) if seconds > 10 else round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
