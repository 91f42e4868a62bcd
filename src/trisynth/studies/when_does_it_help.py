"""Gain of synthetic rows by the number of training rows, over real rows and over baselines."""

import math

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.markup import Column, Table
from trisynth.report.page import Picture
from trisynth.statistics.across_datasets import holm, mean_over_datasets, wilcoxon_p
from trisynth.statistics.estimate import Estimate

# A gain that is worth the effort.
WORTH = 0.01
ARMS = ("combined", "balanced")
_SCORE = "roc_auc"
_KEYS = ["dataset", "generator", "classifier", "seed", "n"]


def gains(jobs: pd.DataFrame) -> pd.DataFrame:
    """Compute the gains in ROC AUC of each job.

    Parameters
    ----------
    jobs : DataFrame
        With ``train_rows``, ``data/train_rows`` and the ROC AUC of all arms of ``conf/arms/resampling.yaml``.

    Returns
    -------
    DataFrame
        One row per job and arm: data set, generator, classifier, seed, ``n``, ``arm``, ``real``, and the gains
        ``over_real``, ``over_duplicated`` and ``over_best``, the best baseline by its test score. Jobs whose table has
        fewer training rows than ``train_rows`` are left out.

    Raises
    ------
    InputError
        If a column is missing, or no job is left.
    """
    baselines = ["real", "duplicated", "class_weight"]
    needed = ["train_rows", "data/train_rows", *(f"{arm}/{_SCORE}" for arm in (*ARMS, *baselines))]
    missing = [name for name in needed if name not in jobs]
    if missing:
        raise InputError("results", list(jobs.columns[:8]), f"has no {missing[0]}; sweep experiment=when_does_it_help")
    jobs = jobs[jobs["data/train_rows"] == jobs["train_rows"]].rename(columns={"train_rows": "n"})
    if jobs.empty:
        raise InputError("results", "data/train_rows", "no table has as many training rows as train_rows")
    best = jobs[[f"{arm}/{_SCORE}" for arm in baselines]].max(axis=1)
    parts = []
    for arm in ARMS:
        score = jobs[f"{arm}/{_SCORE}"]
        found = jobs[_KEYS].assign(arm=arm, real=jobs[f"real/{_SCORE}"], score=score)
        found["over_real"] = score - found["real"]
        found["over_duplicated"] = score - jobs[f"duplicated/{_SCORE}"]
        parts.append(found.assign(over_best=score - best))
    return pd.concat(parts, ignore_index=True)


def worth(found: pd.DataFrame, classifier: str, n: int) -> Estimate:
    """Estimate how many more real rows would give the same mean gain of combined rows, by interpolation over log n.

    Parameters
    ----------
    found : DataFrame
        As ``gains`` returns them.
    classifier : str
    n : int

    Returns
    -------
    Estimate
        NaN if the learning curve of the real rows has no larger n. A negative number is worth fewer rows than none.
    """
    own = found[(found["arm"] == "combined") & (found["classifier"] == classifier)]
    curve = own.groupby(["dataset", "n"])[["real", "over_real"]].mean()
    rows = {}
    for dataset, part in curve.groupby(level="dataset"):
        part = part.droplevel("dataset")
        later = part.index[part.index > n]
        if n in part.index and len(later):
            slope = (part.loc[later[0], "real"] - part.loc[n, "real"]) / math.log(later[0] / n)
            rows[dataset] = slope, part.loc[n, "over_real"]
    if not rows:
        return Estimate(math.nan, math.nan, 0)
    # A ratio of means: the slope of a single table may be 0.
    slopes, sizes = np.array(list(rows.values())).T
    if slopes.mean() <= 0:
        return Estimate(math.nan, math.nan, len(rows))
    factor = sizes / slopes.mean()
    estimate = mean_over_datasets(pd.Series(factor, pd.Index(list(rows), name="dataset")))
    ends = [n * (math.exp(min(value, 5.0)) - 1) for value in (estimate.low, estimate.mean, estimate.high)]
    return Estimate(ends[1], max(ends[2] - ends[1], ends[1] - ends[0]), len(rows))


