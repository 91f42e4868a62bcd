"""Costs of the sequential forest on generated tables of 20 columns, up to a million rows.

Writes ``forest_costs.csv``: CPU seconds of a fit, its peak memory above that of the table and the imports, and the CPU
seconds and the additional memory of samples that are written in parts, by the function that ``trisynth synthesize``
uses. Each table has a process of its own with one thread.
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
from benchmarks.circuit_costs import generated
from benchmarks.peers.worker import megabytes
from trisynth.generators.trees.sequential_forest import SequentialForest
from trisynth.sampling import chunks, write

ROWS = (10_000, 100_000, 1_000_000)
_COLUMNS, _SAMPLES = 20, (100_000, 1_000_000)


def measured(rows: int) -> list[dict]:
    """Measure one table."""
    X, y = generated(rows, _COLUMNS)
    found = []

    def record(what: str, before: float, start: float) -> None:
        seconds, added = time.process_time() - start, megabytes("VmHWM") - before
        found.append({"rows": rows, "what": what, "cpu_s": seconds, "added_mb": added, "peak_mb": megabytes("VmHWM")})
        print(found[-1], flush=True)

    def begun() -> tuple[float, float]:
        Path("/proc/self/clear_refs").write_text("5")
        return megabytes("VmRSS"), time.process_time()

    start = begun()
    fitted = SequentialForest().fit(X, y, rare=0, relations=False)
    record("fit", *start)
    del X, y
    fitted.sample(1_000)
    with tempfile.TemporaryDirectory() as folder:
        for n in _SAMPLES:
            start = begun()
            write((fitted.sample(part, i) for i, part in enumerate(chunks(n))), Path(folder) / "rows.parquet")
            record(f"sample of {n:,}", *start)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure every table in a process of its own."""
    parser = output.parser("forest_costs", __doc__)
    parser.add_argument("--rows", nargs="+", type=int, default=list(ROWS))
    options = parser.parse_args(arguments)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = [line for rows in options.rows for line in pool.apply(measured, (rows,))]
    output.write(pd.DataFrame(found), options.out / "forest_costs.csv")


if __name__ == "__main__":
    main(sys.argv[1:])
