"""CPU time and memory of ``trisynth prepare`` on a table of 500,000 rows and 20 columns, made up of all kinds of cells.

Prints one line; the command runs in a process of its own, so that the making of the table does not count.

    python benchmarks/prepare.py [ROWS]
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return a table of 20 columns, each a kind of cell of its own."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, rows), unit="D")
    stamps = days + pd.to_timedelta(rng.integers(0, 86_400, rows), unit="s")
    normal = pd.DataFrame(rng.normal(size=(rows, 6)).round(4)).add_prefix("value ")
    spelled = {
        "patient id": [f"P{number:07d}" for number in range(rows)],
        "day": days.strftime("%Y-%m-%d"),
        "birth": (days - pd.Timedelta(20_000, "D")).strftime("%d.%m.%Y"),
        "stamp": stamps.strftime("%Y-%m-%dT%H:%M:%S"),
        "weight": [f"{number:.1f} kg" for number in rng.normal(75, 12, rows)],
        "price": [f"${number:,.2f}" for number in rng.lognormal(7, 1, rows)],
        "share": [f"{number:.1f}%" for number in rng.random(rows) * 100],
        "zip": [f"{number:05d}" for number in rng.integers(500, 9000, rows)],
        "code": rng.choice(["E11.9", "I10", "J44.9", "N18.3"], rows),
        "answer": rng.choice(["Yes", "yes", "No", "unknown"], rows),
        "count": rng.poisson(4, rows),
        "pressure": np.where(rng.random(rows) < 0.03, -9, rng.integers(80, 190, rows)),
        "phone": rng.integers(10**11, 10**12, rows),
        "outcome": rng.choice(["n", "y"], rows),
    }
    return pd.concat([normal, pd.DataFrame(spelled)], axis=1)


def main() -> None:
    """Write the table, prepare it, and print what that took."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    with tempfile.TemporaryDirectory() as folder:
        made = table(rows)
        made.to_csv(Path(folder) / "mine.csv", index=False)
        columns = made.shape[1]
        del made
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "trisynth.stages", "prepare", "dataset=csv", "dataset.path=mine.csv"]
        subprocess.run([*command, "dataset.target=outcome"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"prepare, {rows:,} x {columns}: {seconds:.1f} CPU s, {used.ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
