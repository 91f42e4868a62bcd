"""Figures of a study of the loss: win rates and changes against the plain loss, and maps over two weights."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.errors import InputError
from trisynth.report import names as prints
from trisynth.report.figures import style
from trisynth.report.page import Picture
from trisynth.statistics.across_datasets import mean_over_datasets, win_rate
from trisynth.statistics.estimate import Estimate
from trisynth.studies.loss_tables import ARMS, CONFIDENCE
from trisynth.studies.settings import (
    PAIRED,
    TOGETHER,
    UTILITIES,
    changes,
    difference_from_plain,
    part,
    printed,
    utilities,
    with_settings,
)

_ROW = 0.15
_LETTERS = 34
# Scores in the maps, and whether higher is better.
_MAPPED = {"ROC AUC, synthetic": ("synthetic", True), "C2ST AUC (0.5 best)": ("fidelity/c2st_boosting", False)}


def looks(names: list[str]) -> dict[str, dict]:
    """Assign each generator its colour and marker; all generators together have the same ones in every figure."""
    together = {"color": "black", "marker": "P"}
    shape = {"markersize": 3.0, "linestyle": "none"}
    return {name: (together if name == TOGETHER else style.generator(name)) | shape for name in names}


def wins(jobs: pd.DataFrame, arms: Sequence[str] = ARMS) -> Picture:
    """Draw the win rate of every loss over the plain one with 95 % intervals: a panel per arm, a mark per generator."""
    jobs = with_settings(jobs)
    gains = {arm: difference_from_plain(jobs, utilities(jobs, arm)) for arm in arms}
    with style.applied():
        figure = _forest("Wins over the plain loss", gains, win_rate, (1, len(arms)), limits=(0, 1))
        for position, (axes, arm) in enumerate(zip(figure.axes, arms, strict=True)):
            axes.axvline(0.5, color=style.GREY, linewidth=0.6, zorder=0)
            axes.set_title(f"{style.letter(position)}  {prints.label(arm)} rows")
            axes.set_xlabel("fraction of pairs won against the plain loss")
            axes.set_xlim(-0.03, 1.03)
        sets = _sets(gains, "Wilson")
        style.footnote(
            figure,
            f"Paired by generator, data set and seed; {sets}. Plain: the native loss, or L_rec alone "
            "where\nthe sweep has no other.",
        )
    return Picture("wins", "Fraction of pairs that each loss wins against the plain loss, with 95 % intervals.", figure)


def confidence(jobs: pd.DataFrame) -> Picture:
    """Draw the changes of every loss against the plain one, with 95 % intervals; one panel per score."""
    jobs = with_settings(jobs)
    found = changes(jobs, CONFIDENCE)
    with style.applied():
        across = min(len(found), 3)
        figure = _forest(
            "Changes against the plain loss", found, mean_over_datasets, (-(-len(found) // across), across)
        )
        for position, (axes, name) in enumerate(zip(figure.axes, found, strict=False)):
            axes.axvline(0.0, color=style.GREY, linewidth=0.6, zorder=0)
            axes.set_title(f"{style.letter(position)}  {prints.metric(name)}")
            axes.set_xlabel(
                f"change, {'less' if name.rpartition('/')[2] in prints.LOWER_IS_BETTER else 'more'} is better"
            )
            axes.xaxis.set_major_locator(MaxNLocator(4))
        style.footnote(
            figure,
            f"Classifiers trained on synthetic rows, real test rows. Paired by generator, data set and seed; "
            f"{_sets(found, 't')}.",
        )
    return Picture(
        "confidence", "Changes of each loss in ranking, decisions and confidence, with 95 % intervals.", figure
    )


def _sets(values: dict[str, pd.Series], interval: str) -> str:
    """Name the intervals of a figure."""
    count = next(iter(values.values())).index.get_level_values("dataset").nunique()
    return f"95 % intervals over {count} data sets, {interval}" if count > 1 else "one data set, hence no intervals"


def _forest(
    title: str,
    panels: dict[str, pd.Series],
    estimate: Callable[[pd.Series], Estimate],
    shape: tuple[int, int],
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Figure:
    """Draw one panel per series with an estimate and its interval for every loss, one mark per generator."""
    index = next(iter(panels.values())).index
    families = list(dict.fromkeys(index.get_level_values("generator")))
    settings = list(dict.fromkeys(index.get_level_values("setting")))
    names = [*families, TOGETHER] if len(families) > 1 else families
    look = looks(names)
    offsets = dict(zip(names, (np.arange(len(names)) - (len(names) - 1) / 2) * 0.8 / len(names), strict=True))
    down, across = shape
    figure = style.blank(style.TWO_COLUMNS, down * (len(settings) * (len(names) * _ROW + 0.06) + 0.4) + 0.6)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes, values in zip(grid.flat, panels.values(), strict=False):
        for name in names:
            for place, setting in enumerate(settings):
                own = part(values, name, setting)
                if len(own):
                    found = estimate(own)
                    low, high = np.clip([found.low, found.high], *limits)
                    ends = [[found.mean - low], [high - found.mean]]
                    axes.errorbar(
                        found.mean, place + offsets[name], xerr=np.nan_to_num(ends), **look[name], elinewidth=0.8
                    )
        axes.tick_params(axis="y", length=0)
        for line in np.arange(len(settings) - 1) + 0.5:
            axes.axhline(line, color="0.88", linewidth=0.4, zorder=0)
    for axes in list(grid.flat)[len(panels) :]:
        axes.remove()
    figure.axes[0].set_yticks(
        range(len(settings)), [style.shortened(printed(setting), _LETTERS) for setting in settings]
    )
    figure.axes[0].set_ylim(len(settings) - 0.5, -0.5)
    style.heading(figure, title, {prints.label(name): Line2D([], [], **look[name]) for name in names})
    return figure


def maps(jobs: pd.DataFrame) -> Picture:
    """Draw utility and fidelity of the synthetic rows over beta and gamma, one column of maps per generator."""
    jobs = with_settings(jobs)
    # The native loss of a GAN has no pairs and is not on the grid of weights.
    unpaired = (jobs["setting"] == "native") & jobs["generator"].isin(PAIRED)
    grid = jobs[(jobs["loss.alpha"] == 1) & ~unpaired]
    cells = grid.groupby("generator")[["loss.beta", "loss.gamma"]].nunique()
    families = list(cells.index[(cells > 1).all(axis=1)])
    if not families:
        raise InputError("results", sorted(jobs["setting"].unique()), "beta and gamma do not vary; sweep over both")
    shown = {name: how for name, how in _MAPPED.items() if name.startswith("ROC") or how[0] in jobs}
    cells = {
        (name, family): _cells(own.assign(value=_utility(own) if name == "synthetic" else own[name]))
        for name, _ in shown.values()
        for family, own in grid[grid["generator"].isin(families)].groupby("generator", sort=False)
    }
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.0 * len(shown) + 0.7)
        panels = figure.subplots(len(shown), len(families), squeeze=False)
        for across, family in enumerate(families):
            for down, (title, (name, more)) in enumerate(shown.items()):
                # One scale for all generators: noise must not look like a difference.
                means = [mean for other in families for mean, _ in cells[name, other].values()]
                _map(panels[down, across], cells[name, family], more, (min(means), max(means)))
                panels[down, across].set_title(
                    f"{style.letter(down * len(families) + across)}  {prints.label(family)}: {title}"
                )
        style.heading(figure, "Utility and fidelity over the weights", {})
        style.footnote(
            figure,
            "Means over data sets, classifiers and seeds; α = 1. Below: the change from β = γ = 0 with its 95 % "
            "interval over data\nsets, bold where the interval excludes 0 (not corrected for their number). Darker is "
            "better, one scale for each score.",
        )
    return Picture("maps", "Utility and fidelity of synthetic rows over the weights of L_dist and L_model.", figure)


def _cells(jobs: pd.DataFrame) -> dict[tuple[float, float], tuple[float, Estimate | None]]:
    """Return mean and change from beta = gamma = 0 for each (beta, gamma); None for that cell itself."""
    keys = ["dataset", "classifier", "seed"]
    by_weights = jobs.pivot_table("value", keys, ["loss.beta", "loss.gamma"])
    plain = by_weights.get((0.0, 0.0))
    return {
        weights: (
            float(column.mean()),
            mean_over_datasets((column - plain).dropna()) if plain is not None and weights != (0.0, 0.0) else None,
        )
        for weights, column in by_weights.items()
    }


def _utility(jobs: pd.DataFrame) -> pd.Series:
    columns = [f"synthetic/{name}" for name in UTILITIES if f"synthetic/{name}" in jobs]
    return jobs[columns].bfill(axis=1).iloc[:, 0]


def _map(axes: Axes, cells: dict, more: bool, ends: tuple[float, float]) -> None:
    """Draw a table of means and changes, shaded by the mean."""
    betas, gammas = (sorted({weights[i] for weights in cells}) for i in (0, 1))
    low, high = ends
    values = np.full((len(betas), len(gammas)), np.nan)
    for (beta, gamma), (mean, change) in cells.items():
        down, across = betas.index(beta), gammas.index(gamma)
        values[down, across] = mean
        shade = (mean - low if more else high - mean) / (high - low) if high > low else 0.0
        look = {"ha": "center", "va": "center", "color": "white" if shade > 0.6 else "black"}
        axes.text(across, down + (0.16 if change else 0.0), f"{mean:.3f}", fontsize=5.5, **look)
        if change:
            half = "" if np.isnan(change.half) else f" ± {change.half:.3f}"
            text = f"{change.mean:+.3f}".replace("-", "−") + half
            weight = "bold" if abs(change.mean) > change.half else "normal"
            axes.text(across, down - 0.2, text, fontsize=4.5, weight=weight, **look)
    axes.imshow(values, cmap="Blues" if more else "Blues_r", vmin=low, vmax=high, aspect="auto", origin="lower")
    axes.set_xticks(range(len(gammas)), [f"{gamma:g}" for gamma in gammas])
    axes.set_yticks(range(len(betas)), [f"{beta:g}" for beta in betas])
    axes.set_xlabel("γ, weight of L_model")
    axes.set_ylabel("β, weight of L_dist")
    axes.tick_params(length=0)
