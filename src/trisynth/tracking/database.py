"""Database of a mirror: made whole or not at all, and written by one process at a time.

A database file is made under another name and moved to its place, so that a process killed meanwhile leaves none. What
two processes must not do at once (make the database, decide that a run is absent and write it) is done under a lock
beside the file; for a server the lock is in the folder of temporary files.
"""

import atexit
import getpass
import logging
import os
import socket
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from trisynth.cache import lock_beside, made_whole
from trisynth.config import digest
from trisynth.errors import InputError

SQLITE = "sqlite:///"
# Beside other threads, `quiet` does not hold: each restores the filters that it found.
warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer column", module="mlflow")
# Seconds after which an unfinished run of another machine counts as abandoned.
_DAY = 86_400


def addressed(tracking: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of a mirror, whose ``uri`` must be a text."""
    if not isinstance(tracking["uri"], str):
        raise InputError("tracking.uri", tracking["uri"], "must be an address, such as sqlite:///mlflow.db, or null")
    return tracking


def absolute(uri: str) -> str:
    """Make the path of a sqlite address absolute: a relative one depends on where a process was started."""
    return SQLITE + str(Path(uri.removeprefix(SQLITE)).absolute()) if uri.startswith(SQLITE) else uri


def file_of(uri: str) -> Path | None:
    """Return the file of a sqlite address; None for a server."""
    return Path(absolute(uri).removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def writer_lock(uri: str) -> FileLock:
    """Return the lock of a mirror's only writer."""
    file = file_of(uri)
    if file is None:
        file = Path(tempfile.gettempdir()) / f"trisynth-{_user()}-{digest(uri)}"
    # The lock of a file that is being made is another one. No limit of time: the lock of a process that has ended is
    # free, and how long the others take depends on the machine's load.
    return lock_beside(f"{file}.writer.lock", thread_local=False)


def _user() -> str:
    # A container may run under a user number that has no name.
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid())


def connect(uri: str) -> Any:
    """Return a client of a mirror, whose database is made first if there is none."""
    from mlflow import MlflowClient

    with quiet():
        file = file_of(uri)
        if file is not None:
            made_whole(file, _make)
        return MlflowClient(absolute(uri))


def _make(file: Path) -> None:
    """Make an empty database."""
    from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    # Hundreds of small changes would each wait for the disk; the file counts only once it is whole.
    event.listen(Engine, "connect", _hurry)
    try:
        store = SqlAlchemyStore(SQLITE + str(file), DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
        store.engine.dispose()
    finally:
        event.remove(Engine, "connect", _hurry)
    with file.open("rb") as made:
        os.fsync(made.fileno())


def _hurry(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def changes(uri: str) -> bytes | None:
    """Return the counter of the changes of a sqlite file, from its first bytes; None where there is no such counter."""
    file = file_of(uri)
    if file is None:
        return None
    try:
        with file.open("rb") as database:
            head = database.read(28)
    except OSError:
        return None
    # With a log beside the file, which the bytes 18 and 19 tell, changes are counted elsewhere.
    return head[24:28] if head[18:20] == b"\1\1" else None


def remedy(uri: str, reason: str) -> str:
    """Return what a user can do about a mirror that cannot be written."""
    file = file_of(uri)
    if file is None:
        return "start the server and run `trisynth mirror`"
    # A device must not be moved away.
    if "locked" in reason or not file.is_file():
        return "run `trisynth mirror` once it can be written"
    return f"move {file} away and run `trisynth mirror`, which makes a new one from the results"


@cache
def own_writer() -> str:
    """Return the tag of runs that this process writes: its machine, the time, and a file that it keeps locked."""
    path = Path(tempfile.gettempdir()) / f"trisynth-writer-{uuid4().hex}.lock"
    lock = FileLock(path, thread_local=False)
    lock.acquire()
    atexit.register(_end, lock, path)
    return f"{socket.gethostname()} {int(time.time())} {path}"


def _end(lock: FileLock, path: Path) -> None:
    lock.release()
    path.unlink(missing_ok=True)


def is_alive(writer: str | None) -> bool:
    """Return whether the process that wrote a tag of :func:`own_writer` may still write its run.

    Parameters
    ----------
    writer : str or None
        The tag; None for a run of an earlier version, which has none.
    """
    host, _, rest = (writer or "").partition(" ")
    begun, _, path = rest.partition(" ")
    if not begun.isdigit() or not path:
        return False
    if host != socket.gethostname():
        return time.time() - int(begun) < _DAY
    if writer == own_writer():
        return True
    if not Path(path).is_file():
        return False
    with suppress(OSError):
        try:
            with FileLock(path, timeout=0):
                pass
        except Timeout:
            return True
        Path(path).unlink(missing_ok=True)
    return False


@contextmanager
def quiet() -> Iterator[None]:
    """Silence MLflow's notes on its first start and on integer columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        yield
