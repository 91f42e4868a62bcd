"""Scores of the report: training sets with intervals, and metrics between their floor and their ceiling."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trisynth.experiment.results import Result
from trisynth.report import verdict
from trisynth.report.html.columns import exact
from trisynth.report.html.meanings import MEANINGS, beyond, sentence, void
from trisynth.report.jobs import arms_of, best_baseline
from trisynth.report.jobs import scores as scores_of
from trisynth.report.names import METRICS, metric, name, printable
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import difference, estimate

_OTHERS = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "r2", "mae", "mse")
_MOST = 12


def arms(jobs: pd.DataFrame, results: Sequence[Result], dataset: str, test_size: float) -> dict[str, Any] | None:
    """List the training sets of one data set with their scores and gains; None where there are no scores.

    Parameters
    ----------
    jobs : DataFrame
        One row per job, with the column ``method``.
    results : sequence of Result
        The same jobs.
    dataset : str
        Name of the data set in ``jobs``.
    test_size : float
        Fraction of the rows that each split tests.
    """
    headline, label = next(iter(verdict.headlines(jobs).items()), (None, ""))
    if headline is None:
        return None
    found = scores_of(jobs, headline)
    keys = [key for key in arms_of(found, dataset)]
    if not keys:
        return None
    methods = sorted({key[1] for key in keys if key[1]}, key=lambda method: -_best(found, keys, method))
    keys = [key for key in keys if not key[1] or key[1] in methods[:_MOST]]
    baseline, real = best_baseline(found, dataset), (dataset, "", "real")
    own = jobs[jobs["dataset"] == dataset]
    counts = _rows_of(results)
    rows = []
    for key in keys:
        over = [(other, (dataset, "", base)) for other, base in (("real", "real"), ("baseline", baseline))]
        gains = {
            f"over_{other}": content(difference(found[key], found[base], test_size))
            if base in found and base != key
            else None
            for other, base in over
        }
        rows.append(
            {
                "arm": key[2],
                "name": "real" if key[2] == "real" else name(key[2]).removesuffix(" by synthetic"),
                "method": printable(key[1]),
                "rows": counts.get(key[2]),
                "score": content(estimate(found[key], test_size)),
                **gains,
                "others": _others(own, key),
            }
        )
    return {
        "score": label,
        "baseline": name(baseline) if baseline else None,
        "real": real in found,
        "others": {each: METRICS.get(each, each.upper()) for each in _OTHERS if any(each in r["others"] for r in rows)},
        "seeds": int(own["seed"].nunique()),
        "classifiers": sorted(map(str, own["classifier"].unique())),
        "hidden": max(len(methods) - _MOST, 0),
        "rows": rows,
    }


def _best(found: Mapping, keys: list, method: str) -> float:
    return max(found[key].mean() for key in keys if key[1] == method)


def _rows_of(results: Sequence[Result]) -> dict[str, int]:
    """Rows of each training set, of the first job that has it."""
    counts: dict[str, int] = {}
    for result in results:
        for arm, classes in result.counts.items():
            counts.setdefault(arm, sum(classes.values()))
    return counts


def _others(jobs: pd.DataFrame, key: tuple[str, str, str]) -> dict[str, float]:
    """Means of all scores of a training set."""
    _, method, arm = key
    jobs = jobs[jobs["method"] == method] if method else jobs
    columns = {each: f"{arm}/{each}" for each in _OTHERS if f"{arm}/{each}" in jobs}
    means = {each: exact(jobs[column].mean()) for each, column in columns.items()}
    return {each: value for each, value in means.items() if value is not None}


def metrics(jobs: pd.DataFrame, test_size: float, noise: float | None = None) -> list[dict[str, Any]]:
    """List scores of the synthetic rows of one method's jobs, each with references and a sentence.

    Parameters
    ----------
    jobs : DataFrame
        One row per job of one data set and one method.
    test_size : float
    noise : float, optional
        What ``memorised`` may reach by chance on one split; see ``chance``.
    """
    once = jobs.drop_duplicates("seed")
    suffixes = ("_floor", "_ceiling", "_base")
    shown = [column for column in once if column.startswith(("fidelity/", "copying/"))]
    # Of an attack the risk alone; its rates and intervals are in the results.
    shown += [column for column in once if column.startswith("privacy/") and column.partition("/")[2] in MEANINGS]
    names = [column for column in shown if not column.endswith(suffixes) and once[column].notna().any()]
    order = {each: place for place, each in enumerate(MEANINGS)}
    names.sort(key=lambda column: (order.get(column.partition("/")[2], len(order)), column))
    found = [_metric(once, column, test_size, noise) for column in names]
    # Without any missing cell there is nothing to compare.
    return [each for each in found if each["metric"] != "missing_gap" or each["value"] or each["floor"]]


def chance(train: int, test: int, synthetic: int) -> float:
    """Approximate the end of the 95 % interval of ``memorised`` for rows without any copying.

    The fraction of rows nearest to a held-out row has a binomial variance, and the space that is nearest to one of few
    held-out rows varies by about one over their number.
    """
    if not test or not synthetic:
        return 1.0
    return 1.96 * math.sqrt((1 + train / synthetic) / test)


def _metric(jobs: pd.DataFrame, column: str, test_size: float, noise: float | None) -> dict[str, Any]:
    group, _, short = column.partition("/")

    def mean(suffix: str) -> float | None:
        return exact(jobs[column + suffix].mean()) if column + suffix in jobs else None

    value = estimate(jobs[column].dropna().to_numpy(), test_size)
    meaning = MEANINGS.get(short)
    found = {
        "metric": short,
        "group": group,
        "name": meaning.name if meaning else metric(short),
        **_bounded(content(value), column),
        "value": exact(value.mean),
        "floor": mean("_floor"),
        "ceiling": mean("_ceiling"),
        "base": mean("_base"),
        "ideal": meaning.ideal if meaning else None,
    }
    if short == "memorised":
        # Splits show the noise of their mean; two of them may agree by chance.
        found["noise"] = exact(min(value.half, noise or 1.0) if value.count > 2 else noise)
    found["void"] = void(found)
    found["chance"] = found["void"] is None and beyond(found)
    found["sentence"] = sentence(found)
    return found


def _bounded(value: dict[str, float | None], column: str) -> dict[str, float | None]:
    """Cut an interval at zero; memorised rows and risks of attacks alone may lie below."""
    if value["low"] is None or column == "copying/memorised" or column.startswith("privacy/"):
        return value
    return value | {"low": max(value["low"], 0.0)}


def content(value: Estimate) -> dict[str, float | None]:
    """Return mean and interval as plain numbers; the interval of a single split is None."""
    return {"mean": exact(value.mean), "low": exact(value.low), "high": exact(value.high)}


def largest(rows: Sequence[Mapping[str, Any]], field: str) -> float:
    """Return the end of the scale on which all gains of a table fit."""
    ends = [
        abs(end) for row in rows if row[field] for end in (row[field]["mean"], row[field]["low"], row[field]["high"])
        if end is not None
    ]  # fmt: skip
    return float(np.max(ends, initial=0.0))
