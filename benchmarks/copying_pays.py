"""Reward of copying in a C2ST against the training rows, and in one against other real rows.

The training rows of a published table are divided at random into two parts of equal size, at most 8,000 rows each. A
generator is fitted to the first. As many synthetic rows are compared with this part (``c2st_own``, as publications do)
and with the other (``c2st_others``), by the same classifier with equally many rows, so that the two scores differ by
copying alone. Two families have a dial: ``copier`` replaces a fraction of the circuit's rows by rows of the first part,
and ``cart`` has leaves of 1 to 200 rows. Each cell is a row of ``results.csv``; a cell that has a row is not run again.
It requires ``pip install xgboost``.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks import output
from benchmarks.published import scores
from benchmarks.published.tables import Table, add_options, read
from trisynth.frames import _generator
from trisynth.generators.trees.cart import CART
from trisynth.report.figures import style

# Values of each dial.
DIALS = {"copier": (0.0, 0.1, 0.25, 0.5, 0.75, 1.0), "cart": (1, 2, 5, 10, 20, 50, 100, 200), "sequential_forest": (0,)}
_AS = {"rare": 0, "relations": False}
_MOST = 8_000
_NAMES = {"copier": "fraction of copied rows", "cart": "rows in a leaf (cart)"}
_LINES = {"c2st_own": ("the rows it was fitted to", "-"), "c2st_others": ("as many other rows", "--")}


def halves(table: Table, seed: int) -> list[pd.DataFrame]:
    """Return two random parts of the training rows, equally large."""
    order = np.random.default_rng(seed).permutation(len(table.train))
    count = min(_MOST, len(order) // 2)
    return [table.train.iloc[order[start : start + count]].reset_index(drop=True) for start in (0, count)]


def drawn(family: str, dial: float, own: pd.DataFrame, target: str, seed: int, base: pd.DataFrame) -> pd.DataFrame:
    """Return as many synthetic rows as ``own`` has; ``base`` are those of the circuit."""
    if family == "copier":
        count = round(dial * len(own))
        order = np.random.default_rng(seed).permutation(len(own))
        rows = pd.concat([own.iloc[order[:count]], base.iloc[order[count:]]], ignore_index=True)
        return rows.sample(frac=1, random_state=seed).reset_index(drop=True)
    model = CART(min_samples_leaf=int(dial)) if family == "cart" else _generator(family)
    return model.fit(own, target=target, seed=seed, **_AS).sample(len(own), seed)


def picture(cells: pd.DataFrame) -> Figure:
    """Draw the scores against both parts over each dial, by table; seeds are averaged."""
    tables = list(dict.fromkeys(cells["table"]))
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 3.9)
        panels = figure.subplots(2, len(tables), sharey=True, squeeze=False)
        lines = {}
        for row, family in zip(panels, _NAMES, strict=True):
            for axes, table in zip(row, tables, strict=True):
                part = cells[(cells["table"] == table) & (cells["family"] == family)].groupby("dial")
                mean = part.mean(numeric_only=True)
                for column, (name, line) in _LINES.items():
                    color = style.COLOURS["synthetic" if column == "c2st_own" else "real"]
                    (lines[name],) = axes.plot(mean.index, mean[column], line, color=color, marker="o", markersize=2.5)
                (lines["copy share"],) = axes.plot(mean.index, mean["copy_share"], ":", color=style.GREY)
                if family == "cart":
                    axes.set_xscale("log")
                    axes.set_xticks([1, 10, 100])
                    axes.xaxis.set_major_formatter("{x:g}")
                    axes.minorticks_off()
                axes.set_title(table)
                axes.set_ylim(0, 1.03)
                axes.set_xlabel(_NAMES[family])
            row[0].set_ylabel("C2ST score")
        style.heading(figure, "C2ST score (1: indistinguishable) against", lines)
    return figure


def report(cells: pd.DataFrame) -> None:
    """Print mean scores by table, and their premium: the score against own rows less that against others."""
    cells = cells.assign(premium=cells["c2st_own"] - cells["c2st_others"])
    columns = ["c2st_own", "c2st_others", "premium", "copy_share", "singling_out"]
    tables = cells.groupby(["table", "family", "dial"])[columns]
    print(tables.mean().round(3).to_string())
    print(f"largest standard deviation over seeds:\n{tables.std().max().round(3).to_string()}")
    trees = cells.loc[cells["family"] == "cart", ["premium", "copy_share"]]
    print(f"rank correlation of premium and copy share over the trees: {trees.corr('spearman').iloc[0, 1]:.2f}")


def main(arguments: list[str] | None = None) -> None:
    """Run the cells that have no row yet, write the results after each, and print the report."""
    parser = output.parser("copying_pays", __doc__)
    parser.set_defaults(out=output.ROOT / "experiments" / "copying_pays")
    add_options(parser)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--draw", action="store_true", help="run nothing, draw results.csv")
    options = parser.parse_args(arguments)
    cells = output.Cells(options.out / "results.csv", ("table", "seed", "family", "dial"))
    every = [(family, float(dial)) for family, dials in DIALS.items() for dial in dials]
    for seed in [] if options.draw else options.seeds:
        for name in options.tables:
            todo = [cell for cell in every if (name, seed, *cell) not in cells]
            if not todo or (table := read(name, options)) is None:
                continue
            own, others = halves(table, seed)
            base = _generator("circuit").fit(own, target=table.target, seed=seed, **_AS).sample(len(own), seed)
            for family, dial in todo:
                synthetic = drawn(family, dial, own, table.target, seed, base)
                found = {"rows": len(own)}
                found["c2st_own"] = scores.c2st(own, synthetic, table.categories)
                found["c2st_others"] = scores.c2st(others, synthetic, table.categories)
                found["copy_share"] = scores.copy_share(synthetic, own, others, table.categories)
                found["singling_out"] = scores.singling_out(synthetic, own)
                cells.add((name, seed, family, dial), found)
            print(name, seed, flush=True)
    if cells:
        style.save(picture(cells.table), options.out / "copying_pays")
        report(cells.table)


if __name__ == "__main__":
    main(sys.argv[1:])
