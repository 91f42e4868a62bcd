"""CPU time, memory and fidelity of fits of folders in batches, for larger and larger folders.

    python -m benchmarks.streamed --rows 1e5 1e6 1e7 --folder FOLDER
    python -m benchmarks.streamed --dataset fars --rows 1e6 3e6 1e7 1e8 --folder FOLDER
    python -m benchmarks.streamed --draw

The rows are drawn by a reference, a circuit of the five columns of ``paper_cohort`` or of twenty of ``fars``, and the
fitted generator is compared with fresh rows of it. Writes ``benchmarks/streamed.csv``: a row for each data set and
number of rows, each measured in a process of its own. FOLDER needs 50 MB for each million rows, and what was made is
kept there for the next call. ``--draw`` draws this table and that of ``benchmarks.parts`` in ``streamed.png``.
"""

import argparse
import csv
import json
import logging
import re
import subprocess
import sys
import time
from pathlib import Path

OUT = Path(__file__).with_suffix(".csv")
# Columns of the reference besides its target, by data set; most rows that it is fitted to, and rows of either side of
# the comparison.
COLUMNS, REFERENCE_ROWS, COMPARED = {"paper_cohort": 5, "fars": 20}, 20_000, 10_000
# Rows of one file.
PART = 500_000


def reference(folder: Path, name: str):
    """Return the circuit that rows are drawn by; fit it at the first call."""
    from trisynth import Circuit, commandline, data
    from trisynth.generators.base import Generator

    path = folder / f"{name}.zip"
    if not path.exists():
        config = commandline.composed([f"dataset={name}"])
        rows = data.load(config["dataset"], config["paths"]["raw"])
        frame = rows.frame[[*list(rows.X)[: COLUMNS[name]], rows.y.name]]
        frame = frame.sample(min(REFERENCE_ROWS, len(frame)), random_state=0).reset_index(drop=True)
        Circuit().fit(frame, target=rows.y.name, relations=False).save(path)
    return Generator.load(path)


def place(folder: Path, name: str, rows: int) -> Path:
    """Return where so many rows of a reference are."""
    return folder / f"{name}-{rows}"


def make(folder: Path, name: str, rows: int) -> None:
    """Draw rows of a reference, those of each file that is not there."""
    from trisynth.output.files import write

    made, given = reference(folder, name), place(folder, name, rows)
    given.mkdir(exist_ok=True)
    others = [path for path in folder.glob(f"{name}-*") if path != given]
    for number, first in enumerate(range(0, rows, PART)):
        path, last = given / f"{number:04d}.parquet", first + PART
        if path.exists():
            continue
        # A whole file has the same rows in every folder.
        same = [each / path.name for each in others if last <= min(rows, int(each.name.rpartition("-")[2]))]
        if twins := [each for each in same if each.exists()]:
            path.hardlink_to(twins[0])
        else:
            batches = range(first, min(last, rows), 100_000)
            write((made.sample(min(100_000, rows - start), seed=start + 1) for start in batches), path)


def measured(folder: Path, name: str, rows: int) -> dict[str, object]:
    """Fit a circuit to a folder and compare its rows with fresh ones of the reference."""
    from trisynth import Circuit, read_folder

    source, given = reference(folder, name), place(folder, name, rows)
    before, begun = memory(), time.process_time()
    made = Circuit().fit(read_folder(given, source.target_.name))
    spent, most = time.process_time() - begun, memory()
    score, error = c2st(made.sample(COMPARED, 1), source.sample(2 * COMPARED, seed=10**9), source.target_.name)
    return {
        "dataset": name,
        "columns": COLUMNS[name] + 1,
        "rows": rows,
        "states": made.n_states_,
        "fit_cpu_seconds": round(spent, 1),
        "memory_before_mb": before,
        "memory_mb": most,
        "c2st_boosting": round(score, 4),
        "c2st_boosting_se": round(error, 4),
        "folder_mb": round(sum(path.stat().st_size for path in given.glob("*.parquet")) / 1e6),
    }


