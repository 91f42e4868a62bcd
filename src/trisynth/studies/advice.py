"""What ``generator=auto`` advises, how much its winners' scores flatter them, and what the advice is worth."""

import math

import pandas as pd

from trisynth.errors import InputError
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimates import Estimate
from trisynth.statistics.pairs import by_dataset

_CHOSE = "generator/chose/"
_NEEDED = ("generator/none", "generator/gain_choosing", "generator/gain", "advised/roc_auc", "real/roc_auc")


def searches(jobs: pd.DataFrame) -> pd.DataFrame:
    """One row per search, with the index ``dataset`` and ``seed``; classifiers are averaged.

    Returns
    -------
    DataFrame
        ``advised`` (0 or 1), ``winner``, ``choosing`` and ``confirming``: the winner's gain in ROC AUC over its
        strongest rival on the folds that chose it and on the others; ``flattery``: their difference; ``tested``: what
        the advice gains over the real rows on the test rows.

    Raises
    ------
    InputError
        If the jobs are no searches.
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
    return found.assign(flattery=found["choosing"] - found["confirming"])


def advice_table(jobs: pd.DataFrame) -> Table:
    """Advice and gains by data set, and over all of them."""
    found = searches(jobs)
    titles = {
        "choosing": "Gain, choosing",
        "confirming": "Gain, confirming",
        "flattery": "Flattery",
        "tested": "Gain of the advice, test rows",
    }
    columns = [Column("dataset", "Data set"), Column("searches", "Searches"), Column("advised", "Advised")]
    columns += [Column("winners", "Winners"), *(Column(name, title, signed=True) for name, title in titles.items())]
    rows = []
    for dataset, part in found.groupby(level="dataset", sort=False):
        cells = [Estimate(float(part[name].mean()), math.nan, len(part)) for name in titles]
        winners = ", ".join(part["winner"].value_counts().sort_index(kind="stable").index)
        rows.append([dataset, len(part), int(part["advised"].sum()), winners, *cells])
    every = [by_dataset(found[name]) for name in titles]
    rows.append(["all", len(found), int(found["advised"].sum()), "", *every])
    bold = {(len(rows) - 1, 4 + i) for i, cell in enumerate(every) if cell.low > 0 or cell.high < 0}
    note = (
        "ROC AUC. Choosing: the winner's gain over its strongest rival (real rows, duplicated, oversampled, weighted "
        "by class) on the folds that chose it; confirming: on the other folds; flattery: the difference. Where nothing "
        "is advised, the advice is the real rows, and its gain is 0. ± half of the 95 % t interval over data sets. "
        "Bold: the interval leaves out zero."
    )
    return Table("advice", "What the search advises, and what it is worth.", note, columns, rows, bold, {len(rows) - 1})
