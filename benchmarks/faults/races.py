"""Many processes at once, and disks that are full: each command ends well or in one line, and nothing is lost."""

import random
import resource
import signal
import tempfile
from pathlib import Path

from benchmarks.faults import subject
from benchmarks.faults.subject import MIRRORED, QUICK, Row


def race(processes: int) -> Row:
    """Start the same two jobs in many processes at once, in an empty folder."""
    wrong = []
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
                folder / f"place-{number}", "run", *QUICK, *shared, f"classifier={('logistic', 'knn')[number % 2]}"
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
    return Row("races", "first starts at once", processes, processes - len(wrong), wrong, "2 jobs, 1 fit")


def full_disk(count: int, seed: int) -> Row:
    """Run a sweep where no file can grow beyond a random size; without the limit, the same command must complete it."""
    rng = random.Random(f"disk {seed}")
    arguments = ["-m", *QUICK, "seed=range(2)", MIRRORED]
    wrong = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        whole = Path(name) / "whole"
        subject.table(whole)
        if subject.start(whole, "run", *arguments).wait():
            return Row("full disk", "sweep", 0, 0, [f"the undisturbed command fails: {subject.errors(whole)[:1]}"])
        expected = subject.results(whole)
        for number in range(count):
            size = round(10 ** rng.uniform(2, 5.5))
            folder = Path(name) / f"round-{number}"
            subject.table(folder)

            def limit(size: int = size) -> None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

            status = subject.start(folder, "run", *arguments, preexec_fn=limit).wait()
            said = subject.errors(folder)
            if status and not said:
                wrong.append(f"{size} bytes: status {status} without a line")
            if any(line.startswith("Traceback") for line in said):
                wrong.append(f"{size} bytes: a traceback")
            if subject.start(folder, "run", *arguments).wait():
                wrong.append(f"{size} bytes: {(subject.errors(folder) or ['fails'])[0]}")
            wrong += [f"{size} bytes: {each}" for each in subject.unlike(folder, expected, mirror=True)]
    return Row("full disk", "sweep", count, count - len(wrong), wrong, "files of at most 100 bytes to 316 kB")
