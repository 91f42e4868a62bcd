"""Real against synthetic distributions of every feature and the target."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from trisynth.figures import panels, style

_ROW = 1.42
_NOTE = (
    "Axes of numbers span the 0.5–99.5 % range of the real values; bins are common to both tables and percentages "
    "refer to all present values.\nMissing cells: real | synthetic."
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
    across = 3 if len(real.columns) <= 18 else 4 if len(real.columns) <= 28 else 5
    down = -(-len(real.columns) // across)
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, min(_ROW, (style.PAGE - 0.6) / down) * down + 0.6)
        grid = figure.add_gridspec(down, across)
        for position, name in enumerate(real.columns):
            axes = figure.add_subplot(grid[position // across, position % across])
            panels.draw(axes, real[name], synthetic[name], (units or {}).get(name, ""))
            target = " (target)" if position == len(real.columns) - 1 else ""
            shown = style.shortened(style.label(name), 30 - 4 * (across - 3)) + target
            axes.set_title(f"{style.letter(position)}  {shown}")
        style.heading(figure, title, simulated)
        drawn = f"synthetic ({', '.join(filter(None, (generator, f'n = {len(synthetic):,}')))})"
        figure.legend(panels.legend_handles(), [f"real (n = {len(real):,})", drawn], loc="upper right", ncols=2)
        style.footnote(figure, _NOTE)
    return figure
