"""Real and synthetic joint distributions of two pairs of columns, by generator.

Training rows of split 0 of one table and as many synthetic rows are counted in hexagonal bins that all panels share.
Writes ``joint_distributions.json`` with the counts, ``joint_distributions.png`` and ``joint_distributions.pdf``;
``--draw`` fits nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks import output
from benchmarks.peers import grid
from trisynth import commandline
from trisynth.cache import Store, write_atomic
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment
from trisynth.report.figures import style
from trisynth.report.names import label

TABLE = "magic"
PAIRS = (("size", "conc"), ("asymmetry", "m3_long"))
# From the strongest dependence preserved to none at all.
ORDER = ("circuit", "arf", "diffusion", "tvae", "ctgan", "tgan", "vae", "gan", "cgan", "copula", "smote", "independent")
_ACROSS, _TAIL = 7, 0.002


def counts(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Count the rows of each table in hexagons over the central range of the real rows.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the name in print, the real rows first; all of about the same length.

    Returns
    -------
    dict
        ``rows`` and ``pairs``, each with ``x``, ``y``, ``extent`` and, for each of its ``tables``, the hexagons:
        horizontal and vertical centre, and number of rows.
    """
    real, pairs = next(iter(tables.values())), []
    axes = style.blank(1, 1).subplots()
    for x, y in PAIRS:
        extent = [_rounded(edge) for name in (x, y) for edge in np.quantile(real[name], [_TAIL, 1 - _TAIL])]
        found = {}
        for name, table in tables.items():
            hexagons = _hexagons(axes, table[x], table[y], extent)
            rows = zip(hexagons.get_offsets(), hexagons.get_array(), strict=True)
            found[name] = [[_rounded(across), _rounded(up), int(count)] for (across, up), count in rows]
        pairs.append({"x": x, "y": y, "extent": extent, "tables": found})
    return {"rows": len(real), "pairs": pairs}


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def _hexagons(axes: Axes, x: Any, y: Any, extent: list[float], **options: Any) -> PolyCollection:
    return axes.hexbin(x, y, gridsize=(34, 22), extent=extent, mincnt=1, linewidths=0, cmap="viridis", **options)


def joints(found: dict[str, Any]) -> Figure:
    """Draw the counts of each pair of columns, one panel per table, two journal columns wide.

    Parameters
    ----------
    found : dict
        As ``counts`` returns it.

    Returns
    -------
    Figure
    """
    pairs = found["pairs"]
    down = -(-len(pairs[0]["tables"]) // _ACROSS)
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 1.02 * down * len(pairs) + 0.75)
        panels = figure.subplots(down * len(pairs), _ACROSS, squeeze=False)
        for block, pair in enumerate(pairs):
            tables = list(pair["tables"].items())
            most = max(rows for _, _, rows in tables[0][1])
            for position in range(down * _ACROSS):
                axes = panels[block * down + position // _ACROSS, position % _ACROSS]
                if position >= len(tables):
                    axes.set_axis_off()
                    continue
                name, hexagons = tables[position]
                x, y, rows = zip(*hexagons, strict=True)
                # The centres fall into their own hexagons, so that each has its count again.
                norm = LogNorm(1, most)
                _hexagons(axes, x, y, pair["extent"], C=rows, reduce_C_function=np.sum, norm=norm, rasterized=True)
                axes.set_xlim(pair["extent"][:2])
                axes.set_ylim(pair["extent"][2:])
                axes.set_xticks([])
                axes.set_yticks([])
                axes.set_title(name, fontweight="bold" if position == 0 else "normal")
                if position % _ACROSS == 0:
                    axes.set_ylabel(label(pair["y"]))
                if position == 0:
                    axes.set_xlabel(label(pair["x"]))
        style.heading(figure, f"Real and synthetic joint distributions: {TABLE}, {found['rows']:,} rows each", {})
        style.footnote(
            figure,
            "Colour: number of rows in a hexagon, on a logarithmic scale from dark (1) to light (as many as in the "
            "fullest hexagon of the real rows). All axes are those of the real rows.",
        )
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Fit all generators, count their rows and draw the counts."""
    parser = output.parser("joint_distributions", __doc__)
    parser.add_argument("--generators", nargs="+", choices=ORDER, default=list(ORDER))
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="folder of fitted generators")
    parser.add_argument("--draw", action="store_true", help="fit nothing, draw joint_distributions.json")
    options = parser.parse_args(arguments)
    place = options.out / "joint_distributions"
    with commandline.one_line_errors():
        if not options.draw:
            text = json.dumps(counts(sampled(options.generators, options.cache)), separators=(",", ":"))
            write_atomic(place.with_suffix(".json"), text.replace(',"', ',\n"') + "\n")
        style.save(joints(json.loads(place.with_suffix(".json").read_text())), place)


def sampled(generators: list[str], cache: Path) -> dict[str, pd.DataFrame]:
    """Fit generators and sample as many rows as each was fitted on; the real training rows come first."""
    labels = {generator.name: generator.label for generator in grid.own()}
    store, tables = Store(cache), {}
    with threadpool_limits(limits=1):
        for name in (name for name in ORDER if name in labels and name in generators):
            job = Job.from_config(commandline.composed([f"dataset={TABLE}", f"generator={name}"]))
            experiment = Experiment(job, build(job), store)
            train, _ = experiment.parts
            tables.setdefault("real", train.X)
            tables[labels[name].partition(" (")[0]] = experiment.rows(len(train))[1].X
            print(name, flush=True)
    return tables


if __name__ == "__main__":
    main(sys.argv[1:])
