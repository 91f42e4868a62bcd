"""Scores of a sweep's jobs: its ``results.csv``, read and grouped by data set, method and training set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth.errors import InputError
from trisynth.statistics.across_datasets import mean_over_datasets

# Training sets without synthetic rows: their scores are the same beside every generator.
BASELINES = ("duplicated", "oversampled", "class_weight", "threshold")
WITHOUT_GENERATOR = ("real", *BASELINES)
# Columns that the results of a search have beside those of a sweep, and the sampler of the weights without a search.
PART, SAMPLER, TRIAL, FRONT, REGRET = "part", "sampler", "trial", "front", "regret/"
DEFAULT = "default"
_IDENTITY = ["dataset", "generator", "classifier", "seed"]
_UTILITIES = ("roc_auc", "r2")
_HEADLINE = {"c2st": "fidelity/c2st_boosting", "dcr_share": "copying/dcr_share"}

Key = tuple[str, str, str]


def read(path: Path) -> pd.DataFrame:
    """Read the jobs of a sweep's ``results.csv``, one row each.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, or is not the table of a sweep.
    """
    try:
        # "none" and "null" are names of data sets or generators here, not missing cells.
        jobs = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError("results", str(path), f"cannot be read ({reason}); run the sweep first") from None
    missing = [column for column in _IDENTITY if column not in jobs]
    if missing or not len(jobs):
        wrong = f"has no column {missing[0]!r}" if missing else "has no rows"
        raise InputError("results", str(path), f"{wrong}; give the results.csv of a sweep")
    return jobs


def by_method(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``method``: the generator, and its loss weights where the sweep varies them.

    Raises
    ------
    InputError
        If two jobs differ in a setting that the column does not show.
    """
    weights = [f"loss.{term}" for term in ("alpha", "beta", "gamma") if f"loss.{term}" in jobs]
    varied = {g for g, own in jobs.groupby("generator") if weights and len(own[weights].drop_duplicates()) > 1}

    def method(job: pd.Series) -> str:
        if job["generator"] not in varied:
            return str(job["generator"])
        shown = ", ".join(f"{weight[5:]} {job[weight]:g}" for weight in weights if pd.notna(job[weight]))
        return f"{job['generator']} ({shown})"

    jobs = jobs.assign(method=jobs.apply(method, axis=1))
    again = jobs.duplicated(["dataset", "method", "classifier", "seed"])
    if again.any():
        job = jobs.loc[again, ["dataset", "method", "classifier", "seed"]].iloc[0].to_dict()
        remedy = "duplicate rows: the sweep varied a setting that this table does not show; build one table per value"
        raise InputError("results", job, remedy)
    return jobs


def scores(jobs: pd.DataFrame, metric: str) -> dict[Key, pd.Series]:
    """Group a score by data set, method and arm: one value per seed, the mean over classifiers.

    Parameters
    ----------
    jobs : DataFrame
        As ``by_method`` returns them.
    metric : str
        Such as "f1_macro"; read from the columns ``<arm>/<metric>``.

    Returns
    -------
    dict
        Series indexed by seed, by (data set, method, arm). The method is "" for arms without a generator. A seed counts
        only if it has every classifier of its data set: means over different classifiers are not comparable.
    """
    arms = {column: column.partition("/")[0] for column in jobs if column.partition("/")[2] == metric}
    arms = {column: arm for column, arm in arms.items() if arm != "gain"}
    if len(jobs) == 1:
        return _scores_of_one(jobs.iloc[0], arms)
    keys = ["dataset", "method", "arm", "seed"]
    long = jobs.rename(columns=arms).melt(
        ["dataset", "method", "classifier", "seed"], list(arms.values()), var_name="arm", value_name="score"
    )
    long = long.dropna(subset="score")
    long["method"] = long["method"].mask(long["arm"].isin(WITHOUT_GENERATOR), "")
    long = long.drop_duplicates([*keys, "classifier"])
    needed = long.groupby("dataset")["classifier"].nunique()
    means = long.groupby(keys, sort=False)["score"].agg(["mean", "size"])
    means = means[means["size"].to_numpy() == needed[means.index.get_level_values("dataset")].to_numpy()]
    return {
        key: rows.droplevel(["dataset", "method", "arm"]).sort_index()
        for key, rows in means["mean"].groupby(["dataset", "method", "arm"], sort=False)
    }


def _scores_of_one(job: pd.Series, arms: dict[str, str]) -> dict[Key, pd.Series]:
    """Return what :func:`scores` does for a single job, which needs no groups."""
    return {
        (job["dataset"], "" if arm in WITHOUT_GENERATOR else job["method"], arm): pd.Series(
            [float(job[column])], pd.Index([job["seed"]], name="seed"), name="mean"
        )
        for column, arm in arms.items()
        if pd.notna(job[column])
    }


def best_baseline(found: Mapping[Key, pd.Series], dataset: str) -> str | None:
    """Return the baseline with the highest mean score on a data set, None if there is none.

    It is selected by its scores on the test rows, which favours the baseline.
    """
    means = {arm: found[dataset, "", arm].mean() for arm in BASELINES if (dataset, "", arm) in found}
    return max(means, key=means.get) if means else None


def arms_of(found: Mapping[Key, pd.Series], dataset: str) -> list[Key]:
    """Return the rows of a data set's table in reading order: real, the arms of each method, then the baselines."""
    keys = [key for key in found if key[0] == dataset]
    last = {arm: place for place, arm in enumerate(BASELINES)}
    order = {arm: place for place, arm in enumerate(("real", "synthetic", "combined", "balanced"))}

    def place(key: Key) -> tuple:
        _, method, arm = key
        return (arm in last, last.get(arm, 0), arm != "real", method, order.get(arm, len(order)), arm)

    return sorted(keys, key=place)


def headline(jobs: pd.DataFrame) -> dict[str, Any]:
    """Summarise a sweep: gains of synthetic and combined rows over real rows, C2ST and DCR share.

    Gains are in ROC AUC, or in R² for regression. Of a search, only the selected weights on test rows count. Each data
    set counts once; ``low`` and ``high`` bound the 95 % t interval over data sets, which a single data set lacks.

    Parameters
    ----------
    jobs : DataFrame
        One row per job, as a sweep's ``results.csv``.

    Returns
    -------
    dict
        Such as ``{"jobs": 250, "gain": {"synthetic": {"mean": ...}}}``; what the jobs lack is left out.
    """
    if PART in jobs:
        jobs = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] != DEFAULT)]
    indexed = jobs.set_index(["dataset", "seed"])
    gains = {arm: _gain(indexed, arm) for arm in ("synthetic", "combined")}
    found: dict[str, Any] = {"jobs": len(jobs), "datasets": int(jobs["dataset"].nunique())}
    found["gain"] = {arm: _summary(gain) for arm, gain in gains.items() if gain is not None and len(gain)}
    found |= {name: _summary(indexed[column].dropna()) for name, column in _HEADLINE.items() if column in indexed}
    return found


def _gain(jobs: pd.DataFrame, arm: str) -> pd.Series | None:
    names = [name for name in _UTILITIES if {f"{arm}/{name}", f"real/{name}"} <= set(jobs)]
    if not names:
        return None
    gains = [jobs[f"{arm}/{name}"] - jobs[f"real/{name}"] for name in names]
    return pd.concat(gains, axis=1).bfill(axis=1).iloc[:, 0].dropna()


def _summary(values: pd.Series) -> dict[str, float]:
    found = mean_over_datasets(values)
    ends = {"mean": found.mean, "low": found.low, "high": found.high}
    return {name: round(value, 6) for name, value in ends.items() if value == value}
