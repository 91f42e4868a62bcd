"""Picture of the published scores: C2ST of each generator on each table, against both references."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.published import literature
from benchmarks.published.peers import PEERS
from trisynth.report.figures import style

_PUBLISHED = {"TabSyn": "<", "TabDiff": ">", "TabPC": "P"}
# Measured generators of other packages: open black marks, a little below ours.
_THEIRS = ("^", "v", "s", "D", "o", "*", "X", "h")
_BELOW = -0.28
_OPEN = {"color": "black", "fillstyle": "none", "markeredgewidth": 0.7}


def picture(cells: pd.DataFrame, theirs: pd.DataFrame | None = None) -> Figure:
    """Draw two panels: scores against training rows, as published, and against held-out rows.

    Parameters
    ----------
    cells : DataFrame
        Rows of ``published.csv``; seeds are averaged.
    theirs : DataFrame, optional
        Rows of ``published_peers.csv``; those without scores are left out.
    """
    tables = sorted(cells["table"].unique())
    means = _means(cells)
    names = [name for name in means.index.unique(0) if name != "real"]
    peers = _means(theirs) if theirs is not None and "c2st_train" in theirs else means.iloc[:0]
    measured = dict(zip([name for name in PEERS if name in peers.index.unique(0)], _THEIRS, strict=False))
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 3.0)
        panels = figure.subplots(1, 2, sharey=True, sharex=True)
        for panel, column, title in zip(
            panels, means, ("Against training rows, as published", "Against held-out rows"), strict=True
        ):
            panel.set_title(title)
            for place, table in enumerate(tables):
                panel.axhline(place, color="0.9", linewidth=0.6, zorder=0)
                for name in names:
                    if (name, table) in means.index:
                        look = style.generator(name)
                        panel.plot(means.loc[(name, table), column], place, look["marker"], color=look["color"])
                for name, mark in measured.items():
                    if (name, table) in peers.index:
                        panel.plot(peers.loc[(name, table), column], place + _BELOW, mark, **_OPEN)
                if column == "c2st_train":
                    for name, mark in _PUBLISHED.items():
                        panel.plot(literature.C2ST[name][table], place, mark, color=style.GREY, fillstyle="none")
                elif ("real", table) in means.index:
                    panel.plot(means.loc[("real", table), column], place, "|", color="black", markersize=9)
            panel.set_xlim(-0.02, 1.02)
            panel.set_xlabel("C2ST score (1: indistinguishable)")
        panels[0].set_yticks(range(len(tables)), tables)
        looks = {name: style.generator(name) for name in names}
        handles = [
            Line2D([], [], linestyle="", marker=look["marker"], color=look["color"], label=name)
            for name, look in looks.items()
        ]
        handles += [
            Line2D([], [], linestyle="", marker=mark, label=PEERS[name].label, **_OPEN)
            for name, mark in measured.items()
        ]
        handles += [
            Line2D([], [], linestyle="", marker=mark, color=style.GREY, fillstyle="none", label=f"{name} (published)")
            for name, mark in _PUBLISHED.items()
        ]
        handles.append(Line2D([], [], linestyle="", marker="|", color="black", label="real rows: the ceiling"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return figure


def _means(cells: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds, for cells that have a score."""
    found = cells.groupby(["generator", "table"])[["c2st_train", "c2st_heldout"]].mean()
    return found.dropna(how="all")
