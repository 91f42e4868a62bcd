"""Utility of synthetic texts over the number of real ones: scores of every training set, a figure and a table."""

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.markup import Column, Table
from trisynth.report.page import Picture
from trisynth.statistics.resampling import estimate

ROWS, FILTER = "fold.rows", "generator.label_filter"
_ARMS = ("real", "duplicated", "synthetic", "combined")
_COPIES = ("copying/copied_run", "copying/copied_run_base", "copying/identical_texts")


def by_method(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``method``, the generator and whether its texts are filtered.

    Raises
    ------
    InputError
        If the jobs have no number of rows, or no filter.
    """
    if ROWS not in jobs or FILTER not in jobs:
        remedy = f"has no {ROWS} or no {FILTER}; sweep experiment=text_size"
        raise InputError("results", list(jobs.columns[:8]), remedy)
    filtered = jobs[FILTER].astype(str).str.lower().eq("true")
    return jobs.assign(method=jobs["generator"].map(names.name) + filtered.map({True: ", filtered", False: ""}))


def sizes_table(jobs: pd.DataFrame) -> Table:
    """Tabulate macro-F1 of each training set, and what is copied, by the number of real texts and the method."""
    jobs = by_method(jobs)
    copies = [name for name in _COPIES if name in jobs]
    columns = [Column("texts", "Real texts"), Column("method", "Generator"), Column("seeds", "Seeds")]
    columns += [Column(arm, names.name(arm)) for arm in _ARMS]
    columns += [Column(f"{arm}_gain", f"{names.name(arm)} − real", signed=True) for arm in _ARMS[1:]]
    columns += [Column(name.partition("/")[2], names.metric(name), interval=False) for name in copies]
    rows, bold = [], set()
    for (texts, method), part in jobs.groupby([ROWS, "method"]):
        scores = {arm: part[f"{arm}/f1_macro"] for arm in _ARMS}
        # Training sets of different seeds hardly overlap where they are small: the usual t interval.
        cells = [estimate(scores[arm], 0.0) for arm in _ARMS]
        gains = [estimate(scores[arm] - scores["real"], 0.0) for arm in _ARMS[1:]]
        bold |= {
            (len(rows), 3 + len(_ARMS) + i) for i, gain in enumerate(gains) if gain.count > 2 and gain.excludes_zero
        }
        found = [estimate(part[name], 0.0) for name in copies]
        rows.append([f"{texts:,}", method, len(part), *cells, *gains, *found])
    note = (
        "Macro-F1 of a logistic regression on held-out texts; ± half of the 95 % t interval over seeds, each of which "
        "has its own training texts. Bold: the interval excludes zero."
    )
    return Table("text_size", "Macro-F1 by the number of real training texts.", note, columns, rows, bold)


def sizes_picture(jobs: pd.DataFrame) -> Picture:
    """Draw macro-F1 of each training set over the number of real texts, a panel for each method."""
    jobs = by_method(jobs)
    methods, sizes = list(dict.fromkeys(jobs["method"])), sorted(jobs[ROWS].unique())
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.7)
        panels = figure.subplots(1, len(methods), sharey=True, squeeze=False)[0]
        for position, (axes, method) in enumerate(zip(panels, methods, strict=True)):
            part = jobs[jobs["method"] == method]
            for arm in _ARMS:
                look = {"color": style.COLOURS[arm], "marker": style.MARKERS[arm], "markersize": 3.0}
                means = part.groupby(ROWS)[f"{arm}/f1_macro"].agg(["mean", "min", "max"])
                axes.plot(means.index, means["mean"], linewidth=1, **look)
                axes.fill_between(means.index, means["min"], means["max"], color=look["color"], alpha=0.12, linewidth=0)
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(FixedLocator(sizes))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticklabels([f"{size:,}" for size in sizes])
            axes.set_xlim(0.7 * sizes[0], 1.4 * sizes[-1])
            axes.set_title(f"{style.letter(position)}  {method}")
            axes.set_xlabel("real training texts")
        panels[0].set_ylabel("macro-F1")
        legend = {
            names.name(arm): Line2D([], [], color=style.COLOURS[arm], marker=style.MARKERS[arm], markersize=3.0)
            for arm in _ARMS
        }
        style.heading(figure, "Utility of synthetic texts", legend)
        seeds = jobs["seed"].nunique()
        style.footnote(figure, f"Mean of at most {seeds} seeds; bands reach from the lowest to the highest.")
    return Picture("text_size", "Macro-F1 of each training set over the number of real texts.", figure)
