"""Report of the results: ``peers.csv`` with every table, and ``README.md``."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.peers import frame as frames
from benchmarks.peers import grid
from benchmarks.peers.figure import overview
from benchmarks.peers.scores import IMBALANCED
from trisynth.cache import write_atomic
from trisynth.report.figures import style
from trisynth.statistics.across_datasets import mean_over_datasets

HERE = Path(__file__).resolve().parent
COMMAND = "python -m benchmarks.peers"
FLAGSHIP = "circuit"
# Floors and ceilings, which are left out of the comparisons.
_REFERENCES = {"copy", "independent"}
_SUMMARY = {
    "tables": ("tables", 0),
    "auc_loss": ("AUC loss", 3),
    "auc_loss_worst": ("worst", 3),
    "auc_loss_large": ("above 3,000 rows", 3),
    "f1_loss": ("macro-F1 loss", 3),
    "combined_f1_gain": ("F1 gain, combined", 3),
    "combined_pr_gain": ("PR gain, combined", 3),
    "c2st": ("C2ST", 3),
    "c2st_below_.60": ("C2ST < 0.60", 0),
    "c2st_linear": ("C2ST, linear", 3),
    "shape": ("Shape", 3),
    "associations": ("associations", 3),
    "memorised": ("memorised", 3),
    "memorised_half": ("±", 3),
    "share": ("DCR share", 3),
    "share_worst": ("worst", 3),
    "fit_seconds": ("fit, CPU s, all tables", 1),
    "rows_per_second": ("rows/s", 0),
    "added_megabytes": ("peak MB", 0),
}
_PAGE = """# Peers

Made by `{command}` from [results](results); do not edit. {cells} cells: {tables} tables, splits {splits}.
{unfinished}

Every generator is fitted on the same training rows (two thirds, stratified) in a process of its own, with one thread,
and scored on the same held-out rows by the package's own metrics. Scores are means of logistic regression, forest and
boosted trees, then over splits, then over tables.

- **AUC loss**: ROC-AUC of models trained on real rows minus that of models trained on as many synthetic rows.
- **C2ST**: AUC of boosted trees that discriminate synthetic from held-out rows, the target included; 0.5 is best.
- **memorised**: estimated fraction of rows that exist only because of a training row, with its 95 % interval over
  tables; 0 is ideal, and independent columns, which cannot copy, show its noise. A generator whose mean is above
  {honest} copies: its numbers are in *italics*, and it is left out of the comparisons, as is one with fewer than half
  of the tables. **DCR share**: fraction of rows closer to a training row than to a held-out one; 0.5 is ideal.
- **Shape**: sdmetrics' Column Shapes, the mean over columns of one minus the distance of the marginal distributions
  (Kolmogorov-Smirnov or total variation; a missing cell is one more category). The target is a column, whose counts are
  those requested.
- **associations**: one minus the mean difference of the associations of all pairs; this is not sdmetrics' Trend.
- **combined**: real and synthetic rows together, minus real rows alone.
- CPU seconds include child processes; peak memory is what a fit and its samples added to the imported libraries.

Three things favour the peers. Rows are drawn until every class has its count (ten draws at most; our generators and
TabularARGN sample from the requested class). Numbers are rounded to the step of their column and clipped to its range.
For peers that accept no missing cells, an indicator column marks them. Two things limit the peers: default settings,
and ten minutes of CPU for each fit.

## All tables

{summary}

{reached}

## `circuit` against every other generator

The other generator minus `circuit`, means over tables with 95 % intervals over them, and Wilcoxon's p-values over
tables, adjusted by Holm's method for the number of generators. The defaults of `circuit` were chosen on these tables.

{differences}

![Loss in AUC against C2ST, and both by table](peers.png)

## Loss in ROC-AUC, by table

{losses}

## C2ST, by table

{c2st}

## Rare classes

Tables whose largest class is more than {imbalanced} times the smallest. *Balanced* adds synthetic rows of the small
classes until every class is as large as the largest. The baselines, in italics, are the real rows, the real rows with
class weights, and the real rows with random oversampling.{beside}

{rare}

## Not finished

{failed}

## Environments

