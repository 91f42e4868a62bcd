"""Gain of every training set over the real rows, data set by data set."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.jobs import BASELINES, scores
from trisynth.report.page import Picture
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import difference

METRIC = "f1_macro"
_ROW, _ACROSS, _LETTERS = 0.14, 3, 22
_FILL = {"combined": "full", "balanced": "none"}
_ARMS = (*_FILL, *BASELINES)


def gains_picture(jobs: pd.DataFrame, test_size: float = 1 / 3) -> Picture:
    """Draw the gains with a caption; see ``gains``."""
    caption = "Gain in macro-F1 of every training set over the real rows, by data set and generator."
    return Picture("gains", caption, gains(jobs, test_size))


def gains_rows(jobs: pd.DataFrame, test_size: float = 1 / 3) -> pd.DataFrame:
    """Tabulate the gains, one row per data set, generator ("none" for baselines) and training set.

    Returns
    -------
    DataFrame
        ``comparison`` (data set, generator and training set in one text), ``dataset``, ``generator``,
        ``training_rows``, ``gain``, ``low`` and ``high``, the ends of the 95 % interval.
    """
    rows = [
        [" ".join(filter(None, key)), key[0], key[1] or "none", key[2], gain.mean, gain.low, gain.high]
        for key, gain in _by_dataset(_over_real(jobs, test_size))
    ]
    return pd.DataFrame(rows, columns=["comparison", "dataset", "generator", "training_rows", "gain", "low", "high"])


def _by_dataset(over_real: dict[tuple[str, str, str], Estimate]) -> list[tuple[tuple[str, str, str], Estimate]]:
    """Sort the gains by data set, generator and arm."""
    keys = sorted((dataset, method, arm) for method, arm, dataset in over_real)
    return [((dataset, method, arm), over_real[method, arm, dataset]) for dataset, method, arm in keys]


def gains(jobs: pd.DataFrame, test_size: float = 1 / 3) -> Figure:
    """Draw the gains in macro-F1 over the real rows with 95 % intervals.

    One panel per data set holds every generator and, below them, the baselines that need none.

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
    generators = sorted({method for method, _, _ in over_real} - {""})
    baselines = [arm for arm in BASELINES if any(key[:2] == ("", arm) for key in over_real)]
    rows = [*((method, "") for method in generators), *(("", arm) for arm in baselines)]
    return _drawn(over_real, datasets, rows)


def _over_real(jobs: pd.DataFrame, test_size: float) -> dict[tuple[str, str, str], Estimate]:
    """Estimate the gains by method, arm and data set."""
    found = scores(jobs, METRIC)
    over_real = {
        (method, arm, dataset): difference(values, found[dataset, "", "real"], test_size)
        for (dataset, method, arm), values in found.items()
        if arm in _ARMS and (dataset, "", "real") in found
    }
    if not over_real:
        raise InputError(
            "results", list(jobs["dataset"].unique()), "no training set besides real has a macro-F1; sweep more arms"
        )
    return over_real


def _drawn(over_real: dict, datasets: list[str], rows: list[tuple[str, str]]) -> Figure:
    """Draw the panels; a row is a generator with its arms, or a baseline."""
    across = min(len(datasets), _ACROSS)
    down = -(-len(datasets) // across)
    with style.applied():
        height = down * (len(rows) * _ROW + 0.5) + 0.7
        figure = style.blank(style.ONE_COLUMN if across == 1 else style.TWO_COLUMNS, height)
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for position, axes in enumerate(panels.flat):
            if position >= len(datasets):
                axes.set_axis_off()
                continue
            dataset = datasets[position]
            for place, (method, baseline) in enumerate(rows):
                arms = [baseline] if baseline else [arm for arm in _FILL if (method, arm, dataset) in over_real]
                for arm in arms:
                    gain = over_real.get((method, arm, dataset))
                    if gain is not None:
                        offset = {"combined": -0.17, "balanced": 0.17}.get(arm, 0.0)
                        half = 0.0 if np.isnan(gain.half) else gain.half
                        axes.errorbar(gain.mean, place + offset, xerr=half, **_look(method, arm), elinewidth=0.8)
            axes.axvline(0, color=style.GREY, linewidth=0.6, zorder=0)
            generators = sum(1 for method, _ in rows if method)
            if 0 < generators < len(rows):
                axes.axhline(generators - 0.5, color="0.7", linewidth=0.5, zorder=0)
            axes.set_title(f"{style.letter(position)}  {style.shortened(names.name(dataset), 32)}")
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.tick_params(axis="y", length=0)
            # The last panel of each column carries the axis, also where the grid has an empty place below it.
            last = position + across >= len(datasets)
            axes.tick_params(axis="x", labelbottom=last)
            if last:
                axes.set_xlabel("gain in macro-F1")
        shown = [names.label(method) if method else names.name(arm) for method, arm in rows]
        panels[0, 0].set_yticks(range(len(rows)), [style.shortened(name, _LETTERS) for name in shown])
        panels[0, 0].set_ylim(len(rows) - 0.5, -0.5)
        style.heading(figure, "Gain in macro-F1 over the real rows", _legend(over_real))
        style.footnote(
            figure,
            "Means over seeds, paired by seed, with 95 % corrected resampled t intervals. Below the line: baselines on "
            "real rows alone.",
        )
    return figure


def _look(method: str, arm: str) -> dict:
    """Return colour by generator and fill by arm; baselines are grey."""
    look = style.generator(method) if method else {"color": style.GREY, "marker": style.MARKERS[arm]}
    return look | {"fillstyle": _FILL.get(arm, "full"), "markersize": 3.2, "linestyle": "none", "markeredgewidth": 0.8}


def _legend(over_real: dict) -> dict[str, Line2D]:
    arms = {arm for _, arm, _ in over_real}
    grey = {"color": style.GREY, "marker": "o", "markersize": 3.2, "linestyle": "none", "markeredgewidth": 0.8}
    shown = {f"{names.name(arm)} rows": Line2D([], [], fillstyle=_FILL[arm], **grey) for arm in _FILL if arm in arms}
    if arms.intersection(BASELINES):
        shown["baseline without a generator"] = Line2D([], [], **grey | {"marker": "X"})
    return shown
