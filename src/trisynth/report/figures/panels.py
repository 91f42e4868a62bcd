"""One column, real against synthetic, in one panel."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from trisynth.data.kinds import Kind, learn
from trisynth.report.figures.style import COLOURS, shortened

# Fraction of the real cells that is cut off at either end of a number's axis.
TAIL = 0.005
# Percent of the synthetic cells beyond the axis, more than of the real ones, that are not left unsaid.
_BEYOND = 5
_FEWEST, _MOST = 8, 32
# Positive numbers whose tail reaches so many medians get a logarithmic axis.
_TAILED = 8
_BARS = 8
# Fraction of a panel's width that the names of categories may take.
_NAME = 0.55
# Words for the axes of numbers without a unit, and the seconds of matplotlib's unit of dates.
_SCALES = {"date": "date", "duration": "seconds"}
_DAY = 86400
_PERCENT, _ROWS = "{x:g}", "rows (%)"


@dataclass(frozen=True)
class Histogram:
    """Relative frequencies of one number in bins that both tables have in common.

    Parameters
    ----------
    edges : ndarray, shape (bins + 1,)
        From the real cells alone.
    real, synthetic : ndarray, shape (bins,)
        Percent of the table's present cells in each bin.
    beyond : tuple of float
        Percent of the real and of the synthetic present cells that no bin holds.
    logarithmic : bool
        Whether the bins grow as the numbers do.
    """

    edges: np.ndarray
    real: np.ndarray
    synthetic: np.ndarray
    beyond: tuple[float, float]
    logarithmic: bool = False


def bin_edges(cells: np.ndarray, step: float = 0.0, logarithmic: bool = False) -> np.ndarray:
    """Bins over the central 99 % of ``cells``, of the width that Freedman and Diaconis' rule (1981) gives.

    Where the numbers lie on a step, edges lie between two of them and a bin holds a whole number of steps: otherwise
    neighbouring bins hold unequally many values and the histogram becomes a comb.

    Parameters
    ----------
    cells : ndarray, shape (n,)
        Finite.
    step : float
        Numbers are multiples of it; 0 for none.
    logarithmic : bool
        Equally wide on a logarithmic axis; ``cells`` must be positive.

    Returns
    -------
    ndarray
        At least two edges.
    """
    if not len(cells):
        return np.array([0.0, 1.0])
    low, high = np.quantile(cells, [TAIL, 1 - TAIL], method="nearest")
    if low == high:
        half = step / 2 or max(abs(low), 1.0) / 2
        return np.array([low - half, low + half])
    inside = cells[(cells >= low) & (cells <= high)]
    if logarithmic:
        edges = np.exp(np.linspace(np.log(low), np.log(high), _count(np.log(inside)) + 1))
        return np.unique([low - step / 2, *(np.floor(edges[1:] / step + 1e-9) + 0.5) * step]) if step else edges
    width = (high - low) / _count(inside)
    if not step:
        return np.linspace(low, high, _count(inside) + 1)
    width = max(round(width / step), 1) * step
    low, high = low - step / 2, high + step / 2
    return low + width * np.arange(int(np.ceil((high - low) / width - 1e-9)) + 1)


def _count(values: np.ndarray) -> int:
    """Count the bins for values that are not all equal."""
    spread = np.subtract(*np.quantile(values, [0.75, 0.25]))
    width = 2 * spread / len(values) ** (1 / 3)
    return int(np.clip(np.ceil(np.ptp(values) / width), _FEWEST, _MOST)) if width > 0 else _MOST


def histogram(real: pd.Series, synthetic: pd.Series) -> Histogram:
    """Both tables' cells of one number in common bins; missing and infinite cells count as missing."""
    schema = learn(real)
    cells = [_finite(schema, values) * schema.unit for values in (real, synthetic)]
    logarithmic = bool(len(cells[0])) and schema.kind != "date" and _long_tailed(cells[0])
    edges = bin_edges(cells[0], schema.step, logarithmic)
    shares = (100 * np.histogram(part, edges)[0] / max(len(part), 1) for part in cells)
    beyond = [100 * float(np.mean((part < edges[0]) | (part > edges[-1]))) if len(part) else 0.0 for part in cells]
    return Histogram(edges, *shares, (beyond[0], beyond[1]), logarithmic)


def _long_tailed(cells: np.ndarray) -> bool:
    middle, high = np.quantile(cells, [0.5, 1 - TAIL])
    return bool(cells.min() > 0 and high > _TAILED * middle)


