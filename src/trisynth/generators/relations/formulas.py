"""Formulas of three columns: numbers that two others determine, which are computed instead of modelled.

Examples are a ratio recorded beside its numerator and denominator, and an area beside its sides. A model of all three
columns breaks the identity, and a discriminator detects such rows at once. One of the three columns is therefore left
out of the model and computed from the other two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import combinations, permutations

import numpy as np
import pandas as pd

from trisynth.data.kinds import Category, Date
from trisynth.data.schema import Schema
from trisynth.errors import InputError
from trisynth.generators.columns import with_columns
from trisynth.generators.relations.base import Grid, Relation
from trisynth.statistics.association import mutual_information

# Fraction of the rows in which a formula must hold to the last recorded digit, and rows of a first screening.
_HOLDS, _FIRST = 0.99, 64
# Fewest distinct values of a column, and largest fraction of one value, as a nearly constant column satisfies many
# formulas; fewest rows that support a formula.
_DISTINCT, _MODE, _ROWS = 20, 0.5, 100
# Most numeric columns that are searched.
_COLUMNS = 40
# Relative tolerance of a column that is solved for, and fraction of the rows that must be within it.
_CLOSE, _MOSTLY = 0.01, 0.9
# Relative rounding error of numbers without a last digit, and bins of a column for mutual information.
_ROUNDING, _BINS = 1e-6, 10

# result = left (operation) right, and the same solved for either side.
_FORWARD = {
    "product": lambda left, right: left * right,
    "ratio": lambda left, right: left / right,
    "sum": lambda left, right: left + right,
    "difference": lambda left, right: left - right,
}
_LEFT = {
    "product": lambda result, right: result / right,
    "ratio": lambda result, right: result * right,
    "sum": lambda result, right: result - right,
    "difference": lambda result, right: result + right,
}
_RIGHT = {
    "product": lambda result, left: result / left,
    "ratio": lambda result, left: left / result,
    "sum": lambda result, left: result - left,
    "difference": lambda result, left: left - result,
}


@dataclass(frozen=True)
class Formula:
    """Formula of three columns: ``result`` is the ``kind`` of ``left`` and ``right``, rounded to its step.

    Parameters
    ----------
    kind : str
        product, ratio, sum or difference.
    result, left, right : str
        Names of columns.
    derived : str
        The one of them that is left out of the model.
    """

    kind: str
    result: str
    left: str
    right: str
    derived: str

    @property
    def names(self) -> tuple[str, str, str]:
        """Result, left and right."""
        return self.result, self.left, self.right

    @property
    def inputs(self) -> set[str]:
        """Columns from which the derived one is computed."""
        return set(self.names) - {self.derived}

    @property
    def outputs(self) -> set[str]:
        """Columns that ``DerivedColumns.complete`` writes: a result used to solve for an integer is computed again."""
        return {self.derived, self.result}

    def value(self, name: str, columns: dict) -> np.ndarray:
        """Compute the column ``name`` from the two others, without rounding."""
        result, left, right = (columns.get(other) for other in self.names)
        with np.errstate(all="ignore"):
            if name == self.result:
                return _FORWARD[self.kind](left, right)
            return _LEFT[self.kind](result, right) if name == self.left else _RIGHT[self.kind](result, left)


@dataclass(frozen=True)
class DerivedColumns:
    """Formulas of a table, in an order in which they can be evaluated.

    Parameters
    ----------
    formulas : list of Formula
    steps : dict of str to float
        Unit of the last digit of every column concerned; 0 where there is none.
    medians : dict of str to float
        Median of every column concerned, for rows in which a formula has no value.
    """

    formulas: list
    steps: dict
    medians: dict

    @classmethod
    def none(cls) -> "DerivedColumns":
        """Return no formulas: all columns are modelled."""
        return cls([], {}, {})

    @classmethod
    def learn(cls, table: pd.DataFrame, schema: Schema) -> "DerivedColumns":
        """Find formulas among the numeric columns of a canonical table that have no missing cells."""
        columns = {
            c.name: table[c.name].to_numpy(float)
            for c in schema.columns
            if not isinstance(c, Category | Date) and c.unit == 1.0 and c.name in table
        }
        columns = {name: values for name, values in columns.items() if _varied(values)}
        steps = {c.name: c.step for c in schema.columns if c.name in columns}
        accepted: list[Formula] = []
        if len(table) >= _ROWS and 3 <= len(columns) <= _COLUMNS:
            for kind, names in _candidates(columns, steps):
                options = (Formula(kind, *names, derived) for derived in _preferred(names, columns))
                fit = (o for o in options if _reversible(o, columns, steps) and _ordered([*accepted, o]))
                accepted += [option for option in [next(fit, None)] if option]
        formulas = _ordered(accepted) or []
        concerned = {name for formula in formulas for name in formula.names}
        used = [name for name in columns if name in concerned]
        medians = {name: float(np.median(columns[name])) for name in used}
        return cls(formulas, {name: steps[name] for name in used}, medians)

    @property
    def names(self) -> list:
        """Names of the columns that are left out of the model."""
        return [formula.derived for formula in self.formulas]

    def complete(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the derived columns to a canonical table of modelled columns."""
        columns = {name: values.to_numpy(float) for name, values in table.items() if name in self.steps}
        for formula in self.formulas:
            for name in dict.fromkeys([formula.derived, formula.result]):
                columns[name] = self._rounded(name, formula.value(name, columns))
        return with_columns(table, columns)

    def solved(self, table: pd.DataFrame) -> pd.DataFrame:
        """Solve the formulas for modelled columns that follow from the given ones, and drop the derived columns.

        Raises
        ------
        InputError
            If a derived column is given and its inputs do not follow: conditioning on it would need the distribution
            of a product or a sum, which has no closed form.
        """
        columns = {name: values.to_numpy(float) for name, values in table.items() if name in self.steps}
        for _ in self.formulas:
            for formula in self.formulas:
                for name in formula.names:
                    others = set(formula.names) - {name}
                    if others <= columns.keys():
                        follows = formula.value(name, columns)
                        follows = np.where(np.isfinite(follows), self._rounded(name, follows), np.nan)
                        known = columns.get(name, np.full(len(table), np.nan))
                        columns[name] = np.where(np.isnan(known), follows, known)
        for formula in self.formulas:
            if formula.derived in table:
                needed = [columns.get(name, np.full(len(table), np.nan)) for name in formula.inputs]
                open_ = ~np.isnan(columns[formula.derived]) & np.isnan(needed).any(axis=0)
                if open_.any():
                    others = " and ".join(repr(name) for name in formula.names if name != formula.derived)
                    raise InputError("X", formula.derived, f"is derived from {others}; give these columns as well")
        kept = {name: values for name, values in columns.items() if name not in self.names}
        return with_columns(table.drop(columns=self.names, errors="ignore"), kept)

    def _rounded(self, name: str, values: np.ndarray) -> np.ndarray:
        values = np.where(np.isfinite(values), values, self.medians[name])
        step = self.steps[name]
        if not step:
            return values
        # Decimal steps divide: 3 / 10 prints as 0.3, 3 * 0.1 does not.
        return np.rint(values * round(1 / step)) / round(1 / step) if step < 1 else np.rint(values / step) * step


def _varied(values: np.ndarray) -> bool:
    if np.isnan(values).any():
        return False
    _, seen = np.unique(values, return_counts=True)
    return len(seen) >= _DISTINCT and seen.max() <= _MODE * len(values)


def _agree(values: np.ndarray, computed: np.ndarray, step: float) -> np.ndarray:
    """Decide for each value whether the computed one agrees to its last digit."""
    with np.errstate(invalid="ignore"):
        return np.abs(values - computed) <= _tolerance(values, step)


def _tolerance(values: np.ndarray, step: float | np.ndarray) -> np.ndarray:
    return np.maximum(step / 2 * (1 + _ROUNDING), _ROUNDING * np.abs(values))


def _candidates(columns: dict, steps: dict) -> list[tuple[str, tuple[str, str, str]]]:
    """List kind and (result, left, right) of the formulas that hold, the most frequent first.

    Of several formulas of the same three columns the most precise one is listed.
    """
    names = list(columns)
    n = len(columns[names[0]])
    some = np.unique(np.linspace(0, n - 1, _FIRST).astype(int))
    first = np.stack([columns[name][some] for name in names])
    digits = np.array([steps[name] for name in names])[:, None]
    best: dict[frozenset, tuple] = {}
    for a, b in permutations(range(len(names)), 2):
        for kind, operation in _FORWARD.items():
            if a > b and kind in ("product", "sum"):
                continue
            with np.errstate(all="ignore"):
                holds = _agree(first, operation(first[a], first[b]), digits).mean(axis=1) >= _HOLDS - 0.05
            for c in np.flatnonzero(holds):
                result, left, right = names[c], names[a], names[b]
                if c in (a, b):
                    continue
                value, step = columns[result], steps[result]
                with np.errstate(all="ignore"):
                    fraction = float(_agree(value, operation(columns[left], columns[right]), step).mean())
                    # A formula for the most precise column implies those for the others.
                    tolerance = float(np.nanmedian(_tolerance(value, step) / np.abs(value)))
                key = frozenset((result, left, right))
                if fraction >= _HOLDS and (key not in best or tolerance < best[key][0]):
                    best[key] = tolerance, -fraction, kind, (result, left, right)
    ordered = sorted(best.values(), key=lambda entry: (entry[1], entry[3]))
    return [(kind, triple) for _, _, kind, triple in ordered]


