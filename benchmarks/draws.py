"""What the circuit's even draws are worth: ``python -m benchmarks.draws [draws]``.

Writes ``benchmarks/draws.csv``. On each split of each table one circuit is fitted and drawn from several times, by
independent draws and by even ones (``AliasTable.draw``), as many rows as it was trained on. Every draw trains the three
classifiers of ``peers``; losses are those of real rows less those of the draw, means over the classifiers. Ends with a
table of the means, and with the difference by table and its 95 % t interval over the tables.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from benchmarks.peers import grid, scores
from threadpoolctl import threadpool_limits

from trisynth.cache import Store, write_atomic
from trisynth.evaluation.metrics.c2st import C2ST
from trisynth.evaluation.metrics.context import Context
from trisynth.experiment.build import build
from trisynth.experiment.steps import Experiment
from trisynth.generators.base import fit
from trisynth.generators.circuit import sampler
from trisynth.statistics.across_datasets import mean_over_datasets

ROOT = Path(__file__).resolve().parents[1]
TABLES = tuple(table for table in grid.TABLES if table not in ("nursery", "magic", "fars"))
HOW = {"independent": 0, "even": sampler.STRATIFIED_ROWS}
SCORES = {"auc": "roc_auc", "f1": "f1_macro", "pr": "average_precision"}


def measured(table: str, split: int, draws: int, store: Store) -> list[dict]:
    """A line per draw of one circuit."""
    jobs = scores.placed(scores.jobs("circuit", table, split), str(ROOT / "data/raw"))
    job = next(iter(jobs.values()))
    experiment = Experiment(job, build(job), store)
    train, test = experiment.parts
    circuit = fit(job.generator, train, split)
    real = scores.real(jobs, store)["arms"]["real"]
    found = []
    for how, limit in HOW.items():
        sampler.STRATIFIED_ROWS = limit
        for draw in range(draws):
            given = {"synthetic": (f"{table}-{split}-{how}-{draw}", circuit.sample(len(train), draw))}
            arm = scores.by_arm(jobs, store, given, ("synthetic",))["arms"]["synthetic"]
            losses = {name: np.mean([real[c][key] - arm[c][key] for c in jobs]) for name, key in SCORES.items()}
            rows = scores.Rows(job, store, given).rows(0)[1]
            tests = C2ST().score(Context(train, test, rows, experiment.encoder, draw))
            found.append({"table": table, "split": split, "how": how, "draw": draw, **losses} | tests)
    return found


def main(draws: int) -> None:
    found: list[dict] = []
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
        for table in TABLES:
            for split in grid.SPLITS:
                found += measured(table, split, draws, Store(folder))
                print(table, split, flush=True)
    frame = pd.DataFrame(found)
    write_atomic(ROOT / "benchmarks/draws.csv", frame.to_csv(index=False, float_format="%.5f", lineterminator="\n"))
    names = [*SCORES, "c2st_boosting"]
    means = {how: part.groupby("table", sort=False)[names].mean() for how, part in frame.groupby("how", sort=False)}
    print(pd.concat(means, axis=1).round(4).to_string())
    for name in names:
        change = mean_over_datasets((means["independent"] - means["even"])[name].rename_axis("dataset"))
        print(f"{name}: less by {change.mean:+.4f} +- {change.half:.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
