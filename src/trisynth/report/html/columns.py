"""Columns of the report: histograms and bars that reveal no single row, distances, and the pairs that differ most.

Real cells never appear: edges of bins are round numbers, and a bar or a level of fewer than ``FEWEST`` real rows is
left out or summed with others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from trisynth.data.arrays.features import summarised_rows
from trisynth.data.dataset import Dataset
from trisynth.data.kinds import Kind
from trisynth.data.schema import Schema
from trisynth.evaluation.metrics.fidelity import ks
from trisynth.report.names import printable
from trisynth.statistics.dependence import association_matrix

# A statistical office's usual threshold: what fewer rows have in common is not shown.
FEWEST = 5
# Columns with a drawing, columns of a heat map, pairs in the table, and levels of a column.
MOST_COLUMNS, MOST_NAMES, MOST_PAIRS, MOST_LEVELS = 60, 30, 5, 8
# Most rows of either table for associations, and for everything else.
_ROWS, _MOST_ROWS = 20_000, 60_000
_BINS = (5, 24)
_ROWS_PER_BIN = 12
# Fraction of the real cells beyond either end of an axis, medians that a long tail reaches, and the
# largest number that an axis shows.
_TAIL, _LONG, _LARGEST = 0.005, 8, 1e300
_DAY = 86_400
# Dates over a longer time have edges in the calendar.
_MONTHS = 120 * _DAY


class Associations(NamedTuple):
    """Matrices of associations, their difference, and the pairs of columns that differ most."""

    real: pd.DataFrame
    synthetic: pd.DataFrame
    gap: np.ndarray
    worst: list[tuple[int, int]]


@dataclass(frozen=True)
class Columns:
    """Real training rows and synthetic rows of the same columns.

    Parameters
    ----------
    train, synthetic : Dataset
    """

    train: Dataset
    synthetic: Dataset

    @cached_property
    def schema(self) -> Schema:
        """Kinds of all columns, the target last."""
        train = summarised_rows(self.train)
        return Schema.learn(train.target_last, train.facts)

    @cached_property
    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Canonical real and synthetic table, evenly chosen rows of a large one."""
        parts = (summarised_rows(part).target_last for part in (self.train, self.synthetic))
        real, synthetic = (self.schema.canonical(part.iloc[_spread(len(part), _MOST_ROWS)]) for part in parts)
        return real, synthetic

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Content of every column in its order, without drawings beyond the first ``MOST_COLUMNS``."""
        found = [self._column(kind) for kind in self.schema.columns]
        target = len(found) - 1 if self.train.y is not None else -1
        drawn = sorted(range(len(found)), key=lambda i: (i != target, -found[i]["distance"]))[:MOST_COLUMNS]
        for i in drawn:
            found[i]["figure"] = self._figure(self.schema.columns[i])
        return found

    def _figure(self, kind: Kind) -> dict[str, Any]:
        real, synthetic = (table[kind.name] for table in self.tables)
        unit = self.train.facts[kind.name].unit if kind.name in self.train.facts else ""
        if kind.categories is None:
            cells = _numbers(kind, real, synthetic)
            return {"type": "numbers", "kind": kind.kind, "unit": printable(unit), **histogram(*cells, kind)}
        return {"type": "levels", "kind": kind.kind, "levels": levels(_both(real, synthetic))}

    def _column(self, kind: Kind) -> dict[str, Any]:
        real, synthetic = (table[kind.name] for table in self.tables)
        if kind.categories is None:
            cells = _numbers(kind, real, synthetic)
            distance = ks(*cells) if all(map(len, cells)) else math.nan
        else:
            counts = _both(real, synthetic)
            fractions = counts / [max(len(real), 1), max(len(synthetic), 1)]
            distance = float((fractions["real"] - fractions["synthetic"]).abs().sum() / 2)
        return {
            "name": printable(kind.name),
            "kind": kind.kind,
            "measure": "KS" if kind.categories is None else "TV",
            "distance": exact(distance) or 0.0,
            "missing": {"real": rounded(real.isna().mean()), "synthetic": rounded(synthetic.isna().mean())},
        }

    @cached_property
    def associations(self) -> Associations:
        """Associations of every pair of columns in both tables."""
        real, synthetic = (association_matrix(table.iloc[_spread(len(table), _ROWS)]) for table in self.tables)
        gap = (synthetic - real).to_numpy()
        np.fill_diagonal(gap, np.nan)
        above = np.triu_indices(len(gap), 1)
        order = np.argsort(-np.abs(gap[above]), kind="stable")[:MOST_PAIRS]
        return Associations(real, synthetic, gap, [(int(above[0][i]), int(above[1][i])) for i in order])

    @cached_property
    def association(self) -> dict[str, Any]:
        """Associations of every pair of columns, of the columns that differ most where there are many."""
        real, synthetic, gap, worst = self.associations
        order = np.argsort(-np.nan_to_num(np.abs(gap)).sum(axis=0), kind="stable")
        shown = np.sort(order[:MOST_NAMES])
        above = np.triu_indices(len(gap), 1)
        sizes = np.abs(gap[above])
        names = [printable(name) for name in real.columns]

        def matrix(values: np.ndarray) -> list[list[float | None]]:
            return [[rounded(value) for value in row] for row in values[np.ix_(shown, shown)]]

        return {
            "names": [names[i] for i in shown],
            "columns": len(names),
            "real": matrix(real.to_numpy()),
            "synthetic": matrix(synthetic.to_numpy()),
            "difference": matrix(gap),
            "mean_difference": exact(sizes.mean()) if len(sizes) else None,
            "largest_difference": exact(sizes.max()) if len(sizes) else None,
            "pairs": [
                {
                    "columns": [names[i], names[j]],
                    "real": exact(real.iloc[i, j]),
                    "synthetic": exact(synthetic.iloc[i, j]),
                    "difference": exact(gap[i, j]),
                }
                for i, j in worst
            ],
        }

    def classes(self, counts: Mapping[str, int]) -> list[dict[str, Any]] | None:
        """List the rows of each class, and the rows that fill it up to the largest; None where there are none."""
        if self.train.spec.task != "classification":
            return None
        largest = max(counts.values())
        shown = {name: count for name, count in counts.items() if count >= FEWEST}
        ordered = sorted(shown, key=lambda name: -shown[name])[:MOST_LEVELS]
        rest = [count for name, count in counts.items() if name not in ordered]
        rows = [{"name": printable(name), "real": counts[name], "added": largest - counts[name]} for name in ordered]
        if rest:
            rows.append({"name": f"({len(rest)} others)", "real": sum(rest), "added": largest * len(rest) - sum(rest)})
        return rows


def histogram(real: np.ndarray, synthetic: np.ndarray, kind: Kind) -> dict[str, Any]:
    """Compute both tables' percentages in common bins; bars of fewer than ``FEWEST`` rows are left out.

    Parameters
    ----------
    real, synthetic : ndarray, shapes (n,) and (m,)
        Present cells.
    kind : Kind
        Its ``step`` decides where edges may lie.
    """
    step = getattr(kind, "step", 0.0)
    if kind.kind == "date" and len(real) and np.ptp(real) > _MONTHS:
        edges, logarithmic, step = calendar_edges(real), False, 0.0
    else:
        edges, logarithmic = bin_edges(real, step, kind.kind in ("date", "duration"))
    bars = []
    for cells in (real, synthetic):
        counts = np.histogram(cells, edges)[0]
        shown = np.where(counts < FEWEST, 0, counts)
        bars.append([rounded(100 * count / max(len(cells), 1), 2) for count in shown])
    return {
        "edges": [float(edge) for edge in edges],
        # Edges lie half a step below the first value of a bin.
        "step": step,
        "log": logarithmic,
        "real": bars[0],
        "synthetic": bars[1],
    }


def calendar_edges(cells: np.ndarray) -> np.ndarray:
    """Choose edges at the first days of months or years, in seconds since 1970, over all cells' central 99 %."""
    low, high = np.quantile(cells, [_TAIL, 1 - _TAIL]).astype("int64").astype("datetime64[s]").astype("datetime64[M]")
    count = np.clip(len(cells) / _ROWS_PER_BIN, *_BINS)
    months = int((high - low).astype(int)) + 1
    width = next(each for each in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12000) if each * count >= months)
    first = low.astype(int) // width * width
    edges = np.arange(first, high.astype(int) + width + 1, width).astype("datetime64[M]")
    return edges.astype("datetime64[s]").astype("int64").astype(float)


