"""Content of one job's run in MLflow: parameters, metrics, tags and times.

MLflow's views sort parameters and metrics by their names in ASCII, capitals first, and show the first ones by default.
Parameters are therefore only the few that name a job (all others are in the artifact ``config.yaml``), and each
headline metric has a second, short name with a capital: ``F1_gain`` is ``gain/f1_macro``. The full set keeps the names
of ``results.csv``.
"""

import getpass
import json
import subprocess
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from trisynth.config import ROOT
from trisynth.experiment.results import RESULT, Result, identity

KEY = "trisynth.key"
# Scores with a short name; the first that a job has is its headline, the others stay under their full names.
_SCORES = {"f1_macro": "F1", "r2": "R2", "roc_auc": "AUC"}
_ARMS = ("gain", "real", "synthetic", "combined", "balanced")
# MLflow's limit is 8,000 bytes, and a line of a table takes three for each of its dashes.
_LONGEST_NOTE = 4000
_COMPARED = {"fidelity/c2st_boosting": "C2ST", "copying/dcr_share": "DCR_share"}


def params(result: Result) -> dict[str, str]:
    """Return the parameters that name a job: data set, generator, classifier, seed and loss weights."""
    return {name: str(value) for name, value in identity(result).items() if name != "key" and value is not None}


def headline(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the headline metrics under their short names, the gain first."""
    for score, short in _SCORES.items():
        found = {f"{short}_{arm}": metrics[f"{arm}/{score}"] for arm in _ARMS if f"{arm}/{score}" in metrics}
        if found:
            break
    return found | {short: metrics[name] for name, short in _COMPARED.items() if name in metrics}


def times(result: Result, runs: str | Path) -> tuple[int, int]:
    """Return the start and the end of a job, in milliseconds since 1970.

    The end is when its result was written; the start lies before it by the seconds that its steps took.
    """
    end = (Path(runs) / result.key / RESULT).stat().st_mtime
    return round((end - sum(result.seconds(runs).values())) * 1000), round(end * 1000)


def source_tags(end: int) -> dict[str, str]:
    """Return MLflow's own tags of where a job came from: user, command and, inside a clone, git commit.

    Parameters
    ----------
    end : int
        End of the job in milliseconds since 1970; the commit is the one checked out then.
    """
    tags = {"mlflow.source.name": "trisynth.run", "mlflow.source.type": "LOCAL"}
    commit = _commit(end // 1000)
    if commit:
        tags["mlflow.source.git.commit"] = commit
    # A container may run under a user number that has no name.
    with suppress(KeyError, OSError, ImportError):
        tags["mlflow.user"] = getpass.getuser()
    return tags


def _commit(end: int) -> str | None:
    """Return the commit that was checked out at a time, by the clone's own log; None without a clone."""
    log = _log_of(ROOT)
    try:
        seen = log.stat() if log else None
    except OSError:
        seen = None
    if seen is None:
        return None
    times, commits = _checkouts(log, seen.st_mtime_ns, seen.st_size)
    # Before the first line of the log, the commit is unknown; git takes the first, too.
    return commits[max(bisect_right(times, end) - 1, 0)] if commits else None


@lru_cache(maxsize=4)
def _log_of(folder: Path) -> Path | None:
    """Return the file where git writes each checkout of a clone; None without a clone."""
    line = ["git", "-C", str(folder), "rev-parse", "--git-path", "logs/HEAD"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return folder / done.stdout.rstrip("\n") if done.returncode == 0 else None


@lru_cache(maxsize=4)
def _checkouts(log: Path, written: int, size: int) -> tuple[list[int], list[str]]:
    """Read the times and the commits of all checkouts, the oldest first, from a log that is as it was then."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    # A line has the old and the new commit, the name, the time and its zone, then a tab and the reason.
    heads = [line.partition("\t")[0].split() for line in lines]
    found = [(int(head[-2]), head[1]) for head in heads if len(head) > 3 and head[-2].isdigit()]
    return [time for time, _ in found], [commit for _, commit in found]


def note(text: str) -> dict[str, str]:
    """Return the tag that MLflow shows as a run's description: a text in fixed width, its last paragraph if long."""
    if len(text) > _LONGEST_NOTE:
        text = text.strip().rpartition("\n\n")[2]
    return {"mlflow.note.content": f"```\n{text.strip()}\n```"}


def history(folder: Path) -> Iterator[tuple[str, int, float]]:
    """Yield the training curves beside a result: name, epoch, value."""
    try:
        curves = json.loads((folder / "history.json").read_text())
    except (OSError, ValueError):
        return
    for name, values in curves.items():
        yield from ((f"train/{name}", epoch, value) for epoch, value in enumerate(values))


def chunks(items: Iterable[Any], size: int) -> Iterator[list]:
    """Yield consecutive parts of at most ``size`` items."""
    items = list(items)
    return (items[start : start + size] for start in range(0, len(items), size))
