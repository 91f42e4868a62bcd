"""One cell after the other: fitted, scored, written; what is there and still true is left alone."""

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.peers import process, scores
from benchmarks.peers.grid import REAL, Cell

from trisynth import data
from trisynth.cache import Store, sha256, write_atomic
from trisynth.config import digest
from trisynth.data.dataset import Dataset
from trisynth.job import Job

RESULTS = Path(__file__).resolve().parent / "results"


def path(cell: Cell) -> Path:
    """Where the result of a cell is kept."""
    return RESULTS / cell.table / f"{cell.generator.name}-{cell.split}.json"


def read(cell: Cell) -> dict[str, Any] | None:
    """Result of a cell, None if it is not there or damaged."""
    try:
        return json.loads(path(cell).read_text())
    except (OSError, ValueError):
        return None


def fit_key(cell: Cell, job: Job) -> str:
    """Digest of all that a cell's rows depend on."""
    generator = cell.generator
    if generator.own:
        return digest("own", job.generator_key)
    pins = sha256(process.requirements(generator.environment))
    code = [sha256(process.HERE / name) for name in ("worker.py", f"adapters/{generator.adapter}.py")]
    return digest(generator.name, job.split_key, pins, code)


def bigger(cell: Cell, rows: int) -> str | None:
    """A table of fewer rows that the generator did not finish, if there is one: then this one is hopeless."""
    for other in path(cell).parents[1].glob(f"*/{cell.generator.name}-*.json"):
        found = json.loads(other.read_text())
        if found.get("status", "").startswith("did not finish") and found["train_rows"] <= rows:
            return other.parent.name
    return None


def run(cell: Cell, store: Store, raw: str) -> dict[str, Any]:
    """Fit, sample and score one cell, unless its result is there and made by the same code."""
    name = cell.generator.name if cell.generator.own and cell.generator.name != REAL else "copy"
    split_jobs = {
        key: Job(**{**job.config, "raw": raw}) for key, job in scores.jobs(name, cell.table, cell.split).items()
    }
    job = next(iter(split_jobs.values()))
    made_by = job.split_key if cell.generator.name == REAL else fit_key(cell, job)
    key = digest(made_by, scores.code_key(job))
    found = read(cell)
    # A fit that came to no end is not tried again for new scores.
    if found is not None and found["key"] == (key if found["status"] == "done" else made_by):
        return found
    start = time.process_time()
    train, _ = data.split(data.load(job.dataset, raw), job.seed, job.test_size)
    result = {
        "generator": cell.generator.name,
        "table": cell.table,
        "split": cell.split,
        "train_rows": len(train),
        "columns": train.X.shape[1],
    }
    if cell.generator.name == REAL:
        result |= {"status": "done", **scores.real(split_jobs, store)}
    else:
        result |= _made(cell, split_jobs, train, made_by, store)
    result["key"] = key if result["status"] == "done" else made_by
    result["scoring_cpu_seconds"] = round(time.process_time() - start, 2)
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in result.items())
    write_atomic(path(cell), "{\n" + ",\n".join(lines) + "\n}\n")
    return result


def _made(cell: Cell, split_jobs: dict[str, Job], train: Dataset, key: str, store: Store) -> dict[str, Any]:
    job = next(iter(split_jobs.values()))
    asked = scores.requests(train, job, cell.generator.own)
    smaller = None if cell.generator.own else bigger(cell, len(train))
    if smaller:
        return {"status": f"not tried: did not finish {smaller} within 10 minutes"}
    about = {"generator": cell.generator.name, "seed": cell.split, "config": job.generator}
    given: dict[str, tuple[str, pd.DataFrame]] = {}

    def make(folder: Path) -> None:
        where = cell.generator.environment, cell.generator.adapter
        process.fit_and_sample(*where, train, asked, about, folder)

    def taken(folder: Path) -> dict[str, float]:
        for i, name in enumerate(["synthetic", "balanced"][: len(asked)]):
            rows = folder / f"rows-{i}.parquet"
            given[name] = sha256(rows)[:16], pd.read_parquet(rows)
        return json.loads((folder / "cost.json").read_text())

    try:
        cost = store.get_or_make("peers", digest(key, asked), make, taken)
    except process.DidNotFinishError as error:
        return {"status": str(error)}
    cost = {name: round(value, 4) for name, value in cost.items()}
    return {"status": "done", "cost": cost, **scores.synthetic(split_jobs, store, given)}
