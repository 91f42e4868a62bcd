"""Costs of all metrics of synthetic rows, ``metrics=fidelity_full``, by the size of the table.

Each table has numbers and categories, some with missing cells, of which a third is held out. As many rows as the
training part has are drawn from independent columns and compared once, without the two references. Writes
``fidelity_costs.csv``: CPU seconds of every metric, and of all together, with the peak memory of the process and
what the metrics add to it. A metric that prepares what others use again is charged with the preparation. Metrics take
subsamples of the rows, which conf/metrics/fidelity_full.yaml states. Each table has a process of its own with one
thread.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pandas as pd

from benchmarks import output
from benchmarks.peers.worker import megabytes
from benchmarks.report import mixed
from trisynth.cache import Store
from trisynth.commandline import composed
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.scores import row_scores
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

SIZES = ("5000x10", "100000x30")
OVERRIDES = (
    *("dataset=csv", "dataset.target=outcome", "generator=independent", "classifier=logistic", "tracking=none"),
    *("arms=minimal", "metrics=fidelity_full"),
)


def measured(size: str) -> list[dict]:
    """Measure every metric on one table."""
    rows, columns = map(int, size.split("x"))
    with tempfile.TemporaryDirectory(prefix="trisynth-") as place:
        table = Path(place) / "table.csv"
        mixed(rows, columns).to_csv(table, index=False)
        paths = [f"paths.{name}={place}/{name}" for name in ("raw", "cache", "runs", "sweeps")]
        job = Job.from_config(composed([*OVERRIDES, f"dataset.path={table}", *paths]))
        steps = Experiment(job, build(job), Store(f"{place}/cache"))
        train, test = steps.parts
        _, synthetic = steps.rows(len(train))
        context = Context(train, test, synthetic, steps.encoder, job.seed, steps.generator)
        found = []
        Path("/proc/self/clear_refs").write_text("5")
        before = megabytes("VmRSS")
        for group in job.compared:
            for name, metric in steps.objects.metrics[group].items():
                begun = time.process_time()
                row_scores(context, {group: {name: metric}})
                found.append({"metric": f"{group}/{name}", "cpu_s": time.process_time() - begun})
        peak = megabytes("VmHWM")
    total = {"metric": "all", "cpu_s": sum(each["cpu_s"] for each in found), "added_mb": peak - before, "peak_mb": peak}
    return [{"rows": rows, "columns": columns, **each} for each in (*found, total)]


def main(arguments: list[str] | None = None) -> None:
    """Measure every table in a process of its own."""
    parser = output.parser("fidelity_costs", __doc__)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help="rows x columns (default: %(default)s)")
    options = parser.parse_args(arguments)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = pd.DataFrame([line for size in options.sizes for line in pool.apply(measured, (size,))])
    found = found.round({"added_mb": 0, "peak_mb": 0}).astype({"added_mb": "Int64", "peak_mb": "Int64"})
    output.write(found, options.out / "fidelity_costs.csv", "%.3g")
    print(found[found["metric"] == "all"].drop(columns="metric").round(1).to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
