"""Kills at random moments; the same command must then end with the same bytes, a complete mirror and no orphan."""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults import subject
from benchmarks.faults.subject import MIRRORED, QUICK, Row

SEARCH = "hydra/sweeper=search hydra/sweeper/sampler=evolution hydra.sweeper.sampler.seed=0 hydra.sweeper.n_trials=6"
# Command and arguments of each kind, and whether its results go to a mirror.
KINDS: dict[str, tuple[str, Sequence[str], bool]] = {
    "sweep": ("run", ["-m", *QUICK, "seed=range(4)", "classifier=logistic,knn", "tracking=none"], False),
    "search": ("run", ["-m", *QUICK, *SEARCH.split(), "validation=true", "test_size=0.3,0.4", "tracking=none"], False),
    "first start of MLflow": ("run", ["-m", *QUICK, "seed=range(2)", MIRRORED], True),
    "recommend": ("recommend", ["patients.csv", "--target", "outcome", "--budget", "30s", "tracking=none"], False),
}


def campaign(kind: str, count: int, seed: int, in_a_row: int = 4) -> Row:
    """Kill one kind of command at random moments.

    Parameters
    ----------
    kind : str
        Name in ``KINDS``.
    count : int
        Number of kills.
    seed : int
    in_a_row : int, default=4
        Kills after which the command is left alone to the end, and compared.
    """
    rng = random.Random(f"{kind} {seed}")
    command, arguments, mirror = KINDS[kind]
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        whole = Path(name) / "whole"
        subject.table(whole)
        begun = time.monotonic()
        if subject.start(whole, command, *arguments).wait():
            return Row("kills", kind, 0, 0, [f"the undisturbed command fails: {subject.errors(whole)[:1]}"])
        duration = time.monotonic() - begun
        expected = subject.results(whole)
        done = 0
        while done < count:
            folder = Path(name) / f"round-{done}"
            subject.table(folder)
            for _ in range(min(in_a_row, count - done)):
                process = subject.start(folder, command, *arguments)
                time.sleep(rng.uniform(0, duration))
                orphans = subject.kill(process)
                done += 1
                if orphans:
                    wrong.append(f"kill {done}: {len(orphans)} processes outlived their parent")
            if subject.start(folder, command, *arguments).wait():
                wrong.append(f"after kill {done}: {(subject.errors(folder) or ['fails'])[0]}")
            # How far a recommendation gets depends on the clock.
            elif command != "recommend":
                wrong += [f"after kill {done}: {each}" for each in subject.unlike(folder, expected, mirror)]
    note = f"{min(in_a_row, count)} in a row, then compared"
    return Row("kills", kind, count, count - len(wrong), wrong, note)
