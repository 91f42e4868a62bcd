"""A yaml file of facts about a user's table, for its user to correct: one line for each fact, doubts as comments."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from trisynth.cache import unwritable, write_atomic
from trisynth.data.cleaning import findings
from trisynth.data.dataset import Column, Dataset
from trisynth.errors import InputError

_PLAIN = re.compile(r"[^\W\d_][\w]*(?:[ _]\w+)*")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
# More categories are a list that nobody checks.
_MOST = 30
_COMMENT = 110


def write(file: Path, dataset: Dataset, cfg: Mapping[str, Any]) -> None:
    """Write the facts of a table to a file that does not exist yet.

    Parameters
    ----------
    file : Path
    dataset : Dataset
        With its ``columns`` and its ``report``.
    cfg : mapping
        Its config.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    """
    if file.exists():
        raise InputError("out", str(file), "exists, and may hold corrections; name another file")
    try:
        write_atomic(file, text(dataset, cfg))
    except OSError as error:
        raise unwritable(file, error, "out") from error


def text(dataset: Dataset, cfg: Mapping[str, Any]) -> str:
    """Return the facts of a table as yaml."""
    return "\n".join(_lines(dataset, cfg)) + "\n"


def _lines(dataset: Dataset, cfg: Mapping[str, Any]) -> Iterator[str]:
    report = dataset.report
    yield f"# Facts about {Path(cfg['path']).name}, inferred from its cells. Every command reads this file."
    yield "# Edit a line to correct a fact. Lines after # are questions or remarks; without the # they are facts."
    yield f"name: {_scalar(cfg['name'])}"
    yield f"target: {_scalar(dataset.spec.target)}" + "  # none" * (dataset.spec.target is None)
    if dataset.spec.task:
        yield f"task: {dataset.spec.task}  # classification or regression"
    yield f"missing: [{', '.join(map(_scalar, cfg.get('missing') or ()))}]  # in all columns"
    for line in _comments(report, "(file)", ""):
        yield line
    repeated = report[(report["column"] == "(rows)") & (report["problem"] == "exact duplicate")]
    count = f"; {int(repeated['cells'].iloc[0]):,} equal rows" if len(repeated) else ""
    yield f"duplicates: {cfg.get('duplicates') or 'keep'}  # keep or drop{count}"
    yield f"rare: {cfg.get('rare') or 0}  # categories of fewer rows are pooled, unless they are listed below"
    confirmed = str(bool(cfg.get("confirmed", True)) and _is_declared(dataset)).lower()
    yield f"confirmed: {confirmed}  # a private fit needs true: it states that no fact below was learned from the rows"
    frame = dataset.frame
    # What was given on the command line is needed again; every cell may depend on it.
    given = {key: value for key, value in (cfg.get("read") or {}).items() if key != "_target_" and value is not None}
    if given.get("header") is True:
        del given["header"]
    if given:
        yield f"read: {json.dumps(given, ensure_ascii=False)}"
    if cfg.get("rows") is not None:
        yield f"rows: {cfg['rows']}"
    else:
        yield f"# rows: {len(frame)}  # as read, not private until confirmed; a private fit needs a declared number"
    if cfg.get("time") is not None:
        yield f"time: {_scalar(cfg['time'])}  # the latest rows are the test rows"
    if cfg.get("relations", "found") != "found":
        yield f"relations: {_scalar(cfg['relations'])}"
    if cfg.get("constraints"):
        yield f"constraints: [{', '.join(map(_scalar, cfg['constraints']))}]"
    yield "columns:"
    for name, facts in dataset.columns.items():
        yield f"  {_scalar(name)}:" + "  # the target" * (name == dataset.spec.target)
        cells = frame.get(name)
        doubtful = _doubtful(report, name)
        for line in _column(facts, cells, int(cfg.get("rare") or 0), doubtful):
            yield f"    {line}"
        yield from _comments(report, name, "    ")


def _is_declared(dataset: Dataset) -> bool:
    """Tell whether every analysed column has declared bounds or categories, so that none is read from the rows."""
    facts = [dataset.columns[name] for name in dataset.frame]
    return all(fact.bounds is not None or fact.categories is not None for fact in facts)


def _column(facts: Column, cells: pd.Series | None, rare: int, doubtful: bool) -> Iterator[str]:
    yield f"kind: {facts.kind}"
    if facts.kind == "text" and facts.generate is None:
        yield "# generate: true  # to have texts drawn; parts of real ones may come back"
    if facts.format is not None:
        yield f"format: {json.dumps(facts.format, ensure_ascii=False)}"
    if facts.unit:
        yield f"unit: {_scalar(facts.unit)}"
    for key in ("shape", "axes"):
        if (given := getattr(facts, key)) is not None:
            yield f"{key}: [{', '.join(map(str, given))}]"
    if facts.generate:
        yield "generate: true  # parts of real texts may come back; false leaves the column empty"
    if facts.max_length is not None:
        yield f"max_length: {facts.max_length}"
    if facts.integer is not None:
        yield f"integer: {str(facts.integer).lower()}"
    elif facts.kind == "number" and cells is not None and types.is_integer_dtype(cells.dtype):
        yield "# integer: true  # as seen"
    if facts.missing is not None:
        yield f"missing: [{', '.join(map(_scalar, facts.missing))}]"
    if (spellings := vars(facts)["values"]) is not None:
        pairs = ", ".join(
            f"{json.dumps(key, ensure_ascii=False)}: {_scalar(value)}" for key, value in spellings.items()
        )
        yield f"values: {{{pairs}}}"
    if cells is None or not cells.notna().any():
        return
    if facts.step is not None:
        yield f"step: {_scalar(facts.step)}"
    gaps = facts.gaps if facts.gaps is not None else bool(cells.isna().any())
    yield f"{'# ' * (facts.gaps is None)}gaps: {str(gaps).lower()}" + "  # as seen" * (facts.gaps is None)
    if facts.kind in ("tensor", "sequence", "text"):
        return
    if isinstance(cells.dtype, pd.CategoricalDtype):
        yield from _categories(facts, cells, rare, doubtful)
    else:
        yield from _bounds(facts, cells)


def _categories(facts: Column, cells: pd.Series, rare: int, doubtful: bool) -> Iterator[str]:
    counts = cells.value_counts()
    listed = f"categories: [{', '.join(json.dumps(name, ensure_ascii=False) for name in cells.cat.categories)}]"
    few = int((counts < rare).sum())
    if facts.categories is not None:
        yield listed
    elif len(counts) > _MOST:
        yield f"# {len(counts)} categories, of which {few} have fewer than {rare} rows"
    elif doubtful:
        yield f"# {listed}  # as seen"
    elif few:
        yield f"# {few} of these have fewer than {rare} rows and are pooled; listed, they are kept:"
        yield f"# {listed}"
    else:
        yield listed
    if facts.ordered is not None or cells.cat.ordered:
        yield f"ordered: {str(facts.ordered if facts.ordered is not None else True).lower()}"


def _bounds(facts: Column, cells: pd.Series) -> Iterator[str]:
    if facts.bounds is not None:
        low, high = facts.bounds
        yield f"bounds: [{_scalar(low)}, {_scalar(high)}]"
        return
    low, high = cells.min(), cells.max()
    if types.is_datetime64_any_dtype(cells.dtype):
        # Rounded to years: the exact ends of a column of birth dates are the dates of two persons.
        low, high = f"{low.year}-01-01", f"{high.year + 1}-01-01"
    elif types.is_timedelta64_dtype(cells.dtype):
        low, high = str(low), str(high)
    else:
        low, high = _outward(low, high)
    yield f"# bounds: [{_scalar(low)}, {_scalar(high)}]  # as seen, rounded; other cells would be set to missing"


def _outward(low: float, high: float) -> tuple[float, float]:
    """Round both ends of a range away from its middle, to a tenth of the magnitude of the range."""
    low, high = float(low), float(high)
    if not high > low or not math.isfinite(high - low):
        return low, high
    digits = 1 - math.floor(math.log10(high - low))
    if not -300 < digits < 300:
        return low, high
    scale = 10.0**digits
    below, above = math.floor(low * scale), math.ceil(high * scale)
    return (below / scale, above / scale) if digits > 0 else (below * 10**-digits, above * 10**-digits)


def _doubtful(report: pd.DataFrame, column: str) -> bool:
    """Return whether doubts about spellings or missing cells may still change a column's categories."""
    remedies = report.loc[report["column"] == column, "remedy"]
    return bool(remedies.str.contains(r"^(?:missing|values):", regex=True).any())


