"""Common parts of panels with real rows on the left and synthetic rows on the right."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trisynth.report.figures import style
from trisynth.report.names import label

# Most classes of a panel.
_CLASSES = 10


def classes(real: pd.DataFrame, target: str | None) -> tuple[list[str | None], str]:
    """Return the classes that are drawn, and how a note names the further ones.

    Parameters
    ----------
    real : DataFrame
    target : str or None
        Column of classes; None gives one class, None.
    """
    if target is None:
        return [None], ""
    found = sorted(real[target].dropna().astype(str).unique())
    further = len(found) - _CLASSES
    return found[:_CLASSES], f"; {further} further classes" if further > 0 else ""


def rows(
    real: pd.DataFrame, synthetic: pd.DataFrame, target: str | None, member: str | None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the colour of each side and its rows of a class."""
    for side, table in (("real", real), ("synthetic", synthetic)):
        yield style.COLOURS[side], table if target is None else table[table[target].astype(str) == member]


def name_class(axes: Axes, member: str | None) -> None:
    """Write the class before the first panel of its row."""
    axes.set_ylabel("" if member is None else style.shortened(member, 14), rotation=0, ha="right")


def heading(figure: Figure, title: str, column: str, generator: str = "", simulated: bool = False) -> None:
    """Write the data set, the column and what is on either side."""
    drawn_by = f"synthetic (right), {generator}" if generator else "synthetic (right)"
    sides = {"real (left)": "real", drawn_by: "synthetic"}
    marks = {text: Line2D([], [], color=style.COLOURS[side]) for text, side in sides.items()}
    style.heading(figure, f"{title}: {label(column)}", marks, simulated)
