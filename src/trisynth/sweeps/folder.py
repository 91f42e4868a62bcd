"""Folder of a sweep: the status of each job while it runs, and one table of results at the end.

Jobs may run in other processes or on other machines; this folder is all that they share with the sweep.
"""

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from filelock import FileLock, Timeout

from trisynth.cache import sealed, sha256, text_of, unsealed, unwritable, write_atomic
from trisynth.config import CONF, ROOT, canonical, digest, versions
from trisynth.errors import InputError
from trisynth.experiment.compact import read_all
from trisynth.experiment.results import Result, is_whole, table
from trisynth.sweeps.plan import PLAN

STATE, COMPLETE, RESULTS = "state.json", "complete.json", "results.csv"
SUMMARY, FIGURE = "summary.txt", "gains.png"
# Best trial of a search, or its Pareto front.
FOUND = "optimization_results.yaml"
# Marks a folder as that of a sweep, which alone may replace the files in it.
MARKER = "jobs/.trisynth"
# Held while a start of a sweep uses its folder; the operating system releases it when the process ends.
_LOCK = "jobs/.lock"
# Configuration of the sweep, which Hydra writes.
_HYDRA = "multirun.yaml"
_NAMES = {"jobs", RESULTS, COMPLETE, PLAN, SUMMARY, FIGURE, _HYDRA}


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
        write_atomic(self.folder / STATE, sealed(content))


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

    def claim(self, wait: Callable[[], None]) -> FileLock:
        """Make the folder, and wait until no other start of a sweep uses it.

        Two starts at once would delete and count each other's statuses, which have the numbers of jobs as names.

        Parameters
        ----------
        wait : callable
            Called once before a wait.

        Returns
        -------
        FileLock
            Held; not released before the sweep has ended.

        Raises
        ------
        InputError
            If the folder cannot be written, or has files of such names that no sweep wrote.
        """
        self._make()
        lock = FileLock(self.folder / _LOCK)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                wait()
                self._acquire(lock)
        except NotImplementedError:
            pass  # a file system without locks
        except OSError as error:
            raise unwritable(self.folder, error, "paths.sweeps") from error
        return lock

    def _acquire(self, lock: FileLock) -> None:
        while True:
            try:
                lock.acquire(poll_interval=0.5)
                return
            except FileNotFoundError:
                # The other start was refused, and has removed the folder.
                self._make()

    def absent(self) -> list[Path]:
        """Return the folders that a start makes, the innermost first."""
        return [path for path in (self.folder, *self.folder.parents) if not path.exists()]

    def withdraw(self, made: Iterable[Path]) -> None:
        """Remove what a start has made that was refused before its first job.

        Parameters
        ----------
        made : iterable of Path
            What :meth:`absent` has returned before the start.
        """
        if (self.folder / MARKER).exists():
            return
        with suppress(OSError):
            # A table of results is that of a clone, which may have this file, too.
            if not (self.folder / RESULTS).exists():
                (self.folder / _HYDRA).unlink(missing_ok=True)
            (self.folder / _LOCK).unlink(missing_ok=True)
            (self.folder / "jobs").rmdir()
            for path in made:
                path.rmdir()

    def _make(self) -> None:
        try:
            if links := self._links():
                remedy = f"holds links ({', '.join(links)}), and what they lead to is not a sweep's; remove them"
                raise InputError("hydra.sweep.dir", str(self.folder), remedy)
            if foreign := self._foreign():
                remedy = f"holds {', '.join(foreign)}, which no sweep wrote; nothing was changed: name a new folder"
                raise InputError("hydra.sweep.dir", str(self.folder), remedy)
            (self.folder / MARKER).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error, "paths.sweeps") from error

    def clear(self) -> None:
        """Make the folder and delete the statuses of an earlier start; results stay.

        Raises
        ------
        InputError
            As :meth:`claim`.
        """
        self._make()
        try:
            for name in self.started():
                for path in (self.folder / "jobs" / name).glob(f"*{STATE}*"):
                    path.unlink()
                # What a user has put there stays.
                with suppress(OSError):
                    (self.folder / "jobs" / name).rmdir()
            for name in (COMPLETE, PLAN):
                (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error, "paths.sweeps") from error

    def _links(self) -> list[str]:
        """List links in the place of the folders that jobs write to; three of them at most."""
        jobs = self.folder / "jobs"
        inside = sorted(path for path in jobs.iterdir() if path.is_symlink()) if jobs.is_dir() else []
        return [str(path.relative_to(self.folder)) for path in ([jobs] if jobs.is_symlink() else inside)[:3]]

    def _foreign(self) -> list[str]:
        """List the files that a sweep would replace though none wrote them."""
        present = sorted(_NAMES & {path.name for path in self.folder.iterdir()}) if self.folder.is_dir() else []
        jobs, table = self.folder / "jobs", self.folder / RESULTS
        if not present or (self.folder / MARKER).is_file():
            return []
        # Sweeps of earlier versions have no marker, and a clone has their tables alone.
        if table.exists() and text_of(table)[:4] != "key,":
            return present
        if not jobs.exists():
            return [] if table.exists() else present
        folders = [path for path in jobs.iterdir() if path.name != Path(_LOCK).name]
        written = all(path.name.isdigit() and {f.name for f in path.iterdir()} <= {STATE} for path in folders)
        return [] if written else present

    def started(self) -> set[str]:
        """Return the names of the folders of all jobs that have been started."""
        folder = self.folder / "jobs"
        return {path.name for path in folder.iterdir() if path.name.isdigit()} if folder.is_dir() else set()

    def states(self, known: Iterable[str] = ()) -> dict[str, dict]:
        """Return the status of every job that has ended, by the name of its folder, but those ``known`` before."""
        ended = {}
        for name in sorted(self.started().difference(known)):
            try:
                ended[name] = unsealed(text_of(self.folder / "jobs" / name / STATE))
            except (OSError, ValueError):
                continue  # not ended, or on a shared file system seen before its content
        return ended

    def finish(self) -> tuple[list[Result], list[dict]]:
        """Write ``results.csv``, one row per distinct job, six digits; return the results and the failed statuses."""
        states = self.states().values()
        keys = sorted({state["key"] for state in states if state["key"]})
        results = _sorted(read_all(self.runs, keys))
        if results:
            # In pieces: a large table of texts takes more memory than the results.
            text = table(results).to_csv(index=False, float_format="%.6g", chunksize=100)
            write_atomic(self.folder / RESULTS, text)
        return results, [state for state in states if state["state"] == "failed"]

    def complete(self, fingerprint: str) -> None:
        """Record that every job of the sweep with that fingerprint is finished and mirrored."""
        keys = {name: state["key"] for name, state in self.states().items()}
        paths = [self.folder / name for name in (RESULTS, SUMMARY, FIGURE)]
        files = {path.name: sha256(path) for path in paths if path.is_file()}
        write_atomic(self.folder / COMPLETE, sealed({"fingerprint": fingerprint, "jobs": keys, "files": files}))

    def is_complete(self, fingerprint: str) -> bool:
        """Check whether the same sweep was completed before, and all its results and its table are as they were."""
        known = self._completed()
        return (
            known.get("fingerprint") == fingerprint
            and all(is_whole(self.runs, key) for key in set(known["jobs"].values()))
            and all(self._is_unchanged(name, digest) for name, digest in known["files"].items())
        )

    def keys(self) -> dict[str, str]:
        """Return the keys of all jobs of a completed sweep by the names of their folders.

        Raises
        ------
        InputError
            If the sweep is not complete, or its record is damaged.
        """
        known = self._completed()
        if not known:
            remedy = "holds no record of a complete sweep, or a damaged one; run its command again"
            raise InputError("hydra.sweep.dir", str(self.folder), remedy)
        return known["jobs"]

    def _completed(self) -> dict:
        """Return the record of a completed sweep; an empty one where there is none that can be read."""
        try:
            return unsealed(text_of(self.folder / COMPLETE))
        except (OSError, ValueError):
            return {}

    def _is_unchanged(self, name: str, digest: str) -> bool:
        """Compare one file of the sweep with its digest; move a damaged one aside and report it."""
        path = self.folder / name
        try:
            if path.is_file() and sha256(path) == digest:
                return True
            if path.exists():
                aside = next(
                    p for i in range(1, 1_000_000) if not (p := path.with_name(f"{name}.damaged-{i}")).exists()
                )
                path.rename(aside)
                print(f"warning: {path}: has changed since it was written; it was moved to {aside}", file=sys.stderr)
        except OSError as error:
            raise unwritable(path, error, "hydra.sweep.dir") from error
        return False


def _sorted(results: list[Result]) -> list[Result]:
    """Sort by configuration, not by key: a key changes with the code, and rows must keep their places."""
    by_name = groupby(sorted(results, key=attrgetter("name")), key=attrgetter("name"))
    # The text of a configuration is needed only for jobs of one name.
    groups = (list(group) for _, group in by_name)
    return [
        result
        for group in groups
        for result in (sorted(group, key=lambda r: canonical(r.config)) if len(group) > 1 else group)
    ]


def fingerprint(overrides: list[str], files: list[str]) -> str:
    """Compute a digest of all that a sweep's results depend on: command line, ``conf``, package, users' files.

    Composing every job of a large sweep only to find it finished takes longer than reading these files.
    """
    sources = [*sorted(CONF.rglob("*.yaml")), *sorted(ROOT.rglob("*.py")), *map(Path, sorted(set(files)))]
    return digest(sorted(overrides), versions(), [sha256(path) if path.is_file() else None for path in sources])


def mark(folder: Path) -> None:
    """Mark a folder as that of a sweep, once the settings of its jobs are known to be right."""
    (folder / MARKER).parent.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("The next start of this sweep replaces the folders beside this file.\n")
