"""Workers of joblib whose results are waited for without a look at a clock."""

from collections.abc import Callable
from concurrent.futures import Future
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
            if callback is not None and not future.cancelled() and future.exception() is None:
                callback(future)

        return super().submit(func, after)

    def retrieve_result(self, out: Future, timeout: float | None = None) -> Any:
        """Wait for the result of a job."""
        return out.result(timeout)