`requirements/` pins them; the command makes them under `.venv/`. SDV, CTGAN, Copulas and RDT are under the Business
Source License: they are measured against and are no dependency of anything here.
"""


def write(results: Path = HERE / "results", out: Path = HERE) -> None:
    """Write ``peers.csv``, ``summary.csv``, ``peers.png``, ``peers.pdf`` and ``README.md`` into ``out``."""
    frame = frames.cells(results)
    means = frames.by_table(frame)
    summary = frames.by_generator(means)
    write_atomic(out / "peers.csv", _csv(means))
    write_atomic(out / "summary.csv", _csv(summary.reset_index()))
    style.save(overview(means, summary, _labels()), out / "peers")
    write_atomic(out / "README.md", _page(frame, means, summary))


def _labels() -> dict[str, str]:
    return {generator.name: generator.label for generator in grid.generators()}


def _csv(table: pd.DataFrame) -> str:
    return table.round(5).to_csv(index=False, lineterminator="\n")


def _page(frame: pd.DataFrame, means: pd.DataFrame, summary: pd.DataFrame) -> str:
    failed = frame[frame["status"] != "done"]
    there = set(zip(frame["generator"], frame["table"], frame["split"], strict=True))
    planned = [(cell.generator.name, cell.table, cell.split) for cell in grid.cells(None, None, None)]
    missing = len(set(planned) - there)
    return _PAGE.format(
        command=COMMAND,
        cells=len(frame),
        tables=frame["table"].nunique(),
        splits=", ".join(map(str, sorted(frame["split"].unique()))),
        unfinished=f"**{missing} of {len(planned)} cells are still to be run.**" * (missing > 0),
        honest=frames.MOST_MEMORISED,
        imbalanced=IMBALANCED,
        summary=_summary(summary),
        reached=_reached(means),
        differences=_differences(means),
        losses=_matrix(means, "auc_loss"),
        c2st=_matrix(means, "c2st"),
        beside=_beside_smote(frame),
        rare=_rare(frame),
        failed=_failed(failed),
    )


def _summary(summary: pd.DataFrame) -> str:
    labels = _labels()
    rows = []
    for name, row in summary.iterrows():
        shown = [_number(row[key], digits) for key, (_, digits) in _SUMMARY.items()]
        rows.append([labels.get(name, name), *(map(_italic, shown) if row["copier"] else shown)])
    return _pipes(["generator", *(label for label, _ in _SUMMARY.values())], rows)


def _matrix(means: pd.DataFrame, score: str) -> str:
    """Generators by tables, the smaller the better; in bold the best of each table among those that do not copy."""
    labels = _labels()
    tables = [table for table in grid.TABLES if table in set(means["table"])]
    values = means.pivot_table(index="generator", columns="table", values=score)[tables]
    copiers = set(means.loc[means["copier"], "generator"])
    compared = set(means.loc[means["compared"], "generator"]) - _REFERENCES
    winners = values.loc[[name for name in values.index if name in compared]].min()
    rows = []
    for name in values.mean(axis=1).sort_values().index:
        shown = {table: _number(values.loc[name, table], 3) for table in tables}
        if name in copiers:
            cells = list(map(_italic, shown.values()))
        else:
            won = {table for table in tables if name in compared and values.loc[name, table] == winners[table]}
            cells = [f"**{text}**" if table in won else text for table, text in shown.items()]
        rows.append([labels.get(name, name), *cells])
    return _pipes(["generator", *tables], rows)


def _italic(text: str) -> str:
    return f"*{text}*" if text else text


def _reached(means: pd.DataFrame) -> str:
    """Number of tables on which the flagship is better than all generators that do not copy."""
    ours = means[means["generator"] == FLAGSHIP].set_index("table")
    if not len(ours):
        return ""
    peers = {generator.name for generator in grid.PEERS}
    external = means[means["compared"] & means["generator"].isin(peers)]
    others = means[means["compared"] & ~means["generator"].isin(_REFERENCES | {FLAGSHIP})]
    lines = []
    for group, table in (("peer", external), ("generator", others)):
        for score, what in (("c2st", "smaller C2ST"), ("auc_loss", "smaller AUC loss")):
            best = table.groupby("table")[score].min()
            both = [name for name in ours.index if name in best.index]
            wins = sum(ours.loc[name, score] < best[name] for name in both)
            others_of = f"every other compared {group}"
            lines.append(f"- `{FLAGSHIP}` has a {what} than {others_of} on {wins} of {len(both)} tables.")
    large = ours[ours["train_rows"] * 1.5 > frames.LARGE]
    lines.append(
        f"- Its AUC loss: {ours['auc_loss'].mean():.3f} on average, {ours['auc_loss'].max():.3f} at worst "
        f"({ours['auc_loss'].idxmax()}), {large['auc_loss'].mean():.3f} above 3,000 rows; C2ST below 0.60 on "
        f"{int((ours['c2st'] < 0.6).sum())} of {len(ours)}; DCR share {ours['share'].mean():.3f} on average, "
        f"{ours['share'].max():.3f} at most ({ours['share'].idxmax()})."
    )
    return "\n".join(lines)


def _differences(means: pd.DataFrame) -> str:
    """Differences of loss and C2ST from the flagship, generator by generator."""
    labels, kept = _labels(), means[~means["generator"].isin(_REFERENCES)]
    if FLAGSHIP not in set(kept["generator"]):
        return ""
    loss, c2st = (frames.differences(kept, score, FLAGSHIP) for score in ("auc_loss", "c2st"))
    rows = []
    for name in loss.sort_values("mean").index:
        shown = [
            [_number(of["mean"], 3), _number(of["half"], 3), _number(of["p"], 3)]
            for of in (loss.loc[name], c2st.loc[name])
        ]
        cells = [cell for mean, half, p in shown for cell in (f"{mean} ± {half}", p)]
        rows.append([labels.get(name, name), _number(loss.loc[name, "tables"], 0), *cells])
    return _pipes(["generator", "tables", "AUC loss", "p", "C2ST", "p"], rows)


_RARE_COLUMNS = (
    ("F1, synthetic", "synthetic_f1"),
    ("PR, synthetic", "synthetic_pr"),
    ("F1, combined", "combined_f1"),
    ("PR, combined", "combined_pr"),
    ("F1, balanced", "balanced_f1"),
    ("PR, balanced", "balanced_pr"),
)


def _beside_smote(frame: pd.DataFrame) -> str:
    """The flagship less SMOTE: the mean difference over the tables that both have, and its 95 % interval over them."""
    done = frame[(frame["status"] == "done") & frame["table"].isin(frames.imbalanced(frame))]
    by_generator = done.rename(columns={"table": "dataset"}).set_index(["dataset", "split"]).groupby("generator")
    if not {FLAGSHIP, "smote"} <= set(by_generator.groups):
        return ""
    keys = [key for _, key in _RARE_COLUMNS]
    less = by_generator.get_group(FLAGSHIP)[keys] - by_generator.get_group("smote")[keys]
    found = {label: mean_over_datasets(less[key].dropna()) for label, key in _RARE_COLUMNS}
    shown = (f"{label}, {_number(at.mean, 3)} ± {_number(at.half, 3)}" for label, at in found.items())
    text = f"`{FLAGSHIP}` minus SMOTE, means over tables with 95 % intervals over them: {'; '.join(shown)}."
    return "\n\n" + textwrap.fill(text, 120)


def _rare(frame: pd.DataFrame) -> str:
    """Macro-F1 and PR-AUC of the arms on imbalanced tables: means over tables, then each, real rows first."""
    labels, keys = _labels(), [key for _, key in _RARE_COLUMNS]
    tables = frames.imbalanced(frame)
    done = frame[(frame["status"] == "done") & frame["table"].isin(tables)]
    real = done[done["generator"] == grid.REAL]
    plain = [
        pd.DataFrame(
            {"table": real["table"], "generator": arm, f"{arms}_f1": real[f"{arm}_f1"], f"{arms}_pr": real[f"{arm}_pr"]}
        )
        for arm, arms in (("real", "synthetic"), ("class_weight", "balanced"), ("oversampled", "balanced"))
    ]
    made = done[done["balanced_f1"].notna()] if tables else done[:0]
    rows = pd.concat([*plain, made]).reindex(columns=["table", "generator", *keys])
    means = rows.groupby(["table", "generator"], sort=False).mean().reset_index()
    complete = means.groupby("generator").filter(lambda part: len(part) == len(tables))
    overall = complete.groupby("generator", sort=False)[keys].mean().reset_index().assign(table="mean")
    shown = []
    for table in ("mean", *tables):
        part = pd.concat([overall, means])
        for row in part[part["table"] == table].to_dict("records"):
            name = row["generator"].replace("_", " ")
            named = labels[row["generator"]] if row["generator"] in made["generator"].to_numpy() else f"*{name}*"
            shown.append([table, named, *(_number(row[key], 3) for key in keys)])
    return _pipes(["table", "generator", *(label for label, _ in _RARE_COLUMNS)], shown)


def _failed(failed: pd.DataFrame) -> str:
    labels = _labels()
    if not len(failed):
        return "None."
    # Once a split of a table did not finish, its other splits are not tried; they are left out.
    news = [not status.startswith(f"not tried: {table} ") for table, status in failed[["table", "status"]].to_numpy()]
    reasons = failed[news].groupby(["generator", "status"])["table"].agg(lambda names: ", ".join(dict.fromkeys(names)))
    return "\n".join(f"- {labels.get(name, name)}: {status}: {tables}." for (name, status), tables in reasons.items())


def _number(value: float, digits: int) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.{digits}f}".replace("-", "−")


def _pipes(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))
