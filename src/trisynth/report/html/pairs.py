"""Pairs of columns that differ most, as tables of counts in which no cell of few rows appears."""

from typing import Any

import numpy as np
import pandas as pd

from trisynth.data.kinds import Kind
from trisynth.report.html.columns import FEWEST, Columns, histogram, rounded
from trisynth.report.names import printable

# Pairs with a drawing, and the most bins or levels on an axis.
MOST_DRAWN, _MOST = 3, 8


def drawn(columns: Columns) -> list[dict[str, Any]]:
    """List the tables of the pairs that differ most."""
    return [_pair(columns, *pair) for pair in columns.associations.worst[:MOST_DRAWN]]


def _pair(columns: Columns, i: int, j: int) -> dict[str, Any]:
    """Compute percentages of the rows by the bins of one column and of another; cells of few rows are None."""
    kinds = columns.schema.columns[i], columns.schema.columns[j]
    axes = [_axis(kind, *(table[kind.name] for table in columns.tables)) for kind in kinds]
    found = {"columns": [axis["name"] for axis, _ in axes], "axes": [axis for axis, _ in axes]}
    for which, part in enumerate(("real", "synthetic")):
        x, y = (codes[which] for _, codes in axes)
        inside = (x >= 0) & (y >= 0)
        sizes = [axis["size"] for axis, _ in axes]
        counts = np.zeros(sizes, dtype=int)
        np.add.at(counts, (x[inside], y[inside]), 1)
        found[part] = [
            [rounded(100 * count / max(len(x), 1), 2) if count >= FEWEST else None for count in row]
            for row in counts.tolist()
        ]
    return found


def _axis(kind: Kind, real: pd.Series, synthetic: pd.Series) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Choose the bins of a column, and assign the cells of both tables to them; -1 is outside."""
    name = printable(kind.name)
    if kind.categories is None:
        cells = [part.to_numpy(dtype=float) * getattr(kind, "unit", 1.0) for part in (real, synthetic)]
        shown = histogram(*(part[~np.isnan(part)] for part in cells), kind)
        step = -(-(len(shown["edges"]) - 1) // _MOST)
        edges = [*shown["edges"][:-1:step], shown["edges"][-1]]
        codes = [_bins(part, np.array(edges)) for part in cells]
        return {"name": name, "kind": kind.kind, "edges": edges, "step": shown["step"], "size": len(edges) - 1}, codes
    counts = real.value_counts()
    named = list(counts.index[counts >= FEWEST][:_MOST])
    place = {level: code for code, level in enumerate(named)}
    rest = len(named)
    codes = [
        np.array([-1 if missing else place.get(cell, rest) for cell, missing in zip(part, part.isna(), strict=True)])
        for part in (real, synthetic)
    ]
    others = any((each == rest).any() for each in codes)
    levels = [*map(printable, named), *["(others)"] * others]
    return {"name": name, "kind": kind.kind, "levels": levels, "size": len(levels)}, codes


def _bins(cells: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Assign numbers to bins; a missing number and one beyond the axis are -1."""
    codes = np.searchsorted(edges, cells, side="right") - 1
    codes[cells == edges[-1]] = len(edges) - 2
    return np.where(np.isnan(cells) | (codes > len(edges) - 2), -1, codes)
