"""Search within a budget of wall time: some folds choose a candidate and an amount, the others confirm them."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from itertools import chain
from typing import Any

from trisynth.data.dataset import Dataset
from trisynth.data.splits.folds import Fold
from trisynth.errors import InputError
from trisynth.evaluation.arms import BALANCE, Balanced
from trisynth.experiment.run import job_of, read_or_set_aside
from trisynth.recommend.evidence import Choice, Evidence
from trisynth.recommend.plan.level import Level, lowered, needed
from trisynth.recommend.plan.rows import require_rows
from trisynth.recommend.plan.settings import REGRESSION, Settings
from trisynth.recommend.plan.suited import suited
from trisynth.recommend.pool import Workers, outcome
from trisynth.recommend.trials import BASELINES, Amount, Trial, baselines, jobs
from trisynth.recommend.verdict import signed

# Fractions of the budget: when the first verdict is given and when it is late, when choosing ends, and what the end of
# the program takes.
_FIRST, _DUE, _CHOOSING, _END = 0.08, 0.1, 0.55, 0.08
# Longest budget, in seconds, in which all trials are on the lower level.
_SHORT = 120.0
# The confirmation is given so many times the seconds that it seems to need.
_SLACK = 1.2
# Most seconds that are kept for the end.
_LONGEST_END = 15.0
# Fraction of the budget, and most seconds, beyond it until anything is compared at all.
_OVERTIME, _LONGEST_OVERTIME = 0.1, 60.0
# Candidates that come first, and the folds that they need for a first choice.
_CHEAPEST, _LEAST_FIRST = 2, 2
# Folds in which a winner can be confirmed at the least.
_LEAST_CONFIRMING = 4
# Longest wait for a trial, so that the display of the time left moves.
_TICK = 0.5

Listener = Callable[["Search", str], None]


class Search:
    """One search on all rows of a table.

    Parameters
    ----------
    config : mapping
        Resolved root configuration with its section ``recommend``.
    dataset : Dataset
    workers : Workers
    begun : float, optional
        Reading of ``clock`` when the budget began to run.
    clock : callable, optional
    listen : callable, optional
        Receives the search and an event: ``trial`` after each trial, ``first`` at the first verdict, shortly before a
        tenth of the budget or as soon as there is one, ``nothing`` after a tenth if there is none, ``tick`` at least
        every half second.

    Attributes
    ----------
    evidence : Evidence
    chosen : Choice or None
        The trial that is confirmed.
    level : Level
        Effort of the trials, which is lowered where they take too long for the budget.
    notes : list of str
    finished : bool
        Whether all trials have run.
    stage : str
        ``choose``, ``confirm`` or ``end``.
    reserve : float
        Seconds of the budget that are kept for what the caller does afterwards, who may measure them.
    waited : float
        Seconds of the budget that had passed when the first trial was about to begin.
    started : int
        Groups of trials that were given to the workers.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        dataset: Dataset,
        workers: Workers,
        *,
        begun: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        listen: Listener = lambda search, event: None,
    ):
        candidates, self.notes = suited(config, dataset)
        self.config = {**config, "recommend": {**config["recommend"], "candidates": candidates}}
        self.dataset, self.workers = dataset, workers
        self.settings = settings = Settings.of(self.config["recommend"])
        self.clock, self.listen = clock, listen
        self.begun = clock() if begun is None else begun
        self.reserve = min(_END * settings.budget, _LONGEST_END)
        task = dataset.spec.task
        self.metric = REGRESSION if task == "regression" else settings.metric
        level = task == "regression" or not Balanced().needs(dataset.counts)
        amounts = [each for each in settings.amounts if each != BALANCE or not level]
        if not amounts:
            remedy = "leaves nothing to try: the classes are equally large; add a ratio such as 1"
            raise InputError("recommend.amounts", settings.amounts, remedy)
        self.evidence = Evidence(settings, self.metric, baselines(task, self.metric), amounts)
        self.chosen: Choice | None = None
        self.level = lowered(settings, dataset) if settings.budget <= _SHORT else Level()
        self.finished, self.stage = False, "choose"
        self.total = self.done = self.started = 0
        self.waited = self.elapsed()
        # Seconds that one trial of a candidate took.
        self.cost: dict[str, float] = {}
        # Readings of the clock at which the trials that run were started.
        self._started: dict[Trial, float] = {}
        self._heard: set[str] = set()
        self._late = False
        # Groups whose worker was lost once.
        self._again: list[list[Trial]] = []
        require_rows(dataset, settings.folds)

    def run(self) -> None:
        """Choose, then confirm, until all is done or the budget is spent."""
        self.waited = self.elapsed()
        try:
            chose = self._choose()
            self.stage = "confirm"
            self.chosen = self._winner()
            confirmed = self._confirm()
            self.finished = chose and confirmed
        finally:
            self.stage = "end"
            self.workers.kill()

    @property
    def deadline(self) -> float:
        """Reading of the clock at which the last trial is stopped; later, while no candidate has been compared."""
        budget = self.settings.budget
        if not self.evidence.compares:
            # There is nothing to report yet, so that nothing is kept for a report.
            return self.begun + budget + min(_OVERTIME * budget, _LONGEST_OVERTIME)
        return self.begun + budget - self.reserve

    def elapsed(self) -> float:
        """Return the seconds since the budget began to run."""
        return self.clock() - self.begun

    def _folds(self, stage: str, repeat: int = 0) -> list[Fold]:
        settings = self.settings
        many = settings.choosing if stage == "choose" else settings.folds - settings.choosing
        address = {"parts": settings.folds, "choosing": settings.choosing, "seed": self.config["seed"]}
        return [Fold(stage, index, repeat, rows=self.level.rows, **address) for index in range(many)]

    def _trial(self, candidate: str, fold: Fold, amounts: tuple[Amount, ...] = ()) -> Trial:
        return Trial(candidate, fold, amounts, self.level.classifiers)

    def _choose(self) -> bool:
        """Score the baselines, then every candidate, on the folds that choose."""
        folds = self._folds("choose")
        amounts = tuple(self.evidence.amounts)
        names = list(self.settings.candidates)
        plan = self._glance(names, amounts)
        # The cheapest candidates are compared with the baselines before all else, for a first verdict.
        for some in (folds[:_LEAST_FIRST], folds[_LEAST_FIRST:]):
            first = [[self._trial(BASELINES, fold) for fold in some]]
            first += [[self._trial(name, fold, amounts) for fold in some] for name in names[:_CHEAPEST]]
            plan += chain.from_iterable(zip(*first, strict=True) if self.level.lower else first)
        plan += [self._trial(name, fold, amounts) for name in names[_CHEAPEST:] for fold in folds]
        complete = self._work([[trial] for trial in plan], self._chosen_by) and not self._late
        if self._slow():
            # Better an answer from a part of the scores than none; the finished trials serve a longer search.
            self.level, self.cost = lowered(self.settings, self.dataset), {}
            self.evidence = replace(self.evidence, results={})
            self._choose()
            return False
        tried = {name for name, fold in self.evidence.results if fold.stage == "choose"}
        untried = [name for name in self.settings.candidates if name not in tried | set(self.evidence.problems)]
        if untried:
            self.notes.append(f"Not tried within the budget: {', '.join(untried)}.")
        return complete

    def _chosen_by(self) -> float:
        """Return the reading of the clock at which choosing ends."""
        tried = {name for name, _ in self.evidence.results} - {BASELINES}
        if not tried or (self.level.lower and not self.evidence.choices()):
            # Without any candidate there is nothing to confirm.
            return self.deadline
        usual = self.begun + _CHOOSING * self.settings.budget
        if self.level.lower and self.evidence.choices():
            # The budget is short: whatever the confirmation does not need is left for the choice.
            return min(max(usual, (usual + self.deadline) / 2), self.deadline - _SLACK * self._needed())
        return usual

    def _needed(self) -> float:
        """Estimate the seconds until a candidate is chosen and confirmed."""
        now = self.clock()
        running = [now - begun for trial, begun in self._started.items() if trial.candidate == BASELINES]
        baselines = self.cost.get(BASELINES, max(running, default=0.0))
        costs = [cost for name, cost in self.cost.items() if name != BASELINES]
        finished = max(len(self.evidence.folds(name, "choose")) for name in self.settings.candidates)
        each = baselines + min(costs, default=baselines)
        return needed(each, finished, (_LEAST_FIRST, _LEAST_CONFIRMING), self.workers.count)

    def _slow(self) -> bool:
        """Check whether the trials take too long for this budget, and could be cheaper."""
        if self.level == lowered(self.settings, self.dataset) or self.clock() + self._needed() <= self.deadline:
            return False
        best = next(iter(self.evidence.choices()), None)
        fold = self._folds("confirm")[0]
        return not best or not self._cached([self._trial(best.candidate, fold, (best.amount,))])

    def _glance(self, names: list[str], amounts: tuple[Amount, ...]) -> list[Trial]:
        """List trials of the lower level, whose comparison is the first verdict."""
        level = lowered(self.settings, self.dataset)
        if level == self.level:
            return []
        fold = replace(self._folds("choose")[0], rows=level.rows)
        looks = [Trial(name, fold, amounts, level.classifiers, glance=True) for name in names[:_CHEAPEST]]
        return [Trial(BASELINES, fold, (), level.classifiers, glance=True), *looks]

    def _winner(self) -> Choice | None:
        """Take the best candidate that can be confirmed in the time that is left."""
        choices, left = self.evidence.choices(), self.deadline - self.clock()
        rounds = -(-_LEAST_CONFIRMING // self.workers.count)
        for choice in choices:
            each = self.cost.get(choice.candidate, 0.0) + self.cost.get(BASELINES, 0.0)
            if rounds * each <= left:
                for better in choices[: choices.index(choice)]:
                    self.notes.append(
                        f"{better.candidate} came first on the folds used for the choice ({signed(better.gain)}), but "
                        "takes too long to be confirmed within this budget."
                    )
                return choice
        return choices[0] if choices else None

    def _confirm(self) -> bool:
        """Score the baselines and the winner on the other folds; a fold counts with both or not at all."""
        folds = [fold for repeat in range(self.settings.repeats) for fold in self._folds("confirm", repeat)]
        best = self.chosen
        chosen = [self._trial(best.candidate, fold, (best.amount,)) for fold in folds] if best else []
        pairs = [[self._trial(BASELINES, fold)] for fold in folds]
        for pair, trial in zip(pairs, chosen, strict=False):
            pair.append(trial)
        return self._work(pairs, lambda: self.deadline)

    def _work(self, plan: list[list[Trial]], end: Callable[[], float]) -> bool:
        """Run groups of trials in their order until ``end``, when those that run are stopped.

        Returns
        -------
        bool
            Whether all ran that could.
        """
        waiting, running = list(plan), {}
        self.total += len(plan)
        while waiting or running:
            while waiting and len(running) < self.workers.count and self.clock() < end():
                group = waiting.pop(0)
                if self._skipped(group, end()):
                    self.done += 1
                elif not self._read(group):
                    self._started[group[0]] = self.clock()
                    self.started += 1
                    running[self.workers.submit(self._configs(group))] = group
            if not running and waiting and self.clock() >= end():
                return False
            left = min(_TICK, end() - self.clock())
            for future in self.workers.wait(list(running), left) if running else ():
                waiting[:0] = self._finish(future, running.pop(future))
            self._tell("tick")
            late = self.clock() >= end() or (self.stage == "choose" and self._slow())
            if late and (running or waiting):
                if running:
                    self.workers.kill()
                    self._started.clear()
                return False
        return True

    def _configs(self, group: list[Trial]) -> list[dict[str, Any]]:
        return [job for trial in group for job in jobs(trial, self.config, self.settings, self.evidence.baselines)]

    def _skipped(self, group: list[Trial], end: float) -> bool:
        """Check whether a group is not worth a start: its candidate failed, or cannot end in time."""
        name = group[-1].candidate
        if name in self.evidence.problems:
            return True
        if group[-1].glance:
            return self.clock() > end
        late = self.stage == "choose" and self.clock() + self.cost.get(name, 0.0) > end and not self._cached(group)
        self._late |= late and name != BASELINES
        return late and name != BASELINES

    def _cached(self, group: list[Trial]) -> bool:
        runs = self.config["paths"]["runs"]
        return all(read_or_set_aside(runs, job_of(config).key) for config in self._configs(group))

    def _read(self, group: list[Trial]) -> bool:
        """Take a group whose jobs have all finished before from the folder of results."""
        runs, found = self.config["paths"]["runs"], []
        for trial in group:
            keys = [job_of(config).key for config in self._configs([trial])]
            found.append([read_or_set_aside(runs, key) for key in keys])
            if not all(found[-1]):
                return False
        for trial, results in zip(group, found, strict=True):
            self.evidence.add(trial, results)
            if not trial.glance:
                took = sum(sum(result.seconds(runs).values()) for result in results)
                self.cost.setdefault(trial.candidate, took)
        self.done += 1
        self._tell("trial")
        return True

    def _finish(self, future: Future, group: list[Trial]) -> list[list[Trial]]:
        """Record what a group's jobs did; return the group if it must run again, because its process was lost."""
        ended = outcome(future)
        self._started.pop(group[0], None)
        if ended.lost and group not in self._again:
            self._again.append(group)
            return [group]
        if not ended.problem:
            for trial in group if not group[-1].glance else ():
                # The least: a first trial waits for the imports of its process.
                self.cost[trial.candidate] = min(self.cost.get(trial.candidate, ended.seconds), ended.seconds)
            self._read(group)
            return []
        self.done += 1
        # Few rows may lack a class; the trials on all rows decide.
        if not group[-1].glance and not (self.level.rows and group[-1].candidate == BASELINES):
            self._failed(group[-1].candidate, ended.problem)
        return []

    def _failed(self, candidate: str, problem: str) -> None:
        if candidate == BASELINES:
            raise InputError("recommend", problem, "the real rows alone could not be scored; correct this first")
        self.evidence.problems[candidate] = problem
        self._tell("trial")

    def _tell(self, event: str) -> None:
        due = "first" if self.evidence.compares else "nothing"
        limit = (_FIRST if due == "first" else _DUE) * self.settings.budget
        if self.elapsed() >= limit and not self._heard & {"first", due}:
            self._heard.add(due)
            self.listen(self, due)
        self.listen(self, event)
