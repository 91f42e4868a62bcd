"""Checks of the arguments of ``fit`` and ``sample``: the table, its target, the number of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data import tensors, texts
from trisynth.data.cleaning.written import Written
from trisynth.data.dataset import Column, Dataset
from trisynth.data.disclosure.withheld import WITHHELD, withheld_facts
from trisynth.data.kinds import Kind
from trisynth.data.spec import checked_facts, nearest
from trisynth.errors import InputError, require_whole

# Categories of fewer rows are pooled where nothing else is declared.
RARE = 5
# More do not fit the memory of a machine of today.
_MOST_ROWS = 10**10


@dataclass(frozen=True)
class Training:
    """Checked training rows, renumbered from 0.

    Parameters
    ----------
    X : DataFrame, shape (n, d)
    y : Series of shape (n,) or None
        None for a table without a target.
    place : int
        Position of the target in the whole table.
    facts : mapping of str to Column
        Declared facts, and the inferred kind of identifiers, free text and quantities that are written as texts.
    rare : int
        Categories of fewer rows are pooled.
    constraints : tuple of str
        Declared constraints.
    relations : bool
        Whether relations between columns are searched.
    written : Written
        Columns that were read from texts.
    persons : ndarray of int, shape (n,), or None
        Number of the person of each row, where a column is declared to name persons.
    """

    X: pd.DataFrame
    y: pd.Series | None
    place: int
    facts: Mapping
    rare: int
    constraints: tuple[str, ...] = ()
    relations: bool = True
    written: Written = field(default_factory=Written)
    persons: np.ndarray | None = None


def training(
    X: pd.DataFrame | Dataset,
    y: Sequence | None = None,
    target: object = None,
    facts: Mapping | None = None,
    rare: int | None = None,
    constraints: Sequence[str] = (),
    relations: bool = True,
) -> Training:
    """Separate features and target of training rows.

    Parameters
    ----------
    X : DataFrame or Dataset
        Features, or the whole table if ``target`` names one of its columns. A data set brings its own target and
        facts.
    y : array-like of shape (n,), optional
        Target apart from ``X``. A Series with the labels of ``X`` in another order is aligned.
    target : optional
        Name of the target in ``X``.
    facts : mapping, optional
        Declared facts of columns by name.
    rare : int, optional
        Categories of fewer rows are pooled; the default is 5, or what a data set declares.
    constraints : sequence of str, optional
        Declared constraints; those of a data set are added.
    relations : bool, default=True
        Whether to search for relations between columns, if a data set does not forbid it.

    Raises
    ------
    InputError
        If the arguments do not describe one table with unique columns, rows and a complete target.
    """
    own = isinstance(X, Dataset)
    rare = (X.spec.rare if own else RARE) if rare is None else rare
    require_whole("rare", rare, 0)
    persons = X.persons if own else None
    if isinstance(constraints, str):
        raise InputError("constraints", constraints, "must be a list of expressions, such as ['end >= start']")
    if own:
        if target is not None and target != X.spec.target:
            read = "without a target" if X.spec.target is None else f"with the target {X.spec.target}"
            remedy = f"the table was read {read}; name another where it is read"
            raise InputError("target", target, remedy)
        if facts:
            raise InputError("facts", sorted(map(str, facts)), "the table has its own; declare them where it is read")
        relations = relations and X.spec.relations != "none"
        constraints = [*X.spec.constraints, *constraints]
        X, target, facts = X.frame, X.spec.target, X.facts
    _check_table(X)
    place = X.shape[1]
    if target is not None:
        if y is not None:
            raise InputError("target", target, "cannot be combined with y; give one of the two")
        if not _has(X, target):
            raise InputError("target", target, f"X has no such column; {nearest(target, X.columns)}")
        place, y, X = X.columns.get_loc(target), X[target], X.drop(columns=target)
        if not X.shape[1]:
            raise InputError("X", [target], "has no column besides the target; give at least one")
    elif y is not None:
        y = aligned(X, y)
    names = [*X.columns] if y is None else [*X.columns, y.name]
    declared, written = checked_facts(facts, names), Written()
    for name, fact in declared.items():
        if fact.kind == "ignore":
            raise InputError(f"facts.{name}.kind", fact.kind, "drop the column from the table instead")
        if fact.kind in WITHHELD and name in X and tensors.is_list(X[name].dtype):
            remedy = "the column holds arrays; declare another kind, or drop the column"
            raise InputError(f"facts.{name}.kind", fact.kind, remedy)
    if not own:
        try:
            written = Written.learn(X, declared, y)
        except UnicodeEncodeError:
            table = X if y is None else pd.concat([X, y], axis=1)
            raise next(filter(None, (texts.half_of_character(table[name], name) for name in table))) from None
        X, declared = written.read(X), written.facts(declared)
        y = None if y is None else written.read(y.to_frame())[y.name]
        declared = withheld_facts(X, declared)
        for name in X:
            # In a DataFrame the dtype declares nothing; in a data set it marks texts to be modelled.
            if texts.is_text(X[name].dtype) and declared.get(name, Column()).kind is None:
                declared[name] = replace(declared.get(name, Column()), kind="category")
        persons = Dataset.person_numbers(X, declared)
    if y is not None and (tensors.is_list(y.dtype) or declared.get(y.name, Column()).generate):
        remedy = "holds arrays or texts, which are no target; name a column of numbers or categories, or none"
        raise InputError("y" if target is None else "target", y.name, remedy)
    if y is not None and (y.isna().any() or (types.is_float_dtype(y.dtype) and np.isinf(y.to_numpy(float)).any())):
        parameter = "y" if target is None else "target"
        bad = int(y.isna().sum() or np.isinf(y.to_numpy(float)).sum())
        raise InputError(parameter, y.name, f"has {bad} missing or infinite values; drop those rows")
    y = None if y is None else y.reset_index(drop=True)
    X = X.reset_index(drop=True)
    return Training(X, y, place, declared, rare, tuple(constraints), relations, written, persons)


def check_kinds(generator: type, columns: Sequence[Kind]) -> None:
    """Refuse columns of kinds that a generator does not take."""
    for column in columns:
        if type(column) not in generator.kinds:
            known = ", ".join(kind.kind for kind in generator.kinds)
            remedy = f"{generator.__name__} does not take columns of kind {column.kind}; it takes {known}"
            if not column.flat or any(not other.flat for other in columns):
                remedy += " (generator=composed takes all kinds)"
            raise InputError("X", column.name, remedy)


def check_count(n: object) -> None:
    """Refuse a value that is not a number of rows."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise InputError("n", n, "must be a whole number of rows, 0 or more")
    if n > _MOST_ROWS:
        raise InputError("n", n, f"must be at most {_MOST_ROWS:,} rows at a time; draw parts with different seeds")


