"""Search for computed columns: spans of time, straight lines, powers with a constant, and weighted sums."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations, product

import numpy as np
import pandas as pd

from trisynth.data.kinds import Date, Duration, Kind
from trisynth.generators.relations import calendar
from trisynth.generators.relations.base import Grid
from trisynth.generators.relations.computed import UNITS, Computed, agrees, helper_of

# Fraction of the complete rows in which a formula must hold to the last digit, and fewest such rows.
_HOLDS, _ROWS = 0.99, 100
# The same fraction for a number that follows from dates, of which people make mistakes.
_MOSTLY = 0.9
# Fewest distinct values of a column, and largest fraction of one value; the same of a factor, such as a quantity.
_DISTINCT, _MODE = 20, 0.5
_FACTOR = 3, 0.9
# Coarsest column, as relative distance between neighbouring values, that a free constant may be fitted to.
_COARSE = 0.02
# Rows of a first screening, and the fraction of them that may disagree.
_FIRST, _LOOSE = 24, 0.15
# Digits after the first of a slope that is fitted to all rows.
_SLOPES = (2, 3, 4, 5, 6)
_POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0)
# Most numeric columns that are searched, and most terms of a sum.
_COLUMNS, _TERMS = 40, 24
# Fewest distinct values of a part of a sum, and of an answer or a flag that is one; largest fraction of one value.
_PART, _ITEM = (5, 0.9), (2, 0.98)
# Standard deviation of what rounding leaves of a sum, in steps of the last digit, at the most.
_ROUNDED = 0.4


def search(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping[object, Grid], taken: Sequence) -> list[Computed]:
    """Find computed columns among numeric ones, in an order in which they can be left out.

    Parameters
    ----------
    table : DataFrame
        Canonical table.
    kinds : sequence of Kind
        Of the columns that may take part.
    grids : mapping of column to Grid
    taken : sequence
        Columns that may be inputs, but are not computed.
    """
    kinds = [kind for kind in kinds if kind.name in grids]
    if len(table) < _ROWS or len(kinds) < 2:
        return []
    found: list[Computed] = []
    # A column that was computed may not be an input of a later one, which would be computed first.
    for candidates in (_spans, _clocks, _ages, _lines, _products, _sums):
        gone = {relation.derived for relation in found}
        left = [kind for kind in kinds if kind.name not in gone]
        for relation in candidates(table, left, grids):
            done = {other.derived for other in found}
            used = {name for other in found for name in other.inputs}
            if relation.derived in done | used | set(taken) or done & set(relation.inputs):
                continue
            found.append(relation)
    return [*_chained(table, kinds, grids, found, taken), *found]


def _chained(
    table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping[object, Grid], found: Sequence[Computed], taken: Sequence
) -> list[Computed]:
    """Find columns that follow from computed ones, such as a wage from hours: left out before them, computed after."""
    done, used = {each.derived for each in found}, {name for each in found for name in each.inputs}
    chained: list[Computed] = []
    for candidates in (_lines, _products, _sums) if done else ():
        for relation in candidates(table, kinds, grids):
            inputs, last = set(relation.inputs), {each.derived for each in chained}
            if relation.derived in done | used | last | set(taken) or not done & inputs or last & inputs:
                continue
            if any(relation.derived in each.inputs for each in chained):
                continue
            chained.append(relation)
    return chained


def _accepted(table: pd.DataFrame, relation: Computed, grid: Grid, least: float = _HOLDS) -> Computed | None:
    """Return the relation with the helper that its gaps need, if it holds in the rows, or in ``least`` of them."""
    values, computed = table[relation.derived].to_numpy(float), relation.value(table)
    if relation.rounding != "nearest":
        computed = grid.rounded(computed, relation.rounding)
    known = ~(np.isnan(values) | np.isnan(computed))
    if known.sum() < _ROWS:
        return None
    share = float(agrees(values, computed, grid)[known].mean())
    helper = helper_of(table, relation.derived, relation.inputs)
    if share < least or helper is None:
        return None
    if share >= _HOLDS:
        return replace(relation, helper=helper)
    # Most rows of a nearly constant column agree with many formulas.
    return replace(relation, share=share, step=grid.step) if _varied(values, 5) else None


def _varied(values: np.ndarray, distinct: int = _DISTINCT, mode: float = _MODE) -> bool:
    known = values[~np.isnan(values)]
    if len(known) < _ROWS:
        return False
    _, seen = np.unique(known, return_counts=True)
    return len(seen) >= distinct and seen.max() <= mode * len(known)


def _spans(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> Iterator[Computed]:
    """Find spans between two dates, in units from seconds to years, rounded or counted in full."""
    dates = [kind.name for kind in kinds if isinstance(kind, Date)]
    numbers = [
        kind for kind in kinds if not isinstance(kind, Date) and _varied(table[kind.name].to_numpy(float), 5, 0.9)
    ]
    some = table.iloc[np.unique(np.linspace(0, len(table) - 1, 200).astype(int))]
    for start, end in ((a, b) for a in dates for b in dates if a != b):
        for kind in numbers:
            units = {"seconds": 1.0} if isinstance(kind, Duration) else UNITS
            options = [Computed("birthdays", kind.name, (start, end), (), 0.0)]
            options += [
                Computed("sum", kind.name, (end, start), (1 / unit, -1 / unit), offset, rounding)
                for unit, rounding, offset in product(units.values(), ("nearest", "down", "up"), (0.0, 1.0))
                if rounding == "nearest" or grids[kind.name].step
            ]
            best = None
            for option in options:
                grid = grids[kind.name]
                rough = option.holds(some, grids).mean() >= _MOSTLY - 0.05
                relation = _accepted(table, option, grid, _MOSTLY) if rough else None
                share = relation.agreeing(table, grids).mean() if relation else 0.0
                if relation and (best is None or share > best[0]):
                    best = share, relation
            if best:
                yield best[1]


def _clocks(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> Iterator[Computed]:
    """Find times between two times of the day, of which the later one may be on the next day."""
    clocks = [kind.name for kind in kinds if isinstance(kind, Duration) and _varied(table[kind.name].to_numpy(float))]
    clocks = [name for name in clocks if table[name].min() >= 0 and table[name].max() < UNITS["days"]]
    numbers = [kind for kind in kinds if not isinstance(kind, Date) and _varied(table[kind.name].to_numpy(float))]
    some = table.iloc[np.unique(np.linspace(0, len(table) - 1, 200).astype(int))]
    for start, end in ((a, b) for a in clocks for b in clocks if a != b):
        for kind in (each for each in numbers if each.name not in (start, end)):
            units = [1.0] if isinstance(kind, Duration) else [UNITS[name] for name in ("seconds", "minutes", "hours")]
            for unit in units:
                option = Computed("clock", kind.name, (end, start), (1 / unit, -1 / unit), 0.0)
                rough = option.holds(some, grids).mean() >= _MOSTLY - 0.05
                if relation := _accepted(table, option, grids[kind.name], _MOSTLY) if rough else None:
                    yield relation


def _ages(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> Iterator[Computed]:
    """Find numbers that one date determines."""
    for relation in calendar.candidates(table, kinds, grids):
        found = _accepted(table, relation, grids[relation.derived], _MOSTLY)
        if found:
            yield found


def _lines(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> Iterator[Computed]:
    """Find columns that are another one times a constant, plus a constant: other units, or the same numbers."""
    names = [kind.name for kind in kinds if _varied(table[kind.name].to_numpy(float), _DISTINCT, 0.9)]
    values = {name: table[name].to_numpy(float) for name in names}
    # A column of more levels takes values between those that follow from the other: it is the one to compute.
    levels = {name: np.nanstd(values[name]) / max(grids[name].step, 1e-300) for name in names}
    pairs = sorted(permutations(names, 2), key=lambda pair: levels[pair[0]] > 1.01 * levels[pair[1]])
    timed = {kind.name for kind in kinds if isinstance(kind, Date | Duration)}
    for source, derived in pairs:
        a, b = values[source], values[derived]
        known = np.flatnonzero(~(np.isnan(a) | np.isnan(b)))
        if len(known) < _ROWS:
            continue
        first = known[np.unique(np.linspace(0, len(known) - 1, 64).astype(int))]
        x, y = a[first] - a[first].mean(), b[first] - b[first].mean()
        norm = np.sqrt((x @ x) * (y @ y))
        if not norm or abs(x @ y) / norm < 0.999:
            continue
        low, high = known[np.argmin(a[known])], known[np.argmax(a[known])]
        slope = (b[high] - b[low]) / (a[high] - a[low])
        if not slope:
            continue
        # The slope of two recorded numbers is known up to their last digits, and that of all rows more exactly.
        slack = max(grids[derived].step, 1e-9 * abs(slope)) / (a[high] - a[low])
        x = a[known] - a[known].mean()
        fitted = float(x @ b[known] / (x @ x))
        found = []
        for each in (_plain(slope - slack, slope + slack), *(float(f"{fitted:.{digits}e}") for digits in _SLOPES)):
            constant = _constant(a[known], b[known], each, grids[derived], derived in timed)
            formula = Computed("sum", derived, (source,), (each,), constant, timed=derived in timed)
            if relation := _accepted(table, formula, grids[derived]):
                found.append((float(relation.agreeing(table, grids).mean()), relation))
                if found[-1][0] == 1:
                    break
        if found:
            yield max(found, key=lambda pair: pair[0])[1]


def _constant(a: np.ndarray, b: np.ndarray, slope: float, grid: Grid, timed: bool) -> float:
    """Return the plainest constant of a line of a slope that most rows allow; of times, a whole number of steps."""
    rest, error = b - slope * a, grid.error(b)
    half = max(grid.step / 2, error)
    low, high = sorted((float(np.quantile(rest, 0.995)) - half, float(np.quantile(rest, 0.005)) + half))
    whole = grid.step * round((low + high) / 2 / grid.step) if timed and grid.step else np.nan
    constant = whole if low <= whole <= high else 0.0 if low <= 0 <= high else _plain(low, high)
    # Rounding errors of floats are no constant.
    return 0.0 if abs(constant) < error else constant


def _products(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> Iterator[Computed]:
    """Find columns that are a constant times powers of one or two others; the most frequent formula comes first."""
    columns = {}
    for kind in kinds:
        values = table[kind.name].to_numpy(float)
        known = values[~np.isnan(values)]
        if not isinstance(kind, Date) and len(known) and known.min() > 0 and _varied(values, *_FACTOR):
            columns[kind.name] = values
    names = list(columns)
    fine = [_varied(values) for values in columns.values()]
    if not 2 <= len(names) <= _COLUMNS:
        return
    complete = np.flatnonzero(~np.isnan(np.array(list(columns.values()))).any(axis=0))
    if len(complete) < _FIRST:
        return
    some = complete[np.unique(np.linspace(0, len(complete) - 1, _FIRST).astype(int))]
    logs = np.log(np.array([columns[name][some] for name in names]))
    # Rounding error of the logarithm, half a digit.
    error = np.array([np.maximum(grids[name].step / 2 / columns[name][some], 1e-6) for name in names])
    medians = np.array([np.median(error[i]) for i in range(len(names))])
    powers = np.array(list(product(_POWERS, (0.0, *_POWERS))))
    found = []
    for i, j in combinations(range(len(names)), 2):
        for pair in ((i, j), (j, i)) if j == i + 1 or i == 0 else ((i, j),):
            options = powers if pair == (i, j) else powers[powers[:, 1] == 0]
            shape = options[:, :1] * logs[pair[0]] + options[:, 1:] * logs[pair[1]]
            for c in range(len(names)):
                if c == pair[0] or medians[c] > _COARSE / 2 or not fine[c]:
                    continue
                residual = logs[c] - shape
                allowed = (error[c] + error[c, :1]) * 1.001
                near = (np.abs(residual - residual[:, :1]) <= allowed).mean(axis=1) >= 1 - _LOOSE
                for p, q in options[near]:
                    inputs = tuple(names[k] for k, power in zip(pair, (p, q), strict=True) if power)
                    if names[c] in inputs:
                        continue
                    weights = tuple(float(power) for power in (p, q) if power)
                    relation = _scaled(table, names[c], inputs, weights, grids[names[c]])
                    if relation:
                        share = float(relation.holds(table, grids).mean())
                        found.append((-share, len(inputs), medians[c], len(found), relation))
    for *_, relation in sorted(found, key=lambda entry: entry[:4]):
        yield relation


def _scaled(table: pd.DataFrame, derived: object, inputs: tuple, weights: tuple, grid: Grid) -> Computed | None:
    """Fit the constant of a product of powers: the plainest number that most rows allow."""
    values = table[derived].to_numpy(float)
    shape = Computed("power", derived, inputs, weights, 1.0).value(table)
    with np.errstate(all="ignore"):
        tolerance = grid.tolerance(values)
        low, high = (values - tolerance) / shape, (values + tolerance) / shape
    known = np.isfinite(low) & np.isfinite(high)
    if known.sum() < _ROWS:
        return None
    bounds = sorted((float(np.quantile(low[known], 0.995)), float(np.quantile(high[known], 0.005))))
    return _accepted(table, Computed("power", derived, inputs, weights, _plain(*bounds)), grid)


def _plain(low: float, high: float) -> float:
    """Return the number with the fewest digits within an interval."""
    middle = (low + high) / 2
    for digits in range(12):
        number = float(f"{middle:.{digits}e}")
        if low <= number <= high:
            return number
    return middle


def _independent(cells: np.ndarray, columns: list[int], steps: Sequence[float]) -> list[int]:
    """Leave out columns that a sum of the columns before them gives, up to rounding: their weights are not unique."""
    centred = cells[columns] - cells[columns].mean(axis=1, keepdims=True)
    left = np.abs(np.diag(np.linalg.qr(centred.T, mode="r"))) / np.sqrt(centred.shape[1])
    least = [
        max(_ROUNDED * steps[j], 1e-6 * deviation) for j, deviation in zip(columns, centred.std(axis=1), strict=True)
    ]
    return [j for j, rest, limit in zip(columns, left, least, strict=True) if rest > limit]


def _sums(table: pd.DataFrame, kinds: Sequence[Kind], grids: Mapping) -> Iterator[Computed]:
    """Find weighted sums of other numbers, by least squares on the columns before."""
    numbers = {kind.name: table[kind.name].to_numpy(float) for kind in kinds if not isinstance(kind, Date)}
    names = [name for name, values in numbers.items() if _varied(values, *_ITEM)]
    if len(names) > _COLUMNS:
        names = [name for name in names if _varied(numbers[name], *_PART)]
    if not 3 <= len(names) <= _COLUMNS:
        return
    # Answers of a few levels are not rounded, as measured numbers may be.
    steps = [grids[name].step if _varied(numbers[name], *_PART) else 0.0 for name in names]
    cells = np.array([table[name].to_numpy(float) for name in names])
    complete = np.flatnonzero(~np.isnan(cells).any(axis=0))
    if len(complete) < max(_ROWS, 3 * len(names)):
        return
    rows = complete[np.unique(np.linspace(0, len(complete) - 1, 2_000).astype(int))]
    cells = cells[:, rows]
    scale = cells.std(axis=1)
    found = []
    for i, name in enumerate(names):
        others = _independent(cells, [j for j in range(len(names)) if j != i], steps)
        design = np.column_stack([(cells[others] / scale[others, None]).T, np.ones(len(rows))])
        weights, _, rank, _ = np.linalg.lstsq(design, cells[i] / scale[i], rcond=1e-10)
        residual = cells[i] - scale[i] * (design @ weights)
        if np.abs(residual).mean() > max(grids[name].step, 1e-6 * scale[i]):
            continue
        plain = np.round(weights[:-1] * scale[i] / scale[others], 2)
        chosen = [k for k, weight in enumerate(plain) if weight]
        if rank < design.shape[1] or not 2 <= len(chosen) <= _TERMS:
            continue
        inputs = tuple(names[others[k]] for k in chosen)
        exact = tuple(float(plain[k]) for k in chosen)
        rest = cells[i] - sum(weight * cells[others[k]] for k, weight in zip(chosen, exact, strict=True))
        half = max(grids[name].step / 2, 1e-9 * np.abs(cells[i]).max())
        constant = _plain(*sorted((float(np.median(rest) - half), float(np.median(rest) + half))))
        constant = 0.0 if abs(np.median(rest)) <= half else constant
        # Parts that were rounded after their sum was taken differ from it by half a last digit each.
        allowed = sum(abs(weight) * grids[each].step for each, weight in zip(inputs, exact, strict=True))
        rounded = np.abs(rest - constant) <= (allowed + grids[name].step) / 2 * (1 + 1e-6)
        least = 0.0 if allowed and rounded.mean() >= _HOLDS else _HOLDS
        relation = _accepted(table, Computed("sum", name, inputs, exact, constant), grids[name], least)
        if relation and not _varied(numbers[name], *_PART):
            # Most rows of a few levels may agree by chance.
            relation = relation if relation.holds(table, grids).all() else None
        if relation:
            found.append((sum(weight < 0 for weight in exact), len(found), relation))
    # The total is computed, and not one of its parts.
    for *_, relation in sorted(found, key=lambda entry: entry[:2]):
        yield relation
