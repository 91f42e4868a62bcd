"""Means over seeds with intervals that allow for what the seeds' training rows have in common."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from trisynth.errors import InputError

# Training sets that no generator has a part in: their scores are the same beside every generator.
RIVALS = ("duplicated", "oversampled", "class_weight", "threshold")
WITHOUT_GENERATOR = ("real", *RIVALS)
# What print calls them; other names lose their underscores.
NAMES = {
    "duplicated": "duplicated real",
    "oversampled": "random oversampling",
    "class_weight": "class weights",
    "threshold": "tuned threshold",
    "balanced": "balanced by synthetic",
    "floor": "floor: independent columns",
    "ceiling": "ceiling: the training rows",
    "paper_cohort": "paper cohort (simulated)",
}
LOWER_IS_BETTER = ("mae", "mse", "log_loss", "brier", "ece")
_IDENTITY = ["dataset", "generator", "classifier", "seed"]

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval.

    Parameters
    ----------
    mean : float
    half : float
        Half of the interval's width; NaN where a single value says nothing about it.
    count : int
        How many values went in.
    """

    mean: float
    half: float
    count: int

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half

    @property
    def above_zero(self) -> bool:
        """Whether the interval lies above zero; two values can agree by chance and never show it."""
        return self.count > 2 and self.low > 0

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half


def estimate(values: np.ndarray | pd.Series, test_share: float) -> Estimate:
    """Mean of one score per seed, with the corrected resampled t interval (Nadeau and Bengio 2003).

    The seeds split the same rows, so their scores are not independent. With k seeds the variance of the mean is
    taken as (1 / k + n_test / n_train) times the variance of the scores, and t has k - 1 degrees of freedom.

    Parameters
    ----------
    values : array, shape (k,)
    test_share : float
        Share of the rows that each seed tests.

    Returns
    -------
    Estimate
    """
    values = np.asarray(values, dtype=float)
    k = len(values)
    if k < 2:
        return Estimate(float(values.mean()), math.nan, k)
    variance = values.var(ddof=1) * (1 / k + test_share / (1 - test_share))
    return Estimate(float(values.mean()), float(t.ppf(0.975, k - 1) * math.sqrt(variance)), k)


def difference(one: pd.Series, other: pd.Series, test_share: float) -> Estimate:
    """Estimate of ``one - other``, seed by seed over the seeds that both have."""
    both = one.index.intersection(other.index)
    return estimate(one[both] - other[both], test_share) if len(both) else Estimate(math.nan, math.nan, 0)


def name(text: str) -> str:
    """A data set's, generator's or arm's name as a reader expects it."""
    return NAMES.get(text, text.replace("_", " "))


def read(path: Path) -> pd.DataFrame:
    """Jobs of a sweep's ``results.csv``, with the column ``method``; see ``named``.

    Raises
    ------
    InputError
        If the file cannot be read or used.
    """
    try:
        # "none" and "null" would be names of data sets or generators here, not missing cells.
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError("results", str(path), f"cannot be read ({reason}); run the sweep first") from None
    return named(frame)


def named(results: pd.DataFrame) -> pd.DataFrame:
    """Jobs with the column ``method``: the generator, and its loss weights where the sweep varies them.

    Parameters
    ----------
    results : DataFrame
        One row per job, as ``sweeps/<name>/results.csv`` has it.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        If a column is missing, there is no row, or two jobs differ in something that the table does not say.
    """
    missing = [column for column in _IDENTITY if column not in results]
    if missing or not len(results):
        wrong = f"has no column {missing[0]!r}" if missing else "has no rows"
        raise InputError("results", list(results.columns[:8]), f"{wrong}; give a sweep's results.csv")
    weights = [f"loss.{term}" for term in ("alpha", "beta", "gamma") if f"loss.{term}" in results]
    varied = {g for g, jobs in results.groupby("generator") if weights and len(jobs[weights].drop_duplicates()) > 1}

    def method(job: pd.Series) -> str:
        if job["generator"] not in varied:
            return str(job["generator"])
        shown = ", ".join(f"{weight[5:]} {job[weight]:g}" for weight in weights if pd.notna(job[weight]))
        return f"{job['generator']} ({shown})"

    jobs = results.assign(method=results.apply(method, axis=1))
    again = jobs.duplicated(["dataset", "method", "classifier", "seed"])
    if again.any():
        job = jobs.loc[again, ["dataset", "method", "classifier", "seed"]].iloc[0].to_dict()
        raise InputError("results", job, "stands there twice: the sweep varied something else; tabulate each apart")
    return jobs


def scores(jobs: pd.DataFrame, metric: str) -> dict[Key, pd.Series]:
    """One score per seed, the mean over classifiers, by (data set, method, arm).

    Parameters
    ----------
    jobs : DataFrame
        As ``named`` returns them.
    metric : str
        Such as "f1_macro"; read from the columns ``<arm>/<metric>``.

    Returns
    -------
    dict
        Series indexed by seed. The method is "" for arms without a generator. A seed counts only if it has every
        classifier of its data set: means over different classifiers do not compare.
    """
    arms = {column: column.partition("/")[0] for column in jobs if column.partition("/")[2] == metric}
    arms = {column: arm for column, arm in arms.items() if arm != "gain"}
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


def best_rival(found: Mapping[Key, pd.Series], dataset: str) -> str | None:
    """The rival of the highest mean score on a data set, None if there is none.

    Chosen with hindsight on the test rows, which favours the rival.
    """
    means = {arm: found[dataset, "", arm].mean() for arm in RIVALS if (dataset, "", arm) in found}
    return max(means, key=means.get) if means else None


def arms_of(found: Mapping[Key, pd.Series], dataset: str) -> list[Key]:
    """Rows of a data set's table in reading order: real, each method's own arms, then the rivals."""
    keys = [key for key in found if key[0] == dataset]
    last = {arm: place for place, arm in enumerate(RIVALS)}
    order = {arm: place for place, arm in enumerate(("real", "synthetic", "combined", "balanced"))}

    def place(key: Key) -> tuple:
        _, method, arm = key
        return (arm in last, last.get(arm, 0), arm != "real", method, order.get(arm, len(order)), arm)

    return sorted(keys, key=place)
