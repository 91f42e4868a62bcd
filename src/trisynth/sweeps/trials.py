"""Trials of a search: Optuna suggests values, a launcher runs the jobs, and a database may show them.

A search continues without a database: started again, the same seed suggests the same trials, and the results of
finished jobs are read. A database is therefore only a mirror of the trials, for ``optuna-dashboard``.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, Transformer
from hydra.core.utils import JobReturn, JobStatus
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from trisynth.cache import made_whole, write_atomic
from trisynth.errors import InputError, require_whole
from trisynth.sweeps.folder import FOUND

_SQLITE = "sqlite:///"
# What runs a batch of overrides, the first of which has the given number.
Launch = Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]]


def space(arguments: Sequence[str]) -> tuple[dict[str, BaseDistribution], dict[str, str]]:
    """Return the distributions to search and the fixed overrides of a command line, where later ones count."""
    found: dict[str, BaseDistribution | str] = {}
    for override in OverridesParser.create().parse_overrides(list(arguments)):
        found.pop(override.get_key_element(), None)
        found[override.get_key_element()] = distribution(override)
    searched = {name: value for name, value in found.items() if isinstance(value, BaseDistribution)}
    return searched, {name: value for name, value in found.items() if isinstance(value, str)}


def distribution(override: Override) -> BaseDistribution | str:
    """Return the distribution of a choice, a range or an interval; a plain value stays a text."""
    if not override.is_sweep_override():
        return override.get_value_element_as_str()
    value = override.value()
    if isinstance(value, Glob):
        raise InputError(override.get_key_element(), _given(override), "cannot be searched; write the values out")
    if override.is_choice_sweep() or (override.is_range_sweep() and value.shuffle):
        return CategoricalDistribution(list(override.sweep_iterator(transformer=Transformer.encode)))
    if override.is_range_sweep():
        numbers, step = (value.start, value.stop), value.step
    else:
        numbers, step = (value.start, value.end), None
    log = "log" in value.tags
    try:
        if all(isinstance(number, int) for number in (*numbers, step or 1)):
            return IntDistribution(*numbers, log=log, step=step or 1)
        return FloatDistribution(*map(float, numbers), log=log, step=step)
    except ValueError as error:
        raise InputError(override.get_key_element(), _given(override), str(error)) from None


def _given(override: Override) -> str:
    """Return the value of an override as it was given."""
    return (override.input_line or "").partition("=")[2]


def directions(given: Any) -> list[str]:
    """Return the direction of each objective."""
    each = [given] if isinstance(given, str) else list(given or [])
    if not each or not all(direction in ("minimize", "maximize") for direction in each):
        raise InputError("hydra.sweeper.direction", given, "must be minimize or maximize, or a list of these")
    return each


def search(
    launch: Launch,
    arguments: Sequence[str],
    folder: Path,
    *,
    sampler: Any,
    direction: Any,
    n_trials: int,
    n_jobs: int,
    storage: str | None = None,
    study_name: str | None = None,
) -> None:
    """Run all trials of a search and write what it found.

    Parameters
    ----------
    launch : callable
        Runs a batch of jobs.
    arguments : sequence of str
        Overrides; those with several values are searched.
    folder : Path
        Folder of the sweep, which gets ``optimization_results.yaml``.
    sampler : optuna.samplers.BaseSampler, or partial of GridSampler
    direction : str or sequence of str
    n_trials : int
    n_jobs : int
        Trials that are suggested at a time.
    storage : str, optional
        Address of a database in which ``optuna-dashboard`` shows the trials.
    study_name : str, optional
        Name of the search in it; by default that of the folder.
    """
    require_whole("hydra.sweeper.n_trials", n_trials, 1)
    require_whole("hydra.sweeper.n_jobs", n_jobs, 1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    searched, fixed = space(arguments)
    if isinstance(sampler, partial):
        searched, points = grid(arguments, searched)
        sampler = sampler(search_space={name: list(each.choices) for name, each in searched.items()})
        n_trials = min(n_trials, points)
    aims = directions(direction)
    study = optuna.create_study(sampler=sampler, directions=aims)
    shown = Shown(storage, study_name or folder.name, aims) if storage else None
    while len(study.trials) < n_trials:
        first = len(study.trials)
        batch = [study.ask(searched) for _ in range(min(n_jobs, n_trials - first))]
        jobs = [tuple(f"{name}={value}" for name, value in (trial.params | fixed).items()) for trial in batch]
        try:
            for trial, done in zip(batch, launch(jobs, first), strict=True):
                _end(study, trial, values(done, len(aims)))
        except InputError:
            if shown and not first:
                shown.withdraw()
            raise
        if shown:
            shown.add(study.trials[first:])
    write(study, folder)


def grid(arguments: Sequence[str], searched: Mapping[str, Any]) -> tuple[dict[str, CategoricalDistribution], int]:
    """Return the values of each searched override, and the number of their combinations."""
    found = {}
    for override in OverridesParser.create().parse_overrides(list(arguments)):
        name = override.get_key_element()
        if name in searched and override.is_sweep_override():
            if override.is_interval_sweep():
                remedy = "has no list of values; give values or range(from,to), or another hydra/sweeper/sampler"
                raise InputError(name, _given(override), remedy)
            found[name] = CategoricalDistribution(list(override.sweep_iterator(transformer=Transformer.encode)))
    return found, math.prod(len(each.choices) for each in found.values())


def values(done: JobReturn, count: int) -> list[float] | None:
    """Return the objective values of a job; None where it failed or lacks one, which its status reports."""
    if done.status == JobStatus.FAILED:
        done.return_value  # noqa: B018  raises the job's own error
    given = done.return_value if isinstance(done.return_value, Sequence) else [done.return_value]
    found = [float(value) for value in given if isinstance(value, int | float)]
    if len(found) == len(given) != count:
        remedy = f"has {count} values for {len(given)} objectives; give one direction per objective"
        raise InputError("hydra.sweeper.direction", count, remedy)
    return found if len(found) == count else None


def _end(study: Study, trial: Trial, found: list[float] | None) -> None:
    try:
        study.tell(trial, found, state=TrialState.FAIL if found is None else TrialState.COMPLETE)
    except RuntimeError as error:
        # The sampler of grids stops a study after its last point, which is possible inside Optuna's own loop alone.
        if "Study.stop" not in str(error):
            raise


class Shown:
    """Mirror of a search in a database.

    Parameters
    ----------
    storage : str
        Its address.
    name : str
        Name of the search.
    directions : list of str
    """

    def __init__(self, storage: str, name: str, directions: list[str]):
        self.storage, self.name = storage, name
        # Files that are absent before.
        self.made: list[Path] = []
        try:
            if storage.startswith(_SQLITE):
                file = Path(storage.removeprefix(_SQLITE))
                both = (file, file.with_name(f"{file.name}.lock"))
                self.made = [] if file.exists() else [path for path in both if not path.exists()]
                made_whole(file, _new_database)
            self.study = optuna.create_study(
                storage=storage, study_name=name, directions=directions, load_if_exists=True
            )
            same = [each.name.lower() for each in self.study.directions] == directions
        except InputError:
            raise
        except Exception as error:
            raise self._unusable(error) from error
        if not same:
            raise self._other()

    def add(self, trials: Sequence[FrozenTrial]) -> None:
        """Add trials, unless an earlier start has done so; raise ``InputError`` where it has added others."""
        try:
            known = {trial.number: trial for trial in self.study.get_trials(deepcopy=False)}
            for trial in trials:
                before = known.get(trial.number)
                if before is None:
                    self.study.add_trial(trial)
                elif (before.params, before.values) != (trial.params, trial.values):
                    raise self._other()
        except InputError:
            raise
        except Exception as error:
            raise self._unusable(error) from error

    def withdraw(self) -> None:
        """Remove a database that was made for a search whose first jobs were refused."""
        for path in self.made:
            path.unlink(missing_ok=True)

    def _other(self) -> InputError:
        remedy = f"names a different search in {self.storage}; set another name by hydra.sweeper.study_name"
        return InputError("hydra.sweeper.study_name", self.name, remedy)

    def _unusable(self, error: Exception) -> InputError:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        remedy = f"cannot be used ({reason}); finished jobs are kept: repair it or name another, and run again"
        return InputError("hydra.sweeper.storage", self.storage, remedy)


def _new_database(path: Path) -> None:
    storage = optuna.storages.RDBStorage(_SQLITE + str(path))
    storage.engine.dispose()


def write(study: Study, folder: Path) -> None:
    """Write the best trial, or the Pareto front of several objectives; nothing where all trials failed."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return
    found: dict[str, Any] = {"name": "optuna"}
    if len(study.directions) == 1:
        found |= {"best_params": dict(study.best_params), "best_value": study.best_value}
    else:
        best = sorted(study.best_trials, key=lambda trial: trial.number)
        found["solutions"] = [{"params": dict(trial.params), "values": list(trial.values)} for trial in best]
    write_atomic(folder / FOUND, yaml.safe_dump(found, sort_keys=False))
