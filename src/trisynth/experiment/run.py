"""Execution of one job, from its resolved configuration to its folder in ``runs``; a finished job is only read."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from trisynth.cache import Store, require_writable, write_atomic
from trisynth.data.cleaning import findings
from trisynth.errors import InputError, require_flag
from trisynth.experiment.job import Job
from trisynth.experiment.results import CONFIG, CURVES, NOTES, SUMMARY, DamagedError, Result, set_aside, write_failure

if TYPE_CHECKING:
    from trisynth.experiment.steps import Experiment


def run_job(
    config: Mapping[str, Any],
    *,
    progress: Callable[[str], None] | None = None,
    writers: Sequence[Callable[["Experiment", Path], None]] = (),
) -> tuple[Result, bool]:
    """Run the job of a resolved root config, unless its result exists.

    Parameters
    ----------
    config : mapping
        Resolved root configuration.
    progress : callable, optional
        Receives the name of each step when it starts; see ``Experiment``.
    writers : sequence of callable
        Each receives the finished experiment and the job's folder, and adds a file to it.

    Returns
    -------
    result : Result
    cached : bool
        True if nothing was run.
    """
    job = job_of(config)
    runs = config["paths"]["runs"]
    finished = read_or_set_aside(runs, job.key)
    if finished is not None:
        return finished, True
    experiment = experiment_of(job, config["paths"], progress)
    folder = Path(runs) / job.key
    try:
        result = experiment.run()
        if config["tracking"]["curves"]:
            write_curves(experiment, folder)
        write_summary(experiment, folder)
        write_notes(experiment, folder)
        for write in writers:
            write(experiment, folder)
    except Exception as error:
        # The first error is the one to report, even on a full disk.
        with suppress(InputError):
            write_failure(runs, job.key, f"{type(error).__name__}: {error}")
        raise
    # libyaml's writer, where it is installed, takes an eighth of the time of Python's.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(job.config, Dumper=dumper, sort_keys=False, allow_unicode=True)
    write_atomic(folder / CONFIG, text)
    result.write(runs)
    return result, False


def read_or_set_aside(runs: str | Path, key: str) -> Result | None:
    """Read the result of a job; None where there is none, or only a damaged one, which is moved out of the way."""
    try:
        return Result.read(runs, key)
    except DamagedError as error:
        if place := set_aside(runs, key):
            line = (
                f"result={error.value!r}: is damaged ({error.reason}); it was moved to {place}, and its job runs again"
            )
            print(f"warning: {line}", file=sys.stderr, flush=True)
        # Another process may have written the new one already.
        return Result.read(runs, key)


def job_of(config: Mapping[str, Any]) -> Job:
    """Build the job of a resolved root config, ordinary, on validation rows, on a fold or on fewer training rows."""
    validation = is_validation(config)
    thinned = [name for name in ("train_rows", "imbalance") if config.get(name) is not None]
    if thinned and (validation or config.get("fold") is not None):
        remedy = "thins the training rows of the ordinary split; set validation=false and fold=null"
        raise InputError(thinned[0], config[thinned[0]], remedy)
    if config.get("fold") is not None:
        if validation:
            raise InputError("fold", config["fold"], "has held-out rows of its own; set validation=false")
        from trisynth.experiment.folds import FoldJob

        return FoldJob.from_config(config)
    if validation:
        from trisynth.experiment.validation import ValidationJob

        return ValidationJob.from_config(config)
    if thinned:
        from trisynth.experiment.thinned import ThinnedJob

        return ThinnedJob.from_config(config)
    return Job.from_config(config)


def experiment_of(job: Job, paths: Mapping[str, Any], progress: Callable[[str], None] | None = None) -> "Experiment":
    """Build the steps of a job; those that have run before are read from the folder ``cache`` of ``paths``."""
    # A finished job needs none of the libraries that the objects import.
    from trisynth.experiment.build import build
    from trisynth.experiment.folds import FoldExperiment, FoldJob
    from trisynth.experiment.steps import Experiment
    from trisynth.experiment.thinned import ThinnedExperiment, ThinnedJob
    from trisynth.experiment.validation import ValidationExperiment, ValidationJob

    objects = build(job)
    require_writable(Path(paths["runs"]), "paths.runs")
    kinds = {FoldJob: FoldExperiment, ThinnedJob: ThinnedExperiment, ValidationJob: ValidationExperiment}
    return kinds.get(type(job), Experiment)(job, objects, Store(paths["cache"]), progress)


def is_validation(config: Mapping[str, Any]) -> bool:
    """Read ``validation`` of a resolved root config: whether the job is scored on validation rows.

    Raises
    ------
    InputError
        If it is neither true nor false.
    """
    validation = config.get("validation", False)
    require_flag("validation", validation)
    return validation


def write_curves(experiment: "Experiment", folder: Path) -> None:
    """Write the terms of the loss at every epoch to ``history.json``, for generators that train by epochs."""
    curves = getattr(experiment.generator(), "history_", None)
    if curves:
        write_atomic(folder / CURVES, json.dumps(curves) + "\n")


def write_summary(experiment: "Experiment", folder: Path) -> None:
    """Write the generator's summary to ``summary.txt``, where it has one."""
    if summary := experiment.generator().summary():
        write_atomic(folder / SUMMARY, summary + "\n")


def write_notes(experiment: "Experiment", folder: Path) -> None:
    """Write to ``notes.txt`` what cleaning changed in a table of the user's, and what the generator protects."""
    lines = [*findings.of_own_table(experiment.dataset), *experiment.remarks, *experiment.generator().notes]
    if lines:
        write_atomic(folder / NOTES, "\n".join(lines) + "\n")


def notes_of(runs: str | Path, result: Result) -> list[str]:
    """Return the lines of ``notes.txt`` of a finished job."""
    path = Path(runs) / result.key / NOTES
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
