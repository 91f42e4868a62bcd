"""The shrinkage law: what L_rec and L_dist make of the spread of generated rows, predicted and observed."""

import math

import pandas as pd

from trisynth.errors import InputError
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimates import Estimate
from trisynth.studies.losses import JOB, PAIRED


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
    jobs = jobs.drop_duplicates(JOB)
    a, b = (worked(jobs, term) for term in ("rec", "dist"))
    share, rho = b / (a + b), jobs["fidelity/pair_correlation"]
    paired = jobs["generator"].isin(PAIRED)
    return jobs[JOB].assign(
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
