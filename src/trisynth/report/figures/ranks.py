"""Critical-difference diagram (Demšar 2006): mean ranks of generators, and groups that do not differ significantly."""

import numpy as np
import pandas as pd

from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.page import Picture
from trisynth.statistics.ranks import critical_difference, friedman, groups, ranks

# Inches of the figure for each generator, and for axis, title and footnote.
_ROW, _REST = 0.15, 1.35


def ranks_picture(scores: pd.DataFrame, metric: str, lower_is_better: bool = False) -> Picture:
    """Draw the mean rank of each generator, and bars over those within the critical difference of Nemenyi's test.

    Parameters
    ----------
    scores : DataFrame
        One row per data set, one column per generator, without missing cells.
    metric : str
    lower_is_better : bool
    """
    means = ranks(scores, lower_is_better).mean().sort_values(kind="stable")
    n, k = scores.shape
    difference = critical_difference(k, n)
    bars = groups(means, difference)
    half = (k + 1) // 2
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, _REST + _ROW * (half + len(bars)))
        axes = figure.subplots()
        axes.set_xlim(0.1, k + 0.9)
        axes.set_ylim(half + 1.3 + 0.6 * len(bars), -0.9)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.spines["top"].set_visible(True)
        axes.spines["top"].set_bounds(1, k)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xticks(range(1, k + 1))
        axes.set_yticks([])
        axes.set_xlabel("mean rank, 1 the best")
        last = 0.8 + 0.6 * len(bars) + half
        axes.plot([1, 1 + difference], [last, last], color="black", linewidth=1.2, marker="|", markersize=5)
        text = f"critical difference {difference:.2f}"
        axes.text(1.2 + difference, last, text, va="center", fontsize=style.SMALL)
        for level, group in enumerate(bars):
            y = -0.1 + 0.6 * level
            ends = means[group[0]] - 0.05, means[group[-1]] + 0.05
            axes.plot(ends, [y, y], color="black", linewidth=2.4, solid_capstyle="butt")
        below = 0.1 + 0.6 * len(bars)
        for place, (name, rank) in enumerate(means.items()):
            left = place < half
            row = below + (place if left else k - 1 - place)
            end = 0.9 if left else k + 0.1
            colour = style.generator(str(name))["color"]
            axes.plot([rank, rank, end], [-0.9, row, row], color=style.GREY, linewidth=0.6, zorder=0)
            axes.plot(rank, -0.9, clip_on=False, markersize=4, linestyle="none", **style.generator(str(name)))
            text = f"{names.name(str(name))}  {rank:.1f}" if left else f"{rank:.1f}  {names.name(str(name))}"
            axes.text(
                end + (-0.05 if left else 0.05), row, text, ha="right" if left else "left", va="center", color=colour
            )
        f, p = friedman(scores)
        style.heading(figure, f"Mean ranks by {names.metric(metric)}", {})
        shown = "below 0.0001" if p < 0.0001 else f"= {p:.3f}"
        style.footnote(
            figure,
            f"{n} data sets, {k} generators. Friedman's test: F = {np.round(f, 1)}, p {shown}. A bar joins generators "
            "whose mean ranks differ by less than the critical difference of Nemenyi's test at 0.05.",
        )
    caption = f"Critical-difference diagram: mean ranks by {names.metric(metric)} over data sets."
    return Picture("ranks", caption, figure)
