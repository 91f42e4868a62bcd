"""Results as tables of at most 80 columns, and one sentence that sums them up."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from trisynth.experiment.results import Result, table
from trisynth.report import verdict
from trisynth.report.jobs import WITHOUT_GENERATOR, arms_of, best_baseline
from trisynth.report.jobs import scores as scores_of
from trisynth.report.names import name as name_of
from trisynth.report.verdict import signed
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import difference, estimate

WIDTH = 80
_SCORES = {
    "accuracy": "accuracy",
    "precision_macro": "precision",
    "recall_macro": "recall",
    "f1_macro": "F1",
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "mae": "MAE",
    "mse": "MSE",
}
_COMPARED = {
    "fidelity/c2st_boosting": "C2ST",
    "fidelity/ks": "KS",
    "copying/dcr_share": "DCR share",
    "copying/identical_match_share": "identical",
}
# A data set's table shows so many generators, or settings of them, the best first; all are in the sweep's results.csv.
_SHOWN = 10
# Intervals over fewer seeds are so wide that they show next to nothing.
_FEW = 5
_IDENTITY = ("key", "dataset", "generator", "classifier", "seed")


def job_summary(result: Result) -> str:
    """Format one job: a row per training set, then synthetic rows between their floor and ceiling, and a sentence."""
    tables, notes, sentence = _parts(result)
    drawn = []
    for title, names, rows in tables:
        drawn.append(_blank(title, names[:1], names[1:]))
        for row in rows:
            drawn[-1].add_row(*row)
    return _text(*drawn, "\n".join(notes), sentence)


def job_description(result: Result) -> str:
    """Format what :func:`job_summary` does, of any width, in a twentieth of its time."""
    tables, notes, sentence = _parts(result)
    drawn = [_plain_table(*table) for table in tables]
    return "\n\n".join(part for part in (*drawn, "\n".join(notes), sentence) if part) + "\n"


def _parts(result: Result) -> tuple[list[tuple[str, list[str], list[list[str]]]], list[str], str]:
    """Return the tables of a job, each its title, the names of its columns and its rows; notes; and a sentence."""
    jobs = methods(table([result]))
    shown = [name for name in _SCORES if f"real/{name}" in result.metrics or f"synthetic/{name}" in result.metrics]
    headline, label = next(iter(verdict.headlines(jobs).items()), (None, ""))
    real = result.metrics.get(f"real/{headline}")
    arms = []
    for arm in sorted(result.counts, key=_place):
        values = [result.metrics.get(f"{arm}/{name}") for name in shown]
        score = result.metrics.get(f"{arm}/{headline}")
        gain = "" if arm == "real" or None in (real, score) else f"{score - real:+.3f}"
        cells = ("" if value is None else _short(value) for value in values)
        # The longest name would be broken over two lines.
        shown_name = name_of(arm).removesuffix(" by synthetic").removeprefix("random ")
        arms.append([shown_name, f"{sum(result.counts[arm].values()):,}", *cells, gain])
    compared = []
    for name, value in result.metrics.items():
        if name.startswith(("fidelity/", "copying/", "privacy/")) and not name.endswith(("_floor", "_ceiling")):
            around = [result.metrics.get(f"{name}_{end}") for end in ("floor", "ceiling")]
            low, high = ("" if v is None else f"{v:.3f}" for v in around)
            compared.append([name, low, f"{value:.3f}", high])
    notes = [f"gain: in {label} over the real rows."] if headline and real is not None else []
    notes += ["floor: independent columns; ceiling: copies of the training rows."] if compared else []
    tables = [(result.name, ["training set", "rows", *(_SCORES[name] for name in shown), "gain"], arms)]
    tables += [("synthetic rows", ["metric", "floor", "value", "ceiling"], compared)] if compared else []
    return tables, notes, verdict.sentence(verdict.cases(jobs, test_size=1 / 3))


def _plain_table(title: str, names: list[str], rows: list[list[str]]) -> str:
    """Align a table: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in [names, *rows]
    ]
    return "\n".join([title, lines[0], "─" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]])


def sweep_summary(frame: pd.DataFrame, test_size: float, searched: bool = False) -> str:
    """Format a sweep: for each data set the scores and gains of all training sets, and one sentence.

    The trials of a search are settings that it chose by their scores, of which no sentence is due.

    Parameters
    ----------
    frame : DataFrame
        One row per job, as ``results.table`` returns it.
    test_size : float
        Fraction of the rows that each seed tests.
    searched : bool, default=False

    Returns
    -------
    str
    """
    jobs = methods(frame)
    parts: list[Any] = []
    for metric, label in verdict.headlines(jobs).items():
        found = scores_of(jobs, metric)
        for dataset in dict.fromkeys(dataset for dataset, _, _ in found):
            own = jobs[jobs["dataset"] == dataset]
            keys, hidden = _shortened(found, dataset)
            parts.append(_scores(found, keys, label, own, test_size))
            if hidden:
                parts.append(f"{hidden} more settings are in the results")
            compared = _comparison(own, [key[1] for key in keys if key[1]], test_size)
            parts += [compared] if compared.row_count else []
    seeds = int(frame["seed"].nunique())
    meaning = f"Mean ± half of the 95 % interval over {seeds} seeds" if seeds > 1 else "One seed, hence no interval"
    classifiers = frame["classifier"].nunique()
    note = f"{meaning}; scores are means over {classifiers} classifiers." if classifiers > 1 else f"{meaning}."
    if 1 < seeds < _FEW:
        note += f" So few seeds give wide intervals; seed='range({_FEW})' narrows them."
    return _text(*parts, note, "" if searched else verdict.sentence(verdict.cases(jobs, test_size)))


