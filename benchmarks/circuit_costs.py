"""Costs of the circuit as tables and samples grow.

Writes ``circuit_costs.csv``: CPU seconds of a fit, rows sampled per CPU second, and peak memory, for two generated
tables and for fars, each in a process of its own and on one thread. Samples are drawn and written in parts by the
function that ``trisynth synthesize`` uses. The two simplest generators serve as reference.
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

from benchmarks import output
from trisynth import data, seeds
from trisynth.commandline import composed
from trisynth.generators.base import Generator
from trisynth.generators.circuit import Circuit
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent
from trisynth.sampling import chunks, write

TABLES = {"5,000 x 10": (5_000, 10), "20,000 x 14": (20_000, 14), "fars": None}


def generated(n: int, d: int) -> tuple[pd.DataFrame, pd.Series]:
    """Generate categories, integers and skewed numbers that depend on three latent factors, and a binary label."""
    rng = seeds.stream(0, "benchmark", n, d)
    factors = rng.normal(size=(n, 3))
    cells = factors @ rng.normal(size=(3, d)) + rng.normal(size=(n, d))
    kinds = (
        lambda x: pd.Categorical.from_codes(np.digitize(x, np.linspace(-3, 3, 6)), list("abcdefg")),
        lambda x: np.round(20 * x).astype(int),
        lambda x: np.exp(x / 2),
    )
    X = pd.DataFrame({f"x{j}": kinds[j % 3](cells[:, j]) for j in range(d)})
    return X, pd.Series(np.where(factors[:, 0] + rng.normal(size=n) > 0.8, "yes", "no"), name="y")


def measured(name: str, rows: int) -> list[dict]:
    """Measure the costs of one table."""
    shape = TABLES[name]
    if shape:
        X, y = generated(*shape)
    else:
        dataset = data.load(composed([f"dataset={name}"])["dataset"], output.ROOT / "data/raw")
        X, y = dataset.X, dataset.y
    found = []

    def record(what: str, value: float, unit: str) -> None:
        found.append({"table": f"{name} ({len(X):,} x {X.shape[1]})", "what": what, "value": value, "unit": unit})
        print(found[-1], flush=True)

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    start = time.process_time()
    circuit = Circuit().fit(X, y)
    record("fit", round(time.process_time() - start, 2), "CPU s")
    record("states", circuit.n_states_, "")
    record("memory after the fit", round(peak()), "MB")
    record("sample", speed(circuit), "rows / CPU s")
    with tempfile.TemporaryDirectory() as folder:
        for n in sorted({rows // 10, rows}):
            tables = (circuit.sample(part, i) for i, part in enumerate(chunks(n)))
            write(tables, Path(folder) / "rows.parquet")
            record(f"memory after {n:,} rows were written", round(peak()), "MB")
    for simple in (Copula(), Independent()):
        record(f"sample, {type(simple).__name__.lower()}", speed(simple.fit(X, y)), "rows / CPU s")
    return found


def speed(fitted: Generator) -> int:
    """Measure the rows sampled per CPU second."""
    fitted.sample(1_000)
    start = time.process_time()
    fitted.sample(200_000)
    return round(200_000 / (time.process_time() - start))


def main(arguments: list[str] | None = None) -> None:
    """Measure every table in a process of its own."""
    parser = output.parser("circuit_costs", __doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the largest sample")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    options = parser.parse_args(arguments)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = [line for name in options.tables for line in pool.apply(measured, (name, options.rows))]
    output.write(pd.DataFrame(found), options.out / "circuit_costs.csv", "%.10g")


if __name__ == "__main__":
    main(sys.argv[1:])
