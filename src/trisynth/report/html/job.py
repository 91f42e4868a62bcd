"""Report of one job, or of one data set of a sweep."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from trisynth.experiment.job import Job
from trisynth.experiment.results import Result, table
from trisynth.experiment.run import experiment_of, job_of, run_job
from trisynth.experiment.steps import Experiment
from trisynth.recommend.recommendation import Recommendation
from trisynth.report import verdict
from trisynth.report.console import methods
from trisynth.report.html import page
from trisynth.report.html.content import content
from trisynth.report.html.membership import membership
from trisynth.report.html.relations import relations
from trisynth.report.html.search import answer
from trisynth.report.names import file_name


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
    search: Mapping[str, Any] | None = None,
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
    search : mapping, optional
        Answer of a search; see ``content``.
    """
    experiment = experiment_of(job, paths)
    # The rows are read from the cache; where it was emptied, they are made as the job made them.
    with threadpool_limits(limits=1):
        train, test = experiment.parts
        _, synthetic = experiment.rows(len(train))
        changes = _changes(experiment)
        kept = relations(experiment.generator(), train, synthetic)
        attack = membership(train, test, synthetic, job.seed)
    found = content(
        results,
        shown,
        train,
        synthetic,
        experiment.dataset.report,
        test_rows=len(test),
        changes=changes,
        relations=kept,
        search=search,
        membership=attack,
        arguments=arguments,
        seconds=[result.seconds(paths["runs"]) for result in results],
    )
    return page.write(found, folder, name)


def write_recommendation(found: Recommendation, folder: Path, arguments: Sequence[str]) -> Path | None:
    """Write the report of a recommendation; return the path of the page, None where no trial has finished.

    Parameters
    ----------
    found : Recommendation
    folder : Path
    arguments : sequence of str
        The command.
    """
    if found.job is None:
        return None
    result, _ = run_job(found.job)
    return write([result], result, job_of(found.job), found.job["paths"], folder, arguments, search=answer(found))


def _changes(experiment: Experiment) -> list[str]:
    """List the sentences of the generator on columns that it withholds or protects; classes are counted elsewhere."""
    generator = experiment.generator()
    return [*generator.withheld_.lines, *generator.guards_.lines]


def write_sweep(
    results: Sequence[Result], config: Mapping[str, Any], folder: Path, arguments: Sequence[str]
) -> list[Path]:
    """Write one report for each data set of a sweep; return the paths of the pages.

    The figures show rows of the generator whose training sets score best, at the first seed.

    Parameters
    ----------
    results : sequence of Result
        All finished jobs.
    config : mapping
        Root configuration of the sweep, of which ``paths`` and ``allow`` are read.
    folder : Path
        Folder of the sweep.
    arguments : sequence of str
        The command.
    """
    jobs = methods(table(list(results)))
    by_key = {result.key: result for result in results}
    datasets = list(dict.fromkeys(jobs["dataset"]))
    pages = []
    for dataset in datasets:
        own = jobs[jobs["dataset"] == dataset]
        shown = by_key[best_job(own)]
        job = job_of({**shown.config, "paths": config["paths"], "allow": config.get("allow")})
        name = "report" if len(datasets) == 1 else f"report-{file_name(dataset)}"
        found = [by_key[key] for key in own["key"]]
        pages.append(write(found, shown, job, config["paths"], folder, arguments, name))
    return pages


def best_job(jobs: pd.DataFrame) -> str:
    """Return the key of the first job of the method whose training sets with synthetic rows score best."""
    jobs = jobs.sort_values("seed", kind="stable")
    headline = next(iter(verdict.headlines(jobs)), None)
    columns = [f"{arm}/{headline}" for arm in verdict.ADDED if f"{arm}/{headline}" in jobs]
    if not columns:
        return jobs["key"].iloc[0]
    means = jobs.groupby("method", sort=False)[columns[0]].mean()
    method = means.idxmax() if means.notna().any() else means.index[0]
    return jobs.loc[jobs["method"] == method, "key"].iloc[0]
