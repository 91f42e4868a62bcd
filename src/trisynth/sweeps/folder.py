"""Folder of a sweep: the status of each job while it runs, and one table of results at the end.

Jobs may run in other processes or on other machines; this folder is all that they share with the sweep.
"""

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from trisynth.cache import sha256, unwritable, write_atomic
from trisynth.config import CONF, ROOT, canonical, digest, versions
from trisynth.experiment.results import RESULT, Result, table
from trisynth.sweeps.plan import PLAN

STATE, COMPLETE, RESULTS = "state.json", "complete.json", "results.csv"
SUMMARY, FIGURE = "summary.txt", "gains.png"


@dataclass(frozen=True)
class State:
    """Status file of one job in a sweep.

    Parameters
    ----------
    folder : Path
        The job's own folder inside the sweep's.
    overrides : str
        The job's part of the command line.
    begun : float
        Reading of a monotonic clock at the job's start, in seconds.
    """

    folder: Path
    overrides: str
    begun: float = field(default_factory=time.monotonic, compare=False)

    def write(self, key: str | None, state: str, error: str = "") -> None:
        """Record the end: "done", "cached" or "failed"."""
        content = {"key": key, "state": state, "overrides": self.overrides, "error": error}
        content["seconds"] = round(time.monotonic() - self.begun, 3)
        write_atomic(self.folder / STATE, json.dumps(content))


@dataclass(frozen=True)
class Sweep:
    """Folder of a sweep.

    Parameters
    ----------
    folder : Path
    runs : Path
        Folder of the results.
    """

    folder: Path
    runs: Path

    def clear(self) -> None:
        """Make the folder and delete the statuses of an earlier start; results stay.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        shutil.rmtree(self.folder / "jobs", ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in (COMPLETE, PLAN):
                (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error, "paths.sweeps") from error

    def started(self) -> set[str]:
        """Return the names of the folders of all jobs that have been started."""
        folder = self.folder / "jobs"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()

    def states(self, known: Iterable[str] = ()) -> dict[str, dict]:
        """Return the status of every job that has ended, by the name of its folder, but those ``known`` before."""
        ended = {}
        for name in sorted(self.started().difference(known)):
            try:
                ended[name] = json.loads((self.folder / "jobs" / name / STATE).read_text())
            except (OSError, ValueError):
                continue  # not ended, or on a shared file system seen before its content
        return ended

    def finish(self) -> tuple[list[Result], list[dict]]:
        """Write ``results.csv``, one row per distinct job, six digits; return the results and the failed statuses."""
        states = self.states().values()
        keys = sorted({state["key"] for state in states if state["key"]})
        found = filter(None, (Result.read(self.runs, key) for key in keys))
        # Sorted by configuration, not by key: a key changes with the code, and rows must keep their places.
        results = sorted(found, key=lambda result: (result.name, canonical(result.config)))
        if results:
            write_atomic(self.folder / RESULTS, table(results).to_csv(index=False, float_format="%.6g"))
        return results, [state for state in states if state["state"] == "failed"]

    def complete(self, fingerprint: str) -> None:
        """Record that every job of the sweep with that fingerprint is finished and mirrored."""
        keys = sorted({state["key"] for state in self.states().values()})
        write_atomic(self.folder / COMPLETE, json.dumps({"fingerprint": fingerprint, "keys": keys}))

    def is_complete(self, fingerprint: str) -> bool:
        """Check whether the same sweep was completed before and all its results exist."""
        try:
            known = json.loads((self.folder / COMPLETE).read_text())
            files = [self.folder / RESULTS, *(self.runs / key / RESULT for key in known["keys"])]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return known["fingerprint"] == fingerprint and all(file.is_file() for file in files)


def fingerprint(overrides: list[str], files: list[str]) -> str:
    """Compute a digest of all that a sweep's results depend on: command line, ``conf``, package, users' files.

    Composing every job of a large sweep only to find it finished takes longer than reading these files.
    """
    sources = [*sorted(CONF.rglob("*.yaml")), *sorted(ROOT.rglob("*.py")), *map(Path, sorted(set(files)))]
    return digest(sorted(overrides), versions(), [sha256(path) if path.is_file() else None for path in sources])
