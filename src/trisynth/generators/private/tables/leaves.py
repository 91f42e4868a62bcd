"""Histogram of one column from noisy counts of nested grids: fine where there are rows, else coarse."""

from dataclasses import dataclass

import numpy as np

from trisynth.generators.private.tables.axes import Axis

# A cell is divided if its parts would hold so many standard deviations of noise on average.
_DIVIDED = 2.0


@dataclass(frozen=True)
class Leaves:
    """Histogram of one column.

    Parameters
    ----------
    starts, sizes : ndarray of int, shape (m,)
        First finest cell and number of finest cells of each leaf, in order; a last leaf may be that of missing cells.
    weights : ndarray, shape (m,)
        Estimated rows, not negative.
    """

    starts: np.ndarray
    sizes: np.ndarray
    weights: np.ndarray

    def of(self, positions: np.ndarray) -> np.ndarray:
        """Return the leaf of each position."""
        return np.searchsorted(self.starts, positions, side="right") - 1


def counts_of(axis: Axis, positions: np.ndarray, width: int) -> np.ndarray:
    """Count rows in the cells of one grid; missing cells come last, and are counted on the coarsest grid alone."""
    size = -(-axis.cells // width)
    coarsest = width == axis.levels[0]
    present = positions if axis.gaps and coarsest else positions[positions < axis.cells]
    cells = np.where(present == axis.cells, size, present // width) if axis.gaps else present // width
    return np.bincount(cells, minlength=size + (axis.gaps and coarsest)).astype(float)


def build(axis: Axis, counts: list[np.ndarray], sigma: float) -> Leaves:
    """Combine the noisy counts of nested grids.

    A cell is divided where its parts hold enough rows on average; elsewhere only those parts stand apart that exceed
    the average beyond what noise reaches anywhere on the grid, such as the zeros of a column of amounts.

    Parameters
    ----------
    axis : Axis
    counts : list of ndarray
        Noisy counts of each of ``axis.levels``.
    sigma : float
        Standard deviation of their noise.
    """
    cells = len(counts[0]) - axis.gaps
    width = axis.levels[0]
    starts = np.arange(cells) * width
    sizes = np.minimum(width, axis.cells - starts)
    weights = counts[0][:cells]
    for level, part in zip(counts[1:], axis.levels[1:], strict=True):
        starts, sizes, weights = _divided(starts, sizes, weights, level, part, width, sigma)
        width = part
    if axis.gaps:
        starts, sizes = np.append(starts, axis.cells), np.append(sizes, 1)
        weights = np.append(weights, counts[0][cells])
    return Leaves(starts, sizes, projected(weights, max(counts[0].sum(), 1.0)))


def _divided(starts, sizes, weights, level, part, width, sigma):
    """Divide the cells of one grid, those of ``width`` alone, by the counts of the next."""
    most = sigma * np.sqrt(2 * np.log(max(len(level), 2)))
    found: list[tuple[float, float, float]] = []
    for start, size, weight in zip(starts.tolist(), sizes.tolist(), weights.tolist(), strict=True):
        parts = -(-size // part)
        # Leaves of an earlier grid stay as they are.
        if size > width or parts == 1 or weight <= 0:
            found.append((start, size, weight))
            continue
        inner = level[start // part : start // part + parts]
        average = weight / parts
        apart = np.full(parts, True) if average > _DIVIDED * sigma else inner > average + most
        if not apart.any():
            found.append((start, size, weight))
            continue
        rest = max(weight - inner[apart].sum(), 0.0) / max((~apart).sum(), 1)
        edges = np.flatnonzero(np.diff(np.concatenate([[True], apart, [True]]).astype(int)) != 0)
        light = dict(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        i = 0
        while i < parts:
            stop = light.get(i, i + 1)
            first = start + i * part
            last = min(start + stop * part, start + size)
            found.append((first, last - first, rest * (stop - i) if i in light else inner[i]))
            i = stop
    starts, sizes, weights = map(np.array, zip(*found, strict=True))
    # What is left of a cell must not be divided by the next grid, even if it has the width of one part.
    return starts.astype(int), sizes.astype(int), weights.astype(float)


def projected(values: np.ndarray, total: float) -> np.ndarray:
    """Return the nearest values that are not negative and sum to ``total``, which may be 0."""
    if total <= 0:
        return np.zeros_like(values)
    flat = np.sort(values.ravel())[::-1]
    excess = (np.cumsum(flat) - total) / np.arange(1, len(flat) + 1)
    # Beside values whose rounding exceeds the total, none lies above its excess.
    above = np.flatnonzero(flat > excess)
    return np.maximum(values - excess[above[-1] if len(above) else 0], 0.0)


def groups(axis: Axis, leaves: Leaves, most: int, least: float) -> np.ndarray:
    """Join leaves to at most about ``most`` groups of similar weight, shape (m,); categories below ``least`` rows join.

    A leaf that outweighs an average group stands alone, and so do missing cells.
    """
    weights = leaves.weights
    if axis.is_category:
        order = np.argsort(-weights, kind="stable")
        kept = max(1, min(int((weights >= least).sum()), most))
        found = np.empty(len(weights), int)
        found[order] = np.minimum(np.arange(len(weights)), kept)
        return found
    inner = len(weights) - axis.gaps
    heavy = weights[:inner] >= weights[:inner].sum() / most
    # What lies beside the heavy leaves is divided as finely as the rest of the groups allows.
    due = max(weights[:inner][~heavy].sum() / max(most - heavy.sum(), 1), least)
    found, number, held = np.zeros(len(weights), int), 0, 0.0
    for i, weight in enumerate(weights[:inner]):
        if i and (heavy[i] or heavy[i - 1] or (held and held + weight / 2 > due)):
            number, held = number + 1, 0.0
        found[i] = number
        held += weight
    if axis.gaps:
        found[inner] = number + 1
    return found
