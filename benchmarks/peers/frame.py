"""The results as one table: a row per cell, scores averaged over classifiers, beside those of the real rows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers import grid
from trisynth.statistics.across_datasets import holm, mean_over_datasets, wilcoxon_p

# Fraction of memorised rows above which a generator copies.
MOST_MEMORISED = 0.25
LARGE = 3000


def cells(results: Path) -> pd.DataFrame:
    """One row per result in ``results``; scores are missing where a generator did not finish.

    Parameters
    ----------
    results : Path
        Folder of ``<table>/<generator>-<split>.json``.

    Returns
    -------
    DataFrame
        ``auc_loss`` and ``f1_loss`` are real minus synthetic, ``*_gain`` combined (or balanced) minus real;
        ``shape`` is sdmetrics' Column Shapes, the mean over columns of one minus the distance of the marginal
        distributions (Kolmogorov-Smirnov for numbers; total variation for categories, the target among them), and
        ``associations`` one minus the mean gap of the associations of all pairs.
    """
    found = [json.loads(path.read_text()) for path in sorted(results.glob("*/*.json"))]
    real = {(r["table"], r["split"]): r for r in found if r["generator"] == grid.REAL}
    rows = [_row(r, real.get((r["table"], r["split"]))) for r in found]
    order = {name: i for i, name in enumerate(grid.TABLES)}
    frame = pd.DataFrame(rows)
    return frame.sort_values(["table", "generator", "split"], key=lambda c: c.map(order) if c.name == "table" else c)


def _row(result: dict[str, Any], real: dict[str, Any] | None) -> dict[str, Any]:
    row = {name: result[name] for name in ("table", "generator", "split", "train_rows", "columns", "status")}
    if result["status"] != "done":
        return row
    means = {(arm, metric): _mean(scores, metric) for arm, scores in result["arms"].items() for metric in _METRICS}
    row |= {f"{arm}_{short}": means[arm, metric] for arm in result["arms"] for metric, short in _METRICS.items()}
    if real is not None and result["generator"] != grid.REAL:
        base = {short: _mean(real["arms"]["real"], metric) for metric, short in _METRICS.items()}
        row |= {f"{short}_loss": base[short] - row[f"synthetic_{short}"] for short in base}
        for arm in ("combined", "balanced"):
            if arm in result["arms"]:
                row |= {f"{arm}_{short}_gain": row[f"{arm}_{short}"] - base[short] for short in base}
    if "fidelity" not in result:
        return row
    fidelity, copying, cost = result["fidelity"], result["copying"], result["cost"]
    row |= {
        "c2st": fidelity["c2st_boosting"],
        "c2st_linear": fidelity["c2st_linear"],
        "shape": shape(result),
        "associations": 1 - fidelity["correlation_gap"],
        "share": copying["dcr_share"],
        "memorised": copying["memorised"],
        "copies": copying["identical_match_share"],
        "fit_seconds": cost["fit_cpu_seconds"],
        "sample_seconds": cost["sample_cpu_seconds"],
        "rows_per_second": cost["drawn_rows"] / max(cost["sample_cpu_seconds"], 1e-4),
        "peak_megabytes": cost["peak_megabytes"],
        "added_megabytes": cost["peak_megabytes"] - cost["import_megabytes"],
        "missing_classes": sum(n == 0 for n in result["rows"].values()),
    }
    return row


def shape(result: dict[str, Any]) -> float:
    """Average one minus the distance of the marginal distributions over columns and the target, a category."""
    numbers = result["numbers"] if "numbers" in result else grid.NUMBERS[result["table"]]
    sizes = {"ks": numbers, "tv": result["columns"] + 1 - numbers}
    return sum(n * (1 - result["fidelity"][name]) for name, n in sizes.items() if n) / sum(sizes.values())


_METRICS = {"roc_auc": "auc", "f1_macro": "f1", "average_precision": "pr"}


def _mean(scores: dict[str, dict[str, float]], metric: str) -> float:
    return float(np.mean([by_metric[metric] for by_metric in scores.values()]))


def by_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Means over the splits that are done, by table and generator.

    ``copier`` depends on the mean fraction of memorised rows over all tables of a generator, at least half of those
    that any generator has: on one small table the value is noise; even independent columns, which cannot copy, reach
    0.1 there. ``compared`` is true for those that have as many tables and do not copy.
    """
    done = frame[(frame["status"] == "done") & (frame["generator"] != grid.REAL)]
    numbers = [name for name in done.select_dtypes("number") if name != "split"]
    means = done.groupby(["table", "generator"], sort=False)[numbers].mean()
    means["splits"] = done.groupby(["table", "generator"], sort=False).size()
    means = means.reset_index()
    own = means.groupby("generator")
    enough = 2 * own["table"].transform("size") >= means["table"].nunique()
    memorising = own["memorised"].transform("mean") > MOST_MEMORISED
    means["copier"], means["compared"] = enough & memorising, enough & ~memorising
    return means


