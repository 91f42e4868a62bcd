"""Utility and attacks under privacy budgets: scores of each generator by epsilon, and its figure and tables."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.markup import Column, Table
from trisynth.report.page import Picture
from trisynth.statistics.across_datasets import mean_over_datasets
from trisynth.statistics.estimate import Estimate

EPSILON = "generator.privacy.epsilon"
_NONE, _OTHER = "no noise", "not private"
_TICKS = {_NONE: "∞", _OTHER: "–"}
_MEMBERSHIP = ("distance", "domias", "likelihood", "shadows")
# Scores by name, each with its printed name and the value without any loss or leak, None if that differs by table.
_SHOWN = {
    "utility": ("ROC AUC, synthetic", None),
    "fidelity/c2st_boosting": ("C2ST", 0.5),
    "membership": ("membership", 0.5),
}
_RISKS = ("attribute_inference", "singling_out_univariate", "singling_out_multivariate", "linkability")


def with_budget(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add the columns ``budget``, ``utility``, ``loss`` and ``membership``, the strongest attack.

    ``budget`` is epsilon as a text, ``no noise`` for a private generator without one, and ``not private`` for others;
    ``loss`` is the utility of real rows minus the utility of synthetic rows.

    Raises
    ------
    InputError
        If the jobs have no private generator, or no attacks.
    """
    attacks = [f"privacy/membership_{name}" for name in _MEMBERSHIP if f"privacy/membership_{name}" in jobs]
    if EPSILON not in jobs or not attacks:
        raise InputError("results", list(jobs.columns[:8]), "has no budgets or no attacks; sweep with metrics=privacy")
    best = jobs[attacks]
    return _with_losses(jobs).assign(
        # The attack farthest from chance.
        membership=best.max(axis=1),
    )


def _with_losses(jobs: pd.DataFrame) -> pd.DataFrame:
    private = jobs.groupby("generator")["generator/epsilon"].transform("count") > 0
    text = jobs[EPSILON].map(lambda value: _NONE if pd.isna(value) else f"{float(value):g}")
    return jobs.assign(
        budget=np.where(private, text, _OTHER),
        utility=jobs["synthetic/roc_auc"],
        loss=jobs["real/roc_auc"] - jobs["synthetic/roc_auc"],
    )


def budgets(jobs: pd.DataFrame) -> list[str]:
    """Return the budgets of a sweep from the smallest epsilon to none at all."""
    known = set(jobs["budget"])
    numbers = sorted((each for each in known if each not in (_NONE, _OTHER)), key=float)
    return [*numbers, *(each for each in (_NONE, _OTHER) if each in known)]


def privacy_figure(jobs: pd.DataFrame) -> Picture:
    """Draw utility, C2ST and membership of every generator over epsilon, a column per data set."""
    jobs = with_budget(jobs)
    order, tables = budgets(jobs), list(dict.fromkeys(jobs["dataset"]))
    generators = list(dict.fromkeys(jobs["generator"]))
    means = jobs.groupby(["dataset", "generator", "budget"])[[*_SHOWN]].mean()
    real = jobs.groupby("dataset")["real/roc_auc"].mean()
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 1.35 * len(_SHOWN) + 1.2)
        panels = figure.subplots(len(_SHOWN), len(tables), squeeze=False, sharex=True)
        for place, (row, (score, (label, ideal))) in enumerate(zip(panels, _SHOWN.items(), strict=True)):
            for position, (axes, table) in enumerate(zip(row, tables, strict=True)):
                own = means[score].loc[table]
                for generator in generators:
                    _curve(axes, own.loc[generator], order, generator)
                axes.axhline(real[table] if ideal is None else ideal, color=style.GREY, linewidth=0.6, zorder=0)
                letter = style.letter(place * len(tables) + position)
                axes.set_title(f"{letter}  {names.name(table)}" if place == 0 else letter)
                axes.yaxis.set_major_locator(MaxNLocator(4))
                if position == 0:
                    axes.set_ylabel(label)
                if place == len(_SHOWN) - 1:
                    axes.xaxis.set_major_locator(FixedLocator(range(len(order))))
                    axes.xaxis.set_minor_locator(NullLocator())
                    axes.set_xticklabels([_TICKS.get(each, each) for each in order])
                    axes.set_xlabel("epsilon")
        for row in panels[1:]:
            low, high = (f(axes.get_ylim()[place] for axes in row) for place, f in ((0, min), (1, max)))
            for axes in row:
                axes.set_ylim(low, high)
        legend = {names.name(name): Line2D([], [], linestyle="-", **_look(name)) for name in generators}
        style.heading(figure, "Utility and attacks over the privacy budget", legend)
        style.footnote(
            figure,
            "Mean over classifiers and seeds; ∞: the private method without noise, –: no private method. Grey lines: "
            "real rows in the first row of panels, chance in the others. Membership: the largest ROC AUC of attacks "
            "by distance, by density ratio and, where the generator has one, by its likelihood.",
        )
    return Picture("privacy", "Utility, C2ST and membership attacks over epsilon.", figure)


def _look(generator: str) -> dict:
    return {**style.generator(generator), "markersize": 3.0, "markeredgewidth": 0}


def _curve(axes: Axes, values: pd.Series, order: Sequence[str], generator: str) -> None:
    places = [place for place, budget in enumerate(order) if budget in values]
    heights = [values[order[place]] for place in places]
    budgets = [place for place in places if order[place] != _NONE]
    # What has no budget stands apart.
    axes.plot(budgets, [h for place, h in zip(places, heights, strict=True) if place in budgets], **_look(generator))
    rest = [(place, h) for place, h in zip(places, heights, strict=True) if place not in budgets]
    axes.plot(*zip(*rest, strict=True), linestyle="none", **_look(generator)) if rest else None


