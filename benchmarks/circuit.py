"""What the circuit costs as tables and samples grow: ``python benchmarks/circuit.py [rows to draw]``.

Writes ``benchmarks/circuit.csv``: CPU seconds of a fit, rows drawn per CPU second, and the peak of memory, for two
generated tables and for fars, each in a process of its own and on one thread. The rows, ten million unless fewer are
asked for, are drawn and written in parts by the function that ``python -m trisynth.synthesize`` uses. Beside them, how
fast the two simplest generators draw.
"""

import csv
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
from omegaconf import OmegaConf

from trisynth import data, seeds
from trisynth.generators.base import Generator
from trisynth.generators.circuit.circuit import Circuit
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent
from trisynth.synthesize import chunks, write

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"5,000 x 10": (5_000, 10), "20,000 x 14": (20_000, 14), "fars": None}


def generated(n: int, d: int) -> tuple[pd.DataFrame, pd.Series]:
    """Categories, whole numbers and skewed numbers that three hidden factors move, and a label of two classes."""
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
    """Costs of one table."""
    shape = TABLES[name]
    if shape:
        X, y = generated(*shape)
    else:
        config = OmegaConf.to_container(OmegaConf.load(ROOT / f"conf/dataset/{name}.yaml"), resolve=True)
        dataset = data.load(config, ROOT / "data/raw")
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
    """Rows drawn in a CPU second."""
    fitted.sample(1_000)
    start = time.process_time()
    fitted.sample(200_000)
    return round(200_000 / (time.process_time() - start))


def main(rows: int) -> None:
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = [line for name in TABLES for line in pool.apply(measured, (name, rows))]
    with (ROOT / "benchmarks/circuit.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0].keys())
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
