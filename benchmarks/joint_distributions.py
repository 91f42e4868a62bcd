"""Real and synthetic joint distributions of two pairs of columns, by generator.

Writes ``joint_distributions.png`` and ``joint_distributions.pdf``: training rows of split 0 of one table and as many
synthetic rows, in hexagonal bins that all panels share.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks import output
from benchmarks.peers import grid
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from trisynth import commandline
from trisynth.cache import Store
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment
from trisynth.report import style
from trisynth.report.names import label

TABLE = "magic"
PAIRS = (("size", "conc"), ("asymmetry", "m3_long"))
# From the strongest dependence preserved to none at all.
ORDER = ("circuit", "arf", "diffusion", "tvae", "ctgan", "tgan", "vae", "gan", "cgan", "copula", "smote", "independent")
_ACROSS, _TAIL = 7, 0.002


def joints(tables: dict[str, pd.DataFrame]) -> Figure:
    """Draw hexagonal bins of each pair of columns, one panel per table, two journal columns wide.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the name in print, the real rows first; all of about the same length.

    Returns
    -------
    Figure
    """
    real, down = next(iter(tables.values())), -(-len(tables) // _ACROSS)
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 1.02 * down * len(PAIRS) + 0.75)
        panels = figure.subplots(down * len(PAIRS), _ACROSS)
        for block, (x, y) in enumerate(PAIRS):
            extent = [edge for name in (x, y) for edge in np.quantile(real[name], [_TAIL, 1 - _TAIL])]
            hexagons = {"gridsize": (34, 22), "extent": extent, "mincnt": 1, "linewidths": 0, "cmap": "viridis"}
            counted = panels[block * down, 0].hexbin(real[x], real[y], **hexagons)
            most = counted.get_array().max()
            counted.remove()
            for position in range(down * _ACROSS):
                axes = panels[block * down + position // _ACROSS, position % _ACROSS]
                if position >= len(tables):
                    axes.set_axis_off()
                    continue
                name, table = list(tables.items())[position]
                axes.hexbin(table[x], table[y], norm=LogNorm(1, most), rasterized=True, **hexagons)
                axes.set_xlim(extent[:2])
                axes.set_ylim(extent[2:])
                axes.set_xticks([])
                axes.set_yticks([])
                axes.set_title(name, fontweight="bold" if position == 0 else "normal")
                if position % _ACROSS == 0:
                    axes.set_ylabel(label(y))
                if position == 0:
                    axes.set_xlabel(label(x))
        style.heading(figure, f"Real and synthetic joint distributions: {TABLE}, {len(real):,} rows each", {})
        note = "Rows in a hexagon on a logarithmic scale, dark for 1, light for the fullest of real; axes as in real."
        style.footnote(figure, note)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Fit all generators and save the figure."""
    parser = output.parser("joint_distributions", __doc__)
    parser.add_argument("--generators", nargs="+", choices=ORDER, default=list(ORDER))
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder of fitted generators")
    options = parser.parse_args(arguments)
    labels = {generator.name: generator.label for generator in grid.own()}
    store, tables = Store(options.cache), {}
    with commandline.one_line_errors(), threadpool_limits(limits=1):
        for name in (name for name in ORDER if name in labels and name in options.generators):
            job = Job.from_config(commandline.composed([f"dataset={TABLE}", f"generator={name}"]))
            experiment = Experiment(job, build(job), store)
            train, _ = experiment.parts
            tables.setdefault("real", train.X)
            tables[labels[name].partition(" (")[0]] = experiment.rows(len(train))[1].X
            print(name, flush=True)
        style.save(joints(tables), options.out / "joint_distributions")


if __name__ == "__main__":
    main(sys.argv[1:])
