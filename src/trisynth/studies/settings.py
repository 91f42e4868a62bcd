"""Settings of the loss L_total in a sweep, and paired differences from the plain loss."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from trisynth.errors import InputError

# Families whose L_rec compares rows with their transport partners; a forest does so where L_total chooses its leaves.
# L_rec of the others is a likelihood or a denoising error, whose minimum is the real distribution.
PAIRED = ("gan", "cgan", "ctgan", "tgan", "sequential_forest")
TERMS = {"alpha": "rec", "beta": "dist", "gamma": "model"}
# The first one that a data set has is its utility.
UTILITIES = ("roc_auc", "r2")
# L_rec alone without the rows that L_model holds out: a gamma below the limit has no effect besides (rec_held_out).
HELD_OUT, _NEGLIGIBLE = "rec held_out", 1e-6
# All generators of a sweep; "all" is the loss with all terms.
TOGETHER = "together"
# Columns that identify a fit.
FIT = ["dataset", "generator", "setting", "seed"]


def with_settings(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``setting``: the name of the job's loss, that of its file in ``conf/loss`` where there is one.

    For a GAN with pairs only the loss without pairing is native; for other families every loss with L_rec alone is.

    Raises
    ------
    InputError
        If the jobs have no loss weights.
    """
    if "setting" in jobs:
        return jobs
    if "loss.alpha" not in jobs:
        raise InputError("results", list(jobs.columns[:8]), "has no loss.alpha; sweep over a loss")
    pairing = jobs.get("loss.pairing", pd.Series(np.nan, jobs.index)).fillna("transport")

    def setting(job: pd.Series) -> str:
        weights = {term: float(job[f"loss.{weight}"]) for weight, term in TERMS.items()}
        if 0 < weights["model"] < _NEGLIGIBLE:
            return HELD_OUT
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
    """Return the utility of an arm by data set, generator, setting and seed, the mean over classifiers."""
    columns = [f"{arm}/{name}" for name in UTILITIES if f"{arm}/{name}" in jobs]
    if not columns:
        raise InputError("results", list(jobs.columns[:8]), f"has no {arm}/{UTILITIES[0]}; sweep the arm {arm!r}")
    return metric(jobs.assign(utility=jobs[columns].bfill(axis=1).iloc[:, 0]), "utility")


def difference_from_plain(jobs: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Subtract the values under the plain loss of the same data set, generator and seed; other settings only.

    Plain is the native loss of a family or, where the sweep lacks it, L_rec alone. The pairing of a GAN is then on both
    sides, and its effect is not attributed to L_model. Train-on-synthetic is compared with L_rec alone on the rows that
    it does not hold out, where the sweep has that (``HELD_OUT``).
    """
    frame = values.rename("value").reset_index()
    native = frame.loc[frame["setting"] == "native", "generator"].unique()
    plain = (frame["setting"] == "native") | ((frame["setting"] == "rec") & ~frame["generator"].isin(native))
    fit = ["dataset", "generator", "seed"]
    pairs = frame[~plain].merge(frame[plain].drop(columns="setting"), on=fit, suffixes=("", "_0"))
    held_out = frame[frame["setting"] == HELD_OUT].drop(columns="setting").rename(columns={"value": "value_h"})
    pairs = pairs.merge(held_out, on=fit, how="left")
    fewer = pairs["setting"].str.endswith("train_on_synthetic") & pairs["value_h"].notna()
    pairs["value_0"] = pairs["value_0"].mask(fewer, pairs["value_h"])
    if pairs.empty:
        raise InputError(
            "results", sorted(jobs["setting"].unique()), "no setting besides the plain loss; sweep over more losses"
        )
    return pairs.set_index(FIT)["value"] - pairs.set_index(FIT)["value_0"]


def changes(jobs: pd.DataFrame, metrics: Iterable[str]) -> dict[str, pd.Series]:
    """Subtract metrics under the plain loss, those that the jobs have; see ``difference_from_plain``.

    Raises
    ------
    InputError
        If the jobs have none of the metrics.
    """
    found = {name: difference_from_plain(jobs, metric(jobs, name)) for name in metrics if name in jobs}
    if not found:
        raise InputError("results", list(jobs.columns[:8]), f"has no {next(iter(metrics))}; sweep with metrics=loss")
    return found


def printed(setting: str) -> str:
    """Return the printed name of a setting, ``rec + model: adc`` for ``rec_model adc``."""
    terms, *rest = setting.split(" ")
    return ": ".join([terms.replace("_", " + "), *([" ".join(rest).replace("_", " ")] if rest else [])])


def part(values: pd.Series, generator: str, setting: str) -> pd.Series:
    """Select the values of one generator, or of all together, under one setting."""
    own = values.index.get_level_values("setting") == setting
    if generator != TOGETHER:
        own &= values.index.get_level_values("generator") == generator
    return values[own]


def metric(jobs: pd.DataFrame, name: str) -> pd.Series:
    """Return a metric by data set, generator, setting and seed, the mean over classifiers."""
    return jobs[name].groupby([jobs[key] for key in FIT], sort=False).mean().dropna()
