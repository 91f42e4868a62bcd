"""Content of a report as plain values: what its JSON holds and its page shows."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from trisynth.config import target_name
from trisynth.data.dataset import Dataset
from trisynth.experiment.results import Result, table
from trisynth.report import verdict
from trisynth.report.console import methods
from trisynth.report.html import pairs, scores
from trisynth.report.html.columns import FEWEST, MOST_COLUMNS, Columns
from trisynth.report.html.made import duration, made
from trisynth.report.names import name, printable

FORMAT = 1
# Further distributions beside the target's in the first figures.
_FIRST = 5
_MOST_FINDINGS = 60
# A cell in a finding, as Python writes texts, and the count behind it.
_QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?: \(([\d,]+)\))?""")


def content(
    results: Sequence[Result],
    shown: Result,
    train: Dataset,
    synthetic: Dataset,
    findings: pd.DataFrame,
    *,
    test_rows: int,
    changes: Sequence[str] = (),
    relations: Sequence[Mapping[str, Any]] = (),
    search: Mapping[str, Any] | None = None,
    membership: Mapping[str, Any] | None = None,
    arguments: Sequence[str] = (),
    seconds: Sequence[Mapping[str, float]] = (),
    now: datetime | None = None,
) -> dict[str, Any]:
    """Collect the content of the report on one data set.

    Parameters
    ----------
    results : sequence of Result
        All jobs on the data set.
    shown : Result
        The job whose rows the figures show; its generator is the one that metrics are of.
    train, synthetic : Dataset
        Its training rows and as many synthetic rows.
    findings : DataFrame
        Report of the cleaning.
    test_rows : int
        Its test rows.
    changes : sequence of str
        Sentences on columns that the generator does not see, or changes.
    relations : sequence of mapping
        Relations and constraints, as ``relations.relations`` lists them.
    search : mapping, optional
        Answer of a search, as ``search.answer`` makes it; its sentence and its training sets replace those of the
        jobs.
    membership : mapping, optional
        Result of a membership attack, as ``membership.membership`` returns it.
    arguments : sequence of str
        The command.
    seconds : sequence of mapping
        Seconds of the steps of each job.
    now : datetime, optional
        Time of the report; by default the present.

    Returns
    -------
    dict
        Of texts, numbers, lists and dictionaries; numbers are finite.
    """
    jobs = methods(table(list(results)))
    job = jobs[jobs["key"] == shown.key].iloc[0]
    dataset, method = job["dataset"], job["method"]
    test_size = float(shown.config.get("test_size", 1 / 3))
    columns = Columns(train, synthetic)
    found = columns.all
    own = jobs[jobs["dataset"] == dataset]
    target = printable(train.spec.target) if train.y is not None else None
    first = sorted(found, key=lambda each: (each["name"] != target, -each["distance"]))[: _FIRST + 1]
    sentence = search["verdict"] if search else verdict.sentence(verdict.cases(own, test_size))
    kept = [result for result in results if result.key in set(own["key"])]
    return {
        "format": FORMAT,
        "title": f"{printable(name(dataset))}: {'recommendation' if search else _title(own['method'])}",
        "verdict": {
            "sentence": printable(sentence, 600),
            "seeds": int(own["seed"].nunique()),
        },
        "data": {
            "name": printable(name(dataset)),
            "target": target,
            "task": train.spec.task,
            "generator": target_name(shown.config["generator"]),
            "rows": {"training": len(train), "test": test_rows, "synthetic": len(synthetic)},
            "kinds": {each: [c["name"] for c in found if c["kind"] == each] for each in _distinct(found)},
            "findings": _findings(findings),
            "changes": [printable(line, 300) for line in changes],
        },
        "figures": {
            "association": columns.association,
            "distributions": [each["name"] for each in first if "figure" in each],
            "classes": columns.classes(train.counts),
            "pairs": pairs.drawn(columns),
        },
        "search": search,
        "arms": search["arms"] if search else scores.arms(own, kept, dataset, test_size),
        "metrics": scores.metrics(
            own[own["method"] == method], test_size, scores.chance(len(train), test_rows, len(synthetic))
        ),
        "columns": found,
        "relations": list(relations),
        "membership": membership,
        "drawn": min(len(found), MOST_COLUMNS),
        "made": made(results, arguments, duration(seconds), now or datetime.now(UTC)) | (search or {}).get("made", {}),
    }


def _title(found: pd.Series) -> str:
    """Name the generators of the jobs, or count them."""
    distinct = list(dict.fromkeys(found))
    return printable(distinct[0]) if len(distinct) == 1 else f"{len(distinct)} generators"


def _distinct(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(each["kind"] for each in columns))


def _remedy(row: Mapping[str, Any]) -> str:
    """Return the remedy of a finding, unless it has a cell whose count the finding does not give."""
    text = str(row.get("remedy") or "")
    known = {cell for cell, count in _QUOTED.findall(f"{row['problem']} {row['treatment']}") if _count(count) >= FEWEST}
    cells = [cell for cell, _ in _QUOTED.findall(text)]
    return text if text.startswith("format:") or known.issuperset(cells) else ""


def _count(digits: str | None) -> int:
    return int((digits or "0").replace(",", ""))


def _without_rare(text: str) -> str:
    """Leave quoted cells out of a finding unless their count is beside them and large enough."""

    def shown(found: re.Match) -> str:
        return found[0] if _count(found[2]) >= FEWEST else "\0"

    text = _QUOTED.sub(shown, str(text))
    if "\0" not in text:
        return text
    rest = re.sub(r"\0(?:, )?", "", text)
    rest = re.sub(r" and [\d,]+ more$", "", rest).rstrip(" ,:")
    return f"{rest} and texts of few cells" if _QUOTED.search(rest) else f"{rest}: texts of few cells"


def _findings(report: pd.DataFrame) -> list[dict[str, Any]]:
    """List what cleaning found and did, the largest first where there is much."""
    rows = [
        {
            "column": printable(row["column"]),
            "problem": printable(_without_rare(row["problem"]), 200),
            "cells": int(row["cells"]),
            "treatment": printable(_without_rare(row["treatment"]), 200),
            "remedy": printable(_remedy(row), 200),
        }
        for row in report.to_dict("records")
    ]
    kept = sorted(range(len(rows)), key=lambda i: -rows[i]["cells"])[:_MOST_FINDINGS]
    return [rows[i] for i in sorted(kept)]
