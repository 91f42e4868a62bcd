"""``trisynth collect``, ``trisynth prepare`` and ``trisynth generate``: the stages before a run, by hand or by DVC.

Each composes the same configuration as a run, so that ``dataset=stroke generator=vae`` has the same meaning here.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth import commandline, data
from trisynth.cache import Store, write_atomic
from trisynth.commandline import beside, facts
from trisynth.config import digest, target_name
from trisynth.data.cleaning import findings
from trisynth.data.collect import collect
from trisynth.data.dataset import Dataset
from trisynth.errors import InputError, printable


def collect_stage(config: dict[str, Any]) -> None:
    """Fetch the raw file of a data set and check it."""
    if config["dataset"].get("source"):
        print(collect(config["dataset"], config["paths"]["raw"]))
    else:
        print(f"{config['dataset']['name']} is not a public data set: there is nothing to download")


def prepare_stage(config: dict[str, Any], root: str = "data/prepared", out: str | None = None) -> None:
    """Clean a data set; write its table and a report of the problems found and their treatment.

    For a table of the user's, the facts are written beside it, or to the file ``out``; no file is overwritten.
    """
    read = data.reader(config["dataset"], config.get("allow", ()))
    dataset, report = data.prepare(config["dataset"], config["paths"]["raw"], read, layout=False)
    folder = _folder(Path(root), dataset.spec.name, config["dataset"].get("path"))
    # In files for figures the target is the last column.
    replace(dataset, place=None).write(folder / "table.parquet")
    write_atomic(folder / "report.csv", report.round(6).to_csv(index=False))
    show_report(dataset, report)
    print(f"table: {folder / 'table.parquet'}\nreport: {folder / 'report.csv'}")
    if config["dataset"].get("path"):
        write_facts(dataset, config["dataset"], out)
    elif out is not None:
        raise InputError("out", out, "is only for your own table; shipped data sets have their facts in conf/dataset")


def _folder(root: Path, name: str, path: str | None) -> Path:
    """Return the folder of a prepared table; of a user's, it notes the table's place, so that no other one takes it."""
    folder = root / name
    if path is None:
        return folder
    note = folder / "place.txt"
    before = note.read_text() if note.is_file() else None
    if before not in (None, path) and Path(before).exists():
        folder = root / f"{name}-{digest(path)[:8]}"
        print(f"{folder} is used, because {root / name} holds the table {before}; name: in the yaml gives another name")
    write_atomic(folder / "place.txt", path)
    return folder


def write_facts(dataset: Dataset, cfg: dict[str, Any], out: str | None = None) -> None:
    """Write the facts of a user's table beside it; an existing file is kept."""
    place = beside.place(cfg["path"])
    file = Path(out) if out else place
    remedies = bool(dataset.report["remedy"].astype(bool).any())
    if out is None and place.exists():
        print(f"facts: {place} is kept as it is.")
        if remedies:
            print("To apply a remedy above, paste its line there, below its column.")
        print("To write the inferred facts to another file, add out=FILE.yaml.")
        return
    facts.write(file, dataset, cfg)
    note = "read by every command" if file == place else f"to use it, rename it to {place.name}"
    print(f"facts: {file} ({note})")
    how = "; to apply a remedy above, remove the # before its line there" if remedies else ""
    print(f"Correct it where it is wrong{how}.")


def generate_stage(config: dict[str, Any], root: str = "data/synthetic") -> None:
    """Write real training rows, as many synthetic rows, and those that balance the classes, for the figures."""
    # The other stages fit nothing, and need none of the libraries that these import.
    from trisynth.evaluation.arms import Balanced
    from trisynth.experiment.build import build
    from trisynth.experiment.job import Job
    from trisynth.experiment.steps import Experiment
    from trisynth.report.figures.levels import hide_rare

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
        "simulated": (config["dataset"].get("note") or "").startswith("Simulated"),
        "units": {name: column.unit for name, column in train.spec.columns.items() if column.unit},
        "tensors": {
            name: {"shape": column.shape, "axes": column.axes}
            for name, column in train.facts.items()
            if column.kind == "tensor"
        },
        "rows": {name: len(rows) for name, rows in tables.items()},
    }
    write_atomic(folder / "about.json", json.dumps(about, indent=1) + "\n")
    for line in [*findings.of_own_table(experiment.dataset), *experiment.generator().notes]:
        print(printable(line), file=sys.stderr)
    print(folder)


def show_report(dataset: Dataset, report: pd.DataFrame) -> None:
    """Print the kind of every column and the problems that cleaning found, and the remedy of each to paste."""
    task = "no target" if dataset.spec.target is None else f"{dataset.spec.task} of {dataset.spec.target}"
    print(printable(f"{dataset.spec.name}: {len(dataset):,} rows, {task}\n"))
    print(*map(printable, findings.page(dataset, report)), "", sep="\n")


STAGES = {"collect": collect_stage, "prepare": prepare_stage, "generate": generate_stage}


def main(arguments: list[str]) -> None:
    """Run the stage that the first argument names."""
    stage, *overrides = arguments
    named = [argument.partition("=")[2] for argument in overrides if argument.startswith("out=")]
    own = {"out": named[-1]} if stage == "prepare" and named else {}
    if own:
        overrides = [argument for argument in overrides if not argument.startswith("out=")]
    STAGES[stage](commandline.composed(overrides), **own)


if __name__ == "__main__":
    commandline.enter(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
