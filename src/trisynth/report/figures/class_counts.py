"""Rows of each class before and after balancing by synthetic rows."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from trisynth.report.figures import style

_LETTERS = 20
# Hatched: in grey the two colours are alike.
_ADDED = {"facecolor": style.COLOURS["synthetic"], "edgecolor": "white", "hatch": "/////", "linewidth": 0}


def class_counts(real: pd.Series, added: pd.Series, title: str, generator: str = "", simulated: bool = False) -> Figure:
    """Bars of real rows, with the added synthetic rows stacked on them, one journal column wide.

    Parameters
    ----------
    real, added : Series, shapes (n,) and (m,)
        Targets of the real rows, and of the synthetic rows that fill every class up to the largest.
    title : str
        Name of the data set.
    generator : str
        What drew the synthetic rows.
    simulated : bool
        Whether the real rows are simulated ones.

    Returns
    -------
    Figure
    """
    before = real.value_counts()
    if isinstance(real.dtype, pd.CategoricalDtype):
        before = before.reindex(real.cat.categories)
    extra = added.value_counts().reindex(before.index).fillna(0).astype(int)
    places = range(len(before))
    with style.applied():
        figure = style.blank(style.ONE_COLUMN, max(1.7, 0.9 + 0.19 * len(before)))
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for position, (axes, name) in enumerate(zip(panels, ("before", "after balancing"), strict=True)):
            axes.barh(places, before, 0.7, color=style.COLOURS["real"])
            if position:
                axes.barh(places, extra, 0.7, left=before, **_ADDED)
            ends = before + extra if position else before
            texts = (f"+{count:,}" for count in extra) if position else (f"{count:,}" for count in before)
            for place, end, text in zip(places, ends, texts, strict=True):
                axes.annotate(text, (end, place), (2, 0), textcoords="offset points", va="center", fontsize=style.SMALL)
            axes.set_title(f"{style.letter(position)}  {name}")
            axes.set_xlabel("rows")
            axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.tick_params(axis="y", length=0)
        longest = len(f"+{extra.max():,}")
        panels[0].set_xlim(0, (1.06 + 0.05 * longest) * max((before + extra).max(), 1))
        panels[0].set_ylim(len(before) - 0.5, -0.5)
        panels[0].set_yticks(places, [style.shortened(name, _LETTERS) for name in before.index])
        synthetic = f"synthetic ({generator})" if generator else "synthetic"
        names = {"real": Patch(color=style.COLOURS["real"]), synthetic: Patch(**_ADDED)}
        style.heading(figure, title, names, simulated)
    return figure
