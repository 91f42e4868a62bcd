"""CPU time and memory of one part of a large table, for larger and larger parts.

    python -m benchmarks.parts --rows 1e5 1e6 1e7
    python -m benchmarks.parts --kinds --rows 2e3 2e4

Writes ``benchmarks/parts.csv``: a row for each number of rows, each measured in a process of its own.
With ``--kinds`` the rows are images, series, texts and mixed rows, of generators trained for a few steps, since
the cost of draws does not depend on the training; these go to ``benchmarks/parts_kinds.csv``, which keeps what it has.
``--only`` measures the cases whose settings contain a word.
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
TABLE = "dataset=paper_cohort generator=circuit"
_SHORT = "generator.epochs=1 generator.min_steps=20"
KINDS = (
    f"dataset=digits generator=stylegan loss=native {_SHORT}",
    f"dataset=digits generator=vae generator.backbone=conv {_SHORT}",
    f"dataset=digits generator=diffusion {_SHORT}",
    f"dataset=digits generator=conv_diffusion loss=native {_SHORT}",
    f"dataset=sine_classes generator=conv_diffusion loss=native {_SHORT}",
    f"dataset=sine_classes generator=timevae {_SHORT}",
    f"dataset=sine_classes generator=rcgan loss=native {_SHORT}",
    "dataset=sine_classes generator=autoregressive",
    "dataset=episodes generator=block_bootstrap",
    "dataset=reuters_r8 generator=ngram train_rows=1000",
    "dataset=reuters_r8 generator=ngram train_rows=1000 +dataset.rare=5",
    f"dataset=reuters_r8 generator=text_gru train_rows=1000 {_SHORT}",
    "dataset=multimodal_notes generator=composed",
)


def measured(arguments: str, rows: int, folder: str) -> dict[str, float]:
    """Make the first of two parts of ``2 * rows`` rows, with a generator that was fitted before."""
    from trisynth import commandline, sampling
    from trisynth.output.parts import Selection

    config = commandline.composed([*arguments.split(), f"paths.cache={folder}/cache"])
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
    parser.add_argument("--kinds", action="store_true", help="rows with images, series and texts")
    parser.add_argument("--only", default="", help="cases whose settings contain this word")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measured(given.one[0], int(given.one[1]), folder)))
        return
    path = OUT.with_name("parts_kinds.csv") if given.kinds else OUT
    found: list[dict] = []
    if given.kinds and path.exists():
        with path.open(newline="") as file:
            found = list(csv.DictReader(file))
    known = {(row["case"], int(row["rows"])) for row in found}
    for arguments in KINDS if given.kinds else [TABLE]:
        for rows in map(int, given.rows):
            if (arguments, rows) in known or given.only not in arguments:
                continue
            command = [sys.executable, "-m", "benchmarks.parts", "--one", arguments, str(rows)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            row = json.loads(done.stdout.splitlines()[-1])
            found.append(({"case": arguments} if given.kinds else {}) | row)
            print(found[-1], flush=True)
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, found[0])
                writer.writeheader()
                writer.writerows(found)


if __name__ == "__main__":
    main()
