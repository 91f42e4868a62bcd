"""Large sweeps and large mirrors: memory and time of the process that starts them."""

import sqlite3
import tempfile
import time
from contextlib import chdir
from pathlib import Path
from uuid import uuid4

import psutil

from benchmarks.faults import subject, warm
from benchmarks.faults.subject import QUICK, Row
from trisynth.commandline import composed
from trisynth.experiment.run import run_job
from trisynth.tracking import Mirror

SWEEP, MIRROR = "jobs in one sweep", "runs in the mirror"
# Growth of the parent's memory from a tenth of the jobs to the end, in bytes per job: a status and a line of a table.
MOST_MEMORY = 20_000
MOST_SECONDS = 0.010
LEAST_PER_SECOND = 20.0


def sweep(jobs: int) -> Row:
    """Run one sweep of many jobs, and measure its parent's memory and own processor time for each job."""
    warm.ready()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        few, status, _ = _measured(Path(name) / "few", 2)
        many, other, memory = _measured(Path(name) / "many", jobs)
        seconds, growth = (many - few) / (jobs - 2), memory / jobs
    wrong = ["the sweep fails"] * bool(status or other)
    wrong += [f"{1000 * seconds:.1f} ms of the parent for a job"] * (seconds > MOST_SECONDS)
    wrong += [f"the parent grows by {growth:.0f} bytes for a job"] * (growth > MOST_MEMORY)
    note = f"{1000 * seconds:.1f} ms and {growth / 1000:.1f} kB of the parent for a job"
    return Row("sizes", SWEEP, jobs, jobs if not wrong else 0, wrong, note)


def _measured(folder: Path, jobs: int) -> tuple[float, int, float]:
    """Return a sweep's own processor time, its status, and the growth of its memory after a tenth of its jobs."""
    subject.table(folder)
    process = subject.start(folder, "run", "-m", *QUICK, f"seed=range({jobs})", "tracking=none", warm=True)
    seen = psutil.Process(process.pid)
    seconds, first, last = 0.0, 0, 0
    while process.poll() is None:
        try:
            used = seen.cpu_times()
            seconds, last = used.user + used.system, seen.memory_info().rss
        except psutil.Error:
            break
        if not first and len(subject.keys(folder)) * 10 >= jobs:
            first = last
        time.sleep(0.2)
    return seconds, process.wait(), max(last - (first or last), 0)


def mirror(runs: int, jobs: int = 40) -> Row:
    """Mirror jobs into a database that has many runs, and measure how many it takes in a second of processor time.

    The time on the wall depends on what else the machine does.
    """
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        subject.table(folder)
        with chdir(folder):
            config = composed([*QUICK, "tracking.uri=sqlite:///mlflow.db"])
            results = [run_job(config | {"seed": seed})[0] for seed in range(jobs + 1)]
            first = Mirror(config["tracking"], config["paths"])
            first.job(results[0])
            problem = first.close()
            multiply(folder / "mlflow.db", runs)
            # Many jobs come from a sweep.
            second = Mirror(config["tracking"], config["paths"], "sweep")
            second.job(results[1])
            begun = time.process_time()
            for result in results[2:]:
                second.job(result)
            rate = (jobs - 1) / (time.process_time() - begun)
            problem = problem or second.close()
            there = sum(subject.mirrored(folder).values())
    wrong = [problem] if problem else []
    wrong += [f"{there} of {runs + jobs} runs are there"] * (there != runs + jobs)
    wrong += [f"{rate:.1f} jobs in a second"] * (rate < LEAST_PER_SECOND)
    return Row(
        "sizes",
        MIRROR,
        runs,
        runs if not wrong else 0,
        wrong,
        f"{rate:.0f} jobs in a second of processor time",
    )


def multiply(file: Path, runs: int) -> None:
    """Copy the only run of a database until it has ``runs``, each with a key of its own."""
    base = sqlite3.connect(file)
    with base:
        (old,) = base.execute("select run_uuid from runs").fetchone()
        names = [uuid4().hex for _ in range(runs - 1)]
        for table in ("runs", "tags", "params", "metrics", "latest_metrics"):
            columns = [row[1] for row in base.execute(f"pragma table_info({table})")]
            where = columns.index("run_uuid")
            for row in base.execute(f"select * from {table} where run_uuid = ?", (old,)).fetchall():
                copies = [[*row[:where], name, *row[where + 1 :]] for name in names]
                if table == "tags" and "trisynth.key" in row:
                    at = columns.index("value")
                    keys = (name[:16] for name in names)
                    copies = [[*copy[:at], key, *copy[at + 1 :]] for copy, key in zip(copies, keys, strict=True)]
                base.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", copies)
    base.close()
