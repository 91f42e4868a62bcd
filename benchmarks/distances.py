"""Costs and gains of the distances of L_dist.

Writes ``distances.csv``. Every round fits each family under L_rec alone and under L_rec with each distance, one after
the other in one process and on one thread, on the same split, so that a slow machine slows down all distances.
Seconds are CPU seconds of the fit. Their ratio to L_rec alone is comparable across machines; the table has its
median, minimum and maximum over the rounds. Gain is the increase in ROC AUC of synthetic rows over L_rec alone, mean
over the rounds; ``gain_per_fit`` divides it by the extra time, in fits of L_rec alone.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
import torch

from benchmarks import output
from trisynth.cache import Store
from trisynth.commandline import composed
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

TABLES, FAMILIES = ("saheart", "pima"), ("vae", "cgan")
PLAIN, DISTANCES = "rec", ("rec_dist", "bures", "sliced", "mmd")
# Settings of the small studies: a distance adds to the seconds of a step, whatever their number.
FIT = ("generator.epochs=10", "generator.min_steps=200", "arms=minimal", "metrics=law", "classifier=logistic")


def measured(table: str, family: str, loss: str, seed: int, folder: Path) -> dict:
    """Run one job without cache: CPU seconds of its fit, and its utility."""
    choices = [f"dataset={table}", f"generator={family}", f"loss={loss}", f"seed={seed}", *FIT]
    job = Job.from_config(composed([*choices, f"paths.raw={output.ROOT / 'data/raw'}"]))
    experiment = Experiment(job, build(job), Store(folder / "-".join([table, family, loss, str(seed)])))
    # Loading the data set is shared and must not count for the first distance.
    _ = experiment.parts
    start = time.process_time()
    experiment.generator()
    seconds = time.process_time() - start
    utility = experiment.run().metrics["synthetic/roc_auc"]
    return {"table": table, "generator": family, "loss": loss, "round": seed, "seconds": seconds, "roc_auc": utility}


def compared(fits: pd.DataFrame) -> pd.DataFrame:
    """Compare each distance with L_rec alone of the same round, by table and family."""
    keys = ["table", "generator", "round"]
    pairs = fits.merge(fits[fits["loss"] == PLAIN].drop(columns="loss"), on=keys, suffixes=("", "_plain"))
    pairs = pairs.assign(
        ratio=pairs["seconds"] / pairs["seconds_plain"], gain=pairs["roc_auc"] - pairs["roc_auc_plain"]
    )
    groups = pairs.groupby(["table", "generator", "loss"], sort=False)
    found = groups.agg(
        rounds=("round", "size"),
        seconds=("seconds", "median"),
        ratio=("ratio", "median"),
        ratio_least=("ratio", "min"),
        ratio_most=("ratio", "max"),
        roc_auc=("roc_auc", "mean"),
        gain=("gain", "mean"),
        gain_least=("gain", "min"),
        gain_most=("gain", "max"),
    )
    extra = found["ratio"] - 1
    return found.assign(gain_per_fit=(found["gain"] / extra).where(extra > 0)).reset_index()


def main(arguments: list[str] | None = None) -> None:
    """Measure all rounds and print the comparison."""
    parser = output.parser("distances", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--generators", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    fits = []
    with tempfile.TemporaryDirectory() as name:
        # The first fit of a process includes imports and initialisation.
        measured(options.tables[0], options.generators[0], PLAIN, options.rounds, Path(name) / "first")
        for seed in range(options.rounds):
            for table in options.tables:
                for family in options.generators:
                    for loss in (PLAIN, *DISTANCES):
                        fits.append(measured(table, family, loss, seed, Path(name)))
                        print(*fits[-1].values(), flush=True)
    found = compared(pd.DataFrame(fits))
    output.write(found, options.out / "distances.csv")
    print(found.to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
