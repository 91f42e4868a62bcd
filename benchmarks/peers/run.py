"""One cell after the other: fitted, scored, written; what is there and still true is left alone."""

import ast
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.peers import process, scores
from benchmarks.peers.grid import REAL, Cell
from trisynth import data
from trisynth.cache import Store, sha256, write_atomic
from trisynth.config import digest
from trisynth.data.dataset import Dataset
from trisynth.experiment.job import Job

RESULTS = Path(__file__).resolve().parent / "results"


def path(cell: Cell) -> Path:
    """Path of the result of a cell."""
    return RESULTS / cell.table / f"{cell.generator.name}-{cell.split}.json"


def read(place: Path) -> dict[str, Any] | None:
    """Result of a cell, None if it is not there or damaged."""
    try:
        return json.loads(place.read_text())
    except (OSError, ValueError):
        return None


@cache
def parts(table: str, split: int, raw: str) -> tuple[Dataset, Dataset]:
    """Real training and test rows of a split."""
    job = next(iter(scores.jobs("copy", table, split).values()))
    return data.split(data.load(job.dataset, raw), job.seed, job.test_size)


def fit_key(cell: Cell, job: Job, rows: str) -> str:
    """Digest of all that a cell's synthetic rows depend on.

    The rows themselves, by their digest ``rows``, and of our own generators the code, the configuration and the
    libraries, of a peer its pinned environment and the adapter: what changes elsewhere costs no peer another fit.
    """
    generator = cell.generator
    if generator.own:
        return digest(generator.name, rows, job.generator_key)
    names = "worker.py", "adapters/tables.py", f"adapters/{generator.adapter}.py"
    pins = sha256(process.requirements(generator.environment))
    return digest(generator.name, rows, cell.split, pins, [_code(process.HERE / name) for name in names])


def _code(path: Path) -> str:
    """Code of a file that has no package, without comments and the docstring: an hour of fits hangs on its digest."""
    tree = ast.parse(path.read_text())
    tree.body = tree.body[1:]
    return ast.unparse(tree)


def beaten_by(cell: Cell, train: Dataset) -> str | None:
    """A table that has no more rows and columns and that the generator did not finish, if there is one."""
    for other in RESULTS.glob(f"*/{cell.generator.name}-*.json"):
        found = read(other)
        if found is None or found["status"] != process.OUT_OF_TIME:
            continue
        if found["train_rows"] <= len(train) and found["columns"] <= train.X.shape[1]:
            return found["table"]
    return None


def run(cell: Cell, store: Store, raw: str, scored_by: str) -> dict[str, Any]:
    """Fit, sample and score one cell, unless its result is there and the same as would be made now.

    Parameters
    ----------
    cell : Cell
    store : Store
        Where synthetic rows are kept.
    raw : str
        Folder of the raw tables.
    scored_by : str
        ``scores.fingerprint`` of the present code.

    Returns
    -------
    dict
        Content of the result's file.
    """
    name = cell.generator.name if cell.generator.own and cell.generator.name != REAL else "copy"
    split_jobs = scores.placed(scores.jobs(name, cell.table, cell.split), raw)
    job = next(iter(split_jobs.values()))
    train, test = parts(cell.table, cell.split, raw)
    rows = digest(train.digest, test.digest)
    made_by = rows if cell.generator.name == REAL else fit_key(cell, job, rows)
    key = digest(made_by, scored_by)
    found = read(path(cell))
    # A fit that came to no end is not tried again for new scores.
    if found is not None and found["key"] == (key if found["status"] == "done" else made_by):
        return found
    start = time.process_time()
    result = {
        "generator": cell.generator.name,
        "table": cell.table,
        "split": cell.split,
        "train_rows": len(train),
        "columns": train.X.shape[1],
        "numbers": train.X.select_dtypes("number").shape[1],
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
    smaller = None if cell.generator.own else beaten_by(cell, train)
    if smaller:
        return {"status": f"not tried: {smaller} {process.OUT_OF_TIME}"}
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