def memory() -> int:
    """Return the most memory that this process has taken, in MB; ``getrusage`` counts that of its parent, too."""
    status = Path("/proc/self/status").read_text()
    return round(int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024)


def c2st(synthetic, fresh, target: str) -> tuple[float, float]:
    """Return the C2ST of synthetic rows against fresh ones of the reference, and its standard error."""
    from trisynth.data.dataset import Dataset, Spec
    from trisynth.encoders.table import TableEncoder
    from trisynth.evaluation.metrics.c2st import C2ST
    from trisynth.evaluation.metrics.context import Context

    spec = Spec("reference", target)
    texts = [name for name in fresh if fresh[name].dtype == object or fresh[name].dtype == "category"]
    train, test, made = (
        Dataset.of(part.astype({name: str for name in texts}).astype(dict.fromkeys(texts, "category")), spec)
        for part in (fresh[:COMPARED], fresh[COMPARED:].reset_index(drop=True), synthetic[list(fresh)])
    )
    context = Context(train, test, made, TableEncoder().fit(train.X), 0)
    found = C2ST(max_rows=COMPARED, standard_errors=True).score(context)
    return found["c2st_boosting"], found["c2st_boosting_se"]


def measured_before() -> dict[tuple[str, int], dict]:
    """Read the table of earlier calls."""
    if not OUT.exists():
        return {}
    with OUT.open(newline="") as file:
        return {(row["dataset"], int(row["rows"])): row for row in csv.DictReader(file)}


def draw() -> None:
    """Plot time and memory of fits and of parts over rows, with logarithmic axes."""
    import pandas as pd
    from matplotlib.ticker import EngFormatter

    from trisynth.report.figures import style

    fits, parts = pd.read_csv(OUT), pd.read_csv(OUT.with_name("parts.csv"))
    lines = [
        *((f"fit, {COLUMNS[name] + 1} columns of {name}", part) for name, part in fits.groupby("dataset")),
        ("draws, 6 columns of paper_cohort", parts.rename(columns={"cpu_seconds": "fit_cpu_seconds"})),
    ]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.6)
        legend: dict = {}
        panels = ("fit_cpu_seconds", "Time", "CPU seconds"), ("memory_mb", "Memory", "peak MB")
        for axes, (cost, title, unit) in zip(figure.subplots(1, 2), panels, strict=True):
            for (label, part), marker in zip(lines, "os^", strict=True):
                (legend[label],) = axes.plot(part["rows"], part[cost], marker=marker, markersize=3)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.minorticks_off()
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_title(title)
            axes.set_xlabel("rows")
            axes.set_ylabel(unit)
        axes.set_ylim(100, 10_000)
        style.heading(figure, "Fits of folders, and parts of tables", legend)
        style.footnote(figure, "Both axes are logarithmic: linear growth has a slope of one decade per decade.")
    style.save(figure, OUT.with_suffix(""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=COLUMNS, default="paper_cohort")
    parser.add_argument("--rows", nargs="+", type=float, default=[1e5, 1e6])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--draw", action="store_true", help="measure nothing, draw the tables")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.draw:
        draw()
        return
    if given.folder is None:
        parser.error("--folder is missing")
    logging.getLogger("trisynth").setLevel(logging.ERROR)
    if given.one:
        print(json.dumps(measured(given.folder, given.dataset, given.one)))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    for rows in map(int, given.rows):
        make(given.folder, given.dataset, rows)
        options = ["--dataset", given.dataset, "--folder", str(given.folder), "--one", str(rows)]
        command = [sys.executable, "-m", "benchmarks.streamed", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        print(row, flush=True)
        # Read late, as another call may have written meanwhile.
        found = measured_before() | {(given.dataset, rows): row}
        with OUT.open("w", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerows(found[each] for each in sorted(found))


if __name__ == "__main__":
    main()
