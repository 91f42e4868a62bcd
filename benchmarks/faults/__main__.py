"""Campaign of kills, damages, races, full disks, attacks, hostile files and large sizes, in temporary folders.

Writes ``faults.csv``, one row for each part as it ends; status 1 if anything went wrong. The default sizes take some
minutes; ``--full`` takes those of the targets: 200 kills, 1,000 damages, 16 processes, 2,000 jobs, 10,000 runs, every
callable at every place. ``--missing`` leaves out what the table has already.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks import output
from benchmarks.faults import attacks, damages, hostile, kills, races, sizes
from benchmarks.faults.before import BEFORE
from benchmarks.faults.subject import Row

PARTS = ("kills", "damages", "races", "disk", "attacks", "hostile", "sizes")
Step = Callable[[], Row | list[Row]]


def plan(options: object) -> Iterator[tuple[tuple[str, str], Step]]:
    """Yield the chosen parts of the campaign, each with the part and the name of its first row."""
    if "kills" in options.parts:
        for kind in kills.KINDS:
            count = -(-options.kills // len(kills.KINDS))
            yield ("kills", kind), partial(kills.campaign, kind, count, options.seed)
    if "damages" in options.parts:
        for kind in damages.KINDS:
            count = -(-options.damages // len(damages.KINDS))
            yield ("damages", kind), partial(damages.campaign, count, options.seed, (kind,))
    if "races" in options.parts:
        yield ("races", races.RACE), partial(races.race, options.processes)
    if "disk" in options.parts:
        yield ("full disk", races.DISKS[0]), partial(races.full_disk, options.disks, options.seed)
        yield ("full disk", races.DISKS[2]), partial(races.reports, options.disks, options.seed)
    if "attacks" in options.parts:
        for place in attacks.names():
            yield ("attacks", place), partial(attacks.attack, place, None, options.seed, options.callables)
    if "hostile" in options.parts:
        for kind in hostile.KINDS:
            yield ("hostile files", kind), partial(hostile.row, kind)
    if "sizes" in options.parts:
        yield ("sizes", sizes.SWEEP), partial(sizes.sweep, options.jobs)
        yield ("sizes", sizes.MIRROR), partial(sizes.mirror, options.runs)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 if anything went wrong."""
    parser = output.parser("faults", __doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="parts to run (default: all)")
    parser.add_argument("--only", default="", help="part of the names of the rows to measure")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random choices")
    parser.add_argument("--kills", type=int, default=16, help="kills of all kinds together")
    parser.add_argument("--damages", type=int, default=200, help="damages of all kinds together")
    parser.add_argument("--processes", type=int, default=8, help="processes at once")
    parser.add_argument("--disks", type=int, default=3, help="full disks")
    parser.add_argument("--jobs", type=int, default=200, help="jobs in one sweep")
    parser.add_argument("--runs", type=int, default=2000, help="runs in a mirror")
    parser.add_argument("--callables", type=int, default=200, help="callables to try at each place")
    parser.add_argument("--missing", action="store_true", help="measure only rows that the table lacks")
    parser.add_argument("--full", action="store_true", help="take the sizes of the targets")
    options = parser.parse_args(arguments)
    if options.full:
        parser.set_defaults(kills=200, damages=1000, processes=16, disks=20, jobs=2000, runs=10_000, callables=None)
        options = parser.parse_args(arguments)
    path, at = options.out / "faults.csv", commit()
    there = set(_read(path).index) if options.missing else set()
    rows: list[Row] = []
    for (part, what), step in plan(options):
        if options.only not in what or (part, what) in there:
            continue
        found = step()
        new = found if isinstance(found, list) else [found]
        for row in new:
            print(f"{row.part}, {row.what}: {row.good} of {row.tried}; {row.note}", flush=True)
            for line in row.wrong:
                print(f"  wrong: {line}", flush=True)
        # After each part, so that a campaign that is stopped continues with the parts that are missing.
        write(new, path, at)
        rows += new
    return 1 if any(row.wrong for row in rows) else 0


def commit() -> str:
    """Return the commit that is measured, with a plus sign where files differ from it; empty outside a clone."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=output.ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return git("rev-parse", "--short=7", "HEAD") + "+" * bool(
        git("status", "--porcelain", "--", "src", "benchmarks/faults")
    )


def _read(path: Path) -> pd.DataFrame:
    """Return the table of earlier parts by part and name."""
    columns = ["part", "what", "before", "tried", "good", "wrong", "note", "commit"]
    found = pd.read_csv(path, keep_default_na=False, dtype=str) if path.is_file() else pd.DataFrame(columns=columns)
    return found.reindex(columns=columns, fill_value="").set_index(["part", "what"])


def write(rows: list[Row], path: Path, at: str) -> None:
    """Write rows to the table, in the place of earlier ones of the same parts; the rows have the order of the parts."""
    table = _read(path)
    for row in rows:
        before = BEFORE.get((row.part, row.what), "")
        table.loc[(row.part, row.what), :] = (before, row.tried, row.good, "; ".join(row.wrong), row.note, at)
    output.write(table.reset_index(), path)


if __name__ == "__main__":
    sys.exit(main())
