"""``trisynth search``: all searches of an experiment, then one evaluation of their choices on the test rows.

Each search is a sweep in a process of its own. It chooses on validation rows; the weights of its front, and those that
the experiment has without a search, are run once more as ordinary jobs. After an interruption the same command
continues: every finished job is read.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trisynth import commandline, lifeline
from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.experiment.results import Result, table
from trisynth.experiment.run import run_job
from trisynth.report.artefacts import writers
from trisynth.report.jobs import DEFAULT, FRONT, PART, REGRET, SAMPLER, TRIAL
from trisynth.statistics.fronts import front
from trisynth.sweeps import objectives
from trisynth.sweeps.folder import RESULTS, Sweep

_SAMPLER = "hydra/sweeper/sampler"


def plan(grid: Any) -> list[dict[str, Any]]:
    """Return the choices of each search: every combination of the lists in ``searches``.

    Raises
    ------
    InputError
        If it is not a mapping of settings to lists, or names no sampler.
    """
    lists = isinstance(grid, Mapping) and all(isinstance(choices, list) and choices for choices in grid.values())
    if not lists or not {_SAMPLER, "seed"} <= set(grid):
        remedy = f"must list values of {_SAMPLER} and seed; use an experiment with searches, such as pareto"
        raise InputError("searches", grid, remedy)
    return [dict(zip(grid, choices, strict=True)) for choices in itertools.product(*grid.values())]


def run(arguments: list[str], choices: Mapping[str, Any], folder: Path) -> None:
    """Run one search in a process of its own; end the program if it fails."""
    line = [sys.executable, "-m", "trisynth.run", "-m", *arguments]
    line += [f"{name}={choice}" for name, choice in choices.items()]
    # Beside the table of the searches, where MLflow's parent run looks for it.
    line += [f"paths.sweeps={folder.parent}", f"hydra.sweep.dir={folder}"]
    done = subprocess.run(line, check=False, env={**os.environ, lifeline.PARENT: str(os.getpid())})
    if done.returncode:
        raise SystemExit(done.returncode)


def trials(folder: Path, config: Mapping[str, Any], choices: Mapping[str, Any]) -> Iterator[tuple[dict, Result]]:
    """Yield the trials of a finished search in their order: the columns that describe each, and its result."""
    runs = Path(config["paths"]["runs"])
    keys = Sweep(folder, runs).keys()
    found = [(int(name), Result.read(runs, keys[name])) for name in sorted(keys, key=int)]
    if lost := [keys[str(number)] for number, result in found if result is None]:
        raise InputError(
            "paths.runs", str(runs), f"lacks the results of {len(lost)} trials; run the same command again"
        )
    points = np.array([objectives.values(config["objective"], result.metrics) for _, result in found])
    for (number, result), unbeaten in zip(found, front(points), strict=True):
        yield {PART: "validation", SAMPLER: choices[_SAMPLER], TRIAL: number, FRONT: bool(unbeaten)}, result


def rows(found: list[tuple[dict, Result]], objective: list[Mapping]) -> pd.DataFrame:
    """Return results as a table: description, settings, metrics, and the regret of each objective."""
    first = pd.DataFrame([{**about, "key": result.key} for about, result in found])
    every = table(list({result.key: result for _, result in found}.values()))
    points = np.array([objectives.values(objective, result.metrics) for _, result in found])
    last = pd.DataFrame(points, columns=[f"{REGRET}{term['metric']}" for term in objective])
    return pd.concat([first.merge(every, on="key", how="left", validate="many_to_one"), last], axis=1)


def main(arguments: list[str]) -> None:
    """Run all searches, then the jobs on test rows; write one table."""
    config = commandline.composed(arguments)
    searches = plan(config.get("searches"))
    objective = config["objective"]
    if not isinstance(objective, list) or not all(isinstance(term, Mapping) for term in objective):
        raise InputError(
            "objective", objective, "must be a list of mappings of metric, best and worst, as in experiment=pareto"
        )
    if not config["validation"]:
        raise InputError("validation", config["validation"], "must be true: a search must not use the test rows")
    name = commandline.sweep_name(arguments)
    folder = Path(config["paths"]["sweeps"]) / name
    found: list[tuple[dict, Result]] = []
    for choices in searches:
        place = folder / "searches" / "-".join([name, *map(str, choices.values())])
        run(arguments, choices, place)
        found += trials(place, config, choices)
    chosen = [(about, result) for about, result in found if about[FRONT]]
    print(f"{name}: {len(found)} trials; scoring {len(chosen)} of them on the test rows", flush=True)
    tested = list(on_test_rows(chosen, config))
    write_atomic(folder / RESULTS, rows([*found, *tested], objective).to_csv(index=False, float_format="%.6g"))
    print(f"results: {folder / RESULTS}")
    mirror(name, [result for _, result in tested], config)


def on_test_rows(chosen: list[tuple[dict, Result]], config: Mapping[str, Any]) -> Iterator[tuple[dict, Result]]:
    """Run the chosen jobs as ordinary ones, and for each split the weights of the experiment without a search."""
    plain = {}
    for about, result in chosen:
        job = {**config, **result.config, "validation": False}
        yield {**about, PART: "test"}, run_job(job, writers=writers(job))[0]
        if "loss" in job["generator"]:
            unsearched = {**job, "generator": {**job["generator"], "loss": config["loss"]}}
            found, _ = run_job(unsearched, writers=writers(unsearched))
            plain[found.key] = found
    for result in plain.values():
        yield {PART: "test", SAMPLER: DEFAULT, FRONT: False}, result


def mirror(name: str, results: list[Result], config: Mapping[str, Any]) -> None:
    """Mirror results into MLflow under one parent run, if tracking is on; each search mirrors its own trials."""
    if config["tracking"]["uri"]:
        from trisynth.tracking import Mirror

        shown = Mirror(config["tracking"], config["paths"], name)
        for result in results:
            shown.job(result)
        if shown.close():
            raise SystemExit(1)


if __name__ == "__main__":
    commandline.enter("search", sys.argv[1:])
