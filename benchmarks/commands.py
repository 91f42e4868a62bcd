"""What the commands of the README cost here: ``python benchmarks/commands.py [experiment]``.

Writes ``benchmarks/commands.csv``; ten minutes for the experiment ``paper``, one for ``smoke``. Seconds depend on the
machine and on what else it does; the share of a sweep that is neither fitting, sampling, predicting nor scoring does
not.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = [sys.executable, "-m", "trisynth.run"]
WORK = ("fit", "sample", "classify", "metrics")


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def overhead(folder: Path, wall: float, workers: int) -> dict[str, float]:
    """Shares of the workers' time in a sweep that was run from nothing in ``folder``."""
    parts = dict.fromkeys(WORK, 0.0)
    for path in folder.glob("runs/*/timings.json"):
        for name, value in json.loads(path.read_text()).items():
            if name in parts:
                parts[name] += value
    return {name: value / (wall * workers) for name, value in parts.items()}


def main(experiment: str) -> None:
    rows = []

    def record(name: str, value: float, unit: str = "s") -> None:
        rows.append({"what": name, "value": round(value, 3), "unit": unit})
        print(f"{name}: {value:.2f} {unit}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = f"paths.raw={ROOT / 'data/raw'}"
        record("one run, nothing cached", seconds([*RUN, raw], folder))
        record("the same run again", seconds([*RUN, raw], folder))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = [*RUN, "-m", f"experiment={experiment}", "hydra.launcher.n_jobs=2", raw]
        wall = seconds(sweep, folder)
        record(f"sweep {experiment}, nothing cached", wall)
        shares = overhead(folder, wall, workers=2)
        for part, share in shares.items():
            record(f"share of {part}", share, "of the workers' time")
        record("share of all else", 1 - sum(shares.values()), "of the workers' time")
        record(f"sweep {experiment}, finished, started again", seconds(sweep, folder))
    record("dvc repro, nothing to do", seconds([str(Path(sys.executable).with_name("dvc")), "repro"], ROOT))
    with (ROOT / "benchmarks/commands.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "paper")
