"""Temporary folders of which nothing stays: what a killed process leaves, the next start removes.

A lock beside each folder shows whether its process lives: the operating system releases it when the process ends.
"""

import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

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
    sweep(prefix, parent)
    folder = parent / f"{prefix}{secrets.token_hex(8)}"
    # The lock is there before the folder, so that no folder is ever without one.
    lock = FileLock(f"{folder}{_LOCK}")
    with lock:
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            _remove(folder)


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
