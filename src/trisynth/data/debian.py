"""Packages of Debian as sources of raw files: fetched by apt, which checks their signatures, and never installed."""

import subprocess
from pathlib import Path
from typing import IO

from trisynth.errors import InputError
from trisynth.temporary import temporary_folder

PREFIX = "debian:"
# An archive of ar: its mark, and the size of a member's header with the places of name and size in it.
_MARK, _HEADER, _NAME, _SIZE = b"!<arch>\n", 60, slice(0, 16), slice(48, 58)


def download(package: str, place: Path) -> None:
    """Fetch a package such as ``debian:name==version`` into the new folder ``place``."""
    name = package.removeprefix(PREFIX).replace("==", "=")
    with temporary_folder(".download.", place.parent) as temporary:
        target = temporary / "package"
        target.mkdir()
        try:
            done = subprocess.run(
                ["apt-get", "--quiet", "download", "--", name], cwd=target, capture_output=True, text=True
            )
            lines = done.stderr.splitlines() if done.returncode else []
        except OSError as error:
            lines = [str(error)]
        if lines or not any(target.glob("*.deb")):
            reason = next((line for line in lines if line.startswith("E:")), (lines or ["it gave no reason"])[-1])
            remedy = f"apt-get could not download it ({reason}); it needs Debian's package lists and the network"
            raise InputError("dataset.source.package", package, remedy)
        target.replace(place)


def member(archive: IO[bytes], file: str) -> int:
    """Find a member of a Debian package, leave the stream at its start, and return its size.

    Raises
    ------
    KeyError
        If there is no such member.
    ValueError
        If this is no such package.
    """
    if archive.read(len(_MARK)) != _MARK:
        raise ValueError("no archive of ar")
    while header := archive.read(_HEADER):
        size = int(header[_SIZE])
        if header[_NAME].decode("ascii").strip().rstrip("/") == file:
            return size
        # Members begin at even places.
        archive.seek(size + size % 2, 1)
    raise KeyError(file)
