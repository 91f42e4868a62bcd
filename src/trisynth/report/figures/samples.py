"""Panel of real and synthetic images or series, class by class."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trisynth.data import sequences, tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds.tensor import CHANNEL, TIME, shape_of
from trisynth.report.figures import sides, style

# Samples of a class on either side, and channels of a series.
_IMAGES, _SERIES, _CHANNELS = 8, 6, 3


def samples(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    name: str,
    title: str,
    facts: Column,
    target: str | None = None,
    generator: str = "",
    simulated: bool = False,
) -> Figure:
    """Draw the first real rows of each class on the left and the first synthetic ones on the right.

    Parameters
    ----------
    real, synthetic : DataFrame
        The same columns.
    name : str
        Column of tensors or sequences.
    title : str
        Name of the data set.
    facts : Column
        Shape and axes of the column.
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
    if unequal := tensors.is_sequence(real[name].dtype):
        shape, axes = (), (TIME, CHANNEL)
    else:
        shape, axes = shape_of(name, real[name].dtype.pyarrow_dtype.list_size, facts)
    shown, further = sides.classes(real, target)
    is_series = axes[0] == TIME
    with style.applied():
        height = (0.75 if is_series else 0.5) * len(shown) + 0.8
        figure = style.blank(style.TWO_COLUMNS, min(height, style.PAGE))
        across = 1 if is_series else _IMAGES
        # An empty column separates the sides.
        ratios = [*[1.0] * across, 0.05 if is_series else 0.4, *[1.0] * across]
        # Lengths that differ can only be compared along one axis.
        shared = {"sharex": unequal, "sharey": is_series, "width_ratios": ratios}
        grid = figure.subplots(len(shown), 2 * across + 1, squeeze=False, **shared)
        for gap in grid[:, across]:
            gap.set_axis_off()
        numbers = sequences.flat(real[name]) if unequal else tensors.values(real[name])
        limits = float(numbers.min()), float(numbers.max())
        for row, member in enumerate(shown):
            for place, (colour, held) in enumerate(sides.rows(real, synthetic, target, member)):
                first = held[name].iloc[: _SERIES if is_series else _IMAGES]
                cells = sequences.values(first) if unequal else tensors.values(first).reshape(-1, *shape)
                panels = grid[row, place * (across + 1) : place * (across + 1) + across]
                if is_series:
                    draw_lines(panels[0], cells, axes, colour)
                else:
                    draw_images(panels, cells, limits)
            sides.name_class(grid[row, 0], member)
        sides.heading(figure, title, name, generator, simulated)
        lines = " Further channels of a series are dashed and dotted." * (is_series and CHANNEL in axes)
        style.footnote(figure, f"The first rows of each class, not selected{further}.{lines}")
    return figure


def of_table(real: pd.DataFrame, synthetic: pd.DataFrame, facts: Mapping[str, Column], **about) -> dict[str, Figure]:
    """Draw a panel for each column of tensors or sequences, by the column's name; ``about`` as in ``samples``."""
    dtypes = real.dtypes
    columns = [name for name in real if tensors.is_tensor(dtypes[name]) or tensors.is_sequence(dtypes[name])]
    return {name: samples(real, synthetic, name, facts=facts.get(name, Column()), **about) for name in columns}


def draw_lines(axes: Axes, cells: Iterable[np.ndarray], meaning: tuple[str, ...], colour: str) -> None:
    """Draw series, shape (steps,) or (steps, channels), as lines."""
    for series in cells:
        series = series[:, None] if CHANNEL not in meaning else series
        for channel, line in zip(series.T[:_CHANNELS], ("-", "--", ":"), strict=False):
            axes.plot(channel, line, color=colour, alpha=0.6, linewidth=0.7)
    # Steps are whole numbers.
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def draw_images(panels: np.ndarray, cells: np.ndarray, limits: tuple[float, float]) -> None:
    """Draw images into panels, from white at the lower limit to black at the upper one."""
    for axes in panels:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    for axes, image in zip(panels, cells, strict=False):
        # One channel is drawn in grey, and of more than three the first three.
        image = image[..., :3] if image.ndim == 3 and image.shape[-1] >= 3 else image.reshape(*image.shape[:2], -1)
        image = image[..., 0] if image.shape[-1] != 3 or image.ndim == 2 else image
        low, high = limits
        scaled = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
        axes.imshow(scaled, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