def bin_edges(cells: np.ndarray, step: float = 0.0, dates: bool = False) -> tuple[np.ndarray, bool]:
    """Choose round edges over the central 99 % of the cells, and whether they grow as the cells do.

    Steps of whole numbers never lie on an edge.
    """
    if not len(cells):
        return np.array([0.0, 1.0]), False
    # Differences and products of the largest numbers are infinite.
    cells = np.clip(cells, -_LARGEST, _LARGEST)
    low, middle, high = np.quantile(cells, [_TAIL, 0.5, 1 - _TAIL])
    if cells.min() > 0 and high > _LONG * middle and not dates:
        grid = [m * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)]  # fmt: skip  # noqa: E501
        first = max(sum(edge <= low for edge in grid) - 1, 0)
        last = next((i for i, edge in enumerate(grid) if edge >= high), len(grid) - 1)
        edges = np.array(grid[first : last + 1])
        return np.unique(np.floor(edges / step) * step - step / 2 if step else edges), True
    base = _DAY if dates and high - low > 3 * _DAY else 1.0
    quartiles = np.subtract(*np.quantile(cells, [0.75, 0.25]))
    rule = 2 * quartiles / len(cells) ** (1 / 3)
    count = (high - low) / rule if rule > 0 else _BINS[1]
    count = float(np.clip(min(count, len(cells) / _ROWS_PER_BIN), *_BINS))
    width = _round_up((high - low) / count / base) * base if high > low else step or _round_up(abs(low) or 1.0)
    if step:
        width = max(round(width / step), 1) * step
    shift = step / 2 if step else 0.0
    first, last = math.floor(low / width + 1e-9), math.floor(high / width + 1e-9) + 1
    edges = np.arange(first, last + 1) * width - shift
    return edges if np.abs(edges).max() > 1 / np.finfo(float).eps else np.round(edges, 10), False


