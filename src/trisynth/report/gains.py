"""Gain of every training set over the real rows, data set by data set."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.errors import InputError
from trisynth.report import names, style
from trisynth.report.jobs import BASELINES, scores
from trisynth.report.page import Picture
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import difference

METRIC = "f1_macro"
_ROW = 0.115
_LETTERS = 26
_ARMS = ("combined", "balanced", *BASELINES)


def gains_picture(jobs: pd.DataFrame, test_size: float = 1 / 3) -> Picture:
    """Draw the gains with a caption; see ``gains``."""
    caption = "Gain in macro-F1 of every training set over the real rows, by data set and generator."
    return Picture("gains", caption, gains(jobs, test_size))


def gains_rows(jobs: pd.DataFrame, test_size: float = 1 / 3) -> pd.DataFrame:
    """Tabulate the gains, one row per data set, generator ("none" for baselines) and training set.

    Returns
    -------
    DataFrame
        ``dataset``, ``generator``, ``training_rows``, ``gain``, ``low`` and ``high``, the ends of the 95 % interval.
    """
    rows = [
        [dataset, method or "none", arm, gain.mean, gain.low, gain.high]
        for (method, arm, dataset), gain in _over_real(jobs, test_size).items()
    ]
    return pd.DataFrame(rows, columns=["dataset", "generator", "training_rows", "gain", "low", "high"])


def gains(jobs: pd.DataFrame, test_size: float = 1 / 3) -> Figure:
    """Draw the gains in macro-F1 over the real rows with 95 % intervals; one panel per generator, then the baselines.

    Parameters
    ----------
    jobs : DataFrame
        As ``jobs.by_method`` returns them.
    test_size : float
        Fraction of the rows that each seed tests.

    Returns
    -------
    Figure
    """
    over_real = _over_real(jobs, test_size)
    datasets = list(dict.fromkeys(dataset for _, _, dataset in over_real))
    methods = sorted({method for method, _, _ in over_real}, key=lambda method: (method == "", method))
    return _drawn(over_real, datasets, methods)


def _over_real(jobs: pd.DataFrame, test_size: float) -> dict[tuple[str, str, str], Estimate]:
    """Estimate the gains by method, arm and data set."""
    found = scores(jobs, METRIC)
    over_real = {
        (method, arm, dataset): difference(values, found[dataset, "", "real"], test_size)
        for (dataset, method, arm), values in found.items()
        if arm in _ARMS and (dataset, "", "real") in found
    }
    if not over_real:
        raise InputError("results", list(jobs["dataset"].unique()), "no arm beside real has macro-F1; sweep more arms")
    return over_real


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
            name = style.shortened(names.label(method), 30) if method else "no generator"
            axes.set_title(f"{style.letter(position)}  {name}")
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
        panels[0, 0].set_yticks(range(len(datasets)), [style.shortened(names.name(d), _LETTERS) for d in datasets])
        panels[0, 0].set_ylim(len(datasets) - 0.5, -0.5)
        drawn = [arm for arm in _ARMS if any(a == arm for _, a, _ in over_real)]
        legend = {names.name(arm): Line2D([], [], **_look(arm)) for arm in drawn}
        style.heading(figure, "Gain in macro-F1 over the real rows", legend)
        style.footnote(figure, "Means over seeds, paired by seed, with 95 % corrected resampled t intervals.")
    return figure


def _look(arm: str) -> dict:
    return {"color": style.COLOURS[arm], "marker": style.MARKERS[arm], "markersize": 3.0, "linestyle": "none"}