def _comments(report: pd.DataFrame, column: str, indent: str) -> Iterator[str]:
    """Yield doubts and changes as comments, and after each the line that settles it."""
    for row in report[report["column"] == column].itertuples():
        if row.problem in ("missing cell", "constant") and not row.remedy:
            continue
        for part in _wrapped(findings.described(row) + ("; to change that:" if row.remedy else "")):
            yield f"{indent}# {part}"
        for remedy in filter(None, row.remedy.split("\n")):
            yield f"{indent}# {remedy}"


def _wrapped(line: str) -> list[str]:
    line = line.replace("\n", " ")
    parts, rest = [], line
    while len(rest) > _COMMENT and " " in rest[:_COMMENT]:
        cut = rest[:_COMMENT].rindex(" ")
        parts.append(rest[:cut])
        rest = rest[cut + 1 :]
    return [*parts, rest]


def _scalar(value: object) -> str:
    """Write a value so that it is read as the same: plain where that is safe."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return f"{int(value)}" if float(value).is_integer() and abs(value) < 1e15 else f"{float(value)!r}"
    if hasattr(value, "item"):
        return _scalar(value.item())
    known = str(value)
    if _PLAIN.fullmatch(known) and known.casefold() not in _RESERVED:
        return known
    return json.dumps(known, ensure_ascii=False)