def shares(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    """Percent of each table's rows per category, a missing cell being one; shape (bars, 2).

    The order is that of the categories. Beyond eight, only the commonest real ones are kept, and the rest is summed.
    """
    schema = learn(real)
    parts = [schema.canonical(values) for values in (real, synthetic)]
    known = schema.categories if schema.categories is not None else []
    counts = pd.DataFrame({name: part.value_counts() for name, part in zip(("real", "synthetic"), parts, strict=True)})
    counts = counts.reindex(known).set_axis([str(name) for name in known])
    if len(counts) > _BARS:
        order = counts["real"].sort_values(ascending=False, kind="stable").index
        rest = counts.loc[order[_BARS - 1 :]]
        counts = counts.loc[order[: _BARS - 1]]
        counts.loc[f"{len(rest)} others"] = rest.sum()
    absent = [part.isna().sum() for part in parts]
    if any(absent):
        counts.loc["(missing)"] = absent
    return 100 * counts.fillna(0) / [max(len(part), 1) for part in parts]


def draw(axes: Axes, real: pd.Series, synthetic: pd.Series, unit: str = "", letters: int = 40) -> None:
    """Draw one column of both tables: a histogram for numbers, bars for the rest, and the fraction of missing cells.

    Parameters
    ----------
    axes : Axes
    real, synthetic : Series, shapes (n,) and (m,)
    unit : str
        Unit of a number.
    letters : int
        Letters of small print that the panel's width has room for.
    """
    if learn(real).categories is None:
        _numbers(axes, real, synthetic, unit, letters)
    else:
        _bars(axes, shares(real, synthetic), round(letters * _NAME))


def legend(real: str, synthetic: str) -> dict[str, Patch]:
    """Build the legend of the two tables, under the names given."""
    return {
        real: Patch(facecolor=_faded("real"), edgecolor=COLOURS["real"]),
        synthetic: Patch(facecolor="none", edgecolor=COLOURS["synthetic"], linewidth=1.2),
    }


def _faded(name: str) -> tuple[str, float]:
    return COLOURS[name], 0.35


def _finite(schema: Kind, values: pd.Series) -> np.ndarray:
    cells = schema.canonical(values).to_numpy(float)
    return cells[~np.isnan(cells)]


def _numbers(axes: Axes, real: pd.Series, synthetic: pd.Series, unit: str, letters: int) -> None:
    found, kind = histogram(real, synthetic), learn(real).kind
    edges = found.edges / _DAY if kind == "date" else found.edges
    axes.stairs(found.real, edges, fill=True, color=_faded("real"))
    axes.stairs(found.real, edges, color=COLOURS["real"], linewidth=0.6)
    axes.stairs(found.synthetic, edges, color=COLOURS["synthetic"], linewidth=1.2)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(1.12 * max(found.real.max(), found.synthetic.max()), 1e-3))
    absent = [100 * _missing(values) for values in (real, synthetic)]
    scale = ", ".join(filter(None, (unit or _SCALES.get(kind, "value"), "log scale" if found.logarithmic else "")))
    notes = [scale, "missing {} | {} %".format(*map(_percent, absent)) if any(absent) else ""]
    real_beyond, synthetic_beyond = found.beyond
    if synthetic_beyond - real_beyond > _BEYOND:
        notes.append(f"beyond the axis {_percent(real_beyond)} | {_percent(synthetic_beyond)} %")
    on_one_line = ", ".join(filter(None, notes))
    axes.set_xlabel(on_one_line if len(on_one_line) <= letters else "\n".join(filter(None, notes)))
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.set_ylabel(_ROWS)
    if found.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(_round_numbers(edges[0], edges[-1])))
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.xaxis.set_minor_locator(NullLocator())
    elif kind == "date":
        days = AutoDateLocator(minticks=2, maxticks=4)
        axes.xaxis.set_major_locator(days)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(days))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=pd.api.types.is_integer_dtype(real.dtype)))
    axes.yaxis.set_major_locator(MaxNLocator(3))


def _round_numbers(low: float, high: float) -> list[float]:
    """Powers of ten between two positive numbers; where they are few, twice and five times them as well."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = np.outer(powers, (1, 2, 5)).ravel()
    for ticks in (powers[:: max(len(powers) // 4, 1)], steps):
        inside = [float(tick) for tick in ticks if low <= tick <= high]
        if len(inside) >= 3:
            break
    return inside


def _percent(value: float) -> str:
    return "<0.1" if 0 < value < 0.05 else f"{value:.1f}"


def _missing(values: pd.Series) -> float:
    return 1 - len(_finite(learn(values), values)) / max(len(values), 1)


def _bars(axes: Axes, percent: pd.DataFrame, longest: int) -> None:
    places = np.arange(len(percent))
    axes.barh(places - 0.19, percent["real"], 0.38, facecolor=_faded("real"), edgecolor=COLOURS["real"])
    line = {"facecolor": "none", "edgecolor": COLOURS["synthetic"], "linewidth": 1.0}
    axes.barh(places + 0.19, percent["synthetic"], 0.38, **line)
    axes.set_yticks(places, [shortened(name, longest) for name in percent.index])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(percent), 2) - 0.5, -0.5)
    axes.set_xlim(0, max(1.05 * percent.to_numpy().max(initial=0), 1e-3))
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel(_ROWS)
    axes.xaxis.set_major_locator(MaxNLocator(4))
