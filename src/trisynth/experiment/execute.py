"""One job from its resolved configuration to its folder in ``runs``, skipped where that is already there."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from trisynth.cache import Store, require_writable, write_atomic
from trisynth.errors import InputError
from trisynth.experiment.job import Job
from trisynth.experiment.results import Result, write_failure

if TYPE_CHECKING:
    from trisynth.experiment.pipeline import Experiment


def execute(config: Mapping[str, Any]) -> tuple[Result, bool]:
    """Run the job of a resolved root config, unless its result exists.

    Returns
    -------
    result : Result
    cached : bool
        True if nothing was run.
    """
    sealed = is_sealed(config)
    if sealed:
        from trisynth.experiment.validation import ValidationExperiment, ValidationJob

    job = (ValidationJob if sealed else Job).from_config(config)
    runs = config["paths"]["runs"]
    finished = Result.read(runs, job.key)
    if finished is not None:
        return finished, True
    # A finished job needs none of the libraries that the pipeline brings in.
    from trisynth.experiment.pipeline import Experiment, run

    require_writable(Path(runs), "paths.runs")
    experiment = (ValidationExperiment if sealed else Experiment)(job, Store(config["paths"]["cache"]))
    folder = Path(runs) / job.key
    try:
        result = run(experiment)
        if config["tracking"]["figure"]:
            draw(experiment, folder)
        if config["tracking"]["curves"]:
            write_curves(experiment, folder)
        write_words(experiment, folder)
    except Exception as error:
        # What went wrong first is what the user must hear of, even on a full disk.
        with suppress(InputError):
            write_failure(runs, job.key, f"{type(error).__name__}: {error}")
        raise
    # libyaml's writer, where it is there, takes an eighth of the time of Python's.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(job.config, Dumper=dumper, sort_keys=False, allow_unicode=True)
    write_atomic(folder / "config.yaml", text)
    result.write(runs)
    return result, False


def is_sealed(config: Mapping[str, Any]) -> bool:
    """Whether a resolved root config asks for scores on validation rows.

    Raises
    ------
    InputError
        If it says neither true nor false.
    """
    validation = config.get("validation", False)
    if not isinstance(validation, bool):
        raise InputError("validation", validation, "must be true or false")
    return validation


def draw(experiment: "Experiment", folder: Path) -> None:
    """Real against synthetic rows as ``overview.png``, drawn once per synthetic table."""
    from trisynth.report.overview import overview

    train, _ = experiment.parts
    rows_key, synthetic = experiment.rows(len(train))
    content = experiment.store.get_or_make(
        "figures",
        f"{experiment.job.split_key}-{rows_key}",
        lambda place: overview(train, synthetic, place / "overview.png"),
        lambda place: (place / "overview.png").read_bytes(),
    )
    write_atomic(folder / "overview.png", content)


def write_curves(experiment: "Experiment", folder: Path) -> None:
    """Terms of the loss at every epoch as ``history.json``, for generators that train by epochs."""
    curves = getattr(experiment.generator(), "history_", None)
    if curves:
        write_atomic(folder / "history.json", json.dumps(curves) + "\n")


def write_words(experiment: "Experiment", folder: Path) -> None:
    """What the generator has to say to a person as ``words.txt``, where it has something to say."""
    words = experiment.generator().words()
    if words:
        write_atomic(folder / "words.txt", words + "\n")
