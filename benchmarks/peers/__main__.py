"""``python -m benchmarks.peers``: run what is missing, then write the tables and the picture.

Started again after any end, it goes on where it was. Everything is one thread and one process at a time.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.peers import grid, report, run, scores
from trisynth.cache import Store
from trisynth.commandline import one_line_errors


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    known = [generator.name for generator in grid.generators()]
    parser.add_argument("--generators", nargs="+", choices=known, help="only these")
    parser.add_argument("--peers", action="store_true", help="only the generators of others, and the real rows")
    parser.add_argument("--tables", nargs="+", choices=grid.TABLES, help="only these")
    parser.add_argument("--splits", nargs="+", type=int, choices=grid.SPLITS, help="only these")
    parser.add_argument(
        "--report", action="store_true", help="run nothing; write the page and the figure from the present results"
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder of synthetic rows and scores")
    parser.add_argument("--raw", default="data/raw", help="folder of the raw tables")
    options = parser.parse_args(arguments)
    names = options.generators
    if options.peers:
        names = [grid.REAL, *(generator.name for generator in grid.PEERS)]
    store = Store(options.cache)
    with one_line_errors():
        scored_by = "" if options.report else scores.fingerprint(store, options.raw)
        for cell in [] if options.report else grid.cells(names, options.tables, options.splits):
            start = time.perf_counter()
            result = run.run(cell, store, options.raw, scored_by)
            said = f"{cell.table} {cell.split} {cell.generator.name}: {result['status']}"
            print(f"{said} ({time.perf_counter() - start:.0f} s)", flush=True)
        report.write()


if __name__ == "__main__":
    main(sys.argv[1:])
