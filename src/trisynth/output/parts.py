"""Folder of parquet files that are the parts of one large table.

Each part is made by itself, from random streams of its own: in any order, by any process or machine, with the same
bytes. A part that is there is kept, so that the same command continues after it was stopped.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from rich.progress import Progress

from trisynth import seeds
from trisynth.cache import lock_beside, made_whole, sealed, sha256, text_of, unsealed, unwritable, write_atomic
from trisynth.data.disclosure.identifiers import Part
from trisynth.data.layout import Layout
from trisynth.data.reading.folder import IDENTITY, MANIFEST
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.output.files import counted, write
from trisynth.temporary import sweep

# Folder of a record for each part that was written.
RECORDS = "_parts"
_FORM = re.compile(r"(?:(?P<all>all)|(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?)/(?P<count>\d{1,9})", re.ASCII)
# Most files in a folder.
_MOST = 99_999
# Rows that are drawn at once, which bounds the memory.
BATCH = 100_000
_NAMES = {"n": "number of rows", "seed": "seed", "generator": "generator", "parts": "number of parts"}


@dataclass(frozen=True)
class Selection:
    """Parts that one command makes.

    Parameters
    ----------
    first, last : int
        Numbers of the parts, from 1; both included.
    count : int
        Number of all parts of the table.
    """

    first: int
    last: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Selection":
        """Read ``3/100`` (one part), ``1-10/100`` (ten parts) or ``all/100``.

        Raises
        ------
        InputError
            If the text has another form, or names a part that does not exist.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            remedy = "must be one part of all, as in part=3/100, several, as in part=1-10/100, or part=all/100"
            raise InputError("part", text, remedy)
        count = int(found["count"])
        first = 1 if found["all"] else int(found["first"])
        last = count if found["all"] else int(found["last"] or first)
        if not 1 <= count <= _MOST:
            raise InputError("part", text, f"must have between 1 and {_MOST:,} parts")
        if not 1 <= first <= last <= count:
            raise InputError("part", text, f"must name parts between 1 and {count}, the smaller number first")
        return cls(first, last, count)

    @property
    def numbers(self) -> range:
        """Numbers of the parts."""
        return range(self.first, self.last + 1)


def portion(n: int | Mapping[str, int], number: int, count: int) -> int | dict[str, int]:
    """Return the rows of portion ``number``, from 1, of ``count`` portions of ``n`` rows or of rows per class."""
    if isinstance(n, Mapping):
        return {label: portion(rows, number, count) for label, rows in n.items()}
    return number * n // count - (number - 1) * n // count


def total(n: int | Mapping[str, int]) -> int:
    """Return the number of rows that ``n`` requests."""
    return sum(n.values()) if isinstance(n, Mapping) else n


@dataclass(frozen=True)
class Folder:
    """Folder of parts, and what they have in common.

    Parameters
    ----------
    path : Path
    identity : mapping
        All that decides the bytes of a part: ``generator``, ``seed``, ``n``, ``parts`` and others.
    """

    path: Path
    identity: Mapping[str, Any]

    @property
    def count(self) -> int:
        """Number of all parts."""
        return self.identity["parts"]

    def check(self) -> None:
        """Check that the folder may take the parts, without making it.

        Raises
        ------
        InputError
            If it has other files, or parts of another table, or cannot be read.
        """
        try:
            known = (self.path / IDENTITY).exists()
            others = [] if known or not self.path.exists() else sorted(p.name for p in self.path.iterdir())
            problem = self._problem() if known else None
            if problem and not self._is_untouched():
                raise InputError("out", str(self.path), problem)
        except OSError as error:
            raise unwritable(self.path, error, "out") from error
        if other := [name for name in others if name[0] not in "._"]:
            remedy = f"holds files that are not parts ({', '.join(other[:3])}); name a new folder"
            raise InputError("out", str(self.path), remedy)

    def open(self) -> None:
        """Make the folder, or check that its parts belong to the same table.

        A folder without a part, as a command leaves that was stopped, is taken over.

        Raises
        ------
        InputError
            If it has parts of another table, or cannot be written.
        """
        known, content = self.path / IDENTITY, sealed(dict(self.identity))
        try:
            # Several processes may begin at the same time.
            made_whole(known, partial(_write, content=content))
            if (problem := self._problem()) is None:
                return
            with lock_beside(f"{known}.lock"):
                if self._is_untouched():
                    write_atomic(known, content)
                    return
        except OSError as error:
            raise unwritable(self.path, error, "out") from error
        raise InputError("out", str(self.path), problem)

    def _problem(self) -> str | None:
        """Return why the folder is that of another table, or None if it is not."""
        try:
            present = unsealed(text_of(self.path / IDENTITY))
        except OSError as error:
            raise unwritable(self.path, error, "out") from error
        except ValueError as error:
            return f"has a damaged {IDENTITY} ({error}); name a new folder"
        shown = ", ".join(
            f"{_NAMES[name]} {_short(present.get(name))}, not {_short(value)}" if name in _NAMES else f"other {name}"
            for name, value in self.identity.items()
            if present.get(name) != value
        )
        return f"holds parts of another table ({shown}); name a new folder" if shown else None

    def _is_untouched(self) -> bool:
        """Return whether there is no part, and no process that lives writes one."""
        for lock in self.path.glob(".part-*.lock"):
            sweep(lock.name[: -len("0123456789abcdef.lock")], self.path)
        return all(path.name.lstrip(".").startswith(IDENTITY) for path in self.path.iterdir())

    def file(self, number: int) -> Path:
        """Return the path of a part."""
        return self.path / f"part-{number:05d}-of-{self.count:05d}.parquet"

    def _record(self, number: int) -> Path:
        return self.path / RECORDS / f"{number:05d}.json"

    def record(self, number: int) -> dict | None:
        """Return name, rows and digest of a part that was written; None if there is no record that can be read."""
        try:
            return unsealed(text_of(self._record(number)))
        except (OSError, ValueError):
            return None

    def is_whole(self, number: int) -> bool:
        """Check whether a part is there with the bytes that were written."""
        known, file = self.record(number), self.file(number)
        return known is not None and file.is_file() and sha256(file) == known["sha256"]

    def add(self, number: int, rows: int) -> None:
        """Record a part that was written; after the last one, write the manifest of all."""
        file = self.file(number)
        known = {"file": file.name, "rows": rows, "bytes": file.stat().st_size, "sha256": sha256(file)}
        write_atomic(self._record(number), sealed(known))
        self.finish()

    def finish(self) -> bool:
        """Write the manifest if all parts have a record; return whether they have."""
        # Parts come in any order: counting files is cheaper than reading a record of each after each.
        folder = self.path / RECORDS
        if not folder.is_dir() or sum(p.suffix == ".json" for p in folder.iterdir()) < self.count:
            return False
        records = [self.record(number) for number in range(1, self.count + 1)]
        if None in records:
            return False
        rows = sum(known["rows"] for known in records)
        content = {**self.identity, "rows": rows, "files": records}
        write_atomic(self.path / MANIFEST, sealed(content))
        return True


