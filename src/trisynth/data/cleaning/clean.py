"""Cleaning: a raw table becomes a ``Dataset`` and a report of all findings and treatments.

Nothing here learns from the distribution of the values, so cleaning all rows before the split leaks nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data import tensors, texts
from trisynth.data.cleaning.columns import clean_column
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.inference import MOST_CLASSES, task_of
from trisynth.data.kinds import Text
from trisynth.data.layout import Layout
from trisynth.data.profile import Context, context_of
from trisynth.data.spec import declared
from trisynth.errors import InputError

REPORT = ["column", "problem", "cells", "share", "treatment", "remedy"]
ROWS, FILE = "(rows)", "(file)"
# A category with more distinct values than this fraction of its cells is hardly one: generators only repeat them.
MANY = 0.2


class _Cleaning:
    """State of the cleaning of one raw table, with the findings so far."""

    def __init__(self, raw: pd.DataFrame, cfg: Mapping[str, Any]):
        self.raw, self.cfg = raw, cfg
        self.spec = declared(cfg, raw.columns)
        self.missing = tuple(cfg.get("missing") or ())
        # The facts of a public data set are known, and all declared in its yaml.
        self.own = cfg.get("source") is None
        self.context = context_of(raw) if self.own else Context()
        self.findings: list[tuple] = []

    def note(self, column: str, problem: str, cells: int, treatment: str, remedy: str = "") -> None:
        """Record a finding."""
        self.findings.append((column, problem, cells, cells / max(len(self.raw), 1), treatment, remedy))

    def column(self, name: str, facts: Column, quiet: bool = False) -> Any:
        """Clean one column."""
        target = name == self.spec.target
        note = (lambda *finding: None) if quiet else (lambda *finding: self.note(name, *finding))
        how = {"context": self.context, "target": target, "doubts": self.own}
        return clean_column(self.raw[name], facts, self.missing, note, **how)

    @property
    def report(self) -> pd.DataFrame:
        """One row per finding."""
        return pd.DataFrame(self.findings, columns=REPORT)


def clean(raw: pd.DataFrame, cfg: Mapping[str, Any], layout: bool = True) -> tuple[Dataset, pd.DataFrame]:
    """Clean a raw table by its declared facts.

    Parameters
    ----------
    raw : DataFrame, shape (n, columns)
        Cells of any dtype; undeclared kinds are inferred from the texts.
    cfg : mapping
        A data set's config: ``name``, ``target``, ``task``, ``missing``, ``columns``, ``duplicates``, ``licence``,
        ``note``. With a ``source`` it is a public data set, whose doubtful cells are not reported.
    layout : bool, default=True
        Learn the layout of a user's file, too.

    Returns
    -------
    dataset : Dataset
    report : DataFrame
        One row per finding: column, problem, cells (or rows), their fraction of the raw rows, treatment, and the line
        of yaml that settles it, if any.

    Raises
    ------
    InputError
        If the declaration does not fit the table, or what remains cannot be learned from: fewer than two rows,
        no features, or a target with one class.
    """
    about = raw.attrs
    raw = raw.reset_index(drop=True).set_axis([str(name) for name in raw.columns], axis=1)
    work = _Cleaning(raw, cfg)
    spec = work.spec
    if not len(raw):
        raise InputError("dataset.name", cfg["name"], "0 usable rows left: the table has none; give at least two")
    if work.own:
        for text in about.get("notes", ()):
            work.note(FILE, text, len(raw), "read")
    facts = {name: spec.columns.get(name, Column()) for name in raw.columns}
    for name, unit in about.get("units", {}).items():
        facts[name] = replace(facts[name], unit=facts[name].unit or unit)
    y, task = _target(work, facts)
    columns = {}
    for name in raw.columns:
        if name != spec.target:
            cleaned = work.column(name, facts[name])
            facts[name] = cleaned.facts
            if cleaned.cells is not None:
                columns[name] = cleaned.cells
    if not columns:
        raise _no_features(spec, facts)
    X = pd.DataFrame(columns, index=raw.index)
    found = _found(work, columns if y is None else {**columns, spec.target: y}, facts)
    withheld = [name for name, fact in facts.items() if fact.kind == "text" and name not in X]
    identifying = [name for name, fact in facts.items() if fact.kind == "identifier" and name not in X]
    kept = _kept_rows(work, X, y, withheld, identifying)
    X = X[kept].reset_index(drop=True)
    if y is not None:
        y = y[kept].reset_index(drop=True)
        y = y.cat.remove_unused_categories() if task == "classification" else y.astype("float64")
        if task == "regression" and len(raw) and not len(y):
            raise InputError("dataset.task", task, f"{spec.target} holds no numbers; set dataset.task=classification")
    _check(X, y, cfg)
    _remark(X, work.note, spec.rare)
    analysed = {name: fact for name, fact in facts.items() if name in X or name == spec.target}
    spec = replace(spec, task=task, columns=analysed if work.own else _declared(spec, analysed), found=found)
    place = None if y is None else list(analysed).index(spec.target)
    persons = Dataset.person_numbers(raw[kept], facts)
    dataset = Dataset(X, y, spec, place, columns=facts, persons=persons, report=work.report)
    if layout and work.own and cfg.get("path") is not None:
        dataset = replace(dataset, layout=Layout.learn(raw, dataset, facts, cfg))
    return dataset, work.report


def _found(work: _Cleaning, cells: Mapping[str, pd.Series], facts: Mapping[str, Column]) -> dict[str, str]:
    """Return the formats that all cells of a column decided on, of declared bounds, where they changed a cell."""
    found = {}
    for name, own in cells.items():
        declared, form = work.spec.columns.get(name, Column()), facts[name].format
        if form is None or declared.format is not None or declared.bounds is None:
            continue
        alone = clean_column(
            work.raw[name], replace(declared, kind=facts[name].kind), work.missing, _unheard, doubts=False
        )
        if not alone.cells.equals(own):
            found[name] = form
    return found


def _unheard(*_: object) -> None:
    """Record nothing."""


def _declared(spec: Spec, analysed: Mapping[str, Column]) -> dict[str, Column]:
    """Return the declared facts of the columns that are analysed."""
    return {name: facts for name, facts in spec.columns.items() if name in analysed}


def _target(work: _Cleaning, facts: dict[str, Column]) -> tuple[pd.Series | None, str | None]:
    """Clean the target, and infer its task where it is not declared."""
    name = work.spec.target
    if name is None:
        return None, None
    task = work.spec.task
    if task is None:
        first = work.column(name, facts[name], quiet=True)
        if first.facts.kind in ("date", "duration") and facts[name].kind is None:
            remedy = f"holds {first.facts.kind}s; declare its kind, as in columns: {{{name}: {{kind: category}}}}"
            raise InputError("dataset.target", name, remedy)
        task = task_of(first.cells)
    kind = "category" if task == "classification" else "number"
    cleaned = work.column(name, replace(facts[name], kind=kind))
    # Rows without a target are dropped, and reported as rows.
    work.findings = [found for found in work.findings if found[:2] != (name, "missing cell")]
    facts[name] = cleaned.facts
    return cleaned.cells, task


def _no_features(spec: Spec, facts: Mapping[str, Column]) -> InputError:
    gone = {name: fact.kind for name, fact in facts.items() if not fact.analysed and name != spec.target}
    if set(gone.values()) <= {"ignore"}:
        return InputError("dataset.columns", list(gone), "no column besides the target is left; ignore fewer columns")
    listed = ", ".join(f"{name} ({kind})" for name, kind in list(gone.items())[:6])
    remedy = f"no column is left to learn from: {listed}; declare kind: number or kind: category where that is wrong"
    remedy += "; generate: true has a text modelled" if "text" in gone.values() else ""
    return InputError("dataset.columns", list(gone), remedy)


def _kept_rows(
    work: _Cleaning, X: pd.DataFrame, y: pd.Series | None, withheld: list[str], identifying: list[str]
) -> np.ndarray:
    """Return which rows are kept, shape (n,), and note equal and contradicting rows.

    Texts that are withheld from generators are features of a row all the same. Two people may have given equal answers
    and are two records; with equal identifiers it is one.
    """
    kept = np.ones(len(X), bool)
    if y is not None:
        kept = y.notna().to_numpy()
        if not kept.all():
            work.note(work.spec.target, "row without target", int((~kept).sum()), "dropped")
    # Rows that no other row has the features of are not compared any more.
    same = kept.copy()
    same[kept] = _same_rows(tensors.hashable(X[kept]))
    if not same.any():
        return kept
    raw = work.raw[same]
    features = pd.concat([tensors.hashable(X[same]), raw[withheld].astype(str)], axis=1)
    rows = features if y is None else features.assign(**{work.spec.target: y[same]})
    again = rows.duplicated()
    records = pd.concat([rows, raw[identifying].astype(str)], axis=1)
    repeated = records.duplicated() if identifying else again
    if repeated.any() and work.cfg.get("duplicates") == "drop":
        work.note(ROWS, "exact duplicate", int(repeated.sum()), "dropped")
        kept[same] = ~repeated
    elif repeated.any():
        declared = work.cfg.get("duplicates") == "keep"
        how = ("kept, as declared", "") if declared else ("kept", "duplicates: drop")
        work.note(ROWS, "exact duplicate", int(repeated.sum()), *how)
    if y is not None:
        conflicting = features[~again].duplicated(keep=False)
        if conflicting.any():
            work.note(ROWS, "same features, another target", int(conflicting.sum()), "kept")
    return kept


def _same_rows(X: pd.DataFrame) -> np.ndarray:
    """Return which rows another row equals, shape (n,); a few columns most often show that there are none."""
    groups = np.zeros(len(X), np.int64)
    for name in X:
        codes, distinct = pd.factorize(X[name], use_na_sentinel=False)
        groups, found = pd.factorize(groups * max(len(distinct), 1) + codes)
        if len(found) == len(X):
            break
    return np.bincount(groups)[groups] > 1 if len(X) else np.zeros(0, bool)


def _check(X: pd.DataFrame, y: pd.Series | None, cfg: Mapping[str, Any]) -> None:
    if len(X) < 2:
        left = f"{len(X)} usable row" + "s" * (len(X) != 1)
        remedy = f"{left} left after rows without target and repeated rows were dropped; give at least two"
        raise InputError("dataset.name", cfg["name"], remedy if y is not None else f"{left} left; give at least two")
    if y is not None and y.nunique() < 2:
        remedy = f"has the one value {y.iloc[0]} in all {len(y)} rows; there is nothing to predict"
        raise InputError("dataset.target", cfg["target"], remedy)


def _remark(X: pd.DataFrame, note, rare: int) -> None:
    """Report suspicious columns, which are kept unchanged."""
    for name in X:
        if texts.is_text(X[name].dtype) and rare > 1:
            hidden = Text.learn(X[name], Column(generate=True), rare).empty
            if hidden > len(X) / 2:
                problem = f"text whose words and numbers all occur in fewer than {rare} rows"
                note(name, problem, hidden, "empty for generators", "rare: 0")
        if tensors.is_cell(X[name].dtype):
            continue
        distinct = X[name].nunique()
        if distinct == 0:
            note(name, "all missing", len(X), "kept")
        elif distinct == 1:
            note(name, "constant", len(X), "kept")
        elif distinct == len(X) > MOST_CLASSES and types.is_integer_dtype(X[name].dtype):
            note(name, "every value distinct", len(X), "kept", "kind: identifier")
        elif X[name].dtype == "category" and distinct > max(MOST_CLASSES, MANY * X[name].count()):
            note(name, f"category of {distinct:,} values", len(X), "kept", "kind: text")