def by_generator(means: pd.DataFrame) -> pd.DataFrame:
    """Means over tables, by generator; ``means`` are those of ``by_table``."""
    groups = means.groupby("generator")
    large = means[means["train_rows"] * 1.5 > LARGE].groupby("generator")
    return pd.DataFrame(
        {
            "tables": groups.size(),
            "cells": groups["splits"].sum(),
            "auc_loss": groups["auc_loss"].mean(),
            "auc_loss_worst": groups["auc_loss"].max(),
            "auc_loss_large": large["auc_loss"].mean(),
            "f1_loss": groups["f1_loss"].mean(),
            "combined_f1_gain": groups["combined_f1_gain"].mean(),
            "combined_pr_gain": groups["combined_pr_gain"].mean(),
            "c2st": groups["c2st"].mean(),
            "c2st_below_.60": groups["c2st"].apply(lambda c: int((c < 0.6).sum())),
            "c2st_linear": groups["c2st_linear"].mean(),
            "shape": groups["shape"].mean(),
            "associations": groups["associations"].mean(),
            "share": groups["share"].mean(),
            "share_worst": groups["share"].max(),
            "memorised": groups["memorised"].mean(),
            "memorised_half": groups.apply(_half, "memorised", include_groups=False),
            "copier": groups["copier"].first(),
            "compared": groups["compared"].first(),
            "fit_seconds": groups["fit_seconds"].sum(),
            "fit_seconds_worst": groups["fit_seconds"].max(),
            "rows_per_second": groups["rows_per_second"].median(),
            "added_megabytes": groups["added_megabytes"].max(),
        }
    ).sort_values("auc_loss")


def _half(part: pd.DataFrame, score: str) -> float:
    """Half of the 95 % interval of a mean over tables."""
    return mean_over_datasets(part.set_index(part["table"].rename("dataset"))[score]).half


def differences(means: pd.DataFrame, score: str, flagship: str) -> pd.DataFrame:
    """Differences of ``score`` between every generator that is compared and the flagship, paired by table.

    Returns
    -------
    DataFrame
        By generator: ``tables``, ``mean`` with the ``half`` of its 95 % interval over tables, and ``p``, Wilcoxon's
        p-value over tables, adjusted by Holm's method for the number of generators.
    """
    values = means.rename(columns={"table": "dataset"}).pivot_table(index="dataset", columns="generator", values=score)
    compared = means.loc[means["compared"], "generator"].drop_duplicates()
    less = {name: (values[name] - values[flagship]).dropna() for name in compared if name != flagship}
    found = {name: (len(d), mean_over_datasets(d), wilcoxon_p(d)) for name, d in less.items()}
    table = pd.DataFrame({n: [k, at.mean, at.half, p] for n, (k, at, p) in found.items()}).T
    return table.set_axis(["tables", "mean", "half", "p"], axis=1).assign(p=lambda rows: holm(rows["p"]))


def imbalanced(frame: pd.DataFrame) -> list[str]:
    """Tables whose largest class has more than nine times the rows of the smallest."""
    asked = frame["balanced_f1"].notna() if "balanced_f1" in frame else pd.Series(False, frame.index)
    return [table for table in grid.TABLES if asked[frame["table"] == table].any()]