def batches(n: int | Mapping[str, int], most: int) -> Iterator[int | dict[str, int]]:
    """Split ``n`` into batches of about equal size, of at most ``most`` rows; each has rows of every class."""
    count = -(-total(n) // most)
    for number in range(1, count + 1):
        yield portion(n, number, count)


@dataclass(frozen=True)
class Table:
    """Large table of which parts are made.

    Parameters
    ----------
    folder : Folder
    generator : Generator
        Fitted.
    layout : Layout or None
        That of a user's file.
    schema : Schema
        Columns and types of all parts.
    """

    folder: Folder
    generator: Generator
    layout: Layout | None
    schema: pa.Schema

    def rows(self, number: int) -> int | dict[str, int]:
        """Return the rows of one part, or its rows of each class."""
        return portion(self.folder.identity["n"], number, self.folder.count)

    def tables(self, number: int) -> Iterator[pd.DataFrame]:
        """Draw the rows of a part, each batch from a random stream of its own."""
        seed = self.folder.identity["seed"]
        for i, rows in enumerate(batches(self.rows(number), BATCH)):
            table = self.generator.sample(rows, seeds.integer(seed, "synthesize.part", number, i))
            if not i:
                # Rows that cannot be drawn leave no folder that others could not use.
                self.folder.open()
            yield table
            if not i:
                # From now on the temporary file of the part keeps others from taking the folder over.
                self.folder.open()

    def part(self, number: int) -> Part:
        """Return the place of a part, for identifiers that no other part has."""
        n, count = self.folder.identity["n"], self.folder.count
        before = sum(total(portion(n, earlier, count)) for earlier in range(1, number))
        return Part(number - 1, count, before)


# Makes parts of a table by their numbers, and yields the number of each that is made.
Launcher = Callable[[Table, Sequence[int]], Iterator[int]]


def make(table: Table, selection: Selection, launcher: Launcher | None = None) -> int:
    """Make the selected parts that are not there; return the number of rows of all selected ones.

    Parameters
    ----------
    table : Table
    selection : Selection
    launcher : callable, optional
        Makes parts elsewhere: takes the table and numbers of parts, and yields the number of each that is made.

    Raises
    ------
    InputError
        If the folder has parts of another table, or cannot be written; parts that were made before stay.
    """
    folder = table.folder
    selected = {number: total(table.rows(number)) for number in selection.numbers}
    if not all(selected.values()):
        rows = total(folder.identity["n"])
        raise InputError("n", rows, f"gives some of {folder.count} parts no rows; take fewer parts")
    folder.check()
    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("sampling", total=sum(selected.values()))
        due = []
        for number, rows in selected.items():
            if folder.is_whole(number):
                bar.advance(task, rows)
                continue
            due.append(number)
            if folder.record(number) is not None:
                print(f"warning: {folder.file(number)}: is absent or was changed; it is made again", file=sys.stderr)
        if launcher is None:
            for number in due:
                one(table, number, lambda rows: bar.advance(task, rows))
        elif due:
            for number in launcher(table, due):
                bar.advance(task, selected[number])
    if kept := len(selected) - len(due):
        print(f"{kept} of {len(selected)} parts were finished before")
    if not folder.finish():
        print(f"some of {folder.count} parts are missing; the last one that is made adds {MANIFEST}")
    return sum(selected.values())


def one(table: Table, number: int, advance: Callable[[int], None] | None = None) -> int:
    """Make one part and its record; return its number.

    Parameters
    ----------
    table : Table
    number : int
    advance : callable, optional
        Called with the number of rows of each batch.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    folder = table.folder
    file, seed = folder.file(number), folder.identity["seed"]
    tables = counted(table.tables(number), advance) if advance else table.tables(number)
    try:
        written = write(tables, file, table.layout, seed, table.part(number), table.schema)
    except OSError as error:
        raise unwritable(file, error, "out") from error
    folder.add(number, written)
    return number


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")


def _short(value: Any) -> str:
    return (f"{value:,}" if isinstance(value, int) else str(value))[:12]
