"""Content-addressed store of folders: each is made once, either whole or not at all, and checked when it is read.

An entry lives in ``root/kind/key``. It is written to a temporary folder beside its place, with a manifest of
sha256 sums, and moved there in one step, so that a process killed at any moment leaves either nothing or all.
"""

import glob
import hashlib
import json
import math
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from filelock import FileLock

from trisynth.errors import InputError
from trisynth.temporary import temporary_file, temporary_folder

T = TypeVar("T")
MANIFEST = "manifest.json"
# The digest of a sealed text, which only its outermost mapping has at this indentation.
_SEAL = re.compile(r'^ "digest": "([0-9a-f]{64})"', re.MULTILINE)
_UNSEALED = "0" * 64
# Start of the names of folders that become entries.
_MAKING = ".making."


def sha256(path: Path) -> str:
    """Compute the hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(content: Mapping[str, Any]) -> str:
    """Return JSON text with a digest of itself, so that :func:`unsealed` finds every change of a character.

    Raises
    ------
    ValueError
        For a number that JSON does not have.
    """
    plain = {**content, "digest": _UNSEALED}
    text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    return _SEAL.sub(f' "digest": "{hashlib.sha256(text.encode()).hexdigest()}"', text, count=1)


def unsealed(text: str) -> dict[str, Any]:
    """Return the content of a sealed text.

    Raises
    ------
    ValueError
        If it has no digest or another one.
    """
    seal = _SEAL.search(text)
    if seal is None:
        raise ValueError("it has no digest")
    plain = _SEAL.sub(f' "digest": "{_UNSEALED}"', text, count=1)
    if hashlib.sha256(plain.encode()).hexdigest() != seal[1]:
        raise ValueError("its digest differs")
    try:
        content = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    content.pop("digest")
    return content


def is_sealed(text: str) -> bool:
    """Return whether a text contains a digest of itself; the digest is not checked."""
    return _SEAL.search(text) is not None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def text_of(path: Path) -> str:
    """Read a text file without waiting for a pipe or a device; raise OSError or ValueError if it is none."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    return path.read_text(encoding="utf-8")


def require_file(path: str | Path, parameter: str) -> None:
    """Refuse a path that is not a regular file, or a file larger than this machine's memory; an absent file passes.

    Raises
    ------
    InputError
        If reading it might never end: a FIFO, a device or a socket; or if it cannot fit into memory.
    """
    try:
        status = Path(path).stat()
    except OSError:
        return
    except ValueError:
        raise InputError(parameter, str(path), "cannot be the name of a file; check the spelling") from None
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise InputError(parameter, str(path), "is a FIFO, a device or a socket, which may never end; give a file")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    if status.st_size > memory:
        sizes = f"{status.st_size / 2**30:,.1f} GB, and this machine has {memory / 2**30:,.1f} GB of memory"
        raise InputError(parameter, str(path), f"has {sizes}; give a part of its rows")


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write ``content`` to ``path`` in one step; on any failure ``path`` stays as it was.

    Raises
    ------
    InputError
        If the folder cannot be written or the disk is full.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as (file, temporary):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            # A temporary file is private; results get the permissions of the user's umask.
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error


def lock_beside(path: str | Path, **options: Any) -> FileLock:
    """Return the lock of a path in a folder that is made if it is absent.

    Raises
    ------
    OSError
        If no file can be made in the folder, as in ``/proc``, where waiting for a lock would never end.
    """
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return FileLock(path, **options)


def made_whole(path: Path, make: Callable[[Path], None]) -> None:
    """Create a file such as a database under another name, then move it to its place, unless the place is taken.

    Parameters
    ----------
    path : Path
    make : callable
        Makes the file at the path that it receives. A process that is killed meanwhile leaves nothing at ``path``.
    """
    with lock_beside(f"{path}.lock"):
        # A device such as /dev/null has no size; a file in its place would harm every program.
        if path.exists() and (path.stat().st_size or not path.is_file()):
            return
        # Under the lock, those that are there were left by killed processes.
        for old in path.parent.glob(f"{glob.escape(path.name)}.new-*"):
            old.unlink(missing_ok=True)
        new = path.with_name(f"{path.name}.new-{os.getpid()}")
        try:
            make(new)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def unwritable(path: Path, error: OSError, parameter: str = "path") -> InputError:
    """Build the error for a file or folder that cannot be written."""
    return InputError(
        parameter, str(path), f"cannot be written ({error.strerror or error}); free space or write elsewhere"
    )


def require_writable(folder: Path, parameter: str) -> None:
    """Make ``folder`` if it is absent; raise ``InputError`` before any work where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unwritable(folder, error, parameter) from error


class Store:
    """Folders under ``root``, addressed by kind and key.

    Parameters
    ----------
    root : path
        Where entries are kept; made on first use.
    """

    def __init__(self, root: str | Path = "cache"):
        self.root = Path(root)

    def get_or_make(self, kind: str, key: str, make: Callable[[Path], None], read: Callable[[Path], T]) -> T:
        """Read the entry ``kind/key``; make it first if it is absent or damaged.

        Parameters
        ----------
        kind, key : str
            The entry's address; equal keys must mean equal content.
        make : callable
            Fills the empty folder that it receives. Runs once even if several processes need the entry.
        read : callable
            Turns the entry's folder into the value.

        Returns
        -------
        object
            What ``read`` returns.
        """
        place = self.root / kind / key
        if not self._whole(place):
            try:
                with lock_beside(place.with_name(f".{key}.lock")):
                    if not self._whole(place):
                        self._fill(place, make)
            except OSError as error:
                raise unwritable(place, error) from error
        return read(place)

    def _fill(self, place: Path, make: Callable[[Path], None]) -> None:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
        with temporary_folder(_MAKING, place.parent) as temporary:
            make(temporary)
            sums = {path.name: sha256(path) for path in sorted(temporary.iterdir())}
            write_atomic(temporary / MANIFEST, json.dumps(sums, indent=1))
            temporary.replace(place)

    @staticmethod
    def _whole(place: Path) -> bool:
        try:
            if place.is_symlink():
                return False
            sums = json.loads(text_of(place / MANIFEST))
            # A file that the manifest does not list has no digest to check, so an entry must not have one.
            found = {path.name for path in place.iterdir() if path.is_file()} - {MANIFEST}
            return found == set(sums) and all(sha256(place / name) == digest for name, digest in sums.items())
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return False
