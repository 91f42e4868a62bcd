"""Child processes that end with their parent, and SIGTERM handled like an interrupt."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

# The option of prctl(2) for the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1
# Seconds between two checks of the parent.
_PAUSE = 1.0
# Environment variable with the number of the process with which a command ends.
PARENT = "TRISYNTH_PARENT"


class Terminated(KeyboardInterrupt):
    """SIGTERM as an exception, which is handled like an interrupt from the keyboard."""


def end_with(parent: int, number: int = signal.SIGKILL) -> None:
    """Make the calling process end as soon as its parent has ended.

    Linux sends a signal, whatever the process computes; elsewhere, and for a parent that has ended before, a thread
    looks at the parent's number, which changes then.

    Parameters
    ----------
    parent : int
        Number of the parent process.
    number : int, default=SIGKILL
        Signal that ends the process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number))
    threading.Thread(target=_watch, args=(parent, number), daemon=True, name="lifeline").start()


def _watch(parent: int, number: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os.kill(os.getpid(), number)


def end_with_starter() -> None:
    """End with the process that set ``TRISYNTH_PARENT``, if it is this one's parent."""
    if os.environ.pop(PARENT, "") == str(os.getppid()):
        end_with(os.getppid(), signal.SIGTERM)


@contextmanager
def terminable() -> Iterator[None]:
    """Raise :class:`Terminated` inside the block when the process gets SIGTERM, which otherwise ends it at once."""
    outermost = threading.current_thread() is threading.main_thread()
    if not outermost or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal must end a program that does not react to the first.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated
