"""CPU time and memory of one part of a large table, for larger and larger parts.

    python -m benchmarks.parts --rows 1e5 1e6 1e7

Writes ``benchmarks/parts.csv``: a row for each number of rows, each measured in a process of its own.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OUT = Path(__file__).with_suffix(".csv")
ARGUMENTS = ("dataset=paper_cohort", "generator=circuit")


def measured(rows: int, folder: str) -> dict[str, float]:
    """Make the first of two parts of ``2 * rows`` rows, with a generator that was fitted before."""
    from trisynth import commandline, sampling
    from trisynth.output.parts import Selection

    config = commandline.composed([*ARGUMENTS, f"paths.cache={folder}/cache"])
    sampling.synthesize(config, 2000, f"{folder}/first.parquet")
    begun, small = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sampling.synthesize(config, 2 * rows, f"{folder}/parts", part=Selection.parse("1/2"))
    size = sum(path.stat().st_size for path in Path(folder, "parts").glob("*.parquet"))
    return {
        "rows": rows,
        "cpu_seconds": round(time.process_time() - begun, 2),
        "cpu_seconds_per_million": round((time.process_time() - begun) / rows * 1e6, 3),
        "memory_before_mb": round(small / 1024),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "file_mb": round(size / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=float, default=[1e5, 1e6, 1e7])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measured(given.one, folder)))
        return
    found = []
    for rows in map(int, given.rows):
        command = [sys.executable, "-m", "benchmarks.parts", "--one", str(rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(found[-1], flush=True)
    with OUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    main()
