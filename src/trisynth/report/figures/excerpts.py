"""Panel of real and synthetic texts, class by class."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trisynth.data import texts
from trisynth.report.figures import style
from trisynth.report.names import label

# Rows of the panel, texts of a class on either side, and the characters and lines of a text that are shown.
_CLASSES, _TEXTS, _ACROSS, _LINES = 10, 2, 58, 3


def excerpts(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    name: str,
    title: str,
    target: str | None = None,
    generator: str = "",
    simulated: bool = False,
) -> Figure:
    """Draw the beginnings of the first real texts of each class on the left, and of synthetic ones on the right.

    Parameters
    ----------
    real, synthetic : DataFrame
        The same columns.
    name : str
        Column of texts.
    title : str
        Name of the data set.
    target : str or None
        Column of classes; None draws one row.
    generator : str
        Generator of the synthetic rows.
    simulated : bool
        Whether the real rows are simulated ones.

    Returns
    -------
    Figure
    """
    classes = [None] if target is None else list(real[target].dropna().astype(str).value_counts().index.sort_values())
    shown, sides = classes[:_CLASSES], {"real": real, "synthetic": synthetic}
    with style.applied():
        height = 0.1 * _TEXTS * (_LINES + 0.6) * len(shown) + 0.9
        figure = style.blank(style.TWO_COLUMNS, min(height, style.PAGE))
        grid = figure.subplots(len(shown), 2, squeeze=False)
        for row, member in zip(grid, shown, strict=True):
            for axes, (side, table) in zip(row, sides.items(), strict=True):
                axes.set_xticks([])
                axes.set_yticks([])
                axes.spines[:].set_visible(False)
                held = table if target is None else table[table[target].astype(str) == member]
                listed = "\n".join(f"• {_beginning(text)}" for text in texts.values(held[name][:_TEXTS]))
                colour = style.COLOURS[side]
                # A text may hold signs that mark up formulas.
                axes.text(0, 1, listed, va="top", size=style.SMALL - 0.5, color=colour, parse_math=False)
            row[0].set_ylabel("" if member is None else style.shortened(member, 14), rotation=0, ha="right")
        marks = {"real (left)": Line2D([], [], color=style.COLOURS["real"])}
        drawn_by = f"synthetic (right), {generator}" if generator else "synthetic (right)"
        marks[drawn_by] = Line2D([], [], color=style.COLOURS["synthetic"])
        style.heading(figure, f"{title}: {label(name)}", marks, simulated)
        more = f"; {len(classes) - len(shown)} further classes" if len(classes) > len(shown) else ""
        style.footnote(figure, f"The beginnings of the first texts of each class, not selected{more}.")
    return figure


def _beginning(text: str) -> str:
    lines = textwrap.wrap(text, _ACROSS) or ["(empty)"]
    kept = [*lines[:_LINES]]
    if len(lines) > _LINES:
        kept[-1] = kept[-1][: _ACROSS - 1].rstrip() + "…"
    return "\n  ".join(kept)
