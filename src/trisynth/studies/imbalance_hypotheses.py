"""Hypotheses on class imbalance, compared with the results by rules that were written before these."""

from collections.abc import Iterator

import pandas as pd

from trisynth.report.markup import Column, Table
from trisynth.statistics.across_datasets import mean_over_datasets
from trisynth.statistics.estimate import Estimate
from trisynth.studies.imbalance import (
    AGAINST,
    BOTH,
    COHORT,
    HARD,
    PRIMARY,
    WORTH,
    best_average_precision,
    gains,
    growth,
    scores,
    selected,
)

_LINEAR, _TREES = "logistic", "boosting"
_WEIGHTED = ("class_weight", "oversampled")

Row = tuple[int, str, Estimate, bool]


def hypotheses_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the measure of each hypothesis of ``experiments/imbalance`` and whether it held."""
    columns = [Column("number", "No."), Column("hypothesis", "Hypothesis"), Column("measured", "Measured", signed=True)]
    columns.append(Column("result", "Result"))
    rows = [[number, text, found, "held" if held else "wrong"] for number, text, found, held in _all(jobs)]
    note = (
        "Means over data sets with ± half of the 95 % t interval over them. Over: the score of balanced rows minus the "
        "score of the named rows or remedy. A hypothesis about several generators, ratios or training sets is tested "
        "on the mean that contradicts it most."
    )
    return Table("hypotheses", "Hypotheses that were written before the run.", note, columns, rows)


def _all(jobs: pd.DataFrame) -> Iterator[Row]:
    f1, precision = gains(jobs), gains(jobs, "average_precision")
    ratios, generators = sorted(f1["imbalance"].unique().tolist()), list(dict.fromkeys(f1["generator"]))
    hard = [ratio for ratio in ratios if ratio in HARD]

    found = mean_over_datasets(selected(f1, BOTH, hard, PRIMARY)[f"over_{AGAINST}"])
    yield 1, "circuit over the tuned threshold, F1: no gain (primary)", found, not _worth(found)
    found = _least([selected(f1, BOTH, ratio, g)["over_real"] for ratio in ratios for g in generators])
    yield 2, "over real rows, F1: at least 0.05, every generator and ratio", found, found.mean >= 0.05
    cells = [
        mean_over_datasets(selected(f1, classifier, ratio, g)["over_best"])
        for classifier in dict.fromkeys(f1["classifier"])
        for ratio in ratios
        for g in generators
    ]
    above = [cell for cell in cells if _worth(cell)]
    found = max(above or cells, key=lambda cell: cell.mean)
    yield 3, "over the best baseline, F1: no generator gains", found, not above
    found = growth(selected(f1, generator=PRIMARY).reset_index(), "over_best")
    yield 4, f"circuit over the best baseline, F1: {ratios[-1]} minus {ratios[0]} includes 0", found, found.low <= 0
    parts = [selected(precision, _LINEAR, ratio, g)["over_real"] for ratio in ratios for g in generators]
    found = max(map(mean_over_datasets, parts), key=lambda cell: abs(cell.mean))
    yield 5, "linear, over real rows, AP: within 0.02", found, abs(found.mean) < 0.02
    own = [selected(precision, _TREES, ratios[-1], g) for g in ("circuit", "copula") if g in generators]
    found = _least([part["over_real"] for part in own])
    yield 5, f"trees at {ratios[-1]}, over real rows, AP: circuit and copula at least 0.02", found, found.mean >= 0.02
    over = [part[[f"over_{arm}" for arm in _WEIGHTED]].min(axis=1) for part in own]
    found = max(map(mean_over_datasets, over), key=lambda cell: cell.mean)
    yield 5, "the same over the better of weights and oversampling: no gain", found, found.low <= 0
    found = mean_over_datasets(selected(f1, _TREES, hard, "smote")["over_oversampled"])
    yield 6, "SMOTE over oversampling, F1, trees: a gain", found, found.low > 0
    found = mean_over_datasets(selected(f1, _LINEAR, hard, "smote")["over_oversampled"])
    yield 6, "SMOTE over oversampling, F1, linear: no gain", found, found.low <= 0
    recall = gains(jobs, "recall")
    found = _least([selected(recall, generator=g)["over_class_weight"] for g in generators])
    yield 7, "over class weights, recall: no lower", found, found.mean >= 0
    yield from _calibration(jobs)
    found = closed(jobs, ratios[-1])
    yield 9, f"cohort at {ratios[-1]}: at most a quarter of the gap in AP is closed", found, found.mean <= 0.25


def _calibration(jobs: pd.DataFrame) -> Iterator[Row]:
    long = scores(jobs)
    changed = ("balanced", *_WEIGHTED)
    found = _least([long[long["arm"] == arm].set_index("dataset")["probability_gap"] for arm in changed])
    yield 8, "probability gap of balanced rows, class weights and oversampling: above 0.10", found, found.mean > 0.10
    keys = ["dataset", "generator", "classifier", "seed", "imbalance"]
    wide = long.pivot_table("log_loss", keys, "arm")
    found = _least([wide[arm] - wide["real"] for arm in changed])
    yield 8, "log loss of the same three over real rows: higher", found, found.mean > 0


def closed(jobs: pd.DataFrame, ratio: int) -> Estimate:
    """Estimate the largest fraction, over generators, of the cohort's gap in average precision that is closed."""
    long = scores(jobs)
    own = long[(long["dataset"] == COHORT) & (long["imbalance"] == ratio)]
    real = own.loc[own["arm"] == "real", "average_precision"].mean()
    balanced = own[own["arm"] == "balanced"].groupby("generator")["average_precision"].mean()
    return Estimate(float((balanced.max() - real) / (best_average_precision() - real)), float("nan"), len(balanced))


def _least(parts: list[pd.Series]) -> Estimate:
    return min(map(mean_over_datasets, parts), key=lambda cell: cell.mean)


def _worth(found: Estimate) -> bool:
    return found.mean > WORTH and found.low > 0
