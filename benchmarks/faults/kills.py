"""Kills at random moments; the same command must then end with the same bytes, a complete mirror and no orphan."""

import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults import subject, warm
from benchmarks.faults.subject import MIRRORED, QUICK, Row

SEARCH = "hydra/sweeper=search hydra/sweeper/sampler=evolution hydra.sweeper.sampler.seed=0 hydra.sweeper.n_trials=6"
# Command and arguments of each kind, and whether its results go to a mirror.
KINDS: dict[str, tuple[str, Sequence[str], bool]] = {
    "sweep": ("run", ["-m", *QUICK, "seed=range(4)", "classifier=logistic,knn", "tracking=none"], False),
    "search": ("run", ["-m", *QUICK, *SEARCH.split(), "validation=true", "test_size=0.3,0.4", "tracking=none"], False),
    "first start of MLflow": ("run", ["-m", *QUICK, "seed=range(2)", MIRRORED], True),
    "recommend": ("recommend", ["patients.csv", "--target", "outcome", "--budget", "20s", "tracking=none"], False),
}


def campaign(kind: str, count: int, seed: int, in_a_row: int = 5) -> Row:
    """Kill one kind of command at random moments.

    Parameters
    ----------
    kind : str
        Name in ``KINDS``.
    count : int
        Number of kills.
    seed : int
    in_a_row : int, default=5
        Kills after which the command is left alone to the end, and compared.
    """
    rng = random.Random(f"{kind} {seed}")
    command, arguments, mirror = KINDS[kind]
    wrong: list[str] = []
    warm.ready()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        whole = Path(name) / "whole"
        subject.table(whole)
        begun = time.monotonic()
        if subject.start(whole, command, *arguments, warm=True).wait():
            return Row("kills", kind, 0, 0, [f"the undisturbed command fails: {subject.errors(whole)[:1]}"])
        duration = time.monotonic() - begun
        expected = subject.results(whole)
        done = 0
        while done < count:
            folder = Path(name) / f"round-{done}"
            subject.table(folder)
            for _ in range(min(in_a_row, count - done)):
                # One in a row is a new process, whose imports may be hit, too.
                process = subject.start(folder, command, *arguments, warm=done % in_a_row > 0)
                time.sleep(rng.uniform(0, duration))
                orphans = subject.kill(process)
                done += 1
                if orphans:
                    wrong.append(f"kill {done}: {len(orphans)} processes outlived their parent")
            if subject.start(folder, command, *arguments, warm=True).wait():
                wrong.append(f"after kill {done}: {(subject.errors(folder) or ['fails'])[0]}")
            else:
                # How far a recommendation gets depends on the clock: the results that both have are compared.
                unlike = subject.unlike(folder, expected, mirror, common=command == "recommend")
                wrong += [f"after kill {done}: {each}" for each in unlike]
            shutil.rmtree(folder)
    note = f"{min(in_a_row, count)} in a row, then compared"
    return Row("kills", kind, count, max(count - len(wrong), 0), wrong, note)
