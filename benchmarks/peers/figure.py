"""One picture of the comparison: what is lost against how easily it is told from real, over all and by table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from benchmarks.peers import grid
from benchmarks.peers.frame import HONEST
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from sklearn.isotonic import IsotonicRegression

from trisynth.report import style

FLAGSHIP = "circuit"
_OURS, _PEERS, _FLAG = style.COLOURS["combined"], style.COLOURS["synthetic"], style.COLOURS["real"]


def overview(means: pd.DataFrame, summary: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Scatter of all generators over dot plots by table, two journal columns wide.

    Parameters
    ----------
    means, summary : DataFrame
        As ``frame.by_table`` and ``frame.by_generator`` return them.
    labels : mapping of str to str
        What print calls a generator.

    Returns
    -------
    Figure
    """
    tables = [table for table in grid.TABLES if table in set(means["table"])]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 3.1 + 0.24 * len(tables) + 0.9)
        top, bottom = figure.subfigures(2, 1, height_ratios=[3.1, 0.24 * len(tables) + 0.5])
        _scatter(top.subplots(), summary[summary["tables"] > len(tables) / 2], labels)
        left, right = bottom.subplots(1, 2, sharey=True)
        _dots(left, means, tables, "auc_loss")
        _dots(right, means, tables, "c2st")
        left.set_yticks(range(len(tables)), [f"{table.replace('_', ' ')}  {_rows(means, table):,}" for table in tables])
        left.set_ylim(len(tables) - 0.4, -0.6)
        left.set_title("b  Loss in ROC-AUC, by table")
        left.set_xlabel("real minus synthetic; 0 is no loss")
        left.set_xscale("symlog", linthresh=0.05)
        left.set_xticks([-0.02, 0, 0.02, 0.05, 0.1, 0.2, 0.4], ["−.02", "0", ".02", ".05", ".1", ".2", ".4"])
        left.minorticks_off()
        right.set_title("c  C2ST, by table")
        right.set_xlabel("AUC of boosted trees; .5 is indistinguishable")
        right.set_xlim(0.48, 1.01)
        right.xaxis.set_major_locator(MaxNLocator(6))
        mark = {"linestyle": "none", "markersize": 4}
        names = {
            "circuit": Line2D([], [], marker="D", color=_FLAG, **mark),
            "our others": Line2D([], [], marker="o", color=_OURS, **mark),
            "peers": Line2D([], [], marker="s", color=_PEERS, **mark),
            "hollow: copies": Line2D([], [], marker="o", color=style.GREY, mfc="none", **mark),
        }
        style.heading(figure, "Utility and fidelity against peers", names)
        style.footnote(figure, _note(means))
    return figure


def _note(means: pd.DataFrame) -> str:
    splits = int(means["splits"].max())
    return (
        f"Means over up to {splits} split{'s' * (splits > 1)}, three classifiers; beside a table, its training rows. "
        "In a, means over the tables\nthat a generator finished, if these are more than half of them. "
        f"Copies: a mean copy share above {HONEST:g}."
    )


def _scatter(axes: Axes, summary: pd.DataFrame, labels: Mapping[str, str]) -> None:
    for name, row in summary.iterrows():
        axes.plot(row["auc_loss"], row["c2st"], **_look(name, row["honest"]), markersize=5, linestyle="none")
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
    """Where names stand: right of their mark, and of the crowd at the left in one column, in the order of the marks."""
    width = float(np.ptp(summary["auc_loss"])) + 0.06
    found = {name: (x + 0.04 * width, y, "left") for name, x, y in summary[["auc_loss", "c2st"]].itertuples()}
    crowd = summary[summary["auc_loss"] < summary["auc_loss"].min() + 0.15 * width].sort_values("c2st")
    # As near to their marks as names a line apart can be: isotonic regression of what is left of each height.
    lines = 0.026 * np.arange(len(crowd))
    heights = lines + IsotonicRegression().fit_transform(lines, crowd["c2st"] - lines)
    return found | {
        name: (crowd["auc_loss"].max() + 0.06 * width, y, "left") for name, y in zip(crowd.index, heights, strict=True)
    }


def _dots(axes: Axes, means: pd.DataFrame, tables: list[str], score: str) -> None:
    for place, table in enumerate(tables):
        axes.axhline(place, color="0.9", linewidth=0.5, zorder=0)
        part = means[(means["table"] == table) & ~means["generator"].isin(("copy", "independent"))]
        # The flagship last, so that nothing hides it.
        part = part.sort_values("generator", key=lambda names: names == FLAGSHIP)
        for row in part.itertuples():
            offset = 0.0 if row.generator == FLAGSHIP else 0.14 if row.generator in _PEER_NAMES else -0.14
            value = np.clip(getattr(row, score), -0.04, None) if score == "auc_loss" else getattr(row, score)
            size = 4.5 if row.generator == FLAGSHIP else 3.2
            axes.plot(value, place + offset, **_look(row.generator, row.honest), markersize=size, linestyle="none")
    axes.axvline(0.0 if score == "auc_loss" else 0.5, color="0.8", linewidth=0.6, zorder=0)
    axes.tick_params(axis="y", length=0)


_PEER_NAMES = {generator.name for generator in grid.PEERS} | {"smote"}


def _colour(name: str) -> str:
    return _FLAG if name == FLAGSHIP else _PEERS if name in _PEER_NAMES else _OURS


def _look(name: str, honest: bool) -> dict:
    colour = _colour(name)
    marker = "D" if name == FLAGSHIP else "s" if name in _PEER_NAMES else "o"
    return {"marker": marker, "color": colour, "markerfacecolor": colour if honest else "none", "markeredgewidth": 0.7}


def _rows(means: pd.DataFrame, table: str) -> int:
    return int(means.loc[means["table"] == table, "train_rows"].iloc[0])
