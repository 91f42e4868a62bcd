"""The course of ``trisynth recommend``: search, best answer so far, report, and the part of the budget of each."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from trisynth import data
from trisynth.cache import require_writable
from trisynth.config import digest
from trisynth.data.dataset import Dataset
from trisynth.recommend import screen
from trisynth.recommend.answer import answer
from trisynth.recommend.plan.settings import Settings
from trisynth.recommend.pool import Workers
from trisynth.recommend.recommendation import FILE, Recommendation
from trisynth.recommend.record import Record
from trisynth.recommend.search import Search

# Settings that decide how long or where a search runs, not what it finds.
_NOT_IDENTITY = ("budget", "n_jobs")
# Times the budget, when the mirror of the trials in MLflow ends at the latest.
_LATEST = 1.05
# The last report takes at most so many times as long as the one before, and the rest of the end so many seconds.
_SLOWER, _REST = 1.5, 1.5
# Largest fraction of the budget that is kept for the end.
_MOST = 0.4


class Course:
    """One start of a search, until its last line.

    Parameters
    ----------
    config : mapping
        Resolved root configuration with its section ``recommend``.
    workers : Workers
    arguments : sequence of str
        The command.
    begun : float
        Reading of ``time.monotonic`` when the budget began to run.
    report : callable
        Writes the report of a recommendation into a folder, with the command, and returns its path or None.
    mirror : callable
        Builds the mirror in MLflow whose parent run has the name of the folder.
    require : callable
        Refuses a data set that the candidates could not be fitted to, before the search begins.
    draw : callable
        Returns the command that draws the rows of a candidate's config, or None.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        workers: Workers,
        arguments: Sequence[str],
        begun: float,
        report: Callable[[Recommendation, Path, list[str]], Path | None],
        mirror: Callable[[Mapping[str, Any], str], Any],
        require: Callable[[Dataset], None],
        draw: Callable[[Mapping[str, Any]], str | None],
    ):
        self.config, self.workers, self.begun = config, workers, begun
        self.command, self.report, self.require = ["trisynth recommend", *arguments], report, require
        self.settings = Settings.of(config["recommend"])
        self.folder = folder_of(config)
        self.page: Path | None = None
        self.draw = draw
        require_writable(self.folder, "paths.sweeps")
        build = partial(mirror, config, self.folder.name) if config["tracking"]["uri"] else None
        self.record = Record(self.folder, config["paths"]["runs"], build)
        self._rehearsed = False

    def run(self) -> None:
        """Search and print the answer.

        Raises
        ------
        SystemExit
            If MLflow could not be written.
        KeyboardInterrupt
            After the answer so far.
        """
        read = data.reader(self.config["dataset"], self.config.get("allow", ()))
        dataset = data.load(self.config["dataset"], self.config["paths"]["raw"], read)
        self.require(dataset)
        with screen.Screen(self.settings.budget) as self.screen:
            listen = self.listen
            search = Search(self.config, dataset, self.workers, begun=self.begun, listen=listen)
            self.screen.line(screen.head(search))
            if earlier := self._earlier():
                self.screen.line(screen.earlier(earlier))
            try:
                search.run()
            except KeyboardInterrupt:
                found = self.write(search)
                self.screen.line(f"{screen.interrupted(found)}\n{self._places(found)}")
                raise
        found = self.write(search)
        print(f"{screen.text(found)}\n\n{self._places(found)}")
        if not self.record.close(self.begun + _LATEST * self.settings.budget - time.monotonic()):
            raise SystemExit(1)

    def listen(self, search: Search, event: str) -> None:
        """Show and record an event of the search; see ``Search``."""
        if event == "nothing":
            self.screen.line(screen.nothing(search.elapsed()))
        if event == "first":
            self.screen.line(screen.first(answer(search), search.elapsed()))
        self.screen.update(search)
        self.record.update(search, event)
        if event == "tick" and search.stage == "confirm" and not self._rehearsed:
            # The workers are busy now. Whatever ends the search later, a report is there, and its time is known.
            self._rehearsed = True
            before = time.monotonic()
            self.write(search)
            took = _SLOWER * (time.monotonic() - before) + _REST
            search.reserve = max(search.reserve, min(took, _MOST * self.settings.budget))

    def write(self, search: Search) -> Recommendation:
        """Write the answer so far and its report."""
        found = answer(search)
        self.record.write(found)
        if self.config["report"]["html"]:
            self.page = self.report(found, self.folder, self.command)
        return found

    def _earlier(self) -> Recommendation | None:
        """Read what an earlier start left; a file that cannot be read is written anew soon."""
        try:
            return Recommendation.read(self.folder)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _places(self, found: Recommendation) -> str:
        lines = [f"recommendation: {self.folder / FILE}", f"trials: {self.folder / 'trials.csv'}"]
        if self.config["report"]["html"]:
            lines.append(f"report: {self.page or 'none, because no candidate has finished a trial'}")
        advised = {each["candidate"]: each["generator"] for each in (found.use, found.share) if each}
        lines += [f"to draw {name}: {line}" for name, given in advised.items() if (line := self.draw(given))]
        return "\n".join(lines)


def folder_of(config: Mapping[str, Any]) -> Path:
    """Return the folder of a search, which is the same whatever its budget, so that it can be continued."""
    asked = {name: value for name, value in config["recommend"].items() if name not in _NOT_IDENTITY}
    parts = asked, data.data_key(config["dataset"]), config["seed"], config["metrics"], config["preprocessing"]
    return Path(config["paths"]["sweeps"]) / f"recommend-{config['dataset']['name']}-{digest(*parts)[:8]}"