def gains_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the gains by classifier, arm, n and generator, and which exceed ``WORTH``."""
    found = gains(jobs)
    columns = [Column("classifier", "Classifier"), Column("arm", "Rows"), Column("n", "n")]
    columns += [Column("generator", "Generator"), Column("tables", "Data sets")]
    over = {"over_real": "Over real", "over_duplicated": "Over duplicated", "over_best": "Over best baseline"}
    columns += [Column(key, label, signed=True) for key, label in over.items()]
    columns += [Column("p", "p", interval=False), Column("worth", "Worth k rows")]
    groups = {}
    # Sizes are numbers, which a sweep orders as texts.
    found = found.sort_values("n", kind="stable")
    for (classifier, arm, n), part in found.groupby(["classifier", "arm", "n"], sort=False):
        for generator, own in [("all", part), *part.groupby("generator", sort=False)]:
            groups[classifier, arm, n, generator] = own.set_index("dataset")
    tests = holm(pd.Series({"\0".join(map(str, key)): wilcoxon_p(own["over_real"]) for key, own in groups.items()}))
    rows, bold, rules = [], set(), set()
    for key, own in groups.items():
        classifier, arm, n, generator = key
        if generator == "all":
            rules.add(len(rows))
        cells = [mean_over_datasets(own[name]) for name in over]
        bold |= {(len(rows), 5 + i) for i, cell in enumerate(cells) if cell.mean > WORTH and cell.low > 0}
        p = Estimate(float(tests["\0".join(map(str, key))]), math.nan, len(own))
        k = worth(found, classifier, n) if (arm, generator) == ("combined", "all") else None
        k = None if k is None or math.isnan(k.mean) else k
        rows.append([classifier, arm, int(n), generator, own.index.nunique(), *cells, p, k])
    note = (
        "Gains in ROC AUC on real test rows, means over data sets with ± half of the 95 % t interval over them; each "
        f"data set counts once. Bold: above {WORTH:g} with its lower bound above 0. The best baseline of real rows, "
        "duplicated rows and class weights is chosen by its test score, which favours it. p: Wilcoxon's test over data "
        "sets of the gain over real rows, adjusted by Holm's method for all rows of the table. Worth k rows: real rows "
        "that would add the same gain, by the slope of the learning curve to the next n."
    )
    return Table(
        "gains", "Gains by classifier, number of training rows and generator.", note, columns, rows, bold, rules
    )


def gains_picture(jobs: pd.DataFrame) -> Picture:
    """Draw the gain of combined rows over n and the ROC AUC of real rows with contours, and its mean by generator."""
    found = gains(jobs)
    combined = found[found["arm"] == "combined"]
    classifiers = list(dict.fromkeys(combined["classifier"]))
    generators = list(dict.fromkeys(combined["generator"]))
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 0.9 + 2.0 * len(classifiers))
        panels = figure.subplots(len(classifiers), 3, squeeze=False)
        for row, classifier in enumerate(classifiers):
            own = combined[combined["classifier"] == classifier]
            # A sweep that was stopped may lack a size for one classifier, which then has no place on its axis.
            sizes = sorted(own["n"].unique())
            _plane(figure, panels[row, 0], own)
            for axes, name, title in (
                (panels[row, 1], "over_real", "over real rows"),
                (panels[row, 2], "over_best", "over the best baseline"),
            ):
                for place, generator in enumerate(generators):
                    part = own[own["generator"] == generator]
                    means = [mean_over_datasets(part[part["n"] == n].set_index("dataset")[name]) for n in sizes]
                    at = np.arange(len(sizes)) + 0.14 * (place - (len(generators) - 1) / 2)
                    errors = [mean.half if mean.half == mean.half else 0.0 for mean in means]
                    look = style.generator(generator)
                    axes.errorbar(
                        at,
                        [m.mean for m in means],
                        yerr=errors,
                        fmt=look["marker"],
                        color=look["color"],
                        markersize=3.5,
                    )
                axes.axhspan(-WORTH, WORTH, color="0.93", zorder=0)
                axes.axhline(0, color="0.7", linewidth=0.6, zorder=0)
                axes.set_xticks(range(len(sizes)), [f"{n:,}" for n in sizes])
                axes.set_xlabel("training rows")
                axes.set_title(f"{style.letter(3 * row + (1 if name == 'over_real' else 2))}  {title}")
            panels[row, 0].set_title(f"{style.letter(3 * row)}  {names.label(classifier)}: gain over real rows")
        handles = {
            names.label(name): Line2D([], [], linestyle="none", markersize=3.5, **style.generator(name))
            for name in generators
        }
        style.heading(figure, "Gain of combined rows in ROC AUC", handles)
        count = combined["dataset"].nunique()
        style.footnote(
            figure,
            f"{count} data sets, one of them simulated. Left: each point is a data set at one n, mean over generators; "
            "contours of a smooth fit over log n and the ROC AUC of real rows, with 0 as a thick line. Middle, right: "
            f"means over data sets with 95 % t intervals; the grey band is ±{WORTH:g}.",
        )
    return Picture("gains", "Gain of combined rows by training rows, baseline score and generator.", figure)


def _plane(figure, axes, own: pd.DataFrame) -> None:
    """Draw the gain as colour over log n and the score of real rows, and contours of a smooth fit."""
    cells = own.groupby(["dataset", "n"])[["real", "over_real"]].mean().reset_index()
    x, y, z = np.log(cells["n"].to_numpy(float)), cells["real"].to_numpy(), cells["over_real"].to_numpy()
    most = float(np.abs(z).max()) or 1.0
    spread = np.random.default_rng(0).uniform(-0.08, 0.08, len(x)) * max(np.ptp(x), 1.0)
    points = axes.scatter(
        np.exp(x + spread), y, c=z, cmap="RdBu", vmin=-most, vmax=most, s=12, edgecolor="0.4", linewidth=0.3
    )
    axes.set_xscale("log")
    axes.set_xticks(sorted(cells["n"].unique()), [f"{n:,}" for n in sorted(cells["n"].unique())])
    axes.minorticks_off()
    axes.set_xlabel("training rows")
    axes.set_ylabel("ROC AUC, real rows")
    figure.colorbar(points, ax=axes, shrink=0.8, pad=0.02)
    if np.ptp(x) > 0 and np.ptp(y) > 0:
        grid = np.meshgrid(np.linspace(x.min(), x.max(), 40), np.linspace(y.min(), y.max(), 40))
        smooth = smoothed(np.column_stack([x, y]), z, np.column_stack([part.ravel() for part in grid]))
        levels = [-0.02, -WORTH, 0.0, WORTH, 0.02]
        widths = [0.5, 0.5, 1.4, 0.8, 0.8]
        lines = axes.contour(
            np.exp(grid[0]), grid[1], smooth.reshape(40, 40), levels=levels, colors="black", linewidths=widths
        )
        axes.clabel(lines, fmt="%+.2f", fontsize=style.SMALL)


def smoothed(points: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Smooth values over a plane by a local mean with a Gaussian kernel of half a standard deviation per axis.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
    values : ndarray of shape (n,)
    at : ndarray of shape (m, 2)

    Returns
    -------
    ndarray of shape (m,)
    """
    scale = 0.5 * points.std(axis=0)
    gaps = (at[:, None] - points[None]) / np.where(scale > 0, scale, 1.0)
    weights = np.exp(-0.5 * (gaps**2).sum(axis=2)) + 1e-12
    return weights @ values / weights.sum(axis=1)
