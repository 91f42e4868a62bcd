"""Panel of real and synthetic texts, class by class."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure

from trisynth.data import texts
from trisynth.report.figures import sides, style

# Texts of a class on either side, and the characters and lines of a text that are shown.
_TEXTS, _ACROSS, _LINES = 3, 58, 3


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
    shown, further = sides.classes(real, target)
    listed = [
        [(colour, _listed(held[name])) for colour, held in sides.rows(real, synthetic, target, member)]
        for member in shown
    ]
    lines = [max(text.count("\n") + 1 for _, text in row) + 0.8 for row in listed]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, min(0.115 * sum(lines) + 0.9, style.PAGE))
        grid = figure.subplots(len(shown), 2, squeeze=False, height_ratios=lines)
        for row, member, both in zip(grid, shown, listed, strict=True):
            for axes, (colour, text) in zip(row, both, strict=True):
                axes.set_xticks([])
                axes.set_yticks([])
                axes.spines[:].set_visible(False)
                # A text may hold signs that mark up formulas.
                axes.text(0, 1, text, va="top", size=style.SMALL - 0.5, color=colour, parse_math=False)
            sides.name_class(row[0], member)
        sides.heading(figure, title, name, generator, simulated)
        style.footnote(figure, f"The beginnings of the first texts of each class, not selected{further}.")
    return figure


def _listed(cells: pd.Series) -> str:
    return "\n".join(f"• {_beginning(text)}" for text in texts.values(cells[:_TEXTS]))


def _beginning(text: str) -> str:
    lines = textwrap.wrap(text, _ACROSS) or ["(empty)"]
    kept = [*lines[:_LINES]]
    if len(lines) > _LINES:
        kept[-1] = kept[-1][: _ACROSS - 1].rstrip() + "…"
    return "\n  ".join(kept)
