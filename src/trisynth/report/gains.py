"""``python -m trisynth.report.gains``: what each training set gains over the real rows, data set by data set."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.report import style
from trisynth.statistics import estimates

_ROW = 0.115
_LETTERS = 26
_PAGE = """# Gains

Made by `{command}`; do not edit.

![Gain of every training set over the real rows](gains.png)

Gain in macro-F1 of every training set over the real rows, by data set and generator. [PDF](gains.pdf)
"""
_ARMS = ("combined", "balanced", *estimates.RIVALS)


def gains(jobs: pd.DataFrame, test_share: float = 1 / 3) -> Figure:
    """Dot plot of the gain in macro-F1 over the real rows with 95 % intervals; one panel per generator, then rivals.

    Parameters
    ----------
    jobs : DataFrame
        As ``tables.estimates.read`` returns them.
    test_share : float
        Share of the rows that each seed tested.

    Returns
    -------
    Figure
    """
    found = estimates.scores(jobs, "f1_macro")
    over_real = {
        (method, arm, dataset): estimates.difference(scores, found[dataset, "", "real"], test_share)
        for (dataset, method, arm), scores in found.items()
        if arm in _ARMS and (dataset, "", "real") in found
    }
    if not over_real:
        raise InputError("results", list(jobs["dataset"].unique()), "no arm beside real has macro-F1; sweep more arms")
    datasets = list(dict.fromkeys(dataset for _, _, dataset in over_real))
    methods = sorted({method for method, _, _ in over_real}, key=lambda method: (method == "", method))
    return _drawn(over_real, datasets, methods)


def _drawn(over_real: dict, datasets: list[str], methods: list[str]) -> Figure:
    most = max(len({arm for m, arm, _ in over_real if m == method}) for method in methods)
    across = min(len(methods), 4)
    down = -(-len(methods) // across)
    height = len(datasets) * (most * _ROW + 0.06) + 0.45
    with style.applied():
        figure = style.blank(style.ONE_COLUMN if across == 1 else style.TWO_COLUMNS, down * height + 0.75)
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for position, axes in enumerate(panels.flat):
            if position >= len(methods):
                axes.set_axis_off()
                continue
            method = methods[position]
            arms = [arm for arm in _ARMS if any(m == method and a == arm for m, a, _ in over_real)]
            offsets = dict(zip(arms, (np.arange(len(arms)) - (len(arms) - 1) / 2) * 0.8 / most, strict=True))
            for (m, arm, dataset), gain in over_real.items():
                if m == method:
                    half = 0.0 if np.isnan(gain.half) else gain.half
                    place = datasets.index(dataset) + offsets[arm]
                    axes.errorbar(gain.mean, place, xerr=half, **_look(arm), elinewidth=0.8)
            axes.axvline(0, color=style.GREY, linewidth=0.6, zorder=0)
            for line in np.arange(len(datasets) - 1) + 0.5:
                axes.axhline(line, color="0.88", linewidth=0.4, zorder=0)
            name = style.shortened(style.label(method), 30) if method else "no generator"
            axes.set_title(f"{style.letter(position)}  {name}")
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
        panels[0, 0].set_yticks(range(len(datasets)), [style.shortened(estimates.name(d), _LETTERS) for d in datasets])
        panels[0, 0].set_ylim(len(datasets) - 0.5, -0.5)
        drawn = [arm for arm in _ARMS if any(a == arm for _, a, _ in over_real)]
        names = {estimates.name(arm): Line2D([], [], **_look(arm)) for arm in drawn}
        style.heading(figure, "Gain in macro-F1 over the real rows", names)
        style.footnote(figure, "Means over seeds, paired by seed, with 95 % corrected resampled t intervals.")
    return figure


def _look(arm: str) -> dict:
    return {"color": style.COLOURS[arm], "marker": style.MARKERS[arm], "markersize": 3.0, "linestyle": "none"}


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trisynth.report.gains", description=__doc__)
    parser.add_argument("results", type=Path, help="a sweep's results.csv")
    parser.add_argument("out", type=Path, help="folder of the figure")
    options = parser.parse_args(arguments)
    try:
        style.save(gains(estimates.read(options.results)), options.out / "gains")
        command = f"{parser.prog} {options.results.as_posix()} {options.out.as_posix()}"
        write_atomic(options.out / "README.md", _PAGE.format(command=command))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
