"""Results as tables on the screen."""

import sys

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from trisynth.experiment.results import Result

HEADLINE = {
    "classification": ["accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc"],
    "regression": ["r2", "mae", "mse"],
}

# Columns of what is not a terminal.
_WIDTH = 120
_SHORT = {"synthetic": "synth.", "combined": "comb.", "fidelity": "", "copying": ""}
_FIRST = ("real", "synthetic", "combined", "balanced")


def headline(metrics: list[str]) -> list[str]:
    """The metrics to show first, for whichever task ``<arm>/<metric>`` names come from."""
    known = {name.partition("/")[2] for name in metrics}
    return [name for names in HEADLINE.values() for name in names if name in known]


def show_job(result: Result) -> None:
    """Print one job: a row per arm, then fidelity and privacy between their floor and ceiling."""
    shown = headline(list(result.metrics))
    arms = _blank(result.name, ["arm"], ["training rows", *map(_spoken, shown)])
    for arm, counts in sorted(result.counts.items(), key=lambda item: _place(item[0])):
        values = [result.metrics.get(f"{arm}/{name}") for name in shown]
        arms.add_row(arm, f"{sum(counts.values()):,}", *("" if v is None else f"{v:.3f}" for v in values))
    compared = _blank("synthetic rows", ["metric"], ["floor", "value", "ceiling"])
    for name, value in result.metrics.items():
        if name.startswith(("fidelity/", "privacy/")) and not name.endswith(("_floor", "_ceiling")):
            around = [result.metrics.get(f"{name}_{end}") for end in ("floor", "ceiling")]
            low, high = ("" if v is None else f"{v:.3f}" for v in around)
            compared.add_row(name, low, f"{value:.3f}", high)
    _console().print(arms, *[compared] * bool(compared.row_count))


def show_sweep(frame: pd.DataFrame) -> None:
    """Print a sweep: one row per data set, generator and loss, means over classifiers and seeds."""
    shown = [
        name
        for metric in headline(list(frame.columns))
        for name in (f"real/{metric}", f"synthetic/{metric}", f"combined/{metric}")
        if metric in ("f1_macro", "roc_auc", "r2") and name in frame
    ]
    shown += [n for n in ("fidelity/c2st_boosting", "copying/dcr_share") if n in frame]
    by = [name for name in ("dataset", "generator") if name in frame]
    by += [name for name in frame if name.startswith("loss.") and frame[name].dropna().unique().size > 1]
    grouped = frame.groupby(by, dropna=False, sort=True)
    titles = [_spoken(name) for name in shown]
    settings = [name.removeprefix("loss.") for name in by]
    out = _blank(f"{len(frame)} jobs, means over classifiers and seeds", settings, ["jobs", *titles])
    for names, rows in grouped:
        values = ["" if rows[name].isna().all() else f"{rows[name].mean():.3f}" for name in shown]
        out.add_row(*map(str, names), str(len(rows)), *values)
    _console().print(out)


def _place(arm: str) -> int:
    """The paper's training sets come first, then their rivals as they are."""
    return _FIRST.index(arm) if arm in _FIRST else len(_FIRST)


def _spoken(metric: str) -> str:
    """A heading of few and short words, the arm above the score."""
    arm, _, score = metric.rpartition("/")
    score = score.removesuffix("_macro").removesuffix("_boosting").replace("_", " ")
    return "\n".join(filter(None, [_SHORT.get(arm, arm), score]))


def _blank(title: str, texts: list[str], numbers: list[str]) -> Table:
    """A table without rows, as narrow as can be."""
    table = Table(title=title, title_justify="left", box=box.HORIZONTALS, padding=0, pad_edge=False)
    for name in texts:
        table.add_column(name, min_width=5, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", min_width=5, overflow="fold")
    return table


def _console() -> Console:
    """The screen; a file or a pipe has no width of its own."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)
