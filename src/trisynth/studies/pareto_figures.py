"""Figures of searches for weights: fronts, hypervolume over the trials, and scores on test rows."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from trisynth.report.figures import style
from trisynth.report.jobs import DEFAULT, PART, REGRET, SAMPLER
from trisynth.report.names import label
from trisynth.report.page import Picture
from trisynth.statistics.fronts import front
from trisynth.studies.searches import BEFORE, Case, course, objectives, printed, regrets, searches, weights
from trisynth.studies.searches import tested as on_test_rows

_COLOURS = {"evolution": "#0072B2", "random": "#D55E00"}
_DASHES = {"evolution": "-", "random": (0, (4, 1.5))}
_WEIGHTS = "cividis"
# Areas of points at the lowest and the highest weight.
_SIZES = (6.0, 42.0)
_HEIGHT = 1.75
_DOTTED = {"linewidth": 0.7, "linestyle": (0, (1, 1.5)), "zorder": 0}


def fronts(jobs: pd.DataFrame) -> Picture:
    """Draw the front of one search in each pair of objectives, and hypervolume over trials; a row per generator."""
    found, names = searches(jobs), objectives(jobs)
    cases = list(dict.fromkeys(key[:2] for key in found))
    samplers = list(dict.fromkeys(key[2] for key in found))
    planes = list(itertools.combinations(names, 2))
    # Colour shows one weight, size another; a third is not shown.
    varied = weights(jobs)[::-1][:2]
    seed = min(key[3] for key in found)
    norms = {name: LogNorm(jobs[name].min(), jobs[name].max()) for name in varied}
    with style.applied():
        height = min(len(cases) * _HEIGHT + 0.95, style.PAGE)
        figure = style.blank(style.TWO_COLUMNS, height)
        panels = figure.subplots(len(cases), len(planes) + 1, squeeze=False)
        for place, (axes, case) in enumerate(zip(panels, cases, strict=True)):
            trials = found[(*case, samplers[0], seed)]
            for position, plane in enumerate(planes):
                _plane(axes[position], trials, plane, norms)
            _courses(axes[-1], {key[2:]: of for key, of in found.items() if key[:2] == case})
            for position, panel in enumerate(axes):
                what = "over the trials" if position == len(planes) else " and ".join(map(_side, planes[position]))
                # The axes name the objectives; where rows differ by their case, the first title names it.
                title = _case(case) if len(cases) > 1 and position == 0 else what
                panel.set_title(f"{style.letter(place * len(axes) + position)}  {title}")
        _bar(figure, panels, norms)
        lines = {
            printed(name): Line2D([], [], color=_COLOURS.get(name, "black"), linestyle=_DASHES.get(name, "-"))
            for name in samplers
        }
        dots = {
            "trial": Line2D([], [], color="0.75", marker="o", markersize=2.0, linestyle="none"),
            "trial of the front": Line2D([], [], color=style.GREY, marker="o", markersize=4.0, linestyle="none"),
        }
        style.heading(figure, "Fronts of the weights, on validation rows", {**dots, **lines})
        size = f"Size of a point: {printed(varied[1])}, from small to large. " if len(varied) > 1 else ""
        splits = len({key[3] for key in found})
        style.footnote(
            figure,
            f"Front: {printed(samplers[0])}, split {seed}; arrows point to the better end. {size}"
            "Hypervolume:\nfraction of the box between worst and best of all objectives; mean and range over "
            f"{splits} splits.",
        )
    return Picture("fronts", "Fronts of searched weights, and hypervolume over the trials.", figure)


def tested(jobs: pd.DataFrame) -> Picture:
    """Draw each objective on test rows against validation rows for the fronts' weights and the default weights."""
    names, later = objectives(jobs), on_test_rows(jobs)
    plain = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] == DEFAULT)]
    cases = list(dict.fromkeys(zip(later["dataset"], later["generator"], strict=True)))
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, min(len(cases) * 2.1 + 0.85, style.PAGE))
        panels = figure.subplots(len(cases), len(names), squeeze=False)
        for place, (axes, (dataset, generator)) in enumerate(zip(panels, cases, strict=True)):
            own = later[(later["dataset"] == dataset) & (later["generator"] == generator)]
            known = plain[(plain["dataset"] == dataset) & (plain["generator"] == generator)]
            for position, name in enumerate(names):
                panel = axes[position]
                for seed, part in own.groupby("seed"):
                    panel.plot(part[f"{BEFORE}{name}"], part[name], **_look(int(seed)))
                # The split shifts all its points together: each axis has its own range.
                panel.set_xlim(_ends(own[f"{BEFORE}{name}"]))
                panel.set_ylim(_ends(pd.concat([own[name], known[name]])))
                panel.axline((0, 0), slope=1, color=style.GREY, linewidth=0.6, zorder=0)
                for seed, value in zip(known["seed"], known[name], strict=True):
                    panel.axhline(value, color=_look(int(seed))["color"], **_DOTTED)
                letter, what = style.letter(place * len(names) + position), printed(name)
                first = len(cases) > 1 and position == 0
                panel.set_title(f"{letter}  {_case((dataset, generator)) if first else what}")
                panel.set_xlabel("validation rows")
                panel.set_ylabel(f"{what}, test rows" if first else "test rows")
                for axis in (panel.xaxis, panel.yaxis):
                    axis.set_major_locator(MaxNLocator(5))
        seeds = {f"split {seed}": Line2D([], [], **_look(int(seed))) for seed in sorted(later["seed"].unique())}
        lines = {"default": Line2D([], [], color="black", **_DOTTED)}
        style.heading(figure, "Weights of the fronts on test rows", {**seeds, **lines})
        style.footnote(
            figure,
            "Each point: weights of a front, selected on validation rows, then run once with more training rows and "
            "scored on test rows. Full line: equality; dotted lines: the default weights, one line per split.",
        )
    return Picture("tested", "Scores of the fronts' weights on validation rows and on test rows.", figure)


