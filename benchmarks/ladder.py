"""What each rung of L_dist costs and gains: ``python -m benchmarks.ladder [rounds]``.

Writes ``benchmarks/ladder.csv``. Every round fits each family under L_rec alone and under L_rec with each distance, one
after the other in one process and on one thread, on the same split, whose number is the round's: a machine that slows
down slows all rungs. Seconds are CPU seconds of the fit; what compares is their ratio to L_rec alone, median over the
rounds, with the least and the most. Gain is that of the ROC AUC of synthetic rows over L_rec alone, mean over the
rounds; ``gain_per_fit`` divides it by the extra time, in fits of L_rec alone.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
import torch

from trisynth.cache import Store, write_atomic
from trisynth.commandline import composed
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

ROOT = Path(__file__).resolve().parents[1]
TABLES, FAMILIES = ("saheart", "pima"), ("vae", "cgan")
PLAIN, RUNGS = "rec", ("rec_dist", "bures", "sliced", "mmd")
# The small studies' fits: the seconds of a step are what a rung adds to, whatever their number.
FIT = ("generator.epochs=10", "generator.min_steps=200", "arms=minimal", "metrics=law", "classifier=logistic")


def measured(table: str, family: str, loss: str, seed: int, folder: Path) -> dict:
    """One job from nothing: CPU seconds of its fit, and its utility."""
    choices = [f"dataset={table}", f"generator={family}", f"loss={loss}", f"seed={seed}", *FIT]
    job = Job.from_config(composed([*choices, f"paths.raw={ROOT / 'data/raw'}"]))
    experiment = Experiment(job, build(job), Store(folder / "-".join([table, family, loss, str(seed)])))
    # What is done once for all rungs, and must not be counted to the first.
    _ = experiment.parts
    start = time.process_time()
    experiment.generator()
    seconds = time.process_time() - start
    utility = experiment.run().metrics["synthetic/roc_auc"]
    return {"table": table, "generator": family, "loss": loss, "round": seed, "seconds": seconds, "roc_auc": utility}


def compared(fits: pd.DataFrame) -> pd.DataFrame:
    """A line per table, family and rung: what it costs and gains over L_rec alone of the same round."""
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


def main(rounds: int) -> None:
    torch.set_num_threads(1)
    fits = []
    with tempfile.TemporaryDirectory() as name:
        # A first fit pays for imports and caches of its own.
        measured(TABLES[0], FAMILIES[0], PLAIN, rounds, Path(name) / "first")
        for seed in range(rounds):
            for table in TABLES:
                for family in FAMILIES:
                    for loss in (PLAIN, *RUNGS):
                        fits.append(measured(table, family, loss, seed, Path(name)))
                        print(*fits[-1].values(), flush=True)
    found = compared(pd.DataFrame(fits))
    write_atomic(ROOT / "benchmarks/ladder.csv", found.to_csv(index=False, float_format="%.4g"))
    print(found.to_string(index=False))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
