"""Checks of declared facts: every wrong name and value is found before any cell is read."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from trisynth.data import constraints
from trisynth.data.dataset import ANALYSED, AXES, DUPLICATES, KINDS, RELATIONS, TASKS, Column, Spec
from trisynth.data.formats import QUANTITIES, format_of
from trisynth.errors import InputError, require_flag, require_whole

# File systems take 255 bytes; files beside the folder have longer names.
_LONGEST = 200
# Facts of one kind of columns, and those of columns whose cells are single values.
_ONLY = {"shape": "tensor", "axes": "tensor", "generate": "text", "max_length": "text", "person": "identifier"}
_SINGLE = ("categories", "bounds", "ordered", "format", "missing", "values", "step")


def declared(cfg: Mapping[str, Any], names: Iterable[str]) -> Spec:
    """Check the facts that a config declares about a table with the given column names.

    Parameters
    ----------
    cfg : mapping
        A data set's config: ``name``, ``target``, ``task``, ``columns``, ``constraints``, ``relations``, ``licence``,
        ``note``, and ``time`` where the test rows are the latest.
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
    target = cfg["target"]
    if target is not None and target not in names:
        raise InputError("dataset.target", target, f"{no_column(target, names)}; use null for a table without a target")
    if target is None and cfg.get("task") is not None:
        raise InputError("dataset.task", cfg["task"], "needs a target; set dataset.target=COLUMN or leave it out")
    if cfg.get("task") not in (None, *TASKS):
        raise InputError("dataset.task", cfg["task"], f"must be null or one of {', '.join(TASKS)}")
    columns = checked_facts(cfg.get("columns"), names, "dataset.columns")
    kind = columns.get(target, Column()).kind
    if kind not in (None, *ANALYSED):
        remedy = "the target must be a number or a category; for a table without one set dataset.target=null"
        raise InputError(f"dataset.columns.{target}.kind", kind, remedy)
    texts = {key: cfg.get(key) or "" for key in ("licence", "note")}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise InputError(f"dataset.{key}", text, "must be a string")
    check_name(cfg["name"])
    missing = cfg.get("missing") or ()
    if isinstance(missing, str | Mapping) or not isinstance(missing, Iterable):
        raise InputError("dataset.missing", missing, "must be a list of the strings that mean missing, such as [n/a]")
    duplicates = cfg.get("duplicates") or DUPLICATES[0]
    if duplicates not in DUPLICATES:
        raise InputError("dataset.duplicates", duplicates, f"must be one of {', '.join(DUPLICATES)}")
    relations = cfg.get("relations") or "found"
    if relations not in RELATIONS:
        raise InputError("dataset.relations", relations, f"must be one of {', '.join(RELATIONS)}")
    kept = tuple(one.text for one in constraints.checked(cfg.get("constraints"), names, "dataset.constraints"))
    rare = cfg.get("rare") or 0
    require_whole("dataset.rare", rare, 0)
    rows, confirmed = cfg.get("rows"), cfg.get("confirmed", True)
    if rows is not None:
        require_whole("dataset.rows", rows, 1)
    require_flag("dataset.confirmed", confirmed)
    time = cfg.get("time")
    if time is not None and (time not in names or time == target):
        reason = "is the target" if time == target else no_column(time, names)
        raise InputError("dataset.time", time, f"{reason}; name the column of dates by which rows are split")
    return Spec(
        rare=rare,
        rows=rows,
        confirmed=confirmed,
        time=time,
        name=cfg["name"],
        target=target,
        task=cfg.get("task"),
        columns=columns,
        constraints=kept,
        relations=relations,
        **texts,
    )


def check_name(name: object) -> None:
    """Refuse a name of a data set that cannot name a folder, or that leads to one elsewhere."""
    if name is None:
        return
    odd = not isinstance(name, str) or set(name) & {"/", "\\", "\0"} or name in ("", ".", "..")
    if odd or len(name.encode(errors="replace")) > _LONGEST:
        remedy = f"must be a string without / of at most {_LONGEST} bytes, since it becomes the name of a folder"
        raise InputError("dataset.name", name, remedy)


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
    if not isinstance(facts or {}, Mapping):
        raise InputError(parameter, facts, "must map names of columns to their facts, as in {age: {kind: number}}")
    for name in facts or {}:
        if name not in names:
            raise InputError(parameter, name, no_column(name, names))
    given = {name: facts[name] for name in names if name in (facts or {})}
    return {
        name: _column(f"{parameter}.{name}", _stated(fact) if isinstance(fact, Column) else fact or {})
        for name, fact in given.items()
    }


def _stated(fact: Column) -> dict[str, Any]:
    """Return the fields of a declaration that are given."""
    return {key: value for key, value in vars(fact).items() if value is not None}


