"""Many processes at once, and disks that are full: each command ends well or in one line, and nothing is lost."""

import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.faults import subject, warm
from benchmarks.faults.subject import MIRRORED, QUICK, Row

RACE = "first starts at once"
DISKS = ("files of limited size", "small file systems", "reports")
# What differs between two reports of the same results.
_MOVING = re.compile(rb'"seconds": [0-9.]+|[0-9-]{10} [0-9:]{5} UTC|Computing</th><td>[^<]*')
DISK = ["-m", *QUICK, "seed=range(2)", MIRRORED]
REPORT = [*QUICK, "report=html", "tracking=none"]
TABLES = ["gains", "results.csv", "page"]


def race(processes: int) -> Row:
    """Start the same two jobs in many processes at once, in an empty folder."""
    wrong = []
    warm.ready()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        subject.table(folder)
        for number in range(processes):
            (folder / f"place-{number}").mkdir()
            (folder / f"place-{number}" / "patients.csv").symlink_to(folder / "patients.csv")
        shared = [f"paths.{part}={folder / part}" for part in ("runs", "cache")]
        shared += [f"tracking.uri=sqlite:///{folder / 'mlflow.db'}", f"dataset.path={folder / 'patients.csv'}"]
        started = [
            subject.start(
                folder / f"place-{number}",
                "run",
                *(*QUICK, *shared, f"classifier={('logistic', 'knn')[number % 2]}"),
                warm=True,
            )
            for number in range(processes)
        ]
        for number, process in enumerate(started):
            if process.wait():
                first = (subject.errors(folder / f"place-{number}") or ["no message"])[0]
                wrong.append(f"process {number} ended with status {process.returncode}: {first}")
        fits = [path for path in (folder / "cache" / "generator").iterdir() if not path.name.startswith(".")]
        if len(fits) != 1:
            wrong.append(f"{len(fits)} fits in the cache")
        if set(subject.mirrored(folder).values()) != {1} or len(subject.mirrored(folder)) != min(processes, 2):
            wrong.append(f"the mirror has runs {sorted(subject.mirrored(folder).values())}")
    return Row("races", RACE, processes, processes - len(wrong), wrong, "2 jobs, 1 fit")


def full_disk(count: int, seed: int) -> list[Row]:
    """Run a sweep on disks that are full; with space, the same command must complete it.

    Half of the disks take files of a limited size. The others are file systems of a random size in memory, which only
    a superuser may make; others skip them.
    """
    rng = random.Random(f"disk {seed}")
    warm.ready()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        whole = Path(name) / "whole"
        subject.table(whole)
        if subject.start(whole, "run", *DISK, warm=True).wait():
            return [Row("full disk", "sweep", 0, 0, [f"the undisturbed command fails: {subject.errors(whole)[:1]}"])]
        expected = subject.results(whole)
        rows = []
        for what, filled, most in ((DISKS[0], _limited, 5.5), (DISKS[1], _mounted, 6.2)):
            wrong: list[str] = []
            sizes = [round(10 ** rng.uniform(2 if filled is _limited else 4.5, most)) for _ in range(-(-count // 2))]
            for number, size in enumerate(sizes):
                folder = Path(name) / f"{filled.__name__}-{number}"
                subject.table(folder)
                try:
                    wrong += [f"{size} bytes: {each}" for each in filled(folder, size, expected)]
                except PermissionError:
                    break
            else:
                note = f"{min(sizes) / 1000:.1f} to {max(sizes) / 1000:.0f} kB"
                rows.append(Row("full disk", what, len(sizes), max(len(sizes) - len(wrong), 0), wrong, note))
    return rows


def reports(count: int, seed: int) -> Row:
    """Write the report of a job and a page of a sweep where files have a limited size, and then without the limit."""
    rng = random.Random(f"reports {seed}")
    sizes = [round(10 ** rng.uniform(2, 5.5)) for _ in range(count)]
    wrong: list[str] = []
    warm.ready()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        whole = Path(name) / "whole"
        subject.table(whole)
        if subject.start(whole, "run", "-m", *QUICK, "seed=range(2)", "tracking=none", warm=True).wait():
            return Row("full disk", DISKS[2], 0, 0, [f"the undisturbed command fails: {subject.errors(whole)[:1]}"])
        (table,) = whole.glob("sweeps/*/results.csv")
        expected: dict[str, bytes] = {}
        for size in (None, *sizes):
            folder = Path(name) / f"size-{size}"
            subject.table(folder)
            shutil.copy(table, folder / "results.csv")
            before = None if size is None else partial(_limit, size)
            for command, arguments in (("run", REPORT), ("report", TABLES)):
                status = subject.start(folder, command, *arguments, warm=True, before=before).wait()
                wrong += [f"{size} bytes, {command}: {each}" for each in _ended(folder, status)]
                if size is not None:
                    # What is there is whole.
                    cut = [path for path, content in pages(folder).items() if content != expected.get(path)]
                    wrong += [f"{size} bytes, {command}: {path} is half-written or left" for path in cut]
                status = subject.start(folder, command, *arguments, warm=True).wait()
                wrong += [f"{size} bytes, {command}: fails with space"] * bool(status)
            if size is None:
                expected = pages(folder)
            elif pages(folder) != expected:
                wrong.append(f"{size} bytes: the pages differ from undisturbed ones")
    note = f"{min(sizes) / 1000:.1f} to {max(sizes) / 1000:.0f} kB"
    return Row("full disk", DISKS[2], count, max(count - len(wrong), 0), wrong, note)


def pages(folder: Path) -> dict[str, bytes]:
    """Return the files of reports and pages, and temporary ones that are left."""
    patterns = ("runs/*/report*", "page/*", "**/.*.tmp-*")
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return {str(path.relative_to(folder)): _MOVING.sub(b"", path.read_bytes()) for path in sorted(found)}


def _limited(folder: Path, size: int, expected: dict[str, bytes]) -> list[str]:
    """Run where no file can grow beyond a size, then without the limit; return what went wrong."""
    status = subject.start(folder, "run", *DISK, warm=True, before=partial(_limit, size)).wait()
    return [*_ended(folder, status), *_completed(folder, expected)]


def _limit(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _mounted(folder: Path, size: int, expected: dict[str, bytes]) -> list[str]:
    """Run on a file system of a size, then on the same one with space; return what went wrong."""
    place = folder / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False, capture_output=True
    )
    if done.returncode:
        raise PermissionError("mount")
    try:
        # The message of the command needs no space of the full disk.
        shutil.copy(folder / "patients.csv", place)
        (place / "errors.txt").symlink_to(folder / "errors.txt")
        ended = _ended(place, subject.start(place, "run", *DISK, warm=True).wait())
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
        return [*ended, *_completed(place, expected)]
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def _ended(folder: Path, status: int) -> list[str]:
    said = subject.errors(folder)
    wrong = [f"status {status} without a line"] * bool(status and not said)
    return wrong + ["a traceback"] * any(line.startswith("Traceback") for line in said)


def _completed(folder: Path, expected: dict[str, bytes]) -> list[str]:
    if subject.start(folder, "run", *DISK, warm=True).wait():
        return [(subject.errors(folder) or ["fails"])[0]]
    return subject.unlike(folder, expected, mirror=True)
