"""Steps of one job on stderr as they pass, each with its seconds."""

import time
from collections.abc import Callable

from rich.console import Console


class Steps:
    """Progress hook of ``run_job``: a line for each step that has ended, on a terminal with the present one below.

    Parameters
    ----------
    console : Console, optional
        By default stderr.
    clock : callable, optional
        Seconds of any clock.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic):
        self._console = console or Console(stderr=True, highlight=False)
        self._clock = clock
        self._step: str | None = None
        self._begun = 0.0
        self._status = self._console.status("") if self._console.is_terminal else None

    def __call__(self, step: str) -> None:
        """End the present step and begin the next."""
        self._end()
        self._step, self._begun = step, self._clock()
        if self._status:
            self._status.update(f"{step} ...")
            self._status.start()

    def __enter__(self) -> "Steps":
        """Return the hook."""
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        """End the last step, unless it failed."""
        # The step in which a job fails has not ended; the error names what went wrong.
        if kind is None:
            self._end()
        if self._status:
            self._status.stop()

    def _end(self) -> None:
        if self._step is not None:
            self._console.print(f"{self._step:<20} {self._clock() - self._begun:6.1f} s", markup=False)
            self._step = None