def _preferred(names: tuple[str, str, str], columns: dict) -> list[str]:
    """Order the three columns, the best to leave out first: the remaining two should have little mutual information."""
    bins = [
        np.searchsorted(np.unique(np.quantile(columns[name], np.linspace(0, 1, _BINS + 1)[1:-1])), columns[name])
        for name in names
    ]
    information = mutual_information(np.stack(bins, axis=1))
    pairs = sorted(combinations(range(3), 2), key=lambda pair: information[pair])
    return [names[3 - a - b] for a, b in pairs]


def _reversible(formula: Formula, columns: dict, steps: dict) -> bool:
    """Decide whether the two others determine the derived column closely."""
    name = formula.derived
    truth, found = columns[name], formula.value(name, columns)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - truth) <= np.maximum(steps[name] / 2, _CLOSE * np.abs(truth))
    return name == formula.result or float(near.mean()) >= _MOSTLY


def _ordered(formulas: list[Formula]) -> list[Formula] | None:
    """Sort formulas topologically, so that inputs are computed first; None if there is no such order."""
    writers: dict[str, int] = {}
    for i, formula in enumerate(formulas):
        for name in formula.outputs:
            if writers.setdefault(name, i) != i:
                return None
    graph = {i: {writers[n] for n in r.inputs if n in writers} - {i} for i, r in enumerate(formulas)}
    try:
        return [formulas[i] for i in TopologicalSorter(graph).static_order()]
    except CycleError:
        return None


@dataclass(frozen=True)
class Formulas(Relation):
    """Formulas of three columns as a relation.

    Parameters
    ----------
    columns : DerivedColumns
    """

    columns: DerivedColumns

    @property
    def names(self) -> tuple:
        """All columns of the formulas."""
        return tuple(self.columns.steps)

    @property
    def taken(self) -> tuple:
        """Columns that are left out."""
        return tuple(self.columns.names)

    def reduce(self, table: pd.DataFrame) -> pd.DataFrame:
        """Drop the derived columns."""
        return table.drop(columns=self.columns.names)

    def expand(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> pd.DataFrame:
        """Compute the derived columns."""
        return self.columns.complete(table)

    def evidence(self, table: pd.DataFrame) -> pd.DataFrame:
        """Solve the formulas for what follows from the given columns."""
        return self.columns.solved(table)

    def holds(self, table: pd.DataFrame, grids: Mapping[object, Grid]) -> np.ndarray:
        """Decide for each row whether every formula holds to the last digit."""
        found = np.ones(len(table), bool)
        columns = {name: table[name].to_numpy(float) for name in self.names}
        for formula in self.columns.formulas:
            values = columns[formula.result]
            found &= _agree(values, formula.value(formula.result, columns), self.columns.steps[formula.result])
        return found

    def __str__(self) -> str:
        """Write the formulas."""
        signs = {"product": "*", "ratio": "/", "sum": "+", "difference": "-"}
        return "; ".join(f"{f.result} = {f.left} {signs[f.kind]} {f.right}" for f in self.columns.formulas)
