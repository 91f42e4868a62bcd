"""Command ``python -m benchmarks.published``: generators on the tables, splits and scores of the literature.

Each cell, one generator on one table with one seed, is a row of ``published.csv``; a cell that has a row is not run
again. ``published.png`` shows C2ST beside the published scores. Generators are fitted as to public tables: without
protection of rare values and without relations. ``real`` compares the training rows themselves: its held-out scores
are the ceiling. Adult and magic come from packages; shoppers and default are read from the folder ``--files`` and are
skipped with a line where they are absent. ``--peers`` fits generators of other packages instead, each in an
environment of its own and within ten CPU minutes, and writes ``published_peers.csv``.
It requires ``pip install xgboost``.
"""

import itertools
import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"


from benchmarks import output
from benchmarks.peers import process
from benchmarks.published import peers, scores
from benchmarks.published.figure import picture
from benchmarks.published.peers import PEERS
from benchmarks.published.summary import over_seeds
from benchmarks.published.tables import Table, add_options, read
from trisynth.cache import Store
from trisynth.frames import _generator
from trisynth.report.figures import style

GENERATORS = ("real", "copula", "circuit", "cart", "sequential_forest")
# As the repository fits public tables: rare values are not protected, and no relations are searched.
_AS = {"rare": 0, "relations": False}


def measured(table: Table, name: str, seed: int, grid: str) -> dict:
    """Fit one generator as it comes, draw as many rows as it was fitted on, and score them."""
    train = table.train
    seconds = [time.process_time()]
    if name == "real":
        rows = train
    else:
        fitted = _generator(name).fit(train, target=table.target, seed=seed, **_AS)
        seconds.append(time.process_time())
        rows = fitted.sample(len(train), seed)
        seconds.append(time.process_time())
    found: dict = {"grid": grid, **scores.every(table, rows, seed, grid)}
    if name == "real":
        return found
    halves = scores.halves(train, seed)
    half = _generator(name).fit(halves[0], target=table.target, seed=seed, **_AS).sample(len(halves[0]), seed)
    found["copy_share"] = scores.copy_share(half, *halves, table.categories)
    found["fit_cpu_s"], found["sample_cpu_s"] = seconds[1] - seconds[0], seconds[2] - seconds[1]
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the cells that have no row yet, and write the table after each."""
    parser = output.parser("published", __doc__)
    add_options(parser)
    parser.add_argument("--generators", nargs="+", default=list(GENERATORS))
    parser.add_argument("--peers", nargs="*", choices=PEERS, metavar="NAME", help="other packages; without names all")
    parser.add_argument("--seconds", type=int, default=process.SECONDS, help="CPU seconds of a fit of other packages")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder of the rows of other packages")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--grid", choices=scores.GRIDS, default="short", help="settings of the trained classifier")
    options = parser.parse_args(arguments)
    cells, theirs = (
        output.Cells(options.out / f"{name}.csv", ("table", "generator", "seed"))
        for name in ("published", "published_peers")
    )
    chosen = options.generators if options.peers is None else options.peers or list(PEERS)
    store = Store(options.cache)
    for name in options.tables:
        if (table := read(name, options)) is None:
            continue
        for cell in itertools.product([name], chosen, options.seeds):
            _, generator, seed = cell
            if options.peers is None and cell not in cells:
                cells.add(cell, measured(table, generator, seed, options.grid))
            elif options.peers is not None and not peers.settled(cell, theirs, options.seconds):
                if where := peers.too_slow(generator, theirs, options.seconds):
                    print(*cell, f"is not tried: {where}")
                    continue
                result = peers.measured(table, PEERS[generator], seed, options.grid, store, options.seconds)
                theirs.add(cell, result)
            else:
                continue
            print(*cell, flush=True)
    if cells:
        print(over_seeds(cells.table).to_string())
        style.save(picture(cells.table, theirs.table if theirs else None), options.out / "published")
    for line in peers.without_scores(theirs):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