def budget_table(jobs: pd.DataFrame) -> Table:
    """Tabulate losses, gains, C2ST and attacks by generator and budget, means over data sets."""
    jobs = with_budget(jobs)
    scores = {
        "loss": Column("loss", "AUC lost", interval=True),
        "gain/roc_auc": Column("gain", "Gain, combined rows", signed=True),
        "fidelity/c2st_boosting": Column("c2st", "C2ST", interval=False),
        "membership": Column("membership", "Membership", interval=False),
        **{f"privacy/{name}": Column(name, names.name(name), signed=True, interval=False) for name in _RISKS},
    }
    scores = {name: column for name, column in scores.items() if name in jobs}
    columns = [Column("generator", "Generator"), Column("epsilon", "Epsilon"), *scores.values()]
    rows, rules = [], set()
    for generator, own in jobs.groupby("generator", sort=False):
        rules.add(len(rows))
        for budget in budgets(own):
            part = own[own["budget"] == budget].set_index(["dataset", "seed"])
            rows.append([str(generator), budget, *(mean_over_datasets(part[name].dropna()) for name in scores)])
    note = (
        "Means over data sets, ± half of the 95 % t interval over data sets. AUC lost: ROC AUC of classifiers trained "
        "on real rows minus the ROC AUC of classifiers trained on synthetic rows. Gain: ROC AUC with real and "
        "synthetic rows together minus the ROC AUC with real rows alone. Membership: the largest ROC AUC of the "
        "attacks; 0.5 is chance. Other attacks: excess risk of training rows over held-out rows."
    )
    return Table("budgets", "Utility and attacks by privacy budget.", note, columns, rows, set(), rules)


def losses_table(jobs: pd.DataFrame) -> Table:
    """Tabulate what classifiers lose that learn from synthetic rows, by data set, generator and budget.

    Raises
    ------
    InputError
        If the jobs have no budgets.
    """
    if EPSILON not in jobs:
        raise InputError("results", list(jobs.columns[:8]), f"has no {EPSILON}; sweep over it")
    jobs = _with_losses(jobs)
    precision = jobs["real/average_precision"] - jobs["synthetic/average_precision"]
    jobs = jobs.assign(precision_loss=precision)
    scores = ("real/roc_auc", "utility", "loss", "precision_loss")
    labels = ("ROC AUC, real", "ROC AUC, synthetic", "ROC AUC lost", "Average precision lost")
    columns = [Column("dataset", "Data set"), Column("generator", "Generator"), Column("epsilon", "Epsilon")]
    columns += [Column(name.replace("/", "_"), text, interval=False) for name, text in zip(scores, labels, strict=True)]
    rows, rules = [], set()
    for (dataset, generator), own in jobs.groupby(["dataset", "generator"], sort=False):
        rules.add(len(rows))
        for budget in budgets(own):
            found = _means(own[own["budget"] == budget], scores)
            rows.append([str(dataset), str(generator), budget, *found])
    note = (
        "Scores on real test rows, means over classifiers and seeds. Lost: the score of classifiers trained on real "
        "rows minus the score of classifiers trained on synthetic rows."
    )
    return Table(
        "losses", "Utility lost, by data set, generator and privacy budget.", note, columns, rows, set(), rules
    )


def recall_table(jobs: pd.DataFrame, rarest: Mapping[str, str], commonest: Mapping[str, str]) -> Table:
    """Tabulate the recall of a rare and of the most frequent class of each data set, by generator and budget.

    Parameters
    ----------
    jobs : DataFrame
    rarest, commonest : mapping of str to str
        Class of each data set.
    """
    jobs = with_budget(jobs)
    columns = [Column("dataset", "Data set"), Column("rows", "Rows"), Column("epsilon", "Epsilon")]
    for key, label in (("rare", "Rare class"), ("frequent", "Most frequent class"), ("gain", "Rare class, combined")):
        columns.append(Column(key, label, interval=False))
    rows, rules = [], set()
    for dataset, own in jobs.groupby("dataset", sort=False):
        if dataset not in rarest:
            continue
        rules.add(len(rows))
        rare, frequent = f"recall/{rarest[dataset]}", f"recall/{commonest[dataset]}"
        first = own.drop_duplicates(["classifier", "seed"])
        rows.append([str(dataset), "real", "", *_means(first, (f"real/{rare}", f"real/{frequent}")), None])
        shown = (f"synthetic/{rare}", f"synthetic/{frequent}", f"combined/{rare}")
        for generator, part in own.groupby("generator", sort=False):
            for budget in budgets(part):
                found = _means(part[part["budget"] == budget], shown)
                rows.append([str(dataset), str(generator), budget, *found])
    note = (
        "Recall on real test rows, mean over classifiers and seeds, of classifiers trained on real or synthetic rows; "
        "the last column: trained on both. Classes: "
        + "; ".join(f"{names.name(name)} {rarest[name]} and {commonest[name]}" for name in rarest)
        + "."
    )
    return Table("recall", "Recall of a rare and of the most frequent class.", note, columns, rows, set(), rules)


def _means(jobs: pd.DataFrame, columns: Sequence[str]) -> list[Estimate | None]:
    values = [jobs[name].mean() if name in jobs else math.nan for name in columns]
    return [None if math.isnan(value) else Estimate(float(value), math.nan, len(jobs)) for value in values]
