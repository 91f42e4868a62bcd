"""Kills on Ray: a sweep and a table in parts beside those of this machine, and what is left of each.

    pip install 'trisynth[ray]'
    python -m benchmarks.clusters

Starts Ray on the loopback interface, several times. Writes ``benchmarks/clusters.csv``, a row for each part as it ends;
status 1 if anything went wrong.
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from benchmarks.faults import subject
from benchmarks.faults.subject import QUICK

OUT = Path(__file__).with_suffix(".csv")
# Two data sets, as a fit of one is shared by its classifiers.
SWEEP = ["-m", *QUICK, "generator=copula", "seed=range(6)", "classifier=logistic,knn", "tracking=none"]
RAY = "hydra/launcher=ray"
PARTS = ["patients.csv", "--target", "outcome", "generator=copula", "n=4e5", "part=all/8", "out=rows"]
# Seconds that a start of Ray, and an end of all its processes, may take.
_LIMIT = 300.0
# Commands that are tried until Ray starts.
_STARTS = 6
_NAMES = ("gcs_server", "raylet")


def processes() -> dict[int, str]:
    """Return all processes of Ray on this machine, by their numbers."""
    found = {}
    for process in psutil.process_iter(["pid", "name", "cmdline", "status"]):
        line = process.info["cmdline"] or [""]
        own = process.info["name"] in _NAMES or line[0].startswith("ray::") or "/site-packages/ray/" in " ".join(line)
        if own and process.info["status"] != psutil.STATUS_ZOMBIE:
            found[process.info["pid"]] = " ".join([process.info["name"], *line])
    return found


def left(before: dict[int, str]) -> list[str]:
    """Return the processes of Ray that are there besides earlier ones, when those that end have ended."""
    until = time.monotonic() + _LIMIT
    while (found := processes().keys() - before.keys()) and time.monotonic() < until:
        time.sleep(0.5)
    return [f"process {pid} is left" for pid in sorted(found)]


def working(before: dict[int, str], what: Callable[[str], bool]) -> list[int]:
    """Return processes of Ray besides earlier ones that a function of name and command line chooses."""
    return [pid for pid, line in processes().items() if pid not in before and what(line)]


def begun(process: subprocess.Popen, folder: Path, pattern: str) -> bool:
    """Wait for the first file of a pattern; return whether the command runs then."""
    until = time.monotonic() + _LIMIT
    while process.poll() is None and time.monotonic() < until:
        if next(folder.glob(pattern), None):
            return True
        time.sleep(0.01)
    return False


def is_task(line: str) -> bool:
    return "ray::_job" in line or "ray::_part" in line


def worker(before: dict[int, str]) -> None:
    """Kill a worker that runs a job."""
    until = time.monotonic() + _LIMIT
    while not (found := working(before, is_task)) and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(found[0], signal.SIGKILL)


def head(before: dict[int, str]) -> None:
    """Kill what a machine at the head of a cluster runs: the control store and the scheduler."""
    for pid in working(before, lambda line: line.startswith(_NAMES)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def heard() -> None:
    """Let a process be interrupted, even if this one was started in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def last(folder: Path) -> str:
    """Return the last line that a command printed as an error, or else at all."""
    lines = [line for line in (folder / "errors.txt").read_text(errors="replace").splitlines() if line.strip()]
    return ([*subject.errors(folder)[-1:], *lines[-1:], ""])[0].strip()


def not_started(folder: Path) -> bool:
    """Return whether Ray could not be started, as on a machine that is too busy: a command ends so after two tries."""
    return any("cannot be started" in line for line in subject.errors(folder))


def digests(folder: Path, pattern: str) -> dict[str, bytes]:
    """Return the bytes of the files that a command leaves."""
    if pattern.startswith("rows"):
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("rows/*.*")}
    return subject.results(folder)


def trial(
    what: str,
    command: str,
    arguments: list[str],
    pattern: str,
    expected: dict[str, bytes],
    harm: Callable[[subprocess.Popen, dict[int, str]], None] | None,
    status: tuple[int, ...] = (0,),
) -> dict[str, object]:
    """Run a command on Ray, harm it after its first result, run it again, and compare what it leaves."""
    wrong, before = [], processes()
    with tempfile.TemporaryDirectory(prefix="clusters-") as name:
        folder = Path(name)
        subject.table(folder)
        there, failures = "", 0
        for _ in range(_STARTS):
            start, used = time.monotonic(), _used()
            process = subject.start(folder, command, *arguments, before=heard)
            if harm is not None and begun(process, folder, pattern):
                there = len(list(folder.glob(pattern)))
                harm(process, before)
            code = process.wait()
            seconds, cpu = time.monotonic() - start, _used() - used
            if not not_started(folder):
                break
            failures += 1
        if harm is not None and not there:
            wrong.append(f"ended before it could be harmed: {subject.errors(folder)[:1]}")
        if code not in status:
            wrong.append(f"status {code}: {subject.errors(folder)[:1]}")
        line = last(folder) if code else ""
        wrong += ["a traceback"] * any(each.startswith("Traceback") for each in subject.errors(folder))
        wrong += left(before)
        kept = len(list(folder.glob(pattern)))
        again = 0
        if code:
            again = 1
            for _ in range(_STARTS):
                status_again = subject.start(folder, command, *arguments).wait()
                if not not_started(folder):
                    break
                failures += 1
            if status_again:
                wrong.append(f"the same command fails: {subject.errors(folder)[:1]}")
            wrong += left(before)
        found = digests(folder, pattern)
        unlike = [name for name in sorted(expected.keys() | found.keys()) if expected.get(name) != found.get(name)]
        wrong += [f"{name} differs" for name in unlike]
    return {
        "part": what,
        "status": code,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "finished_before_harm": there,
        "finished_after_end": kept,
        "finished": len(found),
        "commands": 1 + again,
        "failed_starts": failures,
        "left_processes": 0 if not any("is left" in each for each in wrong) else 1,
        "wrong": "; ".join(wrong),
        "line": line,
    }


