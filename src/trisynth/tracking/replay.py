"""Replay of the mirror: every result that an MLflow database lacks."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trisynth.errors import OneLineParser
from trisynth.tracking import parent
from trisynth.tracking.mirror import Mirror


def replay(tracking: Mapping[str, Any], paths: Mapping[str, str], sweeps: list[str], allow: Iterable[str] = ()) -> int:
    """Mirror every result that the database lacks, sweeps under their parents; return the exit status."""
    within: set[str] = set()
    for path in sorted(path for root in sweeps for path in Path(root).glob(f"*/{parent.RESULTS}")):
        jobs = parent.read(path.parent)
        mirror = Mirror(tracking, {**paths, "sweeps": str(path.parents[1])}, path.parent.name, allow)
        for key in jobs["key"]:
            mirror.job_of(key)
            within.add(key)
        if mirror.close():
            return 1
    mirror = Mirror(tracking, paths, allow=allow)
    for path in sorted(Path(paths["runs"]).glob("*/result.json")):
        if path.parent.name not in within:
            mirror.job_of(path.parent.name)
    return 1 if mirror.close() else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line of the replay; return the exit status."""
    parser = OneLineParser(prog="trisynth mirror", description="Copy to MLflow every result that its database lacks.")
    parser.add_argument("--uri", default="sqlite:///mlflow.db", help="MLflow database or server")
    parser.add_argument("--experiment", default="trisynth", help="name of the MLflow experiment")
    parser.add_argument("--runs", default="runs", help="folder of the results of jobs")
    parser.add_argument("--sweeps", nargs="+", default=["sweeps", "experiments"], help="folders of sweeps")
    parser.add_argument("--raw", default="data/raw", help="folder of the raw tables")
    parser.add_argument("--allow", nargs="+", default=[], help="packages that generators and readers come from")
    options = parser.parse_args(arguments)
    paths = {"runs": options.runs, "raw": options.raw}
    return replay({"uri": options.uri, "experiment": options.experiment}, paths, options.sweeps, options.allow)
