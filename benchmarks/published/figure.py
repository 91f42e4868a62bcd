"""Picture of the published scores: C2ST of each generator on each table, against both references."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.published import literature
from trisynth.report.figures import style

_MARKS = {"TabSyn": "<", "TabDiff": ">", "TabPC": "P"}


def picture(cells: pd.DataFrame) -> Figure:
    """Draw two panels: scores against training rows, as published, and against held-out rows.

    Parameters
    ----------
    cells : DataFrame
        Rows of ``published.csv``; seeds are averaged.
    """
    tables = sorted(cells["table"].unique())
    means = cells.groupby(["generator", "table"])[["c2st_train", "c2st_heldout"]].mean()
    names = [name for name in means.index.unique(0) if name != "real"]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.6)
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
                if column == "c2st_train":
                    for name, mark in _MARKS.items():
                        panel.plot(literature.C2ST[name][table], place, mark, color=style.GREY, fillstyle="none")
                elif ("real", table) in means.index:
                    panel.plot(means.loc[("real", table), column], place, "|", color="black", markersize=9)
            panel.set_xlim(0, 1.02)
            panel.set_xlabel("C2ST score (1: indistinguishable)")
        panels[0].set_yticks(range(len(tables)), tables)
        looks = {name: style.generator(name) for name in names}
        handles = [
            Line2D([], [], linestyle="", marker=look["marker"], color=look["color"], label=name)
            for name, look in looks.items()
        ]
        handles += [
            Line2D([], [], linestyle="", marker=mark, color=style.GREY, fillstyle="none", label=f"{name} (published)")
            for name, mark in _MARKS.items()
        ]
        handles.append(Line2D([], [], linestyle="", marker="|", color="black", label="real rows: the ceiling"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return figure
