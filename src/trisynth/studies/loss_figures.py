"""What the weights of L_total buy: the shrinkage law, win rates over the plain loss, and maps over two weights."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.errors import InputError
from trisynth.report import style
from trisynth.statistics.estimates import LOWER_IS_BETTER, Estimate
from trisynth.statistics.pairs import by_dataset, win_rate
from trisynth.studies import losses
from trisynth.studies import shrinkage_law as shrinkage

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F")
_MARKERS = ("o", "s", "D", "^", "v", "<", "X")
_TOGETHER = ("#000000", "P")
_ROW = 0.15
_LETTERS = 34
# What a map shows of the synthetic rows, and whether more is better.
_MAPPED = {"ROC AUC, synthetic": ("synthetic", True), "C2ST AUC (0.5 best)": ("fidelity/c2st_boosting", False)}


def looks(names: list[str]) -> dict[str, dict]:
    """Colour and mark of each name; all generators together look the same in every figure."""
    marks = dict(zip(names, zip(_COLOURS, _MARKERS, strict=True), strict=False)) | {losses.TOGETHER: _TOGETHER}
    return {
        name: {"color": marks[name][0], "marker": marks[name][1], "markersize": 3.0, "linestyle": "none"}
        for name in names
    }


def law(jobs: pd.DataFrame) -> Figure:
    """The shrinkage law: observed against predicted ratio, the ratio over the weights, and utility over the ratio."""
    found = shrinkage.law(jobs)
    families = list(dict.fromkeys(found["generator"]))
    look = looks(families)
    paired = found[found["generator"].isin(losses.PAIRED)]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.6)
        truth, over, cost = figure.subplots(1, 3)
        for family in families:
            part = found[found["generator"] == family].sort_values("share", kind="stable")
            truth.plot(part["predicted"], part["observed"], **look[family])
            over.plot(part["share"], part["observed"], **look[family])
            if part["utility"].notna().any():
                cost.plot(part["observed"], part["utility"], **look[family])
        ends = _ends(found[["predicted", "observed"]].to_numpy())
        truth.plot(ends, ends, color=style.GREY, linewidth=0.6, zorder=0)
        shares = np.linspace(0, 1, 50)
        if len(paired):
            rho = paired["rho"].mean()
            over.plot(shares, (1 - shares) * rho + shares, color=style.GREY, linewidth=0.6, zorder=0)
        for position, (axes, title, below, beside) in enumerate(
            (
                (truth, "the law, without a fit", "predicted σ(Y) / σ(X)", "observed σ(Y) / σ(X)"),
                (over, "the ratio over the weights", "share of L_dist, β / (α + β) as it worked", ""),
                (cost, "what it costs", "observed σ(Y) / σ(X)", "ROC AUC, synthetic"),
            )
        ):
            axes.set_title(f"{style.letter(position)}  {title}")
            axes.set_xlabel(below)
            axes.set_ylabel(beside)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.yaxis.set_major_locator(MaxNLocator(5))
        style.heading(
            figure, "The shrinkage law", {style.label(name): Line2D([], [], **look[name]) for name in families}
        )
        fit = shrinkage.r_squared(paired["observed"], paired["predicted"]) if len(paired) > 1 else np.nan
        note = f" R² of the GANs' {len(paired)} fits: {fit:.2f}." if np.isfinite(fit) else ""
        style.footnote(
            figure,
            "σ(Y) / σ(X) = (α ρ + β) / (α + β), within classes, mean over numbers; ρ of pairs by optimal transport. "
            "A VAE's likelihood and\ndiffusion's denoising error shrink nothing: 1 is predicted. Lines: equality in a, "
            f"the law at the GANs' mean ρ in b.{note}",
        )
    return figure


def wins(jobs: pd.DataFrame, arms: tuple[str, ...] = ("synthetic", "combined")) -> Figure:
    """Win rate of every loss over the plain one with 95 % intervals; one panel per arm, one mark per generator."""
    gains = {arm: losses.against_plain(jobs, losses.utilities(jobs, arm)) for arm in arms}
    with style.applied():
        figure = _forest("Wins over the plain loss", gains, win_rate, (1, len(arms)), limits=(0, 1))
        for position, (axes, arm) in enumerate(zip(figure.axes, arms, strict=True)):
            axes.axvline(0.5, color=style.GREY, linewidth=0.6, zorder=0)
            axes.axvline(losses.PUBLISHED[arm], color=style.GREY, linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
            axes.set_title(f"{style.letter(position)}  {style.label(arm)} rows")
            axes.set_xlabel("share of pairs won against the plain loss")
            axes.set_xlim(-0.03, 1.03)
        sets = _sets(gains, "Wilson")
        style.footnote(
            figure,
            f"Paired by generator, data set and seed; {sets}. Plain: the native loss, or L_rec alone "
            "where\nthe sweep has no other. Dashed: published for a like loss.",
        )
    return figure


def confidence(jobs: pd.DataFrame) -> Figure:
    """What every loss changes against the plain one, with 95 % intervals; one panel per score."""
    found = losses.changes(jobs, losses.CONFIDENCE)
    with style.applied():
        across = min(len(found), 3)
        figure = _forest("Changes against the plain loss", found, by_dataset, (-(-len(found) // across), across))
        for position, (axes, name) in enumerate(zip(figure.axes, found, strict=False)):
            axes.axvline(0.0, color=style.GREY, linewidth=0.6, zorder=0)
            axes.set_title(f"{style.letter(position)}  {losses.CONFIDENCE[name]}")
            axes.set_xlabel(f"change, {'less' if name.rpartition('/')[2] in LOWER_IS_BETTER else 'more'} is better")
            axes.xaxis.set_major_locator(MaxNLocator(4))
        style.footnote(
            figure,
            f"Classifiers trained on synthetic rows, real test rows. Paired by generator, data set and seed; "
            f"{_sets(found, 't')}.",
        )
    return figure


def _sets(values: dict[str, pd.Series], interval: str) -> str:
    """What the intervals of a figure are."""
    count = next(iter(values.values())).index.get_level_values("dataset").nunique()
    return f"95 % intervals over {count} data sets, {interval}" if count > 1 else "one data set, hence no intervals"


def _forest(
    title: str,
    panels: dict[str, pd.Series],
    estimate: Callable[[pd.Series], Estimate],
    shape: tuple[int, int],
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Figure:
    """One panel per series with an estimate and its interval for every loss, one mark per generator."""
    index = next(iter(panels.values())).index
    families = list(dict.fromkeys(index.get_level_values("generator")))
    settings = list(dict.fromkeys(index.get_level_values("setting")))
    names = [*families, losses.TOGETHER] if len(families) > 1 else families
    look = looks(names)
    offsets = dict(zip(names, (np.arange(len(names)) - (len(names) - 1) / 2) * 0.8 / len(names), strict=True))
    down, across = shape
    figure = style.blank(style.TWO_COLUMNS, down * (len(settings) * (len(names) * _ROW + 0.06) + 0.4) + 0.6)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes, values in zip(grid.flat, panels.values(), strict=False):
        for name in names:
            for place, setting in enumerate(settings):
                own = losses.part(values, name, setting)
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
        range(len(settings)), [style.shortened(losses.spoken(setting), _LETTERS) for setting in settings]
    )
    figure.axes[0].set_ylim(len(settings) - 0.5, -0.5)
    style.heading(figure, title, {style.label(name): Line2D([], [], **look[name]) for name in names})
    return figure


def maps(jobs: pd.DataFrame) -> Figure:
    """Utility and fidelity of the synthetic rows over beta and gamma, one column of maps per generator."""
    # The native loss of a GAN has no pairs and lies on no grid of weights.
    unpaired = (jobs["setting"] == "native") & jobs["generator"].isin(losses.PAIRED)
    grid = jobs[(jobs["loss.alpha"] == 1) & ~unpaired]
    cells = grid.groupby("generator")[["loss.beta", "loss.gamma"]].nunique()
    families = list(cells.index[(cells > 1).all(axis=1)])
    if not families:
        raise InputError("results", sorted(jobs["setting"].unique()), "beta and gamma do not vary; sweep over both")
    shown = {name: how for name, how in _MAPPED.items() if name.startswith("ROC") or how[0] in jobs}
    tables = {
        name: {
            family: own.assign(value=_utility(own) if name == "synthetic" else own[name]).pivot_table(
                "value", "loss.beta", "loss.gamma"
            )
            for family, own in grid[grid["generator"].isin(families)].groupby("generator", sort=False)
        }
        for name, _ in shown.values()
    }
    # One scale for all generators, lest noise be drawn as loudly as a difference.
    ends = {
        name: (min(table.min(axis=None) for table in of.values()), max(table.max(axis=None) for table in of.values()))
        for name, of in tables.items()
    }
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 1.75 * len(shown) + 0.6)
        panels = figure.subplots(len(shown), len(families), squeeze=False)
        for across, family in enumerate(families):
            for down, (title, (name, more)) in enumerate(shown.items()):
                _map(panels[down, across], tables[name][family], more, ends[name])
                panels[down, across].set_title(
                    f"{style.letter(down * len(families) + across)}  {style.label(family)}: {title}"
                )
        style.heading(figure, "Utility and fidelity over the weights", {})
        style.footnote(
            figure, "Means over data sets, classifiers and seeds; α = 1. Darker is better, one scale for each score."
        )
    return figure


def _utility(jobs: pd.DataFrame) -> pd.Series:
    columns = [f"synthetic/{name}" for name in losses.UTILITIES if f"synthetic/{name}" in jobs]
    return jobs[columns].bfill(axis=1).iloc[:, 0]


def _map(axes: Axes, table: pd.DataFrame, more: bool, ends: tuple[float, float]) -> None:
    values = table.to_numpy()
    low, high = ends
    axes.imshow(values, cmap="Blues" if more else "Blues_r", vmin=low, vmax=high, aspect="auto", origin="lower")
    for (down, across), value in np.ndenumerate(values):
        if np.isfinite(value):
            shade = (value - low if more else high - value) / (high - low) if high > low else 0.0
            ink = "white" if shade > 0.6 else "black"
            axes.text(across, down, f"{value:.3f}".lstrip("0"), ha="center", va="center", fontsize=5.0, color=ink)
    axes.set_xticks(range(table.shape[1]), [f"{gamma:g}" for gamma in table.columns])
    axes.set_yticks(range(table.shape[0]), [f"{beta:g}" for beta in table.index])
    axes.set_xlabel("γ, weight of L_model")
    axes.set_ylabel("β, weight of L_dist")
    axes.tick_params(length=0)


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = np.nanmin(values), np.nanmax(values)
    room = 0.05 * max(high - low, 0.02)
    return low - room, high + room
