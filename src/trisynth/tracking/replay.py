"""Replay of the mirror: every result that an MLflow database lacks."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trisynth.cache import text_of, unsealed
from trisynth.errors import InputError, OneLineParser
from trisynth.experiment.results import RESULT
from trisynth.report.jobs import PART
from trisynth.tracking import parent
from trisynth.tracking.mirror import Mirror

_STATE = "state.json"


def replay(tracking: Mapping[str, Any], paths: Mapping[str, str], sweeps: list[str], allow: Iterable[str] = ()) -> int:
    """Mirror every result that the database lacks, sweeps under their parents; return the exit status."""
    found: dict[str, bool] = {}
    failed = False
    for folder in sorted(folder for root in sweeps for folder in folders(Path(root))):
        mirror = Mirror(tracking, {**paths, "sweeps": str(folder.parent)}, folder.name, allow, replay=True)
        found |= {key: mirror.job_of(key) for key in keys_of(folder)}
        failed |= mirror.close() is not None
        if mirror.problem:
            return 1
    mirror = Mirror(tracking, paths, allow=allow, replay=True)
    alone = sorted({path.parent.name for path in Path(paths["runs"]).glob(f"*/{RESULT}")} - found.keys())
    found |= {key: mirror.job_of(key) for key in alone}
    if mirror.close() or failed:
        return 1
    count = sum(found.values())
    print(f"{count} results of {paths['runs']} are in {tracking['uri']}" if count else f"no results in {paths['runs']}")
    return 0


def folders(root: Path) -> Iterator[Path]:
    """Yield the folders of sweeps below ``root``, finished or not; those of searches lie inside others."""
    for place, inner, files in os.walk(root):
        if parent.RESULTS in files or any(Path(place, "jobs").glob(f"*/{_STATE}")):
            yield Path(place)
        inner[:] = [name for name in inner if name != "jobs"]


def keys_of(folder: Path) -> list[str]:
    """List the keys of a sweep's jobs, from its table and from the statuses of a sweep that has none yet."""
    keys = []
    # A damaged table is reported when the sweep's parent run is written.
    with suppress(InputError):
        jobs = parent.read(folder)
        if jobs is not None:
            # The trials of a search are jobs of a sweep of their own.
            keys += list(jobs["key"] if PART not in jobs else jobs["key"][jobs[PART] != "validation"])
    for path in sorted(folder.glob(f"jobs/*/{_STATE}")):
        with suppress(OSError, ValueError):
            keys.append(unsealed(text_of(path)).get("key"))
    return list(dict.fromkeys(key for key in keys if isinstance(key, str)))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line of the replay; return the exit status."""
    parser = OneLineParser(prog="trisynth mirror", description="Copy to MLflow every result that its database lacks.")
    parser.add_argument("--uri", default="sqlite:///mlflow.db", help="MLflow database or server; default: %(default)s")
    parser.add_argument("--experiment", default="trisynth", help="name of the MLflow experiment; default: %(default)s")
    parser.add_argument("--runs", help="folder of the results of jobs; default: runs")
    parser.add_argument("--sweeps", nargs="+", help="folders of sweeps; default: sweeps and experiments")
    parser.add_argument("--raw", default="data/raw", help="folder of the raw tables; default: %(default)s")
    parser.add_argument("--allow", nargs="+", default=[], help="packages that generators and readers come from")
    options = parser.parse_args(arguments)
    given = [("--runs", options.runs)] if options.runs else []
    for option, folder in [*given, *(("--sweeps", folder) for folder in options.sweeps or ())]:
        if not Path(folder).is_dir():
            parser.error(f"{option}={folder!r}: no such folder")
    paths, sweeps = {"runs": options.runs or "runs", "raw": options.raw}, options.sweeps or ["sweeps", "experiments"]
    return replay({"uri": options.uri, "experiment": options.experiment}, paths, sweeps, options.allow)
