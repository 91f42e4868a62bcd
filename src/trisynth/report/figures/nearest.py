"""Synthetic images or series above the training rows that are nearest to them, so that copies are seen."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.spatial.distance import cdist

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds.tensor import TIME, shape_of
from trisynth.report.figures import style
from trisynth.report.figures.samples import draw_images, draw_lines
from trisynth.report.names import label

# Panels beside each other.
_IMAGES, _SERIES = 10, 5
SIDES = ("synthetic", "real")


def nearest_rows(real: pd.Series, synthetic: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the nearest real array of each synthetic one, and the Euclidean distance, shapes (n,)."""
    distances = cdist(tensors.values(synthetic), tensors.values(real))
    found = distances.argmin(axis=1)
    return found, distances[np.arange(len(found)), found]


def nearest(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    name: str,
    title: str,
    facts: Column,
    generator: str = "",
    simulated: bool = False,
) -> Figure:
    """Draw the first synthetic images or series, and the nearest real ones below; parameters as in ``samples``."""
    shape, axes = shape_of(name, real[name].dtype.pyarrow_dtype.list_size, facts)
    is_series = axes[0] == TIME
    drawn = synthetic[name].iloc[: _SERIES if is_series else _IMAGES]
    found, distances = nearest_rows(real[name], drawn)
    pairs = dict(zip(SIDES, (drawn, real[name].iloc[found]), strict=True))
    every = tensors.values(real[name])
    limits = float(every.min()), float(every.max())
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.4 if is_series else 1.9)
        grid = figure.subplots(2, len(drawn), squeeze=False, sharey=is_series)
        for row, (side, cells) in zip(grid, pairs.items(), strict=True):
            arrays = tensors.values(cells).reshape(-1, *shape)
            if is_series:
                for panel, array in zip(row, arrays, strict=True):
                    draw_lines(panel, [array], axes, style.COLOURS[side])
            else:
                draw_images(row, arrays, limits)
        for panel, distance in zip(grid[1], distances, strict=True):
            panel.set_xlabel(f"{distance:.3g}")
        by = f", {generator}" if generator else ""
        marks = {
            f"synthetic (above){by}": Line2D([], [], color=style.COLOURS["synthetic"]),
            "nearest real (below)": Line2D([], [], color=style.COLOURS["real"]),
        }
        style.heading(figure, f"{title}: {label(name)}", marks, simulated)
        style.footnote(
            figure,
            "The first synthetic rows, not selected. Below each: the real row at the smallest Euclidean distance, and "
            "this distance.",
        )
    return figure


def of_table(real: pd.DataFrame, synthetic: pd.DataFrame, facts: Mapping[str, Column], **about) -> dict[str, Figure]:
    """Draw a picture for each column of tensors, by the column's name; ``about`` as in ``nearest``."""
    columns = [name for name in real if tensors.is_tensor(real[name].dtype) and len(real) and len(synthetic)]
    return {name: nearest(real, synthetic, name, facts=facts.get(name, Column()), **about) for name in columns}
