"""What the weights of L_total buy: the shrinkage law, and wins and gains over the plain loss."""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t, ttest_1samp

from trisynth.errors import InputError
from trisynth.tables.estimates import Estimate
from trisynth.tables.markup import Column, Table

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
    "synthetic/calibration_error": "Calibration error",
    "fidelity/coverage": "Coverage",
}
# What a loss may change in the rows themselves.
FIDELITY = {
    "fidelity/c2st_boosting": "C2ST",
    "fidelity/wasserstein": "Wasserstein",
    "fidelity/correlation_gap": "Correlation gap",
    "fidelity/coverage": "Coverage",
    "privacy/closer_to_train": "Closer to train",
}
# All generators of a sweep; not to be taken for the loss with all terms.
TOGETHER = "together"
_JOB = ["dataset", "generator", "setting", "seed"]
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


def law(jobs: pd.DataFrame) -> pd.DataFrame:
    """Predicted and observed sigma_Y / sigma_X of every job.

    A stationary point of a L_rec + b L_dist, of squared errors and moments, along the scale of the generated rows
    has sigma_Y / sigma_X = (a rho + b) / (a + b). Here a and b are the weights that worked: alpha and beta divided by
    the terms' values at the start, which is what a term added to L_total divided by the term; rho is that of pairs
    drawn as the family draws them. L_rec of a VAE is a likelihood whose noise is learned and drawn again, and that of
    diffusion the error of a conditional mean that its solver turns into rows: both have their minimum at the real
    law, so the prediction is 1 at all weights.

    Parameters
    ----------
    jobs : DataFrame
        With the metrics ``fidelity/spread_ratio``, ``fidelity/pair_correlation`` and ``final/<term>``.

    Returns
    -------
    DataFrame
        One row per distinct fit: ``dataset``, ``generator``, ``setting``, ``seed``, ``share`` = b / (a + b), ``rho``,
        ``predicted``, ``observed``, and ``utility`` of the synthetic rows if known.
    """
    needed = ["fidelity/spread_ratio", "fidelity/pair_correlation", "final/rec", "final/rec_weighted"]
    missing = [name for name in needed if name not in jobs]
    if missing:
        raise InputError("results", list(jobs.columns[:8]), f"has no {missing[0]}; sweep with metrics=law")
    jobs = jobs.drop_duplicates(_JOB)
    a, b = (worked(jobs, term) for term in ("rec", "dist"))
    share, rho = b / (a + b), jobs["fidelity/pair_correlation"]
    paired = jobs["generator"].isin(PAIRED)
    return jobs[_JOB].assign(
        share=share,
        rho=rho,
        predicted=((1 - share) * rho + share).where(paired, 1.0),
        observed=jobs["fidelity/spread_ratio"],
        utility=jobs.get("synthetic/roc_auc"),
    )


def worked(jobs: pd.DataFrame, term: str) -> pd.Series:
    """The weight that a term had in truth: what it added to L_total over its raw value; 0 where it was off."""
    if f"final/{term}" not in jobs:
        return pd.Series(0.0, jobs.index)
    return (jobs[f"final/{term}_weighted"] / jobs[f"final/{term}"]).fillna(0.0)


def r_squared(observed: pd.Series, predicted: pd.Series) -> float:
    """Share of the observed variance that the prediction, without any fit, explains; NaN if nothing varies."""
    spread = ((observed - observed.mean()) ** 2).sum()
    return 1 - float(((observed - predicted) ** 2).sum() / spread) if spread > 0 else math.nan


def law_table(jobs: pd.DataFrame) -> Table:
    """Prediction and observation of each family."""
    found = law(jobs)
    columns = [Column("generator", "Generator"), Column("fits", "Fits"), Column("rho", "rho", interval=False)]
    columns += [Column("predicted", "Predicted", interval=False), Column("observed", "Observed", interval=False)]
    columns += [Column("error", "Mean |error|", interval=False), Column("r_squared", "R²", interval=False)]
    rows = []
    for generator, part in found.groupby("generator", sort=False):
        error = (part["observed"] - part["predicted"]).abs().mean()
        fit = r_squared(part["observed"], part["predicted"]) if generator in PAIRED else math.nan
        numbers = [part[name].mean() for name in ("rho", "predicted", "observed")]
        cells = [Estimate(float(number), math.nan, len(part)) for number in [*numbers, error, fit]]
        rows.append([str(generator), len(part), *cells])
    note = (
        "Ratio of the standard deviations of synthetic and real rows within classes, mean over numbers. The law is "
        "derived and not fitted; where it predicts the same for all fits, R² says nothing and is left out."
    )
    return Table("shrinkage_law", "The shrinkage law, predicted and observed.", note, columns, rows)


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
    return pairs.set_index(_JOB)["value"] - pairs.set_index(_JOB)["value_0"]


def by_dataset(values: pd.Series) -> Estimate:
    """Mean over data sets of the mean within each, with a 95 % t interval over the data sets.

    Seeds of one data set share its rows, so that a data set counts once.
    """
    means = values.groupby(level="dataset", sort=False).mean()
    k = len(means)
    half = float(t.ppf(0.975, k - 1) * means.std(ddof=1) / math.sqrt(k)) if k > 1 else math.nan
    return Estimate(float(means.mean()), half, len(values))


def win_rate(gains: pd.Series) -> Estimate:
    """Share of positive gains, ties one half, the mean over data sets, with a 95 % interval.

    Wilson's score interval (1927), which is not empty where all pairs are won, with t quantiles for the number of
    data sets k and as many independent pairs as the spread between data sets allows: at least k, at most all. Its
    longer arm is reported for both.
    """
    rates = ((np.sign(gains) + 1) / 2).groupby(level="dataset", sort=False).mean()
    k, p = len(rates), float(rates.mean())
    if k < 2:
        return Estimate(p, math.nan, len(gains))
    variance = float(rates.var(ddof=1)) / k
    n = np.clip(p * (1 - p) / variance, k, len(gains)) if variance > 0 else k
    square = float(t.ppf(0.975, k - 1)) ** 2
    centre = (p + square / (2 * n)) / (1 + square / n)
    half = math.sqrt(square * (p * (1 - p) / n + square / (4 * n**2))) / (1 + square / n)
    return Estimate(p, float(half + abs(p - centre)), len(gains))


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


def p_value(values: pd.Series) -> float:
    """Two-sided t test that the mean over data sets, each of which counts once, is zero; 1 for a single data set."""
    means = values.groupby(level="dataset", sort=False).mean().to_numpy()
    if len(means) < 2:
        return 1.0
    # Where data sets agree to the last digit there is no spread to test against.
    return float(ttest_1samp(means, 0.0).pvalue) if np.ptp(means) > 0 else float(means[0] == 0)


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
    return jobs[name].groupby([jobs[key] for key in _JOB], sort=False).mean().dropna()
