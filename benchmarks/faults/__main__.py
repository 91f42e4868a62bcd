"""Campaign of kills, damages, races, full disks and large sizes against commands in temporary folders.

Writes ``faults.csv``, one row for each part as it ends; status 1 if anything went wrong. The default sizes take some
minutes; ``--full`` takes those of the targets: 200 kills, 1,000 damages, 16 processes, 2,000 jobs, 10,000 runs. Attacks
and hostile files have commands of their own, ``python -m benchmarks.faults.attacks`` and ``.hostile``.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks import output
from benchmarks.faults import damages, kills, races, sizes
from benchmarks.faults.subject import Row

PARTS = ("kills", "damages", "races", "disk", "sizes")


def plan(options: object) -> Iterator[Callable[[], Row | list[Row]]]:
    """Yield the chosen parts of the campaign, to be run one after the other."""
    if "kills" in options.parts:
        for kind in kills.KINDS:
            if options.only not in kind:
                continue
            yield partial(kills.campaign, kind, -(-options.kills // len(kills.KINDS)), options.seed)
    if "damages" in options.parts:
        for kind in damages.KINDS:
            yield partial(damages.campaign, -(-options.damages // len(damages.KINDS)), options.seed, (kind,))
    if "races" in options.parts:
        yield partial(races.race, options.processes)
    if "disk" in options.parts:
        yield partial(races.full_disk, options.disks, options.seed)
    if "sizes" in options.parts:
        if options.only in "sweep":
            yield partial(sizes.sweep, options.jobs)
        if options.only in "mirror":
            yield partial(sizes.mirror, options.runs)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 if anything went wrong."""
    parser = output.parser("faults", __doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="parts to run (default: all)")
    parser.add_argument("--only", default="", help="part of a name: of the commands to kill, or sweep or mirror")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random choices")
    parser.add_argument("--kills", type=int, default=16, help="kills of all kinds together")
    parser.add_argument("--damages", type=int, default=200, help="damages of all kinds together")
    parser.add_argument("--processes", type=int, default=8, help="processes at once")
    parser.add_argument("--disks", type=int, default=3, help="full disks")
    parser.add_argument("--jobs", type=int, default=200, help="jobs in one sweep")
    parser.add_argument("--runs", type=int, default=2000, help="runs in a mirror")
    parser.add_argument("--full", action="store_true", help="take the sizes of the targets")
    options = parser.parse_args(arguments)
    if options.full:
        parser.set_defaults(kills=200, damages=1000, processes=16, disks=20, jobs=2000, runs=10_000)
        options = parser.parse_args(arguments)
    rows: list[Row] = []
    for part in plan(options):
        found = part()
        for row in found if isinstance(found, list) else [found]:
            rows.append(row)
            print(f"{row.part}, {row.what}: {row.good} of {row.tried}; {row.note}", flush=True)
            for line in row.wrong:
                print(f"  wrong: {line}", flush=True)
        # After each part, so that a campaign that is stopped continues with the parts that are missing.
        write(rows, options.out / "faults.csv")
    return 1 if any(row.wrong for row in rows) else 0


def write(rows: list[Row], path: Path) -> None:
    """Write rows to the table, in the place of earlier ones of the same parts."""
    table = pd.DataFrame([asdict(row) | {"wrong": "; ".join(row.wrong)} for row in rows])
    if path.is_file():
        before = pd.read_csv(path, keep_default_na=False)
        kept = before[~(before["part"] + before["what"]).isin(table["part"] + table["what"])]
        table = pd.concat([kept, table], ignore_index=True)
    output.write(table, path)


if __name__ == "__main__":
    sys.exit(main())
