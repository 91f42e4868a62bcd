"""Content of a sweep's parent run in MLflow: what was varied, means of the headline metrics, its table and figure."""

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from trisynth.errors import InputError
from trisynth.experiment.results import Result
from trisynth.tracking.content import headline

RESULTS, SUMMARY = "results.csv", "summary.txt"
_LONGEST_VALUE = 500
# A parent run has the means of each cell where there are at most so many cells.
_CELLS = 100


def read(folder: Path) -> pd.DataFrame | None:
    """Read a sweep's table; None where it has none yet.

    Raises
    ------
    InputError
        If it is not a table of a sweep, or differs from the one that the sweep wrote.
    """
    path = folder / RESULTS
    if not path.exists():
        return None
    try:
        jobs = pd.read_csv(path, dtype={"key": str}, keep_default_na=False, na_values=[""])
        if not {"key", "dataset", "generator"} <= set(jobs):
            raise ValueError("it does not name its jobs")
        return jobs
    except (OSError, ValueError) as error:
        raise _damaged(path, " ".join(str(error).split())) from None


def check(folder: Path, jobs: pd.DataFrame, results: Iterable[Result]) -> None:
    """Raise ``InputError`` where the metrics of a table differ from the results that it sums up."""
    path, rows = folder / RESULTS, jobs.set_index("key")
    for result in results:
        row = rows.loc[[result.key]].iloc[0]
        for name, value in result.metrics.items():
            if name not in row or not _alike(row[name], value):
                raise _damaged(path, f"{name} of job {result.key} is not that of its result")


def _alike(written: object, value: float) -> bool:
    """Compare a cell with the number that was written to it with six digits."""
    try:
        return math.isclose(float(written), value, rel_tol=1e-5, abs_tol=1e-12)
    except ValueError:
        return False


def _damaged(path: Path, reason: str) -> InputError:
    return InputError("results", str(path), f"is damaged ({reason[:200]}); run its sweep again")


def params(jobs: pd.DataFrame) -> dict[str, str]:
    """Return the values of each choice and varied setting, such as ``{"generator": "smote, vae"}``."""
    found = {}
    for name in jobs.columns:
        if "/" not in name and name != "key" and jobs[name].notna().any():
            values = dict.fromkeys(f"{v:g}" if isinstance(v, float) else str(v) for v in jobs[name].dropna())
            found[name] = ", ".join(values)[:_LONGEST_VALUE]
    return found


def varied(jobs: pd.DataFrame) -> list[str]:
    """Return the settings that the jobs differ in beside those that name every job."""
    named = {"key", "dataset", "generator", "classifier", "seed", "loss.alpha", "loss.beta", "loss.gamma"}
    return [name for name in jobs.columns if "/" not in name and name not in named]


def metrics(jobs: pd.DataFrame) -> dict[str, float]:
    """Return the means of the headline metrics over all jobs, then over the seeds and classifiers of each cell.

    A cell is a data set and a generator; its metrics are named such as ``F1_gain/saheart/smote``.
    """
    jobs = pd.concat([jobs[["dataset", "generator"]], pd.DataFrame(map(_headline, jobs.to_dict("records")))], axis=1)
    names = [name for name in jobs.columns if name not in ("dataset", "generator")]
    found = {name: float(jobs[name].mean()) for name in names}
    cells = jobs.groupby(["dataset", "generator"], sort=False)[names].mean()
    if 1 < len(cells) <= _CELLS:
        found |= {
            f"{name}/{dataset}/{generator}": float(value)
            for (dataset, generator), row in cells.iterrows()
            for name, value in row.items()
        }
    return {name: value for name, value in found.items() if value == value}


def _headline(job: dict) -> dict[str, float]:
    return headline({name: value for name, value in job.items() if "/" in name and value == value})


def artifacts(folder: Path) -> list[Path]:
    """List the files of a sweep to show: its table, summary, figures and reports."""
    shown = {path for path in folder.glob("*") if path.suffix in (".csv", ".txt", ".png", ".html")}
    # A server must not receive what a link leads to.
    return sorted(path for path in shown | set(folder.glob("report*.json")) if not path.is_symlink())
