"""Temporary folders and files of which nothing stays: what a killed process leaves, the next start removes.

A lock beside each folder, and on each file, shows whether its process lives: the operating system releases it when the
process ends.
"""

import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

try:
    import fcntl
except ImportError:  # only POSIX has it; elsewhere such files stay
    fcntl = None

_LOCK = ".lock"


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a private folder and remove it at the end, with those of the same prefix whose processes have ended.

    Parameters
    ----------
    prefix : str
        Start of the folder's name.
    parent : Path, optional
        Where the folder is made; that of all temporary files by default.

    Yields
    ------
    Path
        An empty folder with mode 0700.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep_once(prefix, parent.absolute())
    folder = parent / f"{prefix}{secrets.token_hex(8)}"
    # The lock is there before the folder, so that no folder is ever without one.
    lock = FileLock(f"{folder}{_LOCK}")
    with lock:
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            _remove(folder)


@cache
def _sweep_once(prefix: str, parent: Path) -> None:
    """Sweep once in this process: a cache has thousands of folders, and each new one would look through all."""
    sweep(prefix, parent)


def sweep(prefix: str, parent: Path) -> None:
    """Remove the folders of :func:`temporary_folder` whose processes have ended; those of other users stay."""
    form = re.compile(re.escape(prefix) + "[0-9a-f]{16}" + re.escape(_LOCK))
    with suppress(OSError), os.scandir(parent) as entries:
        for name in [entry.name for entry in entries if form.fullmatch(entry.name)]:
            lock, folder = parent / name, parent / name.removesuffix(_LOCK)
            # What another process removes meanwhile, or may not be touched, is left to it.
            with suppress(OSError, Timeout):
                if all(_own(path) for path in (lock, folder) if os.path.lexists(path)):
                    with FileLock(lock, timeout=0):
                        _remove(folder)


@contextmanager
def temporary_file(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Make a private file beside ``path`` and remove it at the end, with those whose processes have ended.

    Parameters
    ----------
    path : Path
        File that the block writes under another name; it may rename the temporary file.

    Yields
    ------
    tuple of file and Path
        The file, open for writing, and its name.
    """
    sweep_files(path)
    handle, name = _made(path)
    # Another process may find a file before it has its lock, and remove it.
    while _is_lost(handle):
        os.close(handle)
        handle, name = _made(path)
    with os.fdopen(handle, "wb") as file:
        try:
            yield file, name
        finally:
            # Before the lock ends; absent where it was renamed.
            with suppress(OSError):
                name.unlink()


def _made(path: Path) -> tuple[int, Path]:
    name = path.with_name(f".{path.name}.tmp-{secrets.token_hex(8)}")
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return handle, name


def _is_lost(handle: int) -> bool:
    """Lock a new file for this process; return True if another one has it, to remove it, or has removed it."""
    locked = _is_locked(handle)
    return locked is False or not os.fstat(handle).st_nlink


def sweep_files(path: Path) -> None:
    """Remove the files of :func:`temporary_file` beside ``path`` whose processes have ended."""
    form = re.compile(re.escape(f".{path.name}.tmp-") + "[0-9a-f]{16}")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for name in [entry.name for entry in entries if form.fullmatch(entry.name)]:
            old = path.with_name(name)
            with suppress(OSError):
                if not _own(old):
                    continue
                handle = os.open(old, os.O_WRONLY)
                try:
                    if _is_locked(handle):
                        old.unlink()
                finally:
                    os.close(handle)


def _is_locked(handle: int) -> bool | None:
    """Try to lock an open file for this process; False where another one has it, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _own(path: Path) -> bool:
    """Return whether a file or folder, not a link, belongs to the user of this process."""
    status = path.lstat()
    plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return plain and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # A folder that could not be removed keeps its lock, by which the next start finds it.
    if not folder.exists():
        with suppress(OSError):
            Path(f"{folder}{_LOCK}").unlink(missing_ok=True)
