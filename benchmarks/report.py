"""Cost of ``report.html``: processor time of its step and size of the page, by the size of the table.

Each table has numbers and categories, five rows in a hundred with a missing cell, and a cheap generator. The time is
that of this process and its children, from the end of the job to the page on disk. Writes ``report.csv`` after
each table; the limits are 5 s and 1 MB.
Run it with ``OMP_NUM_THREADS=1``: waiting threads count as processor time.
"""

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import output
from trisynth.commandline import composed
from trisynth.experiment.run import run_job
from trisynth.report.html.job import write_job

SIZES = ((5_000, 10), (5_000, 300), (330_000, 20))
OVERRIDES = (
    *("dataset=csv", "dataset.target=outcome", "generator=independent", "classifier=logistic", "tracking=none"),
    *("metrics=recommend", "~metrics.fidelity", "report=html"),
)


def mixed(rows: int, columns: int) -> pd.DataFrame:
    """Sample dependent numbers, a third of them categories, and a class of two that follows from them."""
    rng = np.random.default_rng(columns)
    X = rng.normal(size=(rows, 3)) @ rng.normal(size=(3, columns)) + rng.normal(size=(rows, columns))
    frame = pd.DataFrame(X.round(2), columns=[f"x{i}" for i in range(columns)])
    for i in range(0, columns, 3):
        frame[f"x{i}"] = np.array(list("abcdef"))[np.digitize(X[:, i], [-2, -1, 0, 1, 2])]
    frame = frame.mask(rng.random(frame.shape) < 0.05 / columns)
    return frame.assign(outcome=np.where(X[:, 0] + rng.normal(size=rows) > 0, "yes", "no"))


def used() -> float:
    """Return the processor seconds of this process and its finished children so far."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def measured(rows: int, columns: int) -> dict[str, float]:
    """Run one job, then measure its report."""
    with tempfile.TemporaryDirectory(prefix="trisynth-") as place:
        table = Path(place) / "table.csv"
        mixed(rows, columns).to_csv(table, index=False)
        paths = [f"paths.{name}={place}/{name}" for name in ("raw", "cache", "runs", "sweeps")]
        arguments = [*OVERRIDES, f"dataset.path={table}", *paths]
        config = composed(arguments)
        result, _ = run_job(config)
        begun = used()
        page = write_job(config, result, arguments)
        return {
            "rows": rows, "columns": columns, "cpu_seconds": used() - begun, "bytes": page.stat().st_size,
        }  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Write and print the costs."""
    options = output.parser("report", __doc__).parse_args(arguments)
    rows: list[dict[str, float]] = []
    for size in SIZES:
        rows.append(measured(*size))
        found = pd.DataFrame(rows)
        output.write(found, options.out / "report.csv", "%.4g")
    print(found.round(2).to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