def _case(case: Case) -> str:
    return ", ".join(map(label, case))


def _side(metric: str) -> str:
    """Return the property that a metric measures."""
    return {"fidelity": "fidelity", "copying": "copying"}.get(metric.partition("/")[0], "utility")


def _plane(axes: Axes, trials: pd.DataFrame, plane: tuple[str, str], norms: dict[str, LogNorm]) -> None:
    below, beside = plane
    unbeaten = front(regrets(trials))
    others, best = trials[~unbeaten], trials[unbeaten]
    axes.plot(others[below], others[beside], "o", color="0.75", markersize=2.0, markeredgewidth=0)
    colour, *size = norms
    areas = _SIZES[0] + (_SIZES[1] - _SIZES[0]) * norms[size[0]](best[size[0]]) if size else 20.0
    axes.scatter(
        best[below],
        best[beside],
        c=best[colour],
        s=areas,
        norm=norms[colour],
        cmap=_WEIGHTS,
        linewidths=0.4,
        edgecolors="black",
    )
    for name, set_label in ((below, axes.set_xlabel), (beside, axes.set_ylabel)):
        # The arrow points to the end where the regret falls.
        falls = np.corrcoef(trials[name], trials[f"{REGRET}{name}"])[0, 1] < 0
        set_label(f"{printed(name)} →" if falls else f"← {printed(name)}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))


def _courses(axes: Axes, found: dict[tuple[str, int], pd.DataFrame]) -> None:
    for sampler in dict.fromkeys(name for name, _ in found):
        curves = [course(trials) for (name, _), trials in found.items() if name == sampler]
        length = min(map(len, curves))
        curves = np.array([curve[:length] for curve in curves])
        numbers = np.arange(1, length + 1)
        colour = _COLOURS.get(sampler, "black")
        axes.fill_between(numbers, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.15, linewidth=0)
        axes.plot(numbers, curves.mean(axis=0), color=colour, linestyle=_DASHES.get(sampler, "-"))
    axes.set_xlabel("trials")
    axes.set_ylabel("hypervolume, fraction of the box")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _bar(figure: Figure, panels: np.ndarray, norms: dict[str, LogNorm]) -> None:
    name = next(iter(norms))
    bar = figure.colorbar(ScalarMappable(norms[name], _WEIGHTS), ax=panels, aspect=30, pad=0.01, fraction=0.03)
    bar.set_label(f"{printed(name)} of the front")
    ticks = [10.0**power for power in range(-6, 7) if norms[name].vmin <= 10.0**power <= norms[name].vmax]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.outline.set_linewidth(0.4)


def _look(seed: int) -> dict:
    colours, marks = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"), "osD^v"
    return {
        "color": colours[seed % len(colours)],
        "marker": marks[seed % len(marks)],
        "markersize": 2.8,
        "linestyle": "none",
        "alpha": 0.8,
        "markeredgewidth": 0,
    }


def _ends(values: pd.Series) -> tuple[float, float]:
    room = 0.08 * max(values.max() - values.min(), 0.01)
    return values.min() - room, values.max() + room
