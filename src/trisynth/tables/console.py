"""Results as tables on the screen."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from trisynth.results import Result

HEADLINE = {
    "classification": ["accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc"],
    "regression": ["r2", "mae", "mse"],
}


def headline(metrics: list[str]) -> list[str]:
    """The metrics to show first, for whichever task ``<arm>/<metric>`` names come from."""
    known = {name.partition("/")[2] for name in metrics}
    return [name for names in HEADLINE.values() for name in names if name in known]


def show_job(result: Result) -> None:
    """Print one job: a row per arm, then fidelity and privacy between their floor and ceiling."""
    console = Console()
    shown = headline(list(result.metrics))
    arms = Table(title=result.name, title_justify="left")
    for column in ("arm", "training rows", *shown):
        arms.add_column(column, justify="left" if column == "arm" else "right")
    for arm, counts in result.counts.items():
        values = [result.metrics.get(f"{arm}/{name}") for name in shown]
        arms.add_row(arm, f"{sum(counts.values()):,}", *("" if v is None else f"{v:.3f}" for v in values))
    console.print(arms)
    compared = Table(title="synthetic rows", title_justify="left")
    for column in ("metric", "floor", "value", "ceiling"):
        compared.add_column(column, justify="left" if column == "metric" else "right")
    for name, value in result.metrics.items():
        if name.startswith(("fidelity/", "privacy/")) and not name.endswith(("_floor", "_ceiling")):
            around = [result.metrics.get(f"{name}_{end}") for end in ("floor", "ceiling")]
            low, high = ("" if v is None else f"{v:.3f}" for v in around)
            compared.add_row(name, low, f"{value:.3f}", high)
    if compared.row_count:
        console.print(compared)


def show_sweep(frame: pd.DataFrame) -> None:
    """Print a sweep: one row per data set, generator and loss, means over classifiers and seeds."""
    console = Console()
    shown = [
        name
        for metric in headline(list(frame.columns))
        for name in (f"real/{metric}", f"synthetic/{metric}", f"combined/{metric}")
        if metric in ("f1_macro", "roc_auc", "r2") and name in frame
    ]
    shown += [n for n in ("fidelity/c2st_boosting", "privacy/closer_to_train") if n in frame]
    by = [name for name in ("dataset", "generator") if name in frame]
    by += [name for name in frame if name.startswith("loss.") and frame[name].dropna().unique().size > 1]
    grouped = frame.groupby(by, dropna=False, sort=True)
    out = Table(title=f"{len(frame)} jobs, means over classifiers and seeds", title_justify="left")
    for column in (*by, "jobs", *shown):
        out.add_column(column, justify="left" if column in by else "right")
    for names, rows in grouped:
        values = ["" if rows[name].isna().all() else f"{rows[name].mean():.3f}" for name in shown]
        out.add_row(*map(str, names), str(len(rows)), *values)
    console.print(out)
