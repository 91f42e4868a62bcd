"""Tables of a study of the loss: wins over the plain loss, and changes in confidence and fidelity."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from trisynth.report import names
from trisynth.report.markup import Column, Table
from trisynth.statistics.across_datasets import mean_over_datasets, p_value, win_rate
from trisynth.statistics.estimate import Estimate
from trisynth.studies.settings import (
    TOGETHER,
    changes,
    difference_from_plain,
    metric,
    part,
    printed,
    utilities,
    with_settings,
)

ARMS = ("synthetic", "combined")
# L_model may improve ranking and decisions, or only confidence.
CONFIDENCE = (
    "synthetic/roc_auc",
    "synthetic/f1_macro",
    "synthetic/log_loss",
    "synthetic/brier",
    "synthetic/ece",
    "fidelity/coverage",
)
# Properties of the synthetic rows themselves.
FIDELITY = (
    "fidelity/c2st_boosting",
    "fidelity/wasserstein",
    "fidelity/correlation_gap",
    "fidelity/coverage",
    "copying/dcr_share",
)
_CHANGES = "± half of the 95 % t interval over data sets, each of which counts once."
_BOLD = "Bold: the interval excludes zero."


def wins_table(jobs: pd.DataFrame, arms: Sequence[str] = ARMS) -> Table:
    """Tabulate win rate and mean gain of every setting over the plain loss, by generator and for all of them."""
    jobs = with_settings(jobs)
    columns = [Column("generator", "Generator"), Column("setting", "Loss"), Column("pairs", "Pairs")]
    for arm in arms:
        columns += [Column(f"{arm}_wins", f"Wins, {arm}"), Column(f"{arm}_gain", f"Gain, {arm}", signed=True)]
    found = {arm: difference_from_plain(jobs, utilities(jobs, arm)) for arm in arms}
    first = next(iter(found.values()))
    keys = first.index.droplevel(["dataset", "seed"]).unique()
    settings = list(dict.fromkeys(setting for _, setting in keys))
    rows, bold, rules = [], set(), set()
    for generator in [*dict.fromkeys(generator for generator, _ in keys), TOGETHER]:
        rules.add(len(rows))
        for setting in settings:
            cells, count = [], 0
            for gains in found.values():
                own = part(gains, generator, setting)
                count = max(count, len(own))
                cells += [win_rate(own), mean_over_datasets(own)] if len(own) else [None, None]
            if count:
                least = (0.5, 0.0) * len(arms)
                clear = [cell is not None and cell.low > low for cell, low in zip(cells, least, strict=True)]
                bold |= {(len(rows), 3 + place) for place in np.flatnonzero(clear)}
                cells[::2] = [cell and _share(cell) for cell in cells[::2]]
                rows.append([generator, printed(setting), count, *cells])
    note = (
        "Each loss is compared with the plain loss of the same generator, data set and seed: the native loss, or L_rec "
        "alone where the sweep has no native one. Utility: ROC AUC, or R² for regression, mean over classifiers. Wins: "
        "fraction of pairs with a higher utility, a tie counting one half, with Wilson's 95 % interval, whose shorter "
        "side is extended to the longer one. Gain: mean difference of the utility, ± half of the 95 % t interval. Each "
        "data set counts once. Bold: the interval lies above one half, or above zero. "
        f"{_standing(found)}"
    )
    return Table("wins", "Wins and gains of the loss terms over the plain loss.", note, columns, rows, bold, rules)


def _share(rate: Estimate) -> str:
    """Format a win rate with its interval clipped to [0, 1]."""
    ends = f" [{max(rate.low, 0.0):.3f}, {min(rate.high, 1.0):.3f}]" if math.isfinite(rate.half) else ""
    return f"{rate.mean:.3f}{ends}"


def _standing(found: dict[str, pd.Series], level: float = 0.05) -> str:
    """List the differences that stay significant after Bonferroni correction."""
    significant = []
    for arm, gains in found.items():
        cases = gains.groupby(level=["generator", "setting"], sort=False)
        clear = [
            f"{generator} {printed(setting)} ({'+' if own.mean() > 0 else '−'})"
            for (generator, setting), own in cases
            if p_value(own) * cases.ngroups < level
        ]
        significant.append(f"on {arm} rows {', '.join(clear) or 'none'}")
    return f"Significant after Bonferroni correction for {cases.ngroups} comparisons: {'; '.join(significant)}."


def confidence_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the changes of each loss in ranking, decisions, calibration and coverage."""
    jobs = with_settings(jobs)
    note = (
        "Scores on real test rows of classifiers trained on synthetic rows, minus those under the plain loss of the "
        f"same generator, data set and seed; mean over classifiers, {_CHANGES} Log loss, Brier score and ECE: "
        "lower is better; coverage: fraction of real rows with a synthetic row in their neighbourhood. "
        f"{_BOLD}"
    )
    caption = "Changes in ranking, decisions and confidence against the plain loss."
    return _filled(jobs, CONFIDENCE, Table("confidence", caption, note, [], []))


def fidelity_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the changes of each loss in the synthetic rows themselves."""
    jobs = with_settings(jobs)
    note = (
        "Scores compare synthetic with held-out rows. Each number is the difference from the score under the plain "
        f"loss of the same generator, data set and seed, {_CHANGES} C2ST: AUC of boosted trees that separate the two "
        "kinds of rows, 0.5 is best; its level is the value itself. Lower is better, except for coverage, the fraction "
        "of real rows with a synthetic row in their neighbourhood. DCR share: fraction of synthetic rows closer to a "
        f"training row than to a held-out row. {_BOLD}"
    )
    caption = "Changes in fidelity against the plain loss."
    return _filled(jobs, FIDELITY, Table("fidelity", caption, note, [], []), level="fidelity/c2st_boosting")


def _filled(jobs: pd.DataFrame, metrics: Sequence[str], table: Table, level: str | None = None) -> Table:
    """Fill a table with the changes of metrics against the plain loss, after the level of one metric."""
    found = changes(jobs, metrics)
    columns = [Column("generator", "Generator"), Column("setting", "Loss"), Column("pairs", "Pairs")]
    if level in found:
        columns.append(Column("level", f"{names.metric(level)}, level", interval=False))
    changed = len(columns)
    columns += [Column(name.rpartition("/")[2], names.metric(name), signed=True) for name in found]
    keys = next(iter(found.values())).index.droplevel(["dataset", "seed"]).unique()
    settings = list(dict.fromkeys(setting for _, setting in keys))
    families = list(dict.fromkeys(generator for generator, _ in keys))
    rows, bold, rules = [], set(), set()
    for generator in [*families, TOGETHER] if len(families) > 1 else families:
        rules.add(len(rows))
        for setting in settings:
            own = {name: part(gains, generator, setting) for name, gains in found.items()}
            count = max(map(len, own.values()))
            if not count:
                continue
            first = [mean_over_datasets(part(metric(jobs, level), generator, setting))] if level in found else []
            cells = [mean_over_datasets(gains) for gains in own.values()]
            bold |= {(len(rows), changed + place) for place, cell in enumerate(cells) if cell.excludes_zero}
            rows.append([generator, printed(setting), count, *first, *cells])
    return replace(table, columns=columns, rows=rows, bold=bold, rules=rules)
