"""Wall time of the commands of the README, and the fraction of a sweep that is overhead.

Writes ``command_costs.csv``; ten minutes for the experiment ``paper``, one for ``smoke``. Seconds depend on the machine
and its load; the fraction of a sweep that is neither fit, sample, predict nor metric does not.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks import output

RUN = [sys.executable, "-m", "trisynth.run"]
WORK = ("fit", "sample", "classify", "metrics")


def seconds(command: list[str], folder: Path) -> float:
    """Measure the wall time of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def work(folder: Path, wall: float, workers: int) -> dict[str, float]:
    """Compute the fraction of the workers' time in each kind of work, for a sweep without cache in ``folder``."""
    parts = dict.fromkeys(WORK, 0.0)
    for path in folder.glob("runs/*/timings.json"):
        for name, value in json.loads(path.read_text()).items():
            if name in parts:
                parts[name] += value
    return {name: value / (wall * workers) for name, value in parts.items()}


def main(arguments: list[str] | None = None) -> None:
    """Measure single runs, a sweep, its repetition, and ``dvc repro`` without work."""
    parser = output.parser("command_costs", __doc__)
    parser.add_argument("--experiment", default="paper", help="sweep to measure")
    options = parser.parse_args(arguments)
    rows = []

    def record(name: str, value: float, unit: str = "s") -> None:
        rows.append({"what": name, "value": round(value, 3), "unit": unit})
        print(f"{name}: {value:.2f} {unit}", flush=True)

    raw = f"paths.raw={output.ROOT / 'data/raw'}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record("one run, nothing cached", seconds([*RUN, raw], folder))
        record("the same run again", seconds([*RUN, raw], folder))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = [*RUN, "-m", f"experiment={options.experiment}", "hydra.launcher.n_jobs=2", raw]
        wall = seconds(sweep, folder)
        record(f"sweep {options.experiment}, nothing cached", wall)
        fractions = work(folder, wall, workers=2)
        for part, fraction in fractions.items():
            record(f"fraction of {part}", fraction, "of the workers' time")
        record("fraction of all else", 1 - sum(fractions.values()), "of the workers' time")
        record(f"sweep {options.experiment}, finished, started again", seconds(sweep, folder))
    dvc = [str(Path(sys.executable).with_name("dvc")), "repro"]
    record("dvc repro, nothing to do", seconds(dvc, output.ROOT))
    output.write(pd.DataFrame(rows), options.out / "command_costs.csv")


if __name__ == "__main__":
    main(sys.argv[1:])
