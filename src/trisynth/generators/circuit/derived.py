"""Numbers that follow from two others: found on training rows, left out of what is modelled, computed afterwards.

A share that is recorded beside its numerator and its denominator, an area beside its sides: a model of all three blurs
what is exact, and trees tell such rows at once. One of the three columns is left out and computed from the other two.
"""

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import combinations, permutations

import numpy as np
import pandas as pd

from trisynth.data.schema import Schema
from trisynth.errors import InputError
from trisynth.generators.circuit.chow_liu import mutual_information

# Share of the rows in which a relation must hold to the last digit recorded, and rows that are looked at first.
_HOLDS, _FIRST = 0.99, 64
# Distinct values that a column must have at least, and the largest share of one value: what is nearly constant
# fulfils many formulas. Rows that a relation is believed from.
_DISTINCT, _MODE, _ROWS = 20, 0.5, 100
# More numbers would take long to look through.
_COLUMNS = 40
# A column that is computed backwards must come out within this, relatively, in this share of the rows.
_CLOSE, _MOSTLY = 0.01, 0.9
# Relative rounding of numbers that have no last digit, and parts that a column is cut into for mutual information.
_ROUNDING, _PARTS = 1e-6, 10

# result = left (sign) right, and how either side is got back.
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
class Relation:
    """``result`` is the ``kind`` of ``left`` and ``right``, rounded to its step.

    Parameters
    ----------
    kind : str
        product, ratio, sum or difference.
    result, left, right : str
        Names of columns.
    derived : str
        The one of them that is not modelled.
    """

    kind: str
    result: str
    left: str
    right: str
    derived: str

    @property
    def names(self) -> tuple[str, str, str]:
        return self.result, self.left, self.right

    @property
    def inputs(self) -> set[str]:
        """Columns that the derived one is computed from."""
        return set(self.names) - {self.derived}

    @property
    def outputs(self) -> set[str]:
        """Columns that ``Relations.complete`` writes: a result that led back to a whole number is computed again."""
        return {self.derived, self.result}

    def value(self, name: str, columns: dict) -> np.ndarray:
        """The column ``name`` as it follows from the two others, not rounded."""
        result, left, right = (columns.get(other) for other in self.names)
        with np.errstate(all="ignore"):
            if name == self.result:
                return _FORWARD[self.kind](left, right)
            return _LEFT[self.kind](result, right) if name == self.left else _RIGHT[self.kind](result, left)


@dataclass(frozen=True)
class Relations:
    """Relations of a table, in an order in which they can be computed.

    Parameters
    ----------
    found : list of Relation
    steps : dict of str to float
        Last digit of every column concerned; 0 where there is none.
    middles : dict of str to float
        Median of every column, for rows in which a formula has no value.
    """

    found: list
    steps: dict
    middles: dict

    @classmethod
    def none(cls) -> "Relations":
        """Of a table whose columns are all modelled."""
        return cls([], {}, {})

    @classmethod
    def learn(cls, table: pd.DataFrame, schema: Schema) -> "Relations":
        """Relations among the numbers of a canonical table that have no missing cells."""
        columns = {
            c.name: table[c.name].to_numpy(float)
            for c in schema.columns
            if c.categories is None and c.unit == 1.0 and getattr(c.dtype, "kind", "f") != "M"
        }
        columns = {name: values for name, values in columns.items() if _varied(values)}
        steps = {c.name: c.step for c in schema.columns if c.name in columns}
        accepted: list[Relation] = []
        if len(table) >= _ROWS and 3 <= len(columns) <= _COLUMNS:
            for kind, names in _candidates(columns, steps):
                options = (Relation(kind, *names, derived) for derived in _preferred(names, columns))
                fit = (o for o in options if _reversible(o, columns, steps) and _ordered([*accepted, o]))
                accepted += [option for option in [next(fit, None)] if option]
        found = _ordered(accepted) or []
        concerned = {name for relation in found for name in relation.names}
        used = [name for name in columns if name in concerned]
        middles = {name: float(np.median(columns[name])) for name in used}
        return cls(found, {name: steps[name] for name in used}, middles)

    @property
    def derived(self) -> list:
        """Columns that are not modelled."""
        return [relation.derived for relation in self.found]

    def complete(self, table: pd.DataFrame) -> pd.DataFrame:
        """A canonical table of modelled columns with the derived ones."""
        columns = {name: values.to_numpy(float) for name, values in table.items() if name in self.steps}
        for relation in self.found:
            for name in dict.fromkeys([relation.derived, relation.result]):
                columns[name] = self._rounded(name, relation.value(name, columns))
        return _with(table, columns)

    def solved(self, table: pd.DataFrame) -> pd.DataFrame:
        """Given columns of a canonical table without the derived ones, and with those that follow from the given ones.

        Raises
        ------
        InputError
            If a derived column is given and what it is derived from does not follow: the answer would need the law of
            a product or a sum, which has no closed form.
        """
        columns = {name: values.to_numpy(float) for name, values in table.items() if name in self.steps}
        for _ in self.found:
            for relation in self.found:
                for name in relation.names:
                    others = set(relation.names) - {name}
                    if others <= columns.keys():
                        follows = relation.value(name, columns)
                        follows = np.where(np.isfinite(follows), self._rounded(name, follows), np.nan)
                        known = columns.get(name, np.full(len(table), np.nan))
                        columns[name] = np.where(np.isnan(known), follows, known)
        for relation in self.found:
            if relation.derived in table:
                needed = [columns.get(name, np.full(len(table), np.nan)) for name in relation.inputs]
                open_ = ~np.isnan(columns[relation.derived]) & np.isnan(needed).any(axis=0)
                if open_.any():
                    others = " and ".join(repr(name) for name in relation.names if name != relation.derived)
                    remedy = "give them, too, or fit with generator.derived_columns=false"
                    raise InputError("X", relation.derived, f"is computed from {others}; {remedy}")
        kept = {name: values for name, values in columns.items() if name not in self.derived}
        return _with(table.drop(columns=self.derived, errors="ignore"), kept)

    def _rounded(self, name: str, values: np.ndarray) -> np.ndarray:
        values = np.where(np.isfinite(values), values, self.middles[name])
        step = self.steps[name]
        if not step:
            return values
        # Decimal steps divide: 3 / 10 prints as 0.3, 3 * .1 does not.
        return np.rint(values * round(1 / step)) / round(1 / step) if step < 1 else np.rint(values / step) * step


