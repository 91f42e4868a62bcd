"""Files of a search, kept up to date while it runs, and the mirror of its trials in MLflow."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trisynth.cache import write_atomic
from trisynth.experiment.results import Result, table
from trisynth.recommend import screen
from trisynth.recommend.answer import answer
from trisynth.recommend.recommendation import Recommendation
from trisynth.recommend.search import Search

# Named as in the folder of a sweep, where the mirror's parent run reads them.
RESULTS, SUMMARY = "results.csv", "summary.txt"
# Seconds between two records of the best answer so far, which a killed search leaves.
_EVERY = 5.0


class Record:
    """Folder of a search.

    Parameters
    ----------
    folder : Path
    runs : str
        Folder of the results.
    mirror : callable or None
        Builds a ``trisynth.tracking.Mirror``, in a thread of its own and after the first verdict: the imports and the
        first use of a new database take seconds.
    """

    def __init__(self, folder: Path, runs: str, mirror: Callable[[], Any] | None = None):
        self.folder, self.runs, self.mirror = folder, runs, mirror
        self._failed = False
        self._written = 0.0
        self._results: dict[str, Result] = {}
        self._waiting: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def update(self, search: Search, event: str) -> None:
        """Write the best answer so far now and then."""
        if event == "first" or (event == "trial" and time.monotonic() - self._written > _EVERY):
            self.write(answer(search))
        if event == "first":
            self.start()

    def start(self) -> None:
        """Start to copy the trials, unless that has begun."""
        if self.mirror is not None and self._thread.ident is None:
            self._thread.start()

    def write(self, found: Recommendation) -> None:
        """Write the recommendation, its trials and the table of all jobs; hand new jobs to the mirror."""
        for key in (key for group in found.keys.values() for key in group if key not in self._results):
            if result := Result.read(self.runs, key):
                self._results[key] = result
                self._waiting.put(result)
        found.write(self.folder)
        write_atomic(self.folder / SUMMARY, screen.text(found) + "\n")
        if self._results:
            ordered = sorted(self._results.values(), key=lambda result: (result.name, result.key))
            write_atomic(self.folder / RESULTS, table(ordered).to_csv(index=False, float_format="%.6g"))
        self._written = time.monotonic()

    def _copy(self) -> None:
        mirror = self.mirror()
        while (result := self._waiting.get()) is not None and not self._over.is_set():
            mirror.job(result)
        mirror.close()
        self._failed = bool(mirror.problem)

    def close(self, seconds: float) -> bool:
        """Give the mirror some seconds to copy what is left; return whether it could be written."""
        if self.mirror is None:
            return True
        self.start()
        self._waiting.put(None)
        self._thread.join(max(seconds, 0.0))
        if self._thread.is_alive():
            # What is copied now is completed; the thread then closes the parent run.
            self._over.set()
            self._thread.join(1.0)
            print("not all trials are in MLflow yet: `trisynth mirror` adds them")
        return not self._failed
