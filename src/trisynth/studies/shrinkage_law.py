"""Shrinkage law: standard deviation of generated rows under L_rec and L_dist, predicted and observed."""

import math

import numpy as np
import pandas as pd
import yaml
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.report.figures import style
from trisynth.report.markup import Column, Table
from trisynth.report.names import label
from trisynth.report.page import Picture
from trisynth.statistics.estimate import Estimate
from trisynth.studies.loss_figures import looks
from trisynth.studies.settings import FIT, PAIRED, with_settings


def law(jobs: pd.DataFrame) -> pd.DataFrame:
    """Compute predicted and observed sigma_Y / sigma_X of every fit.

    A stationary point of a L_rec + b L_dist, of squared errors and moments of one numeric column, along the scale
    of the generated rows has sigma_Y / sigma_X = (a rho + b) / (a + b). Here a and b are the effective weights of that
    column: alpha and beta divided by the initial values of the terms (the contribution of a term to L_total over
    the term) and by what the term averages over (``Objective``): L_rec over blocks, L_dist over encoded columns, which
    are more if there are categories. rho is the correlation of pairs in batches with the class proportions, which the
    batches of a GAN of one class at a time do not keep. L_rec of a VAE is a likelihood whose noise is learned and
    sampled again, and that of diffusion the error of a conditional mean that its solver turns into rows: both have
    their minimum at the real distribution, so the prediction is 1 at all weights.

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
    jobs = with_settings(jobs)
    needed = ["fidelity/spread_ratio", "fidelity/pair_correlation", "final/rec", "final/rec_weighted"]
    missing = [name for name in needed if name not in jobs]
    if missing:
        raise InputError("results", list(jobs.columns[:8]), f"has no {missing[0]}; sweep experiment=shrinkage_law")
    jobs = jobs.drop_duplicates(FIT)
    paired = jobs["generator"].isin(PAIRED)
    sizes = averaged_over(jobs.where(paired))
    a, b = (effective_weight(jobs, term) / sizes[term] for term in ("rec", "dist"))
    share, rho = b / (a + b), jobs["fidelity/pair_correlation"]
    return jobs[FIT].assign(
        share=share,
        rho=rho,
        predicted=((1 - share) * rho + share).where(paired, 1.0),
        observed=jobs["fidelity/spread_ratio"],
        utility=jobs.get("synthetic/roc_auc"),
    )


def averaged_over(jobs: pd.DataFrame) -> pd.DataFrame:
    """Count the blocks that L_rec averages over and the encoded columns that L_dist does, for each job.

    Parameters
    ----------
    jobs : DataFrame
        Counts come from ``generator/blocks`` and ``generator/encoded_columns``. Results from before the generators
        counted them take the declared columns of the data set, which are right where no cell is missing.

    Returns
    -------
    DataFrame
        ``rec`` and ``dist``; 1 for a row without a data set.

    Raises
    ------
    InputError
        If neither is known.
    """
    counted = jobs.reindex(columns=["generator/blocks", "generator/encoded_columns"]).set_axis(["rec", "dist"], axis=1)
    for dataset in jobs.loc[counted["rec"].isna(), "dataset"].dropna().unique():
        counted.loc[jobs["dataset"] == dataset, ["rec", "dist"]] = declared_sizes(dataset)
    return counted.astype(float).fillna(1.0)


def declared_sizes(dataset: str) -> tuple[int, int]:
    """Count blocks and encoded columns of a data set by its declaration in ``conf/dataset``, without missing cells."""
    path = CONF / "dataset" / f"{dataset}.yaml"
    declared = yaml.safe_load(path.read_text()) if path.is_file() else {}
    features = {name: facts for name, facts in declared.get("columns", {}).items() if name != declared["target"]}
    sizes = [len(facts["categories"]) if facts.get("kind") == "category" else 1 for facts in features.values()]
    if not sizes:
        remedy = "has no declared columns, and its results no generator/blocks; sweep experiment=shrinkage_law anew"
        raise InputError("dataset", dataset, remedy)
    return len(sizes), sum(sizes)


def effective_weight(jobs: pd.DataFrame, term: str) -> pd.Series:
    """Compute the effective weight of a term: its contribution to L_total over its raw value; 0 where it is off."""
    if f"final/{term}" not in jobs:
        return pd.Series(0.0, jobs.index)
    return (jobs[f"final/{term}_weighted"] / jobs[f"final/{term}"]).fillna(0.0)


def r_squared(observed: pd.Series, predicted: pd.Series) -> float:
    """Compute the fraction of the observed variance that the unfitted prediction explains; NaN if nothing varies."""
    total = ((observed - observed.mean()) ** 2).sum()
    return 1 - float(((observed - predicted) ** 2).sum() / total) if total > 0 else math.nan


def law_picture(jobs: pd.DataFrame) -> Picture:
    """Draw observed against predicted ratio, observed ratio by weight, and utility by observed ratio."""
    found = law(jobs)
    families = list(dict.fromkeys(found["generator"]))
    look = looks(families)
    paired = found[found["generator"].isin(PAIRED)]
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 2.6)
        truth, over, cost = figure.subplots(1, 3)
        for family in families:
            part = found[found["generator"] == family].sort_values("share", kind="stable")
            truth.plot(part["predicted"], part["observed"], **look[family])
            over.plot(part["share"], part["observed"], **look[family])
            if part["utility"].notna().any():
                cost.plot(part["observed"], part["utility"], **look[family])
        ends = _ends(found[["predicted", "observed"]].to_numpy())
        truth.plot(ends, ends, color=style.GREY, linewidth=0.6, zorder=0)
        shares = np.linspace(0, 1, 50)
        if len(paired):
            rho = paired["rho"].mean()
            over.plot(shares, (1 - shares) * rho + shares, color=style.GREY, linewidth=0.6, zorder=0)
        for position, (axes, title, below, beside) in enumerate(
            (
                (truth, "shrinkage law, not fitted", "predicted σ(Y) / σ(X)", "observed σ(Y) / σ(X)"),
                (over, "observed ratio by weight", "β / (α + β), effective weights", "observed σ(Y) / σ(X)"),
                (cost, "utility by observed ratio", "observed σ(Y) / σ(X)", "ROC AUC, synthetic"),
            )
        ):
            axes.set_title(f"{style.letter(position)}  {title}")
            axes.set_xlabel(below)
            axes.set_ylabel(beside)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.yaxis.set_major_locator(MaxNLocator(5))
        style.heading(figure, "The shrinkage law", {label(name): Line2D([], [], **look[name]) for name in families})
        fit = r_squared(paired["observed"], paired["predicted"]) if len(paired) > 1 else np.nan
        note = f" R² of the GANs' {len(paired)} fits: {fit:.2f}." if np.isfinite(fit) else ""
        style.footnote(
            figure,
            "σ(Y) / σ(X) = (α ρ + β) / (α + β), within classes, mean over numeric columns; α and β: effective weights "
            "for one such column; ρ: correlation of pairs from optimal transport. For VAEs and diffusion, whose losses "
            "do not shrink the rows, the prediction is 1. Lines: equality in a, "
            f"the shrinkage law at the GANs' mean ρ in b.{note}",
        )
    caption = (
        "Standard deviation of generated rows over that of real rows: predicted, observed, and its relation to utility."
    )
    return Picture("law", caption, figure)


def law_table(jobs: pd.DataFrame) -> Table:
    """Tabulate prediction and observation of each family."""
    found = law(jobs)
    columns = [Column("generator", "Generator"), Column("fits", "Fits"), Column("rho", "rho", interval=False)]
    columns += [Column("predicted", "Predicted", interval=False), Column("observed", "Observed", interval=False)]
    columns += [Column("error", "Mean |error|", interval=False), Column("bias", "Bias", interval=False)]
    columns += [Column("r_squared", "R²", interval=False)]
    parts = {str(generator): part for generator, part in found.groupby("generator", sort=False)}
    paired = [generator for generator in parts if generator in PAIRED]
    if len(paired) > 1:
        parts[", ".join(paired)] = found[found["generator"].isin(paired)]
    rows = []
    for name, part in parts.items():
        error = part["observed"] - part["predicted"]
        fit = r_squared(part["observed"], part["predicted"]) if part["generator"].isin(PAIRED).all() else math.nan
        means = [part[column].mean() for column in ("rho", "predicted", "observed")]
        cells = [
            Estimate(float(number), math.nan, len(part)) for number in [*means, error.abs().mean(), error.mean(), fit]
        ]
        rows.append([name, len(part), *cells])
    note = (
        "Ratio of the standard deviations of synthetic and real rows within classes, mean over numeric columns. The "
        "shrinkage law is derived and not fitted; where it predicts the same value for all fits, R² is undefined and "
        "left out."
    )
    return Table("shrinkage_law", "The shrinkage law, predicted and observed.", note, columns, rows)


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = np.nanmin(values), np.nanmax(values)
    room = 0.05 * max(high - low, 0.02)
    return low - room, high + room
