"""Fraction of a sweep's processor time that is neither fit, sample, predict nor metric.

Writes ``overhead.csv``: the processor time of all processes of a sweep (Hydra, its workers, the cache, MLflow), and
that of the work of its jobs. A shared step counts once. All else is divided into the main process with its mirror, the
starts of workers, and what workers spend between the steps. Two seeds of the experiment ``paper`` take three minutes.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pandas as pd

from benchmarks import output

# Written by the module cpu_clock in each worker, which is not imported here: it changes the clock of the steps.
CLOCK = "clock-*.json"
WORK = ("fit", "sample", "classify", "metrics")
# The option of prctl(2) by which processes whose parent has ended become children of this one.
_PR_SET_CHILD_SUBREAPER = 36
_PRELOAD = "hydra.launcher.preload=[trisynth.experiment.steps,torch,benchmarks.cpu_clock]"


def spent(command: list[str], folder: Path) -> float:
    """Run a command that must succeed; return the processor time of it and of all processes that it starts."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (output.ROOT, output.ROOT / "src")))}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    # Times count once a process has been waited for.
    with suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def work(runs: Path) -> dict[str, float]:
    """Sum the times that the jobs of a sweep spent on each kind of work; steps that a job found made have none."""
    parts = dict.fromkeys(WORK, 0.0)
    for path in runs.glob("*/timings.json"):
        for name, value in json.loads(path.read_text()).items():
            if name in parts:
                parts[name] += value
    return parts


def workers(folder: Path) -> dict[str, float]:
    """Sum the processor times of the workers of a sweep: of their starts, and whole."""
    found = [json.loads(path.read_text()) for path in folder.glob(CLOCK)]
    return {name: sum(each[name] for each in found) for name in ("start", "whole")}


def measure(experiment: str, seeds: int, raw: Path, more: tuple[str, ...] = ()) -> pd.DataFrame:
    """Run a sweep with nothing cached; return its jobs, its processor time, and the fraction of each kind of work."""
    line = [sys.executable, "-m", "trisynth.run", "-m", f"experiment={experiment}", f"seed=range({seeds})"]
    line += ["hydra.launcher.n_jobs=2", _PRELOAD, "allow=[benchmarks]", f"paths.raw={raw}", *more]
    with tempfile.TemporaryDirectory() as name:
        seconds = spent(line, Path(name))
        parts, jobs = work(Path(name) / "runs"), len(list(Path(name).glob("runs/*/result.json")))
        own = workers(Path(name))
    rows = [("jobs", jobs, ""), ("processor time of all processes", seconds, "s")]
    rows += [(f"fraction of {part}", value / seconds, "of the processor time") for part, value in parts.items()]
    rows.append(("fraction of all else", 1 - sum(parts.values()) / seconds, "of the processor time"))
    else_where = {
        "the main process": seconds - own["whole"],
        "starts of workers": own["start"],
        "workers between the steps": own["whole"] - own["start"] - sum(parts.values()),
    }
    rows += [(f"of this, {place}", value / seconds, "of the processor time") for place, value in else_where.items()]
    return pd.DataFrame(rows, columns=["what", "value", "unit"])


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = output.parser("overhead", __doc__)
    parser.add_argument("--experiment", default="paper", help="sweep to measure")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of the sweep; starts weigh more with few")
    parser.add_argument("overrides", nargs="*", help="further settings, such as dataset=saheart,pima")
    options = parser.parse_args(arguments)
    table = measure(options.experiment, options.seeds, output.ROOT / "data/raw", tuple(options.overrides))
    print(table.to_string(index=False))
    output.write(table, options.out / "overhead.csv")


if __name__ == "__main__":
    main(sys.argv[1:])
