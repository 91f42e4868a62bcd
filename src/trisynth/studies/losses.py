"""What the weights of L_total buy: wins, gains and other changes over the plain loss."""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from trisynth.errors import InputError
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimates import Estimate
from trisynth.statistics.pairs import by_dataset, p_value, win_rate

# Families whose L_rec compares rows with their transport partners; that of the others is a likelihood or an error of
# denoising, whose minimum is the real law and shrinks nothing.
PAIRED = ("gan", "cgan", "ctgan", "tgan")
TERMS = {"alpha": "rec", "beta": "dist", "gamma": "model"}
# Wins over the plain loss of the nearest published one (TabGen-Framework, TMLR 2026): training on synthetic, combined.
PUBLISHED = {"synthetic": 0.611, "combined": 0.551}
# The first one that a data set has is its utility.
UTILITIES = ("roc_auc", "r2")
# What L_model may buy: order and decisions, or confidence.
CONFIDENCE = {
    "synthetic/roc_auc": "ROC AUC",
    "synthetic/f1_macro": "Macro-F1",
    "synthetic/log_loss": "Log loss",
    "synthetic/brier": "Brier",
    "synthetic/ece": "Calibration error",
    "fidelity/coverage": "Coverage",
}
# What a loss may change in the rows themselves.
FIDELITY = {
    "fidelity/c2st_boosting": "C2ST",
    "fidelity/wasserstein": "Wasserstein",
    "fidelity/correlation_gap": "Correlation gap",
    "fidelity/coverage": "Coverage",
    "copying/dcr_share": "Closer to train",
}
# All generators of a sweep; not to be taken for the loss with all terms.
TOGETHER = "together"
# What tells one fit from another.
JOB = ["dataset", "generator", "setting", "seed"]
_CHANGES = "± half of the 95 % t interval over data sets, each of which counts once."
_BOLD = "Bold: the interval leaves out zero."


def read(path: Path) -> pd.DataFrame:
    """Jobs of a sweep over losses, with the column ``setting``; see ``named``.

    Raises
    ------
    InputError
        If the file cannot be read or has no loss weights.
    """
    try:
        jobs = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError("results", str(path), f"cannot be read ({reason}); run the sweep first") from None
    missing = [name for name in ("dataset", "generator", "seed", "loss.alpha") if name not in jobs]
    if missing or not len(jobs):
        raise InputError("results", str(path), f"has no {missing[0] if missing else 'rows'}; sweep over a loss")
    return named(jobs)