def methods(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``method``: the generator with all settings in which its jobs differ.

    A setting of the data or of the split names the data set apart, too: scores on other rows do not compare.
    """
    columns = [c for c in frame if "/" not in c and c not in _IDENTITY]
    settings = [c for c in columns if len(set(frame[c].astype(str))) > 1]
    own = [c for c in settings if c.startswith(("generator.", "loss.")) and _varies(frame, "generator", c)]
    others = [c for c in settings if not c.startswith(("generator.", "loss.", "classifier."))]
    result = frame.assign(
        method=[_named(row["generator"], row, own) for _, row in frame.iterrows()],
        dataset=[_named(row["dataset"], row, others) for _, row in frame.iterrows()],
    )
    within = [c for c in settings if c.startswith("classifier.")]
    if within:
        result["classifier"] = [_named(row["classifier"], row, within) for _, row in frame.iterrows()]
    return result


def _varies(frame: pd.DataFrame, choice: str, setting: str) -> bool:
    return any(len(set(own.astype(str))) > 1 for _, own in frame.groupby(choice)[setting])


def _named(name: str, row: Mapping[str, Any], settings: list[str]) -> str:
    shown = [f"{c.rpartition('.')[2]} {_plain(row[c])}" for c in settings if pd.notna(row[c])]
    return f"{name} ({', '.join(shown)})" if shown else str(name)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shortened(found: Mapping, dataset: str) -> tuple[list, int]:
    """Keys of a data set in reading order, with the best methods alone where there are many."""
    keys = arms_of(found, dataset)
    keys.sort(key=lambda key: key[1] != "")
    arms = [arm for arm in verdict.ADDED if any(key[2] == arm for key in keys)]
    best = sorted((key for key in keys if key[2] in arms[:1]), key=lambda key: -found[key].mean())
    kept = {key[1] for key in best[:_SHOWN]} | {""}
    hidden = len({key[1] for key in keys} - kept)
    return [key for key in keys if key[1] in kept], hidden


def _scores(found: Mapping, keys: list, label: str, jobs: pd.DataFrame, test_size: float) -> Table:
    dataset = keys[0][0]
    baseline = best_baseline(found, dataset)
    over = [("gain over\nreal", "real")] if (dataset, "", "real") in found else []
    over += [(f"gain over\n{name_of(baseline)}", baseline)] if baseline else []
    out = _blank(
        f"{name_of(dataset)}: {label}, {len(jobs)} job{'s' * (len(jobs) != 1)}",
        ["training set"],
        ["score", *(h for h, _ in over)],
    )
    last = ""
    for key in keys:
        _, method, arm = key
        if method != last:
            out.add_section()
            out.add_row(method)
            last = method
        others = [found[dataset, "", base] if key != (dataset, "", base) else None for _, base in over]
        gains = ["" if o is None else signed(difference(found[key], o, test_size)) for o in others]
        name = "real" if arm == "real" else name_of(arm)
        out.add_row(f"  {name}" if method else name, _interval(estimate(found[key], test_size)), *gains)
    return out


def _comparison(jobs: pd.DataFrame, shown: list[str], test_size: float) -> Table:
    """Fidelity and copying of each generator, which do not depend on the classifier."""
    metrics = {column: label for column, label in _COMPARED.items() if column in jobs and jobs[column].notna().any()}
    out = _blank("synthetic rows", ["generator"], list(metrics.values()))
    for method in dict.fromkeys(shown) if metrics else ():
        once = jobs[jobs["method"] == method].drop_duplicates("seed")
        values = [once[column].dropna() for column in metrics]
        out.add_row(method, *(_interval(estimate(v, test_size)) if len(v) else "" for v in values))
    return out


def _place(arm: str) -> tuple[int, str]:
    """Place of a training set: real rows, the baselines without a generator, then those with synthetic rows."""
    order = (*WITHOUT_GENERATOR, "synthetic", "combined", "balanced")
    return (order.index(arm) if arm in order else len(order)), arm


def _interval(value: Estimate) -> str:
    return f"{value.mean:.3f}" if value.half != value.half else f"{value.mean:.3f} ± {value.half:.3f}"


def _short(value: float) -> str:
    """Three digits, fewer after the point for large numbers such as squared errors."""
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.3g}" if abs(value) >= 1e6 else f"{value:,.0f}"


def _blank(title: str, texts: list[str], numbers: list[str]) -> Table:
    """Make a table without rows whose numbers are never broken."""
    made = Table(title=title, title_justify="left", box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False)
    for name in texts:
        made.add_column(name, overflow="fold")
    for name in numbers:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def _text(*parts: Table | str) -> str:
    """Render tables and sentences, an empty line between them."""
    console = Console(width=WIDTH, file=io.StringIO(), color_system=None, markup=False)
    for part in _lines(parts):
        console.print(part, highlight=False, markup=False)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _lines(parts: tuple) -> Iterator[Table | str]:
    for place, part in enumerate(filter(lambda part: part != "", parts)):
        if place:
            yield ""
        yield part
