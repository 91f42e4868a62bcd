"""A sweep's folder: the state of each job while it runs, and one table of results at the end.

Jobs may run in other processes or on other machines; all they share with the sweep is this folder.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from trisynth.cache import unwritable, write_atomic
from trisynth.results import Result, table

STATE = "state.json"


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
        except OSError as error:
            raise unwritable(self.folder, error, "paths.sweeps") from error

    def states(self) -> dict[str, dict]:
        """State of every job that has ended, by the name of its folder."""
        ended = {}
        for path in sorted((self.folder / "jobs").glob(f"*/{STATE}")):
            try:
                ended[path.parent.name] = json.loads(path.read_text())
            except (OSError, ValueError):
                continue  # on a shared file system a file can be seen before its content
        return ended

    def finish(self) -> tuple[list[Result], list[dict]]:
        """Write ``results.csv``, one row per distinct job, six digits; returns the results and the failed states."""
        states = self.states().values()
        keys = sorted({state["key"] for state in states if state["key"]})
        found = filter(None, (Result.read(self.runs, key) for key in keys))
        results = sorted(found, key=lambda result: (result.name, result.key))
        if results:
            write_atomic(self.folder / "results.csv", table(results).to_csv(index=False, float_format="%.6g"))
        return results, [state for state in states if state["state"] == "failed"]
