"""Checks of declared constraints: before any row is read, and on the real rows."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from trisynth.data import tensors
from trisynth.data.constraints.expressions import Cells, Constraint
from trisynth.data.constraints.linear import possible
from trisynth.data.dataset import Dataset
from trisynth.data.kinds import Category, Date, Duration, Kind
from trisynth.data.schema import Schema
from trisynth.errors import InputError

_DAY = 86_400.0
# Most expressions: each pair is examined when they contradict each other.
_MOST = 200
_MEANS = "cannot both be met; drop one of the two"


def checked(declared: object, names: Iterable, parameter: str = "constraints") -> tuple[Constraint, ...]:
    """Read declared constraints and refuse contradictions.

    Parameters
    ----------
    declared : iterable of str, or None
    names : iterable
        Columns of the table.
    parameter : str, default="constraints"
        Name of the declaration in errors.

    Raises
    ------
    InputError
        If one cannot be read or met by any numbers, or some contradict each other.
    """
    if isinstance(declared, str | Mapping) or not isinstance(declared or (), Iterable):
        raise InputError(parameter, declared, "must be a list of expressions, such as ['end >= start']")
    texts, names = list(declared or ()), list(names)
    if len(texts) > _MOST:
        raise InputError(parameter, f"{len(texts)} expressions", f"must be at most {_MOST}; join some by and")
    found = tuple(dict.fromkeys(Constraint.parse(text, names, parameter) for text in texts))
    for one in found:
        if not possible([one]):
            raise InputError(parameter, one.text, "can never be met; correct or drop it")
    if possible(found):
        return found
    for pair in combinations(found, 2):
        if set(pair[0].columns) & set(pair[1].columns) and not possible(pair):
            raise InputError(parameter, _texts(pair), _MEANS)
    # Left out one by one, what remains is the smallest set that contradicts itself.
    core = list(found)
    for one in found:
        rest = [other for other in core if other is not one]
        core = core if possible(rest) else rest
    raise InputError(parameter, _texts(core), "cannot all be met; drop one of them")


def cells_of(table: pd.DataFrame, kinds: Iterable[Kind]) -> dict[object, Cells]:
    """Return the cells of a canonical table as constraints see them, by the columns' names."""
    found = {}
    for kind in kinds:
        if kind.name not in table:
            continue
        values = table[kind.name]
        if isinstance(kind, Category):
            texts = np.array([*map(str, values.cat.categories), None], dtype=object)
            found[kind.name] = Cells(texts[values.cat.codes.to_numpy()])
        else:
            scale = seconds(kind)
            # Steps and values of very large numbers are in units of their own.
            found[kind.name] = Cells(
                values.to_numpy(float) * (kind.unit / scale), kind.step / scale, isinstance(kind, Date)
            )
    return found


def seconds(kind: Kind) -> float:
    """Return the seconds in a day for columns that hold times, 1 for others."""
    return _DAY if isinstance(kind, Date | Duration) else 1.0


def check_rows(
    constraints: Sequence[Constraint], cells: Mapping[object, Cells], parameter: str = "constraints"
) -> dict[str, float]:
    """Return the fraction of the real rows that break each constraint, among those that can be decided.

    Raises
    ------
    InputError
        If no row meets one of them, or no row meets two of them, or all.
    """
    met, shares = {}, {}
    for one in constraints:
        truth = one.truth(cells)
        met[one] = truth > 0
        known = truth != 0.5
        shares[one.text] = float((truth == 0).sum() / max(known.sum(), 1))
        if not met[one].any():
            raise InputError(parameter, one.text, f"no row of the {len(truth):,} meets it; correct or drop it")
    for pair in combinations(constraints, 2):
        if not (met[pair[0]] & met[pair[1]]).any():
            raise InputError(parameter, _texts(pair), "no row meets both of them; drop one of the two")
    if constraints and not np.all(list(met.values()), axis=0).any():
        raise InputError(parameter, _texts(constraints), "no row meets all of them; drop one of them")
    return shares


def findings(dataset: Dataset) -> list[tuple[str, int]]:
    """Return, for each declared constraint that real rows break, its text and their number.

    Raises
    ------
    InputError
        If a constraint contains a column that is not analysed, or as ``check_rows``.
    """
    parameter, frame = "dataset.constraints", dataset.frame
    single = [name for name, dtype in frame.dtypes.items() if not tensors.is_cell(dtype)]
    found = []
    for text in dataset.spec.constraints:
        try:
            found.append(Constraint.parse(text, single, parameter))
        except InputError as error:
            remedy = f"{error.remedy}; identifiers, texts, arrays and ignored columns cannot be constrained"
            raise InputError(parameter, text, remedy) from None
    names = list(dict.fromkeys(name for one in found for name in one.columns))
    if not names:
        return []
    schema = Schema.learn(frame[names], {name: fact for name, fact in dataset.facts.items() if name in names})
    cells = cells_of(schema.canonical(frame[names]), schema.columns)
    check_rows(found, cells, parameter)
    broken = [(one.text, int((one.truth(cells) == 0).sum())) for one in found]
    return [(text, count) for text, count in broken if count]


def _texts(constraints: Iterable[Constraint]) -> list[str]:
    return [one.text for one in constraints]
