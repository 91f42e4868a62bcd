"""Utility of the circuit's stratified samples in comparison with independent draws.

Writes ``stratified_draws.csv``. On each split of each table one circuit is fitted and sampled several times, by
independent and by stratified draws (``AliasTable.draw``), with as many rows as it was trained on. Every sample trains
the three classifiers of ``peers``; losses are the score of real rows minus that of the sample, averaged over
classifiers. Prints the means, and the mean difference over tables with its 95 % t interval.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks import output
from benchmarks.peers import grid, scores
from trisynth.cache import Store
from trisynth.evaluation.metrics.c2st import C2ST
from trisynth.evaluation.metrics.context import Context
from trisynth.experiment.build import build
from trisynth.experiment.steps import Experiment
from trisynth.generators.base import fit
from trisynth.generators.circuit import sampler
from trisynth.statistics.across_datasets import mean_over_datasets

TABLES = tuple(table for table in grid.TABLES if table not in ("nursery", "magic", "fars"))
HOW = {"independent": 0, "stratified": sampler.STRATIFIED_ROWS}
SCORES = {"auc": "roc_auc", "f1": "f1_macro", "pr": "average_precision"}


def measured(table: str, split: int, draws: int, store: Store) -> list[dict]:
    """Fit one circuit and score each of its samples."""
    jobs = scores.placed(scores.jobs("circuit", table, split), str(output.ROOT / "data/raw"))
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


def main(arguments: list[str] | None = None) -> None:
    """Measure all tables and splits, and print the comparison."""
    parser = output.parser("stratified_draws", __doc__)
    parser.add_argument("--draws", type=int, default=4, help="samples of each kind from one circuit")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--splits", nargs="+", type=int, default=list(grid.SPLITS))
    options = parser.parse_args(arguments)
    found: list[dict] = []
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
        for table in options.tables:
            for split in options.splits:
                found += measured(table, split, options.draws, Store(Path(folder)))
                print(table, split, flush=True)
    frame = pd.DataFrame(found)
    output.write(frame, options.out / "stratified_draws.csv", "%.5f")
    names = [*SCORES, "c2st_boosting"]
    means = {how: part.groupby("table", sort=False)[names].mean() for how, part in frame.groupby("how", sort=False)}
    print(pd.concat(means, axis=1).round(4).to_string())
    for name in names if len(options.tables) > 1 else ():
        change = mean_over_datasets((means["independent"] - means["stratified"])[name].rename_axis("dataset"))
        print(f"{name}: smaller by {change.mean:+.4f} +- {change.half:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
