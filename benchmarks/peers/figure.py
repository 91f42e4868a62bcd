"""Picture of the comparison: loss of utility against C2ST over all tables, and both scores table by table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.isotonic import IsotonicRegression

from benchmarks.peers import grid
from benchmarks.peers.frame import MOST_MEMORISED
from trisynth.report.figures import style

FLAGSHIP = "circuit"
_OURS, _PEERS, _FLAG = style.COLOURS["combined"], style.COLOURS["synthetic"], style.COLOURS["real"]


def overview(means: pd.DataFrame, summary: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw a scatter of all generators over two heat tables of their scores, two journal columns wide.

    Parameters
    ----------
    means, summary : DataFrame
        As ``frame.by_table`` and ``frame.by_generator`` return them.
    labels : mapping of str to str
        Names of the generators in print.

    Returns
    -------
    Figure
    """
    tables = [table for table in grid.TABLES if table in set(means["table"])]
    # The references last: they are read against, not compared.
    generators = sorted(summary.index, key=lambda name: (name in _REFERENCES, summary.index.get_loc(name)))
    heights = [3.0, 0.34 * len(tables) + 1.5]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, sum(heights) + 0.75)
        top, bottom = figure.subfigures(2, 1, height_ratios=heights)
        _scatter(top.subplots(), summary[summary["tables"] > len(tables) / 2], labels)
        upper, lower = bottom.subplots(2, 1)
        _heat_table(upper, means, tables, generators, "auc_loss", (0.0, 0.2))
        _heat_table(lower, means, tables, generators, "c2st", (0.5, 1.0))
        upper.set_title("b  Loss in ROC-AUC by table, real minus synthetic (0: no loss)", pad=68)
        lower.set_title("c  C2ST by table, AUC of boosted trees (0.5: indistinguishable)")
        upper.xaxis.tick_top()
        names = [labels.get(name, name) for name in generators]
        upper.set_xticks(range(len(generators)), names, rotation=45, ha="left", rotation_mode="anchor")
        for text, name in zip(upper.get_xticklabels(), generators, strict=True):
            text.set_color(_colour(name))
        lower.set_xticks([])
        mark = {"linestyle": "none", "markersize": 4}
        legend = {
            FLAGSHIP: Line2D([], [], marker="D", color=_FLAG, **mark),
            "our other generators": Line2D([], [], marker="o", color=_OURS, **mark),
            "peers": Line2D([], [], marker="s", color=_PEERS, **mark),
            "hollow: copies": Line2D([], [], marker="o", color=style.GREY, mfc="none", **mark),
        }
        style.heading(figure, "Utility and fidelity against peers", legend)
        style.footnote(figure, _note(means))
    return figure


def _note(means: pd.DataFrame) -> str:
    splits = int(means["splits"].max())
    return (
        f"Means over up to {splits} split{'s' * (splits > 1)}, three classifiers; beside a table, its training rows. "
        "In a, means over the tables\nthat a generator finished, if these are more than half of them. "
        f"Copies: more than {MOST_MEMORISED:.0%} memorised rows. Empty cell: not finished, or not run."
    )


def _scatter(axes: Axes, summary: pd.DataFrame, labels: Mapping[str, str]) -> None:
    for name, row in summary.iterrows():
        axes.plot(row["auc_loss"], row["c2st"], **_look(name, row["copier"]), markersize=5, linestyle="none")
    axes.axhline(0.5, color="0.8", linewidth=0.6, zorder=0)
    axes.axvline(0.0, color="0.8", linewidth=0.6, zorder=0)
    for name, (x, y, side) in _places(summary).items():
        axes.annotate(
            labels.get(name, name),
            (summary.loc[name, "auc_loss"], summary.loc[name, "c2st"]),
            (x, y),
            textcoords="data",
            fontsize=style.SMALL,
            color=_colour(name),
            va="center",
            ha=side,
            arrowprops={"arrowstyle": "-", "color": "0.75", "linewidth": 0.4, "shrinkA": 1, "shrinkB": 2},
        )
    axes.set_title("a  All tables: lower left is better")
    axes.set_xlabel("mean loss in ROC-AUC, real minus synthetic")
    axes.set_ylabel("mean C2ST, AUC of boosted trees")
    axes.set_ylim(0.47, 1.02)
    axes.set_xlim(min(summary["auc_loss"].min(), 0) - 0.012, summary["auc_loss"].max() + 0.05)


def _places(summary: pd.DataFrame) -> dict[str, tuple[float, float, str]]:
    """Positions of the names: right of their marks; for the crowded marks at the left, one column in the same order."""
    width = float(np.ptp(summary["auc_loss"])) + 0.06
    found = {name: (x + 0.04 * width, y, "left") for name, x, y in summary[["auc_loss", "c2st"]].itertuples()}
    crowd = summary[summary["auc_loss"] < summary["auc_loss"].min() + 0.15 * width].sort_values("c2st")
    # As near to their marks as names a line apart can be: isotonic regression of what is left of each height.
    lines = 0.026 * np.arange(len(crowd))
    heights = lines + IsotonicRegression().fit_transform(lines, crowd["c2st"] - lines)
    return found | {
        name: (crowd["auc_loss"].max() + 0.06 * width, y, "left") for name, y in zip(crowd.index, heights, strict=True)
    }


def _heat_table(
    axes: Axes, means: pd.DataFrame, tables: list[str], generators: list[str], score: str, limits: tuple[float, float]
) -> None:
    """Draw a table whose cells are shaded by their score; values beyond the limits have the colour of the limit."""
    values = means.pivot_table(score, "table", "generator").reindex(index=tables, columns=generators).to_numpy()
    low, high = limits
    axes.imshow(values, cmap="Blues_r", vmin=low, vmax=high, aspect="auto")
    for (down, across), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = "white" if (value - low) / (high - low) < 0.4 else "black"
            number = f"{round(value, 3) + 0.0:.3f}".replace("-", "−")
            axes.text(across, down, number, ha="center", va="center", fontsize=4.5, color=ink)
    axes.set_yticks(range(len(tables)), [f"{table.replace('_', ' ')}  {_rows(means, table):,}" for table in tables])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


_REFERENCES = ("independent", "copy")
_PEER_NAMES = {generator.name for generator in grid.PEERS} | {"smote"}


def _colour(name: str) -> str:
    return _FLAG if name == FLAGSHIP else _PEERS if name in _PEER_NAMES else _OURS


def _look(name: str, copier: bool) -> dict:
    colour = _colour(name)
    marker = "D" if name == FLAGSHIP else "s" if name in _PEER_NAMES else "o"
    return {"marker": marker, "color": colour, "markerfacecolor": "none" if copier else colour, "markeredgewidth": 0.7}


def _rows(means: pd.DataFrame, table: str) -> int:
    return int(means.loc[means["table"] == table, "train_rows"].iloc[0])
