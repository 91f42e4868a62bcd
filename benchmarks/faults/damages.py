"""Damages of files; each must be healed or refused in one line, and none may come out as a number."""

import io
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.faults import subject
from benchmarks.faults.subject import QUICK, Row
from trisynth.commandline import composed
from trisynth.data import sequences, tensors
from trisynth.data.dataset import Column
from trisynth.errors import InputError
from trisynth.experiment.results import Result
from trisynth.experiment.run import run_job
from trisynth.generators.base import Generator
from trisynth.generators.composed import Composed
from trisynth.generators.independent import Independent
from trisynth.generators.neural.vae import VAE
from trisynth.generators.texts.text_gru import TextGRU
from trisynth.sweeps.folder import Sweep

KINDS = ("runs", "cache", "sweeps", "generator")
OUTCOMES = ("healed", "refused", "unused")


def _json(change: Callable[[Any], Any]) -> Callable[[bytes, random.Random], bytes]:
    def damage(content: bytes, rng: random.Random) -> bytes:
        try:
            return json.dumps(change(json.loads(content)), indent=1, sort_keys=True).encode() + b"\n"
        except (ValueError, AttributeError, TypeError):
            return content[1:]

    return damage


def _number(content: bytes, rng: random.Random) -> bytes:
    """Change one digit."""
    places = [i for i, byte in enumerate(content) if byte in b"0123456789"]
    if not places:
        return content + b"0"
    place = rng.choice(places)
    return content[:place] + str((int(chr(content[place])) + rng.randrange(1, 10)) % 10).encode() + content[place + 1 :]


def _bit(content: bytes, rng: random.Random) -> bytes:
    if not content:
        return b"x"
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "a bit": _bit,
    "a digit": _number,
    "cut": lambda content, rng: content[: rng.randrange(max(len(content), 1))],
    "empty": lambda content, rng: b"",
    "longer": lambda content, rng: content + content[: rng.randrange(1, 50)] + b" ",
    "zeros": lambda content, rng: bytes(len(content) + 1),
    "noise": lambda content, rng: rng.randbytes(200),
    "a list": lambda content, rng: b"[1, 2]\n",
    "a number": lambda content, rng: b"3\n",
    "NaN": lambda content, rng: content.replace(b"0.", b"NaN, 0.", 1) + b" ",
    "fewer keys": _json(lambda value: dict(list(value.items())[1:])),
    "other types": _json(lambda value: {key: [inner] for key, inner in value.items()}),
    "deleted": lambda content, rng: None,
}


class Subject:
    """Finished sweep with its cache, and saved generators of all kinds of column, damaged in copies.

    Parameters
    ----------
    folder : Path
        Empty folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        subject.table(folder)
        arguments = ["-m", *QUICK, "seed=range(2)", "tracking=none"]
        if subject.start(folder, "run", *arguments, warm=True).wait():
            raise RuntimeError(f"the undisturbed sweep fails: {subject.errors(folder)}")
        with chdir(folder):
            self.config = composed([*QUICK, "seed=0", "tracking=none"])
            self.result, _ = run_job(self.config)
            self.rows = {}
            for name, generator in _generators(pd.read_csv("patients.csv")).items():
                generator.save(name)
                self.rows[name] = generator.sample(50, 1)
        (sweep,) = (folder / "sweeps").iterdir()
        self.sweep = str(sweep.relative_to(folder))
        self.fingerprint = json.loads((sweep / "complete.json").read_text())["fingerprint"]

    def files(self, kind: str) -> list[str]:
        """List the files of one kind that a damage may hit."""
        patterns = {
            "runs": f"runs/{self.result.key}/*",
            "cache": "cache/*/*/*",
            "sweeps": f"{self.sweep}/*.*",
            "generator": "*.zip",
        }
        found = [path for path in self.folder.glob(patterns[kind]) if path.is_file() and path.suffix != ".lock"]
        skipped = ("multirun.yaml", "plan.json")
        return sorted(str(path.relative_to(self.folder)) for path in found if path.name not in skipped)

    def check(self, kind: str, folder: Path, name: str) -> str:
        """Use what was damaged in a copy, and return how that ended."""
        said = io.StringIO()
        try:
            with chdir(folder), redirect_stderr(said), redirect_stdout(io.StringIO()):
                found = getattr(self, f"_{kind}")(folder, name)
        except InputError as error:
            return "refused" if "\n" not in str(error) else "several lines"
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:80]}"
        return found

    def _runs(self, folder: Path, name: str) -> str:
        result, cached = run_job(self.config)
        if result != self.result or Result.read("runs", result.key) != self.result:
            return "another number"
        return "unused" if cached else "healed"

    def _cache(self, folder: Path, name: str) -> str:
        shutil.rmtree(folder / "runs")
        result, _ = run_job(self.config)
        return "healed" if result == self.result else "another number"

    def _sweeps(self, folder: Path, name: str) -> str:
        return "accepted" if Sweep(Path(self.sweep), Path("runs")).is_complete(self.fingerprint) else "healed"

    def _generator(self, folder: Path, name: str) -> str:
        rows = Generator.load(name).sample(50, 1)
        return "unused" if rows.equals(self.rows[name]) else "other rows"


def _generators(table: pd.DataFrame) -> dict[str, Generator]:
    """Fit a generator of cells, one of all kinds of column, and two networks; return them by the names of files."""
    rng = np.random.default_rng(0)
    mixed = table.assign(
        note=[f"{sex} of {10 * (age // 10)} years" for sex, age in zip(table["sex"], table["age"], strict=True)],
        image=tensors.column(rng.normal(size=(len(table), 3, 3))),
        walk=sequences.column([rng.normal(size=(rng.integers(2, 6), 1)) for _ in range(len(table))]),
    )
    facts = {
        "note": Column(kind="text", generate=True),
        "image": Column(shape=(3, 3)),
        "walk": Column(kind="sequence"),
    }
    texts = TextGRU(sub_words=50, embedding=4, units=4, epochs=1, min_steps=4)
    given = {
        "cells.zip": (Independent(), table),
        "kinds.zip": (Composed(min_rows=30), mixed),
        "texts.zip": (texts, mixed[["note", "outcome"]]),
        "network.zip": (VAE(hidden_layer_sizes=(4,), epochs=1, min_steps=4), mixed[["age", "image", "outcome"]]),
    }
    return {
        name: generator.fit(rows, target="outcome", facts={k: v for k, v in facts.items() if k in rows})
        for name, (generator, rows) in given.items()
    }


def campaign(count: int, seed: int, kinds: tuple[str, ...] = KINDS) -> list[Row]:
    """Damage files of each kind, ``count`` times; return one row for each."""
    rng = random.Random(f"damages {seed}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        harmed = Subject(Path(name) / "whole")
        for kind in kinds:
            ends: Counter = Counter()
            wrong = []
            for number in range(count):
                copy = Path(name) / "copy"
                shutil.copytree(harmed.folder, copy)
                file, damage = rng.choice(harmed.files(kind)), rng.choice(sorted(DAMAGES))
                before = (copy / file).read_bytes()
                content = DAMAGES[damage](before, rng)
                (copy / file).unlink() if content is None else (copy / file).write_bytes(content)
                end = harmed.check(kind, copy, file) if content != before else "unused"
                ends[end] += 1
                if end not in OUTCOMES:
                    wrong.append(f"{number}: {damage} of {Path(file).name}: {end}")
                shutil.rmtree(copy)
            note = ", ".join(f"{ends[end]} {end}" for end in OUTCOMES if ends[end])
            rows.append(Row("damages", kind, count, count - len(wrong), wrong, note))
    return rows
