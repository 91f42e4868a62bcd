"""Cleaning: a raw table becomes a ``Dataset`` and a report of all findings and treatments.

Nothing here learns from the distribution of the values, so cleaning all rows before the split leaks nothing.
Duplicates must be dropped before the split, or the test rows would contain training rows.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from trisynth.data.columns import clean_column
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.inference import MOST_CLASSES, task_of
from trisynth.data.spec import declared
from trisynth.errors import InputError

REPORT = ["column", "problem", "cells", "share", "treatment"]
ROWS = "(rows)"
# A category with more distinct values than this fraction of its cells is hardly one: generators only repeat them.
MANY = 0.5


def clean(raw: pd.DataFrame, cfg: Mapping[str, Any]) -> tuple[Dataset, pd.DataFrame]:
    """Clean a raw table by its declared facts.

    Parameters
    ----------
    raw : DataFrame, shape (n, columns)
        Cells of any dtype; texts are read as numbers where they are declared so or every cell is one.
    cfg : mapping
        A data set's config: ``name``, ``target``, ``task``, ``missing``, ``columns``, ``licence``, ``note``.

    Returns
    -------
    dataset : Dataset
    report : DataFrame
        One row per finding: column, problem, cells (or rows), their fraction of the raw rows, treatment.

    Raises
    ------
    InputError
        If the declaration does not fit the table, or what remains cannot be learned from: fewer than two rows,
        no features, or a target with one class.
    """
    raw = raw.reset_index(drop=True).set_axis([str(name) for name in raw.columns], axis=1)
    spec = declared(cfg, raw.columns)
    missing = tuple(cfg.get("missing") or ())
    findings: list[tuple] = []

    def note(column: str, problem: str, cells: int, treatment: str) -> None:
        findings.append((column, problem, cells, cells / max(len(raw), 1), treatment))

    def cleaned(name: str, facts: Column) -> pd.Series:
        return clean_column(raw[name], facts, missing, lambda *finding: note(name, *finding))

    ignored = [name for name, facts in spec.columns.items() if facts.kind == "ignore"]
    features = [name for name in raw.columns if name != spec.target and name not in ignored]
    if not features:
        raise InputError("dataset.columns", ignored, "no column besides the target is left; ignore fewer columns")
    for name in ignored:
        note(name, "declared as ignored", len(raw), "dropped")

    task = spec.task or _task(raw[spec.target], spec, missing)
    kind = "category" if task == "classification" else "number"
    y = cleaned(spec.target, replace(spec.columns.get(spec.target, Column()), kind=kind))
    X = pd.DataFrame({name: cleaned(name, spec.columns.get(name, Column())) for name in features})
    kept = _kept_rows(X, y, spec.target, note)
    X, y = X[kept].reset_index(drop=True), y[kept].reset_index(drop=True)
    y = y.cat.remove_unused_categories() if task == "classification" else y.astype("float64")
    if task == "regression" and len(raw) and not len(y):
        raise InputError("dataset.task", task, f"{spec.target} holds no number; take dataset.task=classification")
    _check(y, cfg)
    _remark(X, note)

    columns = {name: facts for name, facts in spec.columns.items() if name not in ignored}
    place = [name for name in raw.columns if name not in ignored].index(spec.target)
    dataset = Dataset(X, y, replace(spec, task=task, columns=columns), place)
    return dataset, pd.DataFrame(findings, columns=REPORT)


def _task(cells: pd.Series, spec: Spec, missing: tuple) -> str:
    """Infer the task of a target about which nothing is declared."""
    return task_of(clean_column(cells, spec.columns.get(spec.target, Column()), missing, lambda *finding: None))


def _kept_rows(X: pd.DataFrame, y: pd.Series, target: str, note) -> np.ndarray:
    labelled = y.notna().to_numpy()
    if not labelled.all():
        note(target, "row without target", int((~labelled).sum()), "dropped")
    table = X.assign(**{_unused(X): y})[labelled]
    repeated = table.duplicated().to_numpy()
    if repeated.any():
        note(ROWS, "exact duplicate", int(repeated.sum()), "dropped")
    kept = labelled.copy()
    kept[labelled] = ~repeated
    conflicting = X[kept].duplicated(keep=False)
    if conflicting.any():
        note(ROWS, "same features, another target", int(conflicting.sum()), "kept")
    return kept


def _unused(X: pd.DataFrame) -> str:
    return "".join(X.columns) + "target"


def _check(y: pd.Series, cfg: Mapping[str, Any]) -> None:
    if len(y) < 2:
        left = f"{len(y)} usable row" + "s" * (len(y) != 1)
        raise InputError("dataset.name", cfg["name"], f"{left} left, with a target and not repeated; give at least two")
    if y.nunique() < 2:
        remedy = f"has the one value {y.iloc[0]} in all {len(y)} rows; there is nothing to learn"
        raise InputError("dataset.target", cfg["target"], remedy)


def _remark(X: pd.DataFrame, note) -> None:
    """Report suspicious columns, which are kept unchanged."""
    for name in X:
        distinct = X[name].nunique()
        if distinct == 0:
            note(name, "all missing", len(X), "kept")
        elif distinct == 1:
            note(name, "constant", len(X), "kept")
        elif distinct == len(X) > MOST_CLASSES and X[name].dtype != "float64":
            note(name, "every value distinct", len(X), "kept; kind=ignore drops an identifier")
        elif X[name].dtype == "category" and distinct > max(MOST_CLASSES, MANY * X[name].count()):
            note(name, f"category of {distinct:,} values", len(X), "kept; kind=ignore drops it")
