"""Workers of joblib; the main thread waits for their results without polling."""

import queue
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from joblib.parallel import BACKENDS


class Waiting(BACKENDS["loky"]):
    """Loky workers whose results the main thread waits for.

    joblib looks a hundred times a second whether a job has ended, which takes half a hundredth of a core for as long as
    a sweep runs. A backend that leaves the results to the main thread lets it sleep until the next one is there.
    """

    supports_retrieve_callback = False

    def submit(self, func: Callable[[], Any], callback: Callable[[Future], None] | None = None) -> Future:
        """Start a job; see the parent class. The next one is started only if it does not fail."""

        def after(future: Future) -> None:
            # A pool whose worker was killed takes no further job; its error is that of the results waited for.
            if callback is None or future.cancelled() or future.exception() is not None:
                return
            with self.parallel._lock:
                # Decided under the lock that the end takes, so that no job is started after it.
                if not self.parallel._aborting:
                    callback(future)

        return super().submit(func, after)

    def retrieve_result(self, out: Future, timeout: float | None = None) -> Any:
        """Wait for the result of a job."""
        return out.result(timeout)

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Kill the workers, as one job has failed or the user interrupts; see the parent class.

        Loky forgets all jobs that wait at this moment, but not their numbers, and its thread fails at the first number
        without a job. So no number may be left: jobs wait where the queue of the workers is full, and for a moment
        after the end of another job has started them.
        """
        with self.parallel._lock, suppress(queue.Empty):
            while True:
                self._workers._work_ids.get_nowait()
        super().abort_everything(ensure_ready)