def _column(parameter: str, facts: Mapping[str, Any]) -> Column:
    if not isinstance(facts, Mapping):
        raise InputError(parameter, facts, "must be a mapping of facts, such as {kind: number}")
    known = [field.name for field in fields(Column)]
    for key, value in facts.items():
        if key not in known:
            raise InputError(f"{parameter}.{key}", value, f"no such fact; {nearest(key, known)}")
    facts = dict(facts)
    if facts.get("kind") not in (None, *KINDS):
        raise InputError(f"{parameter}.kind", facts["kind"], f"must be one of {', '.join(KINDS)}")
    if facts.get("categories") is not None:
        facts["categories"] = _categories(f"{parameter}.categories", facts["categories"])
        facts.setdefault("kind", "category")
    for key in ("integer", "ordered", "gaps", "generate", "person"):
        if facts.get(key) is not None:
            require_flag(f"{parameter}.{key}", facts[key])
    if not isinstance(facts.get("unit") or "", str):
        raise InputError(f"{parameter}.unit", facts["unit"], "must be a string")
    if facts.get("bounds") is not None:
        facts["bounds"] = _bounds(f"{parameter}.bounds", facts["bounds"], facts.get("kind"))
    if facts.get("step") is not None:
        step = facts["step"]
        if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step < float("inf"):
            raise InputError(f"{parameter}.step", step, "must be a number above 0, such as 0.1")
        facts["step"] = float(step)
    if facts.get("ordered") and facts.get("categories") is None:
        raise InputError(f"{parameter}.ordered", True, "needs the order; add categories: [lowest, ..., highest]")
    if facts.get("bounds") is not None or facts.get("integer"):
        facts.setdefault("kind", "date" if isinstance((facts.get("bounds") or (0,))[0], str) else "number")
    if facts.get("shape") is not None:
        facts["shape"] = _shape(f"{parameter}.shape", facts["shape"])
    if facts.get("axes") is not None:
        facts["axes"] = _axes(f"{parameter}.axes", facts["axes"])
    for key, kind in _ONLY.items():
        if facts.get(key):
            if facts.setdefault("kind", kind) not in (None, kind):
                remedy = f"applies only to kind: {kind}, but the kind is {facts['kind']}"
                raise InputError(f"{parameter}.{key}", facts[key], remedy)
            facts["kind"] = kind
    unfit = _SINGLE if facts.get("kind") in ("tensor", "sequence") else ()
    if facts.get("generate"):
        # Marks of missing cells are those of empty texts.
        unfit = tuple(key for key in (*_SINGLE, "integer") if key != "missing")
    for key in unfit:
        if facts.get(key) is not None:
            raise InputError(f"{parameter}.{key}", facts[key], f"does not apply to kind: {facts['kind']}; leave it out")
    if facts.get("max_length") is not None:
        require_whole(f"{parameter}.max_length", facts["max_length"], 1)
    if facts.get("missing") is not None:
        facts["missing"] = _missing(f"{parameter}.missing", facts["missing"])
    if facts.get("values") is not None:
        facts["values"] = _values(f"{parameter}.values", facts["values"])
    if facts.get("format") is not None:
        facts["kind"] = facts.get("kind") or _kind_of(f"{parameter}.format", facts["format"])
        format_of(facts["kind"], facts["format"], f"{parameter}.format")
    return Column(**facts)


def _categories(parameter: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise InputError(parameter, given, "must be a list of the admissible values")
    texts = tuple(map(str, given))
    if not texts or len(set(texts)) < len(texts):
        raise InputError(parameter, list(given), "must list at least one value, and each value once")
    return texts


def _bounds(parameter: str, given: Any, kind: str | None) -> tuple[float, float] | tuple[str, str]:
    pair = [] if isinstance(given, str | Mapping) or not isinstance(given, Iterable) else list(given)
    if kind == "date" or (kind is None and len(pair) == 2 and any(_is_date(end) for end in pair)):
        # pandas reads now and today as the present time, which differs from run to run.
        ends = [str(end) if re.search(r"\d", str(end)) else pd.NaT for end in pair]
        low, high = (pd.to_datetime(end, errors="coerce") for end in ends) if len(ends) == 2 else (pd.NaT, pd.NaT)
        if low <= high:
            return str(pair[0]), str(pair[1])
        raise InputError(parameter, given, "must be two dates, [earliest, latest], such as [2019-01-01, 2024-12-31]")
    if kind == "duration":
        ends = [pd.to_timedelta(str(end), errors="coerce") for end in pair]
        if len(ends) == 2 and ends[0] <= ends[1]:
            return str(pair[0]), str(pair[1])
        raise InputError(parameter, given, "must be two durations, [shortest, longest], such as [00:00:00, 36:00:00]")
    try:
        low, high = map(float, pair)
        if low <= high:
            return low, high
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(parameter, given, "must be two numbers, [smallest, largest]")


def _is_date(text: object) -> bool:
    return isinstance(text, str) and re.match(r"\d{4}-\d\d-\d\d", text) is not None


def _shape(parameter: str, given: Any) -> tuple[int, ...]:
    sizes = [] if isinstance(given, str | Mapping) or not isinstance(given, Iterable) else list(given)
    if not sizes or not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
        raise InputError(parameter, given, "must be a list of whole numbers above 0, such as [28, 28]")
    return tuple(sizes)


def _axes(parameter: str, given: Any) -> tuple[str, ...]:
    names = [] if isinstance(given, str | Mapping) or not isinstance(given, Iterable) else list(given)
    if tuple(names) not in AXES:
        known = "; ".join(", ".join(each) for each in AXES)
        raise InputError(parameter, given, f"must be one of these lists: {known}")
    return tuple(names)


def _missing(parameter: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise InputError(parameter, given, "must be a list of the strings that mean missing, such as [unknown, -9]")
    return tuple(map(str, given))


def _values(parameter: str, given: Any) -> dict[str, str | None]:
    if not isinstance(given, Mapping) or any(isinstance(value, Mapping | list) for value in given.values()):
        raise InputError(parameter, given, 'must map strings to strings, such as {"yes": "Yes", ">90": "90"}')
    return {str(text): None if value is None else _text(value) for text, value in given.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind_of(parameter: str, text: Any) -> str:
    """Infer the kind that a format belongs to."""
    for kind in QUANTITIES:
        try:
            format_of(kind, text)
            return kind
        except InputError:
            continue
    remedy = "must be a number as the file writes it, such as 1.234,5 kg, a strptime format, or excel"
    raise InputError(parameter, text, remedy)


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