def _with(table: pd.DataFrame, columns: dict) -> pd.DataFrame:
    """The table with these columns; names may be anything."""
    table = table.copy(deep=False)
    for name, values in columns.items():
        table[name] = values
    return table


def _varied(values: np.ndarray) -> bool:
    if np.isnan(values).any():
        return False
    _, seen = np.unique(values, return_counts=True)
    return len(seen) >= _DISTINCT and seen.max() <= _MODE * len(values)


def _agree(values: np.ndarray, formula: np.ndarray, step: float) -> np.ndarray:
    """Whether a formula gives the values to their last digit."""
    with np.errstate(invalid="ignore"):
        return np.abs(values - formula) <= _tolerance(values, step)


def _tolerance(values: np.ndarray, step: float | np.ndarray) -> np.ndarray:
    return np.maximum(step / 2 * (1 + _ROUNDING), _ROUNDING * np.abs(values))


def _candidates(columns: dict, steps: dict) -> list[tuple[str, tuple[str, str, str]]]:
    """Kinds and (result, left, right) of the relations that hold, the surest first; of three columns the finest one."""
    names = list(columns)
    n = len(columns[names[0]])
    some = np.unique(np.linspace(0, n - 1, _FIRST).astype(int))
    first = np.stack([columns[name][some] for name in names])
    digits = np.array([steps[name] for name in names])[:, None]
    best: dict[frozenset, tuple] = {}
    for a, b in permutations(range(len(names)), 2):
        for kind, formula in _FORWARD.items():
            if a > b and kind in ("product", "sum"):
                continue
            with np.errstate(all="ignore"):
                holds = _agree(first, formula(first[a], first[b]), digits).mean(axis=1) >= _HOLDS - 0.05
            for c in np.flatnonzero(holds):
                result, left, right = names[c], names[a], names[b]
                if c in (a, b):
                    continue
                value, step = columns[result], steps[result]
                with np.errstate(all="ignore"):
                    share = float(_agree(value, formula(columns[left], columns[right]), step).mean())
                    # A formula for the finest number implies those for the others.
                    blur = float(np.nanmedian(_tolerance(value, step) / np.abs(value)))
                key = frozenset((result, left, right))
                if share >= _HOLDS and (key not in best or blur < best[key][0]):
                    best[key] = blur, -share, kind, (result, left, right)
    ordered = sorted(best.values(), key=lambda entry: (entry[1], entry[3]))
    return [(kind, triple) for _, _, kind, triple in ordered]


def _preferred(names: tuple[str, str, str], columns: dict) -> list[str]:
    """The three columns, the best to leave out first: those that stay should tell little of each other."""
    parts = [
        np.searchsorted(np.unique(np.quantile(columns[name], np.linspace(0, 1, _PARTS + 1)[1:-1])), columns[name])
        for name in names
    ]
    information = mutual_information(np.stack(parts, axis=1))
    pairs = sorted(combinations(range(3), 2), key=lambda pair: information[pair])
    return [names[3 - a - b] for a, b in pairs]


def _reversible(relation: Relation, columns: dict, steps: dict) -> bool:
    """Whether the derived column comes out of the two others closely."""
    name = relation.derived
    truth, found = columns[name], relation.value(name, columns)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - truth) <= np.maximum(steps[name] / 2, _CLOSE * np.abs(truth))
    return name == relation.result or float(near.mean()) >= _MOSTLY


def _ordered(relations: list[Relation]) -> list[Relation] | None:
    """The relations in an order in which each finds its inputs computed; None if there is none."""
    writers: dict[str, int] = {}
    for i, relation in enumerate(relations):
        for name in relation.outputs:
            if writers.setdefault(name, i) != i:
                return None
    graph = {i: {writers[n] for n in r.inputs if n in writers} - {i} for i, r in enumerate(relations)}
    try:
        return [relations[i] for i in TopologicalSorter(graph).static_order()]
    except CycleError:
        return None
