"""Real against synthetic distributions of every feature and the target."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from trisynth.data.schema import Schema
from trisynth.report.figures import panels, style
from trisynth.report.names import label

_ROW = 1.42
# Up to how many columns of a table: panels side by side, and letters of small print that fit across one.
_GRIDS = ((18, 3, 40), (24, 4, 30), (10_000, 5, 24))
_NUMBERS = (
    ", for numbers of present values. Axes of numbers span the 0.5–99.5 % range of the real values; both tables share "
    "the bins"
)


def distributions(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    title: str,
    units: Mapping[str, str] | None = None,
    generator: str = "",
    simulated: bool = False,
) -> Figure:
    """One panel per column, two journal columns wide.

    Parameters
    ----------
    real, synthetic : DataFrame, shapes (n, d) and (m, d)
        The same columns, the target last.
    title : str
        Name of the data set.
    units : mapping of str to str
        Unit of each number that has one.
    generator : str
        What drew the synthetic rows.
    simulated : bool
        Whether the real rows are simulated ones.

    Returns
    -------
    Figure
    """
    columns = list(real.columns)
    across, letters = next(sizes for most, *sizes in _GRIDS if len(columns) <= most)
    down = -(-len(columns) // across)
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, min(_ROW, (style.PAGE - 0.7) / down) * down + 0.7)
        grid = figure.add_gridspec(down, across)
        for position, name in enumerate(columns):
            axes = figure.add_subplot(grid[divmod(position, across)])
            panels.draw(axes, real[name], synthetic[name], (units or {}).get(name, ""), letters)
            axes.set_title(f"{style.letter(position)}  {style.shortened(label(name), round(0.6 * letters))}")
        drawn = ", ".join(filter(None, (generator, f"n = {len(synthetic):,}")))
        names = panels.legend(f"real (n = {len(real):,})", f"synthetic ({drawn})")
        style.heading(figure, title, names, simulated)
        style.footnote(figure, _note(real, synthetic))
    return figure


def _note(real: pd.DataFrame, synthetic: pd.DataFrame) -> str:
    numbers = _NUMBERS if any(column.categories is None for column in Schema.learn(real).columns) else ""
    gaps = any(table.isna().any(axis=None) for table in (real, synthetic))
    return f"Percentages of rows{numbers}.\nThe last panel is the target.{' Missing values: real | synthetic.' * gaps}"