def _check_table(X: object) -> None:
    if not isinstance(X, pd.DataFrame):
        raise InputError("X", type(X).__name__, "must be a DataFrame; an array becomes one by pd.DataFrame(X)")
    if not len(X) or not X.shape[1]:
        raise InputError("X", X.shape, "must be a DataFrame with rows and columns")
    if not X.columns.is_unique:
        raise InputError("X", list(X.columns[X.columns.duplicated()]), "column names must be unique; rename them")


def aligned(X: pd.DataFrame, y: object) -> pd.Series:
    """Target in the order of the rows of ``X``, under a name that no column has."""
    if isinstance(y, pd.DataFrame):
        name = y.columns[0] if y.shape[1] else "name"
        raise InputError("y", list(y.columns), f"must be one column, not a DataFrame; give y[{name!r}]")
    if isinstance(y, str) or not isinstance(
        y, pd.Series | pd.Index | np.ndarray | pd.api.extensions.ExtensionArray | list | tuple
    ):
        raise InputError("y", y, "must be a Series or an array; to name a column of X, use target=")
    if getattr(y, "ndim", 1) != 1:
        raise InputError("y", np.shape(y), "must have one dimension; give one value per row of X")
    if len(y) != len(X):
        raise InputError("y", len(y), f"must have one value per row of X, {len(X)}")
    if isinstance(y, pd.Series) and not y.index.equals(X.index):
        same = y.index.is_unique and X.index.is_unique and not len(X.index.difference(y.index))
        if not same:
            remedy = "has a different index from X; if the rows are in the same order, give y.to_numpy()"
            raise InputError("y", y.name, remedy)
        y = y.reindex(X.index)
    name = getattr(y, "name", None)
    if name is not None and _has(X, name):
        raise InputError("y", name, "has the name of a column of X; rename it, or leave y out and give target=")
    return pd.Series(y, index=X.index, name="target" if name is None else name)


def _has(X: pd.DataFrame, name: object) -> bool:
    try:
        return name in X.columns
    except TypeError:
        return False