def _used() -> float:
    """Return the processor time of this process's children that have ended."""
    times = psutil.Process().cpu_times()
    return times.children_user + times.children_system


def reference(command: str, arguments: list[str], pattern: str) -> tuple[dict[str, bytes], float, float]:
    """Run a command on this machine without Ray; return what it leaves, its time and its processor time."""
    with tempfile.TemporaryDirectory(prefix="clusters-") as name:
        folder = Path(name)
        subject.table(folder)
        start, used = time.monotonic(), _used()
        if subject.start(folder, command, *arguments).wait():
            raise RuntimeError(f"the undisturbed command fails: {subject.errors(folder)[:1]}")
        return digests(folder, pattern), time.monotonic() - start, _used() - used


def absent() -> dict[str, object]:
    """Start a sweep on a cluster that is not there."""
    with tempfile.TemporaryDirectory(prefix="clusters-") as name:
        folder, before = Path(name), processes()
        subject.table(folder)
        start = time.monotonic()
        code = subject.start(folder, "run", *SWEEP, RAY, "hydra.launcher.address=127.0.0.1:1").wait()
        lines = (folder / "errors.txt").read_text().splitlines()
        wrong = left(before) + [f"status {code}"] * (code != 2)
        wrong += ["no line of an error"] * (not subject.errors(folder))
        wrong += ["a traceback"] * any(line.startswith("Traceback") for line in lines)
        return {
            "part": "cluster that is not there",
            "status": code,
            "seconds": round(time.monotonic() - start, 1),
            "commands": 1,
            "wrong": "; ".join(wrong),
            "line": (subject.errors(folder) or [""])[0],
        }


def plan() -> Iterator[tuple[str, Callable[[], dict[str, object]]]]:
    """Yield the parts of the campaign."""
    cases: dict[str, tuple] = {
        "undisturbed": (None,),
        "a worker is killed": (lambda _, before: worker(before),),
        "the head is killed": (lambda _, before: head(before), tuple(range(-15, 256))),
        "interrupted": (lambda process, _: process.send_signal(signal.SIGINT), (130,)),
        "the command is killed": (lambda process, _: process.kill(), (-signal.SIGKILL,)),
    }
    for kind, command, arguments, ray, pattern in (
        ("sweep", "run", SWEEP, RAY, "runs/*/result.json"),
        ("parts", "sampling", PARTS, "launcher=ray", "rows/*.parquet"),
    ):
        more = [ray, f"{'hydra.' if kind == 'sweep' else ''}launcher.n_jobs=2"]
        plain = partial(_reference, kind, command, arguments, pattern)
        yield f"{kind}, this machine alone", lambda plain=plain: plain()[1]
        for name, (harm, *status) in cases.items():
            yield (
                f"{kind}, {name}",
                lambda p=plain, n=f"{kind}, {name}", h=harm, s=status, c=command, a=[*arguments, *more], g=pattern: (
                    trial(n, c, a, g, p()[0], h, *s)
                ),
            )
    yield "cluster that is not there", absent


_KNOWN: dict[str, tuple[dict[str, bytes], dict[str, object]]] = {}


def _reference(kind: str, command: str, arguments: list[str], pattern: str) -> tuple[dict[str, bytes], dict]:
    if kind not in _KNOWN:
        found, seconds, cpu = reference(command, arguments, pattern)
        row = {"part": f"{kind}, this machine alone", "status": 0, "seconds": round(seconds, 1)}
        _KNOWN[kind] = found, row | {"cpu_seconds": round(cpu, 1), "finished": len(found), "commands": 1}
    return _KNOWN[kind]


COLUMNS = (
    *("part", "status", "seconds", "cpu_seconds", "finished_before_harm", "finished_after_end", "finished"),
    *("commands", "failed_starts", "left_processes", "wrong", "line"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of the names of the rows to measure")
    given = parser.parse_args()
    rows: dict[str, dict] = {}
    if OUT.exists():
        with OUT.open(newline="") as file:
            rows = {row["part"]: row for row in csv.DictReader(file)}
    bad = False
    order = [name for name, _ in plan()]
    for name, step in plan():
        if given.only not in name:
            continue
        rows[name] = step()
        bad |= bool(rows[name].get("wrong"))
        print(rows[name], flush=True)
        with OUT.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows[each] for each in order if each in rows)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
