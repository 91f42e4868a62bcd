"""A sweep's folder: the state of each job while it runs, and one table of results at the end.

Jobs may run in other processes or on other machines; all they share with the sweep is this folder.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trisynth.cache import sha256, unwritable, write_atomic
from trisynth.config import CONF, ROOT, canonical, digest, versions
from trisynth.experiment.results import RESULT, Result, table

STATE, COMPLETE, RESULTS = "state.json", "complete.json", "results.csv"


@dataclass(frozen=True)
class State:
    """Where one job of a sweep says how it ended.

    Parameters
    ----------
    folder : Path
        The job's own folder inside the sweep's.
    overrides : str
        The job's part of the command line.
    """

    folder: Path
    overrides: str

    def write(self, key: str | None, state: str, error: str = "") -> None:
        """Record the end: "done", "cached" or "failed"."""
        content = {"key": key, "state": state, "overrides": self.overrides, "error": error}
        write_atomic(self.folder / STATE, json.dumps(content))


@dataclass(frozen=True)
class Sweep:
    """A sweep's folder.

    Parameters
    ----------
    folder : Path
    runs : Path
        Where the results lie.
    """

    folder: Path
    runs: Path

    def clear(self) -> None:
        """Make the folder and forget the states of an earlier start; results stay.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        shutil.rmtree(self.folder / "jobs", ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / COMPLETE).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error, "paths.sweeps") from error

    def states(self, known: Iterable[str] = ()) -> dict[str, dict]:
        """State of every job that has ended, by the name of its folder; those ``known`` before are left out."""
        ended = {}
        folder = self.folder / "jobs"
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        for name in sorted(names.difference(known)):
            try:
                ended[name] = json.loads((folder / name / STATE).read_text())
            except (OSError, ValueError):
                continue  # not ended, or on a shared file system seen before its content
        return ended

    def finish(self) -> tuple[list[Result], list[dict]]:
        """Write ``results.csv``, one row per distinct job, six digits; returns the results and the failed states."""
        states = self.states().values()
        keys = sorted({state["key"] for state in states if state["key"]})
        found = filter(None, (Result.read(self.runs, key) for key in keys))
        # By the configuration and not by the key, which changes with the code: rows keep their places.
        results = sorted(found, key=lambda result: (result.name, canonical(result.config)))
        if results:
            write_atomic(self.folder / RESULTS, table(results).to_csv(index=False, float_format="%.6g"))
        return results, [state for state in states if state["state"] == "failed"]

    def complete(self, fingerprint: str) -> None:
        """Remember that every job of the sweep with that fingerprint is finished and mirrored."""
        keys = sorted({state["key"] for state in self.states().values()})
        write_atomic(self.folder / COMPLETE, json.dumps({"fingerprint": fingerprint, "keys": keys}))

    def is_complete(self, fingerprint: str) -> bool:
        """Whether the same sweep was completed before and its results are all there."""
        try:
            known = json.loads((self.folder / COMPLETE).read_text())
            files = [self.folder / RESULTS, *(self.runs / key / RESULT for key in known["keys"])]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return known["fingerprint"] == fingerprint and all(file.is_file() for file in files)


def fingerprint(overrides: list[str], files: list[str]) -> str:
    """Digest of all that a sweep's results depend on: a command line, ``conf``, the package, users' files.

    Composing every job of a large sweep only to find it finished takes longer than reading these files.
    """
    sources = [*sorted(CONF.rglob("*.yaml")), *sorted(ROOT.rglob("*.py")), *map(Path, sorted(set(files)))]
    return digest(sorted(overrides), versions(), [sha256(path) if path.is_file() else None for path in sources])
