"""``trisynth collect``, ``trisynth prepare`` and ``trisynth generate``: the stages before a run, by hand or by DVC.

Each composes the same configuration as a run, so that ``dataset=stroke generator=vae`` has the same meaning here.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trisynth import commandline, data
from trisynth.cache import Store, write_atomic
from trisynth.config import target_name
from trisynth.data.collect import collect
from trisynth.data.dataset import Dataset
from trisynth.evaluation.arms import Balanced
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment
from trisynth.report.figures.levels import hide_rare


def collect_stage(config: dict[str, Any]) -> None:
    """Fetch the raw file of a data set and check it."""
    if config["dataset"].get("source"):
        print(collect(config["dataset"], config["paths"]["raw"]))
    else:
        print(f"{config['dataset']['name']} is not a public data set: there is nothing to download")


def prepare_stage(config: dict[str, Any], root: str = "data/prepared") -> None:
    """Clean a data set; write its table and a report of the problems found and their treatment."""
    read = data.reader(config["dataset"], config.get("allow", ()))
    dataset, report = data.prepare(config["dataset"], config["paths"]["raw"], read)
    folder = Path(root) / dataset.spec.name
    # In files for figures the target is the last column.
    replace(dataset, place=None).write(folder / "table.parquet")
    write_atomic(folder / "report.csv", report.round(6).to_csv(index=False))
    show_report(dataset, report)
    print(f"table: {folder / 'table.parquet'}\nreport: {folder / 'report.csv'}")


def generate_stage(config: dict[str, Any], root: str = "data/synthetic") -> None:
    """Write real training rows, as many synthetic rows, and those that balance the classes, for the figures."""
    job = Job.from_config(config)
    experiment = Experiment(job, build(job), Store(config["paths"]["cache"]))
    train, _ = experiment.parts
    folder = Path(root) / train.spec.name
    tables = {"real": train, "synthetic": experiment.rows(len(train))[1]}
    if train.spec.task == "classification":
        tables["balanced"] = experiment.rows(Balanced().needs(train.counts))[1]
    for name, rows in zip(tables, hide_rare(*tables.values()), strict=True):
        replace(rows, place=None).write(folder / f"{name}.parquet")
    about = {
        "name": train.spec.name,
        "title": train.spec.name.replace("_", " "),
        "target": train.spec.target,
        "task": train.spec.task,
        "generator": target_name(config["generator"]),
        "simulated": config["dataset"].get("source") is None and "path" not in config["dataset"],
        "units": {name: column.unit for name, column in train.spec.columns.items() if column.unit},
        "rows": {name: len(rows) for name, rows in tables.items()},
    }
    write_atomic(folder / "about.json", json.dumps(about, indent=1) + "\n")
    print(folder)


def show_report(dataset: Dataset, report: pd.DataFrame) -> None:
    """Print the kind of every column and the problems that cleaning found."""
    console = Console()
    kinds = "\n".join(f"  {name}: {dtype}" for name, dtype in dataset.X.dtypes.items())
    title = f"{dataset.spec.name}: {len(dataset):,} rows, {dataset.spec.task} of {dataset.spec.target}"
    console.print(f"{title}\n{kinds}", highlight=False, markup=False)
    out = Table()
    for column in report.columns:
        out.add_column(column)
    for row in report.itertuples(index=False):
        out.add_row(*(f"{value:.4f}" if isinstance(value, float) else escape(str(value)) for value in row))
    console.print(out)


STAGES = {"collect": collect_stage, "prepare": prepare_stage, "generate": generate_stage}


def main(arguments: list[str]) -> None:
    """Run the stage that the first argument names."""
    stage, *overrides = arguments
    STAGES[stage](commandline.composed(overrides))


if __name__ == "__main__":
    commandline.enter(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
