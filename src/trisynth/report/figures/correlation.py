"""Heat maps of the association of every pair of columns: real, synthetic, and their difference."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trisynth.data.schema import Schema
from trisynth.report.figures import style
from trisynth.report.names import label
from trisynth.statistics.dependence import association_matrix, pairs

# Few enough columns for a number in each cell.
_ANNOTATED = 7
_LETTERS = 18
_NOTE = (
    "Pearson's r for two numbers (−1 to 1), Cramér's V for two categories and the correlation ratio for a number and a "
    "category (0 to 1).\n{gap}"
)


def correlation(
    real: pd.DataFrame, synthetic: pd.DataFrame, title: str, generator: str = "", simulated: bool = False
) -> Figure:
    """Draw three heat maps, two journal columns wide; the difference has a colour scale of its own.

    Parameters
    ----------
    real, synthetic : DataFrame, shapes (n, d) and (m, d)
        The same columns, the target last.
    title : str
        Name of the data set.
    generator : str
        Generator of the synthetic rows.
    simulated : bool
        Whether the real rows are simulated ones.

    Returns
    -------
    Figure
    """
    schema = Schema.learn(real)
    matrices = [association_matrix(schema.canonical(table)) for table in (real, synthetic)]
    difference = matrices[1] - matrices[0]
    # The diagonal is 1 in both tables and would only stretch the scale.
    off_diagonal = difference.mask(np.eye(len(difference), dtype=bool))
    largest = float(np.nan_to_num(off_diagonal.abs().max(axis=None)))
    panels = {
        "real": (matrices[0], 1.0),
        f"synthetic ({generator})" if generator else "synthetic": (matrices[1], 1.0),
        "difference (synthetic − real)": (off_diagonal, _rounded_up(largest)),
    }
    names = [style.shortened(label(name), _LETTERS) for name in real.columns]
    size = float(np.clip(120 / max(len(names), 1), 3.0, style.SMALL))
    # Space for the longest name, at the height and width of the panels that make their cells square.
    margin = max(map(len, names)) * size * 0.56 / 72
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, (style.TWO_COLUMNS - margin - 1.3) / 3 + margin + 0.95)
        all_axes = figure.subplots(1, 3, sharey=True)
        for position, (axes, (name, (matrix, limit))) in enumerate(zip(all_axes, panels.items(), strict=True)):
            sns.heatmap(
                matrix.to_numpy(),
                ax=axes,
                vmin=-limit,
                vmax=limit,
                # Other colours, since the scale is another one here.
                cmap="PuOr_r" if matrix is off_diagonal else "RdBu_r",
                cbar=False,
                annot=_printed(matrix) if len(names) <= _ANNOTATED else None,
                fmt="",
                annot_kws={"size": 5.0},
                linewidths=0.3,
                xticklabels=names,
                yticklabels=names,
            )
            axes.set_title(f"{style.letter(position)}  {name}")
            axes.tick_params(length=0, labelsize=size)
            axes.tick_params(axis="x", rotation=90)
            axes.tick_params(axis="y", rotation=0, labelleft=position == 0)
            axes.spines[:].set_visible(True)
        _colour_bar(figure, all_axes[1], all_axes[:2], "association", 1.0)
        _colour_bar(figure, all_axes[2], all_axes[2], "difference of associations", _rounded_up(largest))
        style.heading(figure, title, {}, simulated)
        style.footnote(figure, _NOTE.format(gap=_gap(difference)))
    return figure


def _colour_bar(figure: Figure, drawn: Axes, beside: Axes | np.ndarray, caption: str, limit: float) -> None:
    bar = figure.colorbar(drawn.collections[0], ax=beside, shrink=0.8, aspect=30, pad=0.02)
    bar.outline.set_linewidth(0.6)
    bar.set_ticks(np.array([-1, -0.5, 0, 0.5, 1]) * limit)
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.set_label(caption, size=style.SMALL)


def _rounded_up(largest: float) -> float:
    """Return the next limit of a colour scale, a multiple of 0.1 and at least that."""
    return max(round(np.ceil(largest * 10 - 1e-9) / 10, 1), 0.1)


def _printed(matrix: pd.DataFrame) -> np.ndarray:
    # Adding 0 turns the -0.0 of a small negative number into 0.0.
    rounded = matrix.to_numpy().round(2) + 0.0
    return np.array([["" if np.isnan(value) else f"{value:.2f}".replace("-", "−") for value in row] for row in rounded])


def _gap(difference: pd.DataFrame) -> str:
    gaps = np.abs(pairs(difference))
    if not len(gaps):
        return ""
    return f"Mean absolute difference over all pairs {gaps.mean():.3f}, largest {gaps.max():.3f}."
