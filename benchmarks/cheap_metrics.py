"""Rank correlation of each cheap metric with utility, over all results of the studies in this repository.

Jobs are compared within one study, data set, classifier and seed, where only the generator or its settings differ.
Spearman's correlation of a metric with the gain in ROC AUC over the real rows, of combined and of synthetic rows, is
averaged over the groups of a data set, then over data sets with a 95 % t interval: data sets are the sampling units.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from benchmarks import output
from trisynth.report import names
from trisynth.report.figures import style
from trisynth.statistics.across_datasets import mean_over_datasets

GROUP = ["study", "dataset", "classifier", "seed"]
GAINS = ("synthetic", "combined")
LABELS = {"fidelity/kl": "KL divergence", "copying/dcr_ratio": "DCR ratio"}
# Jobs of a group, and data sets of a metric, at the least.
FEWEST_JOBS, FEWEST_DATASETS = 5, 5


def results(root: Path) -> pd.DataFrame:
    """One row per job of every study, with its metrics and gains, private studies and searches included."""
    parts = []
    for path in sorted(root.glob("*/results.csv")):
        jobs = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
        if {f"{arm}/roc_auc" for arm in ("real", *GAINS)} <= set(jobs):
            kept = [c for c in jobs if c.partition("/")[0] in ("fidelity", "copying")]
            kept = [c for c in kept if not c.endswith(("_floor", "_ceiling", "_base", "_real"))]
            gains = {arm: jobs[f"{arm}/roc_auc"] - jobs["real/roc_auc"] for arm in GAINS}
            parts.append(jobs[["dataset", "classifier", "seed", *kept]].assign(study=path.parent.name, **gains))
    return pd.concat(parts, ignore_index=True)


def correlations(jobs: pd.DataFrame) -> pd.DataFrame:
    """One row per metric and gain: mean over data sets, interval, and numbers of data sets, groups and jobs."""
    metrics = [name for name in jobs if name.partition("/")[0] in ("fidelity", "copying")]
    found: dict[tuple[str, str], list[tuple[str, float, int]]] = {}
    for (_, dataset, *_), group in jobs.groupby(GROUP):
        for metric in metrics:
            for gain in GAINS:
                both = group[[metric, gain]].dropna()
                if len(both) >= FEWEST_JOBS and (np.ptp(both.to_numpy(), axis=0) > 0).all():
                    ranked = both.rank().to_numpy()
                    value = float(np.corrcoef(ranked.T)[0, 1])
                    found.setdefault((metric, gain), []).append((dataset, value, len(both)))
    rows = []
    for (metric, gain), values in found.items():
        table = pd.DataFrame(values, columns=["dataset", "value", "jobs"])
        if table["dataset"].nunique() < FEWEST_DATASETS:
            continue
        at = mean_over_datasets(table.set_index("dataset")["value"])
        row = {"metric": metric, "gain": gain, "correlation": at.mean, "low": at.low, "high": at.high}
        rows.append(row | {"datasets": table["dataset"].nunique(), "groups": len(table), "jobs": table["jobs"].sum()})
    table = pd.DataFrame(rows)
    order = table[table["gain"] == "synthetic"].set_index("metric")["correlation"].abs()
    return table.sort_values(["metric", "gain"], key=lambda c: -c.map(order) if c.name == "metric" else c)


def draw(table: pd.DataFrame, jobs: int, path: Path) -> None:
    metrics = list(dict.fromkeys(table["metric"]))
    looks = {"synthetic": ("synthetic", 0.14), "combined": ("combined", -0.14)}
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS * 0.7, 1.1 + 0.19 * len(metrics))
        axes = figure.subplots()
        for gain, (colour, shift) in looks.items():
            own = table[table["gain"] == gain].set_index("metric").reindex(metrics)
            at = np.arange(len(metrics)) - shift
            error = (own["high"] - own["correlation"]).to_numpy()
            axes.errorbar(
                own["correlation"], at, xerr=error, fmt=style.MARKERS[colour], markersize=3, color=style.COLOURS[colour]
            )
        axes.axvline(0, color="0.7", linewidth=0.6, zorder=0)
        axes.set_yticks(
            range(len(metrics)), [LABELS.get(metric) or style.capitalised(names.metric(metric)) for metric in metrics]
        )
        axes.set_ylim(len(metrics) - 0.4, -0.6)
        axes.set_xlim(-1, 1)
        axes.set_xlabel("Spearman's correlation with the gain in ROC AUC over real rows")
        handles = {
            f"{gain} rows": Line2D([], [], marker=style.MARKERS[c], color=style.COLOURS[c], markersize=3)
            for gain, (c, _) in looks.items()
        }
        style.heading(figure, "Metrics that predict utility", handles)
        style.footnote(
            figure,
            f"{jobs:,} jobs of all studies, compared within study, data set, classifier and seed. Means over data sets "
            "with t intervals of 95 %. A distance that predicts utility has a negative correlation.",
        )
    style.save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Read all results, and write table and figure."""
    parser = output.parser("cheap_metrics", __doc__)
    parser.set_defaults(out=output.ROOT / "experiments" / "cheap_metrics")
    parser.add_argument("--experiments", type=Path, default=output.ROOT / "experiments", help="folder of the studies")
    options = parser.parse_args(arguments)
    jobs = results(options.experiments)
    table = correlations(jobs)
    output.write(table, options.out / "cheap_metrics.csv")
    draw(table, len(jobs), options.out / "cheap_metrics")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