def levels(counts: pd.DataFrame) -> list[dict[str, Any]]:
    """List percentages by category, the missing one last; rare and further ones are summed, their names hidden."""
    total = counts.sum().clip(lower=1)
    missing = counts.index.isna()
    named = counts[~missing]
    rare = named["real"] < FEWEST
    order = named[~rare]["real"].sort_values(ascending=False, kind="stable").index
    shown, further = order[:MOST_LEVELS], order[MOST_LEVELS:]
    rows = [(printable(name), named.loc[name]) for name in shown]
    rows += [(f"({len(further)} more)", named.loc[further].sum())] * bool(len(further))
    rows += [(f"({int(rare.sum())} rare)", named[rare].sum())] * bool(rare.any())
    rows += [("(missing)", counts[missing].sum())] * bool(missing.any())
    percent = [(name, 100 * row / total) for name, row in rows]
    return [
        {"name": name, "real": rounded(row["real"], 2), "synthetic": rounded(row["synthetic"], 2)}
        for name, row in percent
    ]


def exact(value: Any) -> float | None:
    """Return a number as it is, so that only the page rounds it; None where it is undefined."""
    return float(value) + 0.0 if value is not None and math.isfinite(value) else None


def rounded(value: Any, digits: int = 4) -> float | None:
    """Round a number for print; None where it is undefined."""
    return round(float(value), digits) + 0.0 if value is not None and math.isfinite(value) else None


def _numbers(kind: Kind, *parts: pd.Series) -> list[np.ndarray]:
    """List the present cells of both tables, in the unit of the column."""
    return [part.dropna().to_numpy() * getattr(kind, "unit", 1.0) for part in parts]


def _both(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    """Count the categories of both tables, the missing one among them."""
    return pd.DataFrame({"real": _counts(real), "synthetic": _counts(synthetic)}).fillna(0)


def _counts(cells: pd.Series) -> pd.Series:
    counts = cells.value_counts(dropna=False)
    counts.index = pd.Index(list(counts.index), dtype=object)
    return counts


def _spread(n: int, most: int) -> np.ndarray:
    """Positions of at most ``most`` rows, evenly over the table."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(int)


def _round_up(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= width * (1 - 1e-9))
