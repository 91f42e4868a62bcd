"""Recommendations of ``generator=auto``: selection bias of the best candidate, and gain on test rows."""

import math

import pandas as pd

from trisynth.errors import InputError
from trisynth.report.markup import Column, Table
from trisynth.statistics.across_datasets import mean_over_datasets
from trisynth.statistics.estimate import Estimate

_CHOSE = "generator/chose/"
_NEEDED = ("generator/none", "generator/gain_choosing", "generator/gain", "advised/roc_auc", "real/roc_auc")


def searches(jobs: pd.DataFrame) -> pd.DataFrame:
    """Tabulate the searches, one row each with the index ``dataset`` and ``seed``; classifiers are averaged.

    Returns
    -------
    DataFrame
        ``advised`` (0 or 1); ``winner``, the best candidate; ``choosing`` and ``confirming``, its gain in ROC AUC over
        the strongest baseline on the folds that selected it and on the others; ``bias``, their difference; ``tested``,
        the gain of the recommended training set over the real rows on the test rows.

    Raises
    ------
    InputError
        If the jobs are not searches.
    """
    missing = [name for name in _NEEDED if name not in jobs]
    if missing:
        raise InputError("results", list(jobs.columns[:8]), f"has no {missing[0]}; sweep generator=auto, arms=advised")
    by = jobs.groupby(["dataset", "seed"], sort=False)
    candidates = [name for name in jobs if name.startswith(_CHOSE)]
    means = by[[*_NEEDED, *candidates]].mean()
    found = pd.DataFrame(
        {
            "advised": 1 - means["generator/none"],
            "winner": means[candidates].fillna(0.0).idxmax(axis=1).str.removeprefix(_CHOSE),
            "choosing": means["generator/gain_choosing"],
            "confirming": means["generator/gain"],
            "tested": means["advised/roc_auc"] - means["real/roc_auc"],
        }
    )
    return found.assign(bias=found["choosing"] - found["confirming"])


def advice_table(jobs: pd.DataFrame) -> Table:
    """Tabulate recommendations and gains by data set, and over all of them."""
    found = searches(jobs)
    titles = {
        "choosing": "Gain, selection folds",
        "confirming": "Gain, confirmation folds",
        "bias": "Selection bias",
        "tested": "Gain, test rows",
    }
    columns = [Column("dataset", "Data set"), Column("searches", "Searches"), Column("advised", "Recommended")]
    columns += [
        Column("winners", "Best candidates"),
        *(Column(name, title, signed=True) for name, title in titles.items()),
    ]
    rows = []
    for dataset, part in found.groupby(level="dataset", sort=False):
        cells = [Estimate(float(part[name].mean()), math.nan, len(part)) for name in titles]
        winners = ", ".join(part["winner"].value_counts().sort_index(kind="stable").index)
        rows.append([dataset, len(part), int(part["advised"].sum()), winners, *cells])
    every = [mean_over_datasets(found[name]) for name in titles]
    rows.append(["all", len(found), int(found["advised"].sum()), "", *every])
    bold = {(len(rows) - 1, 4 + i) for i, cell in enumerate(every) if cell.excludes_zero}
    note = (
        "ROC AUC. Gain of the best candidate over the strongest baseline (real rows, duplicated, oversampled, weighted "
        "by class), on the folds that selected it and on the confirmation folds; selection bias: their difference. "
        "Where nothing is recommended, the real rows are used and the gain on test rows is 0. ± half of the 95 % t "
        "interval over data sets. Bold: the interval excludes zero."
    )
    return Table("advice", "Recommendations and their gains.", note, columns, rows, bold, {len(rows) - 1})
