"""Growth of time and memory with the number of rows.

Fits 1,000 to all rows of one table, and samples 1,000 to 10,000,000 rows of another by ``trisynth synthesize``, each
in a process of its own with one thread. Writes ``growth.csv``, ``growth.png`` and ``growth.pdf``. Rows of
``growth.csv`` are measured again if the generator's code has changed, or with ``--again``.
``--draw`` measures nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from benchmarks import output
from benchmarks.peers.process import ONE_THREAD, OWN, DidNotFinishError, fit_and_sample
from trisynth import commandline, data, seeds
from trisynth.config import code_digest, digest, targets
from trisynth.report.figures import style

HERE = output.HERE
GENERATORS = ("circuit", "copula", "independent", "arf")
FITTED, SAMPLED = "fars", "framingham"
FIT_ROWS = (1_000, 3_000, 10_000, 30_000, 100_000)
SAMPLE_ROWS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_KEYS = ("what", "generator", "asked")
# Program that fits, then samples or writes rows, and prints the cost of the latter.
_SAMPLES = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from worker import cpu_seconds, megabytes
from trisynth import sampling
from trisynth import commandline, data, seeds
name, n, out, own = sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:]
config = commandline.composed([*own, "generator=" + name])
dataset = data.load(config["dataset"], config["paths"]["raw"])
generator = sampling.fitted(config, dataset)
generator.sample(1000)
open("/proc/self/clear_refs", "w").write("5")  # the peak counts from here
before, start = megabytes("VmRSS"), cpu_seconds()
if out:
    sampling.synthesize(config, n, out)
else:
    for i, part in enumerate(sampling.chunks(n)):
        generator.sample(part, seeds.integer(0, "growth", i))
print(json.dumps({"cpu_seconds": cpu_seconds() - start, "added_megabytes": megabytes("VmHWM") - before}))
"""


def fit(generator: str, rows: int, raw: str) -> dict[str, float]:
    """Measure a fit on ``rows`` random rows of the large table, or on all of them."""
    config = commandline.composed([f"dataset={FITTED}", f"generator={generator}"])
    dataset = data.load(config["dataset"], raw)
    some = dataset.take(seeds.stream(0, "growth").permutation(len(dataset))[:rows])
    about = {"generator": generator, "seed": 0, "config": config["generator"]}
    with tempfile.TemporaryDirectory() as name:
        try:
            fit_and_sample(OWN, "own", some, [1], about, Path(name))
        except DidNotFinishError as error:
            return {"note": str(error)}
        cost = json.loads((Path(name) / "cost.json").read_text())
    added = cost["fit_peak_megabytes"] - cost["import_megabytes"]
    return {"rows": len(some), "cpu_seconds": cost["fit_cpu_seconds"], "added_megabytes": added}


def sample(generator: str, rows: int, raw: str, cache: Path, written: bool) -> dict[str, float]:
    """Measure the sampling of ``rows`` rows in chunks, with ``written`` to a parquet file."""
    with tempfile.TemporaryDirectory() as name:
        out = str(Path(name) / "rows.parquet") if written else ""
        own = [f"dataset={SAMPLED}", f"paths.raw={raw}", f"paths.cache={cache}"]
        command = [sys.executable, "-c", _SAMPLES, str(HERE / "peers"), generator, str(rows), out, *own]
        run = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=True)
    return json.loads(run.stdout.strip().splitlines()[-1])


def measured(
    names: list[str], raw: str, cache: Path, again: bool, place: Path | None = None, rows: list[int] | None = None
) -> pd.DataFrame:
    """Measure every cost, except those in ``growth.csv`` that belong to the present code."""
    place = place or HERE / "growth.csv"
    found: list[dict[str, Any]] = [] if again or not place.exists() else pd.read_csv(place).to_dict("records")
    for what, usual in (("fit", FIT_ROWS), ("sample", SAMPLE_ROWS), ("write", SAMPLE_ROWS)):
        for name in names:
            config = commandline.composed([f"generator={name}"])["generator"]
            code = digest(config, code_digest("trisynth.sampling", *targets(config)))
            for size in rows or usual:
                row: dict[str, Any] = {"what": what, "generator": name, "asked": size, "rows": size, "code": code}
                if any(old["code"] == code and all(old[key] == row[key] for key in _KEYS) for old in found):
                    continue
                row |= fit(name, size, raw) if what == "fit" else sample(name, size, raw, cache, what == "write")
                found = [old for old in found if any(old[key] != row[key] for key in _KEYS)] + [row]
                output.write(pd.DataFrame(found).round(4), place, "%.10g")
                print(row, flush=True)
    return pd.DataFrame(found)


def growth(costs: pd.DataFrame) -> Figure:
    """Plot time and memory of fits, samples and files over rows, with logarithmic axes."""
    panels = [
        ("fit", "cpu_seconds", f"Fit on {FITTED}, 27 columns", "CPU seconds"),
        ("fit", "added_megabytes", "Memory of the fit", "peak MB above imports"),
        ("sample", "cpu_seconds", f"Rows of {SAMPLED}, 14 columns", "CPU seconds"),
        ("write", "added_megabytes", "Memory, written to a file", "peak MB above the fitted generator"),
    ]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 4.4)
        names = list(dict.fromkeys(costs["generator"]))
        lines = {}
        grid = figure.subplots(2, 2)
        for position, (what, cost, title, unit) in enumerate(panels):
            axes = grid[divmod(position, 2)]
            for name in names:
                part = costs[(costs["what"] == what) & (costs["generator"] == name)].dropna(subset=cost)
                part = part[part[cost] > 0].sort_values("rows")
                (lines[name],) = axes.plot(part["rows"], part[cost], **style.generator(name), markersize=3)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.minorticks_off()
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
            axes.yaxis.set_major_formatter("{x:g}")
            if what != "fit" and cost == "added_megabytes":
                # Three decades, as for the time beside it; otherwise a flat line looks steep.
                axes.set_ylim(1, 1000)
            axes.set_title(f"{style.letter(position)}  {title}")
            axes.set_xlabel("training rows" if what == "fit" else "synthetic rows")
            axes.set_ylabel(unit)
        style.heading(figure, "Growth with rows, one thread", lines)
        style.footnote(figure, "Both axes are logarithmic: linear growth has a slope of one decade per decade.")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Measure and plot."""
    parser = output.parser("growth", __doc__)
    parser.add_argument("--rows", nargs="+", type=int, help="numbers of rows to measure, instead of the usual ones")
    parser.add_argument("--generators", nargs="+", default=list(GENERATORS))
    parser.add_argument("--raw", default="data/raw", help="folder of the raw tables")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder of fitted generators")
    parser.add_argument("--again", action="store_true", help="repeat all measurements")
    parser.add_argument("--draw", action="store_true", help="measure nothing, draw growth.csv")
    options = parser.parse_args(arguments)
    with commandline.one_line_errors():
        place = options.out / "growth.csv"
        if options.draw:
            costs = pd.read_csv(place)
        else:
            costs = measured(options.generators, options.raw, options.cache, options.again, place, options.rows)
        style.save(growth(costs), options.out / "growth")


if __name__ == "__main__":
    main(sys.argv[1:])
