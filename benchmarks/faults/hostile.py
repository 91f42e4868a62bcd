"""Hostile files: saved generators and tables that are made to run code, to fill the memory, or never to end.

Each is read in a process of its own, whose memory is measured. It has to end in one line, or to be read as what it is.
"""

import bz2
import faulthandler
import gzip
import io
import json
import math
import multiprocessing
import os
import resource
import struct
import tempfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet

from benchmarks.faults.subject import Row
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.independent import Independent

KINDS = ("generator", "table", "parquet")
MEMORY, SECONDS = 1.0, 60.0
EMPTY = {"~": "dict", "items": []}


def _saved(folder: Path) -> dict[str, bytes]:
    """Return the members of a generator that was saved."""
    table = pd.DataFrame({"a": np.arange(40.0), "b": list("xy") * 20})
    Independent().fit(table, target="b").save(folder / "plain.zip")
    with zipfile.ZipFile(folder / "plain.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **({"compression": zipfile.ZIP_DEFLATED} | options)) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _stated(name: str, content: bytes, others: dict[str, bytes]) -> bytes:
    """Return a zip whose member states the size of ``content``, and unpacks to more than a gigabyte after it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(2**22)) + packer.flush(zlib.Z_FULL_FLUSH)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, first + zeros * 300 + packer.flush())
        member = archive.getinfo(name)
        member.compress_type, member.file_size, member.CRC = zipfile.ZIP_DEFLATED, len(content), zlib.crc32(content)
        for other, each in others.items():
            archive.writestr(other, each)
    return buffer.getvalue()


def _before() -> bytes:
    """Return a zip whose member begins before the file."""
    content = _zipped({"x.csv": b"a,b\n1,2\n"})
    (place,) = struct.unpack("<L", content[-6:-2])
    return content[:-6] + struct.pack("<L", place + 5) + content[-2:]


def _padded() -> bytes:
    """Return a zip whose members have as many extra fields as fit, which are read one by one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(16):
            member = zipfile.ZipInfo(f"{number}.csv")
            member.extra = struct.pack("<HH", 0xCAFE, 0) * 16_000
            archive.writestr(member, b"a,b\n1,2\n")
    return buffer.getvalue()


def _header(shape: str, dtype: str = "<f8", body: bytes = b"") -> bytes:
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body


def generators(folder: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield names of files in the place of a saved generator, and functions that make their contents."""
    plain = _saved(folder)
    state = json.loads(plain["state.json"])
    whole = _zipped(plain)

    def changed(value: Any) -> bytes:
        return _zipped({**plain, "state.json": value if isinstance(value, bytes) else json.dumps(value).encode()})

    def array(content: bytes, **options: Any) -> bytes:
        return _zipped({**plain, "0.npy": content}, **options)

    for depth in (1_000, 100_000, 5_000_000):
        yield f"lists {depth} deep", lambda depth=depth: changed(b"[" * depth + b"]" * depth)
        yield (
            f"tuples {depth} deep",
            lambda depth=depth: changed(b'{"~":"tuple","items":[' * depth + b"]}" * depth),
        )
    yield "bomb of zeros", lambda: array(_header("(37500000,)", body=bytes(300_000_000)))
    yield "bomb of lists", lambda: changed(b"[" + b"[]," * 60_000_000 + b"[]]")
    yield "bomb in a state of two bytes", lambda: _stated("state.json", b"[]", {})
    yield "bomb in an array of 100 bytes", lambda: _stated("0.npy", bytes(100), {"state.json": b"[]"})
    yield "bomb in bzip2", lambda: array(bytes(2**28), compression=zipfile.ZIP_BZIP2)
    yield "bomb in lzma", lambda: array(bytes(2**26), compression=zipfile.ZIP_LZMA)
    yield "many members", lambda: _zipped({**plain, **{f"{i}.npy": b"" for i in range(150_000)}})
    yield "another member", lambda: _zipped({**plain, "../evil.py": b"print()"})
    for shape in ("(1000000000000,)", "(-1,)", "(0, 1000000000000)", "(2**70,)", "(1,) * 100", "'a'", "[1]"):
        yield f"array of shape {shape}", partial(array, _header(shape, body=bytes(8)))
    for dtype in ("|O", "<U0", "|V0", "<f3", "no such", "|V999999999"):
        yield f"array of dtype {dtype}", partial(array, _header("(1000000000,)", dtype))
    yield "array with a deep header", partial(array, _header("(" * 900 + ")" * 900))
    yield "array of another version", partial(array, b"\x93NUMPY\x09\x00" + bytes(100))
    yield "no array", partial(array, b"\x80\x04cos\nsystem\n(S'touch planted'\ntR.")
    yield "no state", lambda: _zipped({name: content for name, content in plain.items() if name != "state.json"})
    for text in (b"", b"nul", b"{", b"\xff\xfe", b"[NaN", b"1" * 10_000, b'"' + b"\\ud800" + b'"', b"\x00" * 100):
        yield f"state {text[:10]!r}", partial(changed, text)
    for target in ("os.system", "subprocess.Popen", "trisynth.cache.write_atomic", "trisynth.sweeps.worker.SeedByHand"):
        other = {**state, "class": target}
        yield f"class {target}", partial(changed, other)
        yield f"class {target} inside", partial(changed, {**state, "state": {"~": "dict", "items": [["x", other]]}})
    for kind in (
        "object",
        "index",
        "series",
        "frame",
        "arrow",
        "period",
        "interval",
        "dtype",
        "decimal",
        "bytes",
        "none",
    ):
        yield f"empty {kind}", partial(changed, {"~": kind})
        wrong = {"~": kind, "items": 3, "values": [[1]], "text": "x", "schema": "AAAA", "class": "x"}
        yield f"wrong {kind}", partial(changed, wrong)
    yield "the same array everywhere", lambda: changed([{"~": "array", "number": 0}] * 1_000_000)
    wide = {"~": "index", "values": ["a"] * 1000, "dtype": {"~": "dtype", "name": "S99999999"}}
    yield "wide dtype", partial(changed, wide)
    yield "cut in half", lambda: whole[: len(whole) // 2]
    yield "a flipped byte", lambda: bytes(b ^ (255 if i == 60 else 0) for i, b in enumerate(whole))
    yield (
        "encrypted",
        lambda: whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    )
    yield "empty", lambda: b""
    yield "text", lambda: b"state.json" * 100
    yield "pickle", lambda: b"\x80\x04\x95."


def files(folder: Path) -> Iterator[tuple[str, Callable[[], bytes] | None, Callable[[Path], Any]]]:
    """Yield what is read, a function that makes its content, and the function that reads it.

    The content is None where a path in a folder that may be lost is read itself.
    """
    for name, content in generators(folder):
        yield f"generator: {name}", content, Generator.load
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    special = [fifo, "/dev/zero", "/dev/urandom", "/dev/tty", "/proc/self/mem", folder, folder / ("x" * 300), "\0"]
    for path in special:
        yield f"table: {path}", None, lambda _, path=path: _table(str(path))
        yield f"parquet: {path}", None, lambda _, path=path: _table(str(path), "parquet")
        yield f"generator: {path}", None, lambda _, path=path: Generator.load(str(path))
    large = folder / "large"
    with large.open("wb") as file:
        _grow(file, 2**43)
    yield "table: larger than memory", None, lambda _: _table(str(large))
    contents = {
        "quote without an end": lambda: b'a,b\n"' + b"x," * 100_000,
        "one line": lambda: b"," * 1_000_000,
        "zeros": lambda: bytes(1_000_000),
        "marked as utf-16": lambda: b"\xff\xfea",
        "a zip": lambda: _zipped({"x": b"x"}),
        "a bomb in gzip": lambda: gzip.compress(b"a,b\n" * 500_000) * 140,
        "a bomb in zip": lambda: _zipped({"x.csv": b"a,b\n" * 70_000_000}, compresslevel=1),
        "a bomb in a zip of eight bytes": lambda: _stated("x.csv", b"a,b\n1,2\n", {}),
        "a zip whose member begins before it": _before,
        "a zip of many extra fields": _padded,
        "a bomb in bzip2": lambda: bz2.compress(b"a,b\n" * 500_000) * 60,
    }
    for name, content in contents.items():
        yield f"table: {name}", content, lambda place: _table(str(place))
        yield f"parquet: {name}", content, lambda place: _table(str(place), "parquet")

    for name, table in _parquet().items():
        yield f"parquet: {name}", partial(_written, table), lambda place: _table(str(place), "parquet")


def _parquet() -> dict[str, Callable[[], pa.Table]]:
    """Return functions that make tables which grow when they are read, or describe themselves wrongly."""
    few = {"a": pa.array(range(40)), "y": pa.array(np.arange(40) % 2)}

    def repeated(rows: int, size: int) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int32")), pa.array(["x" * size]))

    def lists(cells: pa.Array, count: int) -> pa.Array:
        ends = np.linspace(0, len(cells), count + 1).astype("int32")
        return pa.ListArray.from_arrays(pa.array(ends), cells)

    def pandas(text: bytes) -> Callable[[], pa.Table]:
        return lambda: pa.table(few).replace_schema_metadata({"pandas": text})

    return {
        "one long text in many rows": lambda: pa.table({"a": repeated(10_000, 1_000_000)}),
        "one long text in many lists": lambda: pa.table({"a": lists(repeated(10_000, 1_000_000), 50)}),
        "long lists of zeros": lambda: pa.table({"a": lists(pa.array(np.zeros(50_000_000, dtype="int8")), 50)}),
        "structures": lambda: pa.table({**few, "b": pa.array([{"c": [{"d": 1}]}] * 40)}),
        "maps": lambda: pa.table({**few, "b": pa.array([[("k", 1)]] * 40, pa.map_(pa.string(), pa.int64()))}),
        "2,000 row groups": lambda: pa.table({"a": np.arange(2000), "y": np.arange(2000) % 2}),
        "equal names": lambda: pa.Table.from_arrays([few["a"], few["a"], few["y"]], ["a", "a", "y"]),
        "times without end": lambda: pa.table({**few, "b": pa.array([2**62] * 40, pa.timestamp("us"))}),
        "an unknown zone": lambda: pa.table({**few, "b": pa.array([1] * 40, pa.timestamp("us", tz="No/Where"))}),
        "half a description by pandas": pandas(b'{"index_'),
        "a number for a description": pandas(b"3"),
        "an index that is absent": pandas(b'{"index_columns": ["__index_level_0__"]}'),
        "10,001 columns": lambda: pa.table({f"c{i}": few["a"] for i in range(10_001)}),
    }


def _written(table: Callable[[], pa.Table]) -> bytes:
    buffer, made = io.BytesIO(), table()
    # Without Arrow's own schema a dictionary is read as texts, as many as there are rows.
    options = {"store_schema": "y" in made.column_names, "row_group_size": 1 if len(made) == 2000 else None}
    pyarrow.parquet.write_table(made, buffer, **options)
    return buffer.getvalue()


def _grow(file: Any, size: int) -> None:
    """Make a file of holes; some file systems take none of this size."""
    with suppress(OSError):
        file.truncate(size)


def _table(path: str, read: str = "delimited") -> Any:
    from trisynth import data

    config = {"name": "x", "path": path, "target": "y", "read": {"_target_": f"trisynth.data.readers.{read}"}}
    data.data_key(config)
    return data.prepare(config)


def _read(read: Callable[[], Any], sender: Any, stack: Any) -> None:
    # Where a process waits that does not end.
    faulthandler.dump_traceback_later(0.9 * SECONDS, file=stack)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read()
        outcome = "read"
    except InputError as error:
        outcome = "refused" if "\n" not in str(error) else "several lines"
    except BaseException as error:
        outcome = f"traceback {type(error).__name__}"
    sender.send((outcome, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20))


def attempt(read: Callable[[], Any]) -> tuple[str, float, float]:
    """Read a file in a process of its own; return how that ended, the memory in GB, and the seconds."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as stack, warnings.catch_warnings():
        process = context.Process(target=_read, args=(read, sender, stack))
        # A fork in a process of several threads may block; this one only reads a file.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
        sender.close()
        try:
            outcome, memory = (
                receiver.recv() if receiver.poll(SECONDS) else (_without_end(process.pid, stack), math.nan)
            )
        except EOFError:
            outcome, memory = "process died", math.nan
        process.kill()
        process.join()
    return outcome, memory, time.perf_counter() - start


def _without_end(pid: int, stack: IO[str]) -> str:
    """Return the processor time of a process that has not ended, which is short where it waits, and its place."""
    try:
        spent = sum(psutil.Process(pid).cpu_times()[:2])
    except psutil.Error:
        return "does not end"
    stack.seek(0)
    # The innermost call comes first.
    places = [line.strip() for line in stack if line.lstrip().startswith("File ")]
    return f"does not end after {spent:.1f} CPU s" + "".join(f", {place}" for place in places[:1])


def campaign(only: str = "") -> pd.DataFrame:
    """Read every hostile file whose name contains ``only``.

    Returns
    -------
    DataFrame
        ``file``, ``outcome``, ``gigabytes``, ``seconds``, and ``wrong``: True for a traceback, more than one line, a
        process that died or did not end, or more memory than ``MEMORY``.
    """
    rows = []
    with tempfile.TemporaryDirectory() as name:
        place, last = Path(name) / "given", None
        for file, content, read in files(Path(name)):
            if only not in file:
                continue
            if content is not None and content is not last:
                place.write_bytes(content())
                last = content
            rows.append((file.replace(name, "."), *attempt(partial(read, place))))
    table = pd.DataFrame(rows, columns=["file", "outcome", "gigabytes", "seconds"])
    return table.assign(wrong=~table["outcome"].isin(["read", "refused"]) | ~(table["gigabytes"] <= MEMORY))


def row(kind: str) -> Row:
    """Read every hostile file of one kind, of ``KINDS``."""
    table = campaign(f"{kind}: ")
    bad = table[table["wrong"]]
    wrong = [f"{file}: {outcome}, {size:.2f} GB" for file, outcome, size in bad.iloc[:, :3].itertuples(index=False)]
    refused, most = (table["outcome"] == "refused").sum(), table["gigabytes"].max()
    return Row(
        "hostile files", kind, len(table), len(table) - len(bad), wrong, f"{refused} refused, at most {most:.2f} GB"
    )
