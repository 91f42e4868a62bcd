"""Checks of declared facts: every wrong name and value is found before any cell is read."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from trisynth.data.dataset import KINDS, TASKS, Column, Spec
from trisynth.errors import InputError


def declared(cfg: Mapping[str, Any], names: Iterable[str]) -> Spec:
    """Check the facts that a config declares about a table with the given column names.

    Parameters
    ----------
    cfg : mapping
        A data set's config: ``name``, ``target``, ``task``, ``columns``, ``licence``, ``note``.
    names : iterable of str
        The raw table's columns.

    Returns
    -------
    Spec
        Its ``task`` may still be None; it is then inferred from the values.

    Raises
    ------
    InputError
        If names repeat, the target or a declared column does not exist, or a declared fact makes no sense.
    """
    names = list(names)
    for position, name in enumerate(names):
        if name in names[:position]:
            raise InputError("dataset.columns", name, "names two columns of the table; rename one of them")
    if cfg["target"] not in names:
        raise InputError("dataset.target", cfg["target"], no_column(cfg["target"], names))
    if cfg.get("task") not in (None, *TASKS):
        raise InputError("dataset.task", cfg["task"], f"must be null or one of {', '.join(TASKS)}")
    columns = checked_facts(cfg.get("columns"), names, "dataset.columns")
    if columns.get(cfg["target"], Column()).kind == "ignore":
        raise InputError(f"dataset.columns.{cfg['target']}.kind", "ignore", "the target cannot be ignored")
    texts = {key: cfg.get(key) or "" for key in ("licence", "note")}
    return Spec(name=cfg["name"], target=cfg["target"], task=cfg.get("task"), columns=columns, **texts)


def checked_facts(
    facts: Mapping[Any, Column | Mapping[str, Any]] | None, names: Iterable, parameter: str = "facts"
) -> dict[Any, Column]:
    """Check declared facts of columns.

    Parameters
    ----------
    facts : mapping of column name to Column or mapping, or None
        A mapping has the fields of ``Column`` as keys.
    names : iterable
        Columns of the table.
    parameter : str, default="facts"
        Name of ``facts`` in errors.

    Returns
    -------
    dict of column name to Column
        In the order of ``names``.

    Raises
    ------
    InputError
        If a column does not exist or a declared fact makes no sense.
    """
    names = list(names)
    for name in facts or {}:
        if name not in names:
            raise InputError(parameter, name, no_column(name, names))
    given = {name: facts[name] for name in names if name in (facts or {})}
    return {
        name: fact if isinstance(fact, Column) else _column(f"{parameter}.{name}", fact or {})
        for name, fact in given.items()
    }


def _column(parameter: str, facts: Mapping[str, Any]) -> Column:
    known = [field.name for field in fields(Column)]
    for key, value in facts.items():
        if key not in known:
            raise InputError(f"{parameter}.{key}", value, f"no such fact; {nearest(key, known)}")
    facts = dict(facts)
    if facts.get("kind") not in (None, *KINDS):
        raise InputError(f"{parameter}.kind", facts["kind"], f"must be one of {', '.join(KINDS)}")
    if facts.get("categories") is not None:
        facts["categories"] = tuple(map(str, facts["categories"]))
        facts.setdefault("kind", "category")
    if facts.get("bounds") is not None:
        low, high = facts["bounds"] if len(facts["bounds"]) == 2 else (math.inf, -math.inf)
        if not low <= high:
            raise InputError(f"{parameter}.bounds", list(facts["bounds"]), "must be [smallest, largest]")
        facts["bounds"] = (float(low), float(high))
    if facts.get("bounds") is not None or facts.get("integer"):
        facts.setdefault("kind", "number")
    return Column(**facts)


def no_column(name: object, names: Iterable) -> str:
    """Describe a name that no column has, with the column that was probably meant."""
    return f"the table has no such column; {nearest(name, names)}"


def nearest(name: object, names: Iterable) -> str:
    """Suggest the known name that is most like a wrong one."""
    names = [str(known) for known in names]
    folded = {known.casefold(): known for known in names}
    close = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"did you mean {folded[close[0]]}?" if close else f"there are {shown}"
