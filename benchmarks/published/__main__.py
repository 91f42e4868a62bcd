"""Command ``python -m benchmarks.published``: generators on the tables, splits and scores of the literature.

Each cell, one generator on one table with one seed, is a row of ``published.csv``; a cell that has a row is not run
again. ``published.png`` shows C2ST beside the published scores. Generators are fitted as to public tables: without
protection of rare values and without relations. ``real`` compares the training rows themselves: its held-out scores
are the ceiling. Adult and magic come from packages; shoppers and default are read from the folder ``--files`` and are
skipped with a line where they are absent.
It requires ``pip install xgboost``.
"""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"


from benchmarks import output
from benchmarks.published import literature, scores
from benchmarks.published.figure import picture
from benchmarks.published.tables import Table, add_options, read
from trisynth.frames import _generator
from trisynth.report.figures import style

GENERATORS = ("real", "copula", "circuit", "cart", "sequential_forest")
# As the repository fits public tables: rare values are not protected, and no relations are searched.
_AS = {"rare": 0, "relations": False}


def measured(table: Table, name: str, seed: int, grid: str) -> dict:
    """Fit one generator as it comes, draw as many rows as it was fitted on, and score them."""
    train, categories = table.train, table.categories
    seconds = [time.process_time()]
    if name == "real":
        rows = train
        seconds *= 3
    else:
        fitted = _generator(name).fit(train, target=table.target, seed=seed, **_AS)
        seconds.append(time.process_time())
        rows = fitted.sample(len(train), seed)
        seconds.append(time.process_time())
    found: dict = {"grid": grid}
    if name != "real":
        found["c2st_train"] = scores.c2st(train, rows, categories)
    # Real rows are in the order of a split, which is random except for adult's.
    held = table.test.sample(frac=1, random_state=seed), rows.sample(frac=1, random_state=seed)
    found["c2st_heldout"] = scores.c2st(*held, categories)
    found["shape"], found["trend"] = scores.shape(train, rows, categories), scores.trend(train, rows, categories)
    found["tstr_auc"] = scores.utility(table, rows, grid)
    found["singling_out"] = scores.singling_out(rows, train)
    found["singling_out_heldout"] = scores.singling_out(rows, table.test)
    order = train.sample(frac=1, random_state=seed).index
    halves = [train.loc[part].reset_index(drop=True) for part in (order[: len(order) // 2], order[len(order) // 2 :])]
    if name != "real":
        half = _generator(name).fit(halves[0], target=table.target, seed=seed, **_AS).sample(len(halves[0]), seed)
        found["copy_share"] = scores.copy_share(half, *halves, categories)
        found["fit_cpu_s"], found["sample_cpu_s"] = seconds[1] - seconds[0], seconds[2] - seconds[1]
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the cells that have no row yet, and write the table after each."""
    parser = output.parser("published", __doc__)
    add_options(parser)
    parser.add_argument("--generators", nargs="+", default=list(GENERATORS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--grid", choices=scores.GRIDS, default="short", help="settings of the trained classifier")
    options = parser.parse_args(arguments)
    cells = output.Cells(options.out / "published.csv", ("table", "generator", "seed"))
    for name in options.tables:
        if (table := read(name, options)) is None:
            continue
        for seed in options.seeds:
            for generator in options.generators:
                if (cell := (name, generator, seed)) in cells:
                    continue
                cells.add(cell, measured(table, generator, seed, options.grid))
                print(*cell, flush=True)
    if cells:
        style.save(picture(cells.table), options.out / "published")
    for peer in literature.NOT_RUN:
        print(f"{peer}: no cell; published scores are cited where there are any")


if __name__ == "__main__":
    main(sys.argv[1:])
