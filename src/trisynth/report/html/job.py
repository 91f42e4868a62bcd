"""Report of one job, or of one data set of a sweep."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from trisynth import data
from trisynth.experiment.job import PARTS, Job
from trisynth.experiment.results import Result
from trisynth.experiment.run import experiment_of, job_of
from trisynth.report.html import page
from trisynth.report.html.content import content


def write_job(config: Mapping[str, Any], result: Result, arguments: Sequence[str]) -> Path:
    """Write the report of one finished job into its folder; return the path of the page.

    Parameters
    ----------
    config : mapping
        Resolved root configuration.
    result : Result
    arguments : sequence of str
        The command.
    """
    folder = Path(config["paths"]["runs"]) / result.key
    return write([result], result, job_of(config), config["paths"], folder, arguments)


def write(
    results: Sequence[Result],
    shown: Result,
    job: Job,
    paths: Mapping[str, Any],
    folder: Path,
    arguments: Sequence[str],
    name: str = "report",
) -> Path:
    """Write the report of the jobs on one data set; return the path of the page.

    Parameters
    ----------
    results : sequence of Result
    shown : Result
        The job whose rows the figures show.
    job : Job
        The same job.
    paths : mapping
        Folders ``raw``, ``cache`` and ``runs``.
    folder : Path
    arguments : sequence of str
        The command.
    name : str
        Name of both files without ending.
    """
    experiment = experiment_of(job, paths)
    # The rows are read from the cache; where it was emptied, they are made as the job made them.
    with threadpool_limits(limits=1):
        train, test = experiment.parts
        _, synthetic = experiment.rows(len(train))
    _, findings = data.prepare(job.dataset, job.raw, experiment.objects.read)
    found = content(
        results,
        shown,
        train,
        synthetic,
        findings,
        test_rows=len(test),
        arguments=arguments,
        seconds=[result.seconds(paths["runs"]) for result in results],
    )
    return page.write(found, folder, name)


def job_of_result(result: Result, raw: str, allow: Sequence[str] = ()) -> Job:
    """Build the job of a result that lies on disk."""
    return Job(**{part: result.config[part] for part in PARTS}, raw=raw, allow=tuple(allow))
