"""One fit and its samples in a process of their own: ``python worker.py ADAPTER FOLDER SECONDS``.

Runs in the environment of a peer, so it may import nothing of this repository but ``adapters``. The folder holds
``train.parquet`` and ``about.json``; what comes back is ``rows-<i>.parquet`` for each request and ``cost.json``.
Linux only: memory is read from ``/proc``.
"""

import importlib
import json
import os
import random
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

# Draws from a peer that cannot sample a given class; each has as many rows as the training set.
_DRAWS = 10
_GIGABYTES = 10


def cpu_seconds() -> float:
    """User and system time of this process and of its ended children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def megabytes(field: str) -> float:
    """``VmRSS`` or ``VmHWM`` of this process; ``ru_maxrss`` would count what the parent held when it forked."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def by_class(draw: Callable[[int], pd.DataFrame], target: str, counts: Mapping[str, int]) -> tuple[pd.DataFrame, int]:
    """Rows with the requested number of each class, kept from up to ten draws, and the number of rows drawn.

    A class that the draws did not fill stays short.
    """
    n, drawn, kept = sum(counts.values()), 0, []
    left = {label: count for label, count in counts.items() if count}
    for _ in range(_DRAWS):
        if not left:
            break
        rows = draw(n)
        drawn += len(rows)
        labels = rows[target].astype(str)
        for label, short in list(left.items()):
            fits = rows[(labels == label).to_numpy()].iloc[:short]
            kept.append(fits)
            left[label] = short - len(fits)
        left = {label: short for label, short in left.items() if short}
    return pd.concat(kept, ignore_index=True), drawn


def main(adapter: str, folder: Path, seconds: int) -> None:
    # The harness holds the other end: when it dies, so does this.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (_GIGABYTES * 2**30,) * 2)
    about = json.loads((folder / "about.json").read_text())
    module = importlib.import_module(f"adapters.{adapter}")
    random.seed(about["seed"])
    np.random.seed(about["seed"])  # noqa: NPY002 - the peers draw from the global state
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(about["seed"])
        sys.modules["torch"].set_num_threads(1)
    table = pd.read_parquet(folder / "train.parquet")
    # What is imported while a generator is made is no part of its fit.
    getattr(module, "prepare", lambda about: None)(about)
    before, start, began = megabytes("VmRSS"), cpu_seconds(), time.perf_counter()
    draw = module.fit(table, about)
    cost = {
        "fit_cpu_seconds": cpu_seconds() - start,
        "fit_wall_seconds": time.perf_counter() - began,
        "fit_peak_megabytes": megabytes("VmHWM"),
    }
    start, drawn = cpu_seconds(), 0
    for i, request in enumerate(about["requests"]):
        if getattr(module, "CONDITIONAL", False):
            rows = draw(request)
            drawn += len(rows)
        else:
            rows, more = by_class(draw, about["target"], request)
            drawn += more
        if i == 0:
            cost |= {"sample_cpu_seconds": cpu_seconds() - start, "drawn_rows": drawn}
        rows.to_parquet(folder / f"rows-{i}.parquet", index=False)
    cost |= {"import_megabytes": before, "peak_megabytes": megabytes("VmHWM")}
    (folder / "cost.json").write_text(json.dumps(cost))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    # Threads and worker pools that a peer leaves behind must not keep the harness waiting.
    sys.stdout.flush()
    os._exit(0)