def named(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs with the column ``setting``: which loss, in the words of ``conf/loss`` where these say it.

    Of families without pairs only the loss without pairing is native, of the others every loss with L_rec alone.
    """
    pairing = jobs.get("loss.pairing", pd.Series(np.nan, jobs.index)).fillna("transport")

    def setting(job: pd.Series) -> str:
        weights = {term: float(job[f"loss.{weight}"]) for weight, term in TERMS.items()}
        on = [term for term, weight in weights.items() if weight > 0]
        if on == ["rec"] and (job["generator"] not in PAIRED or pairing[job.name] == "none"):
            return "native"
        words = ["all" if len(on) == 3 else "_".join(on)]
        words += [f"{weight} {weights[term]:g}" for weight, term in TERMS.items() if term in on and weights[term] != 1]
        choices = {"dist": "loss.distance", "model": "loss.model"}
        words += [str(job[name]) for term, name in choices.items() if term in on and pd.notna(job.get(name))]
        return " ".join(words)

    return jobs.assign(setting=jobs.apply(setting, axis=1))


def utilities(jobs: pd.DataFrame, arm: str) -> pd.Series:
    """Utility of an arm by data set, generator, setting and seed, mean over classifiers."""
    columns = [f"{arm}/{name}" for name in UTILITIES if f"{arm}/{name}" in jobs]
    if not columns:
        raise InputError("results", list(jobs.columns[:8]), f"has no {arm}/{UTILITIES[0]}; sweep the arm {arm!r}")
    return metric(jobs.assign(utility=jobs[columns].bfill(axis=1).iloc[:, 0]), "utility")


def against_plain(jobs: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Values less those of the plain loss of the same data set, generator and seed; other settings only.

    Plain is a family's native loss or, where the sweep lacks it, L_rec alone: what L_model adds to a GAN that pairs its
    rows must not be counted together with the pairing.
    """
    frame = values.rename("value").reset_index()
    native = frame.loc[frame["setting"] == "native", "generator"].unique()
    plain = (frame["setting"] == "native") | ((frame["setting"] == "rec") & ~frame["generator"].isin(native))
    pairs = frame[~plain].merge(
        frame[plain].drop(columns="setting"), on=["dataset", "generator", "seed"], suffixes=("", "_0")
    )
    if pairs.empty:
        raise InputError("results", sorted(jobs["setting"].unique()), "no setting beside the plain loss; sweep both")
    return pairs.set_index(JOB)["value"] - pairs.set_index(JOB)["value_0"]


def spoken(setting: str) -> str:
    """A setting as it stands in print: ``rec_model train_on_synthetic`` is ``rec + model: train on synthetic``."""
    terms, *rest = setting.split(" ")
    return ": ".join([terms.replace("_", " + "), *([" ".join(rest).replace("_", " ")] if rest else [])])


def _share(rate: Estimate) -> str:
    """A win rate as text: no share lies below 0 or above 1, as a ± would have it."""
    ends = f" [{max(rate.low, 0.0):.3f}, {min(rate.high, 1.0):.3f}]" if math.isfinite(rate.half) else ""
    return f"{rate.mean:.3f}{ends}"


def wins_table(jobs: pd.DataFrame, arms: tuple[str, ...] = ("synthetic", "combined")) -> Table:
    """Win rate and mean gain of every setting over the plain loss, by generator and for all of them."""
    columns = [Column("generator", "Generator"), Column("setting", "Loss"), Column("pairs", "Pairs")]
    for arm in arms:
        columns += [Column(f"{arm}_wins", f"Wins, {arm}"), Column(f"{arm}_gain", f"Gain, {arm}", signed=True)]
    found = {arm: against_plain(jobs, utilities(jobs, arm)) for arm in arms}
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
                cells += [win_rate(own), by_dataset(own)] if len(own) else [None, None]
            if count:
                least = (0.5, 0.0) * len(arms)
                clear = [cell is not None and cell.low > low for cell, low in zip(cells, least, strict=True)]
                bold |= {(len(rows), 3 + place) for place in np.flatnonzero(clear)}
                cells[::2] = [cell and _share(cell) for cell in cells[::2]]
                rows.append([generator, spoken(setting), count, *cells])
    note = (
        "Against the plain loss of the same generator, data set and seed (the native one, or L_rec alone where the "
        "sweep has no other): share of pairs with a higher utility (ROC AUC, or R² of a number; ties one half) and "
        "mean gain, mean over classifiers. Each data set counts once. In brackets Wilson's 95 % interval, its longer "
        "arm to both sides; ± half of the 95 % t interval. Published for a like loss: "
        f"{PUBLISHED['synthetic']} on synthetic, {PUBLISHED['combined']} on combined rows. Bold: the interval lies "
        f"above one half, or above zero. {_standing(found)}"
    )
    return Table("wins", "What the terms of the loss win over the plain loss.", note, columns, rows, bold, rules)


def _standing(found: dict[str, pd.Series], level: float = 0.05) -> str:
    """Which gains and losses are told from chance though many were looked at."""
    said = []
    for arm, gains in found.items():
        cases = gains.groupby(level=["generator", "setting"], sort=False)
        clear = [
            f"{generator} {spoken(setting)} ({'+' if own.mean() > 0 else '−'})"
            for (generator, setting), own in cases
            if p_value(own) * cases.ngroups < level
        ]
        said.append(f"on {arm} rows {', '.join(clear) or 'none'}")
    return f"Gains told from zero after Bonferroni's correction for {cases.ngroups} losses: {'; '.join(said)}."


def confidence_table(jobs: pd.DataFrame) -> Table:
    """What each loss changes against the plain one: does L_model buy order and decisions, or only confidence?"""
    note = (
        "Scores on real test rows of classifiers trained on synthetic rows, less those under the plain loss of the "
        f"same generator, data set and seed; mean over classifiers, {_CHANGES} Log loss, Brier score and calibration "
        "error: lower is better; coverage: share of real rows with a synthetic row in their neighbourhood. "
        f"{_BOLD}"
    )
    caption = "What L_model changes: order, decisions, confidence."
    return _filled(jobs, CONFIDENCE, Table("confidence", caption, note, [], []))


def fidelity_table(jobs: pd.DataFrame) -> Table:
    """What each loss changes in the synthetic rows themselves against the plain one."""
    note = (
        "Synthetic rows against held-out rows, less the same under the plain loss of the same generator, data set and "
        f"seed; {_CHANGES} C2ST: AUC of boosted trees that tell the two apart, .5 is best; its level first. Lower is "
        "better, but for coverage, the share of real rows with a synthetic row in their neighbourhood. Closer to "
        f"train: share of synthetic rows nearer to a training than to a held-out row. {_BOLD}"
    )
    caption = "What the terms of the loss change in fidelity."
    return _filled(jobs, FIDELITY, Table("fidelity", caption, note, [], []), level="fidelity/c2st_boosting")


def changes(jobs: pd.DataFrame, metrics: Iterable[str]) -> dict[str, pd.Series]:
    """Metrics less those under the plain loss, those that the jobs have; see ``against_plain``.

    Raises
    ------
    InputError
        If the jobs have none of them.
    """
    found = {name: against_plain(jobs, metric(jobs, name)) for name in metrics if name in jobs}
    if not found:
        raise InputError("results", list(jobs.columns[:8]), f"has no {next(iter(metrics))}; sweep with metrics=loss")
    return found


def _filled(jobs: pd.DataFrame, metrics: dict[str, str], table: Table, level: str | None = None) -> Table:
    """Fill a table with the changes of metrics against the plain loss, before them one metric as it is."""
    found = changes(jobs, metrics)
    columns = [Column("generator", "Generator"), Column("setting", "Loss"), Column("pairs", "Pairs")]
    if level in found:
        columns.append(Column("level", f"{metrics[level]}, level", interval=False))
    changed = len(columns)
    columns += [Column(name.rpartition("/")[2], metrics[name], signed=True) for name in found]
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
            first = [by_dataset(part(metric(jobs, level), generator, setting))] if level in found else []
            cells = [by_dataset(gains) for gains in own.values()]
            bold |= {(len(rows), changed + place) for place, cell in enumerate(cells) if cell.low > 0 or cell.high < 0}
            rows.append([generator, spoken(setting), count, *first, *cells])
    return replace(table, columns=columns, rows=rows, bold=bold, rules=rules)


def part(values: pd.Series, generator: str, setting: str) -> pd.Series:
    """Values of one generator, or of all together, under one setting."""
    own = values.index.get_level_values("setting") == setting
    if generator != TOGETHER:
        own &= values.index.get_level_values("generator") == generator
    return values[own]


def metric(jobs: pd.DataFrame, name: str) -> pd.Series:
    """A metric by data set, generator, setting and seed, mean over classifiers."""
    return jobs[name].groupby([jobs[key] for key in JOB], sort=False).mean().dropna()
