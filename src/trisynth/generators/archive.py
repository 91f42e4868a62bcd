"""A zip file of one JSON text and arrays, read within limits: no file grows beyond a multiple of its own size."""

import io
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from trisynth.cache import require_file, write_atomic

STATE = "state.json"
# The zip format's earliest date: equal contents give equal bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
# Bytes that a member may have beside its multiple of the compressed size. A JSON text takes many times its length
# in memory; an array takes its length.
_STATE_LIMIT, _ARRAY_LIMIT = (4_000_000, 20), (16_000_000, 100)
_MOST_ARRAYS = 100_000
# Members below the first are always compressed; two ways to compress differ by less than the second.
_SMALL, _SLACK = 2048, 64


def write(path: Path, state: Any, arrays: list[np.ndarray]) -> None:
    """Write a value of JSON and arrays to ``path`` in one step."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, STATE, json.dumps(state, ensure_ascii=False).encode(), _STATE_LIMIT)
        for number, array in enumerate(arrays):
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            _add(archive, f"{number}.npy", content.getvalue(), _ARRAY_LIMIT)
    write_atomic(path, buffer.getvalue())


def _add(archive: zipfile.ZipFile, name: str, content: bytes, limit: tuple[int, int]) -> None:
    """Add a member; one that would shrink so much that ``read`` refused it is stored as it is."""
    _, ratio = limit
    # A fast estimate avoids the second compression in nearly all cases.
    shrinks = len(content) > _SMALL and len(zlib.compress(content, 1)) * ratio < 8 * len(content)
    stored = shrinks and (len(zlib.compress(content)) - _SLACK) * ratio < len(content)
    archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


def read(path: Path) -> tuple[Any, list[np.ndarray]]:
    """Return the value and the arrays that ``write`` wrote.

    Raises
    ------
    InputError
        If ``path`` is not a regular file.
    ValueError
        If the file holds something else, or more than its size allows; many other errors where it is damaged.
    """
    require_file(path, "path")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        count = len(members) - 1
        if count > _MOST_ARRAYS or {member.filename for member in members} != {STATE, *_names(count)}:
            raise ValueError("it holds other files than a state and its arrays")
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise ValueError("it is compressed by another method")
        texts = [member for member in members if member.filename == STATE]
        for part, (least, ratio) in ((texts, _STATE_LIMIT), (members, _ARRAY_LIMIT)):
            # Members may share bytes of the file, so that its size counts and not the sum of theirs.
            packed = min(sum(member.compress_size for member in part), path.stat().st_size)
            if sum(member.file_size for member in part) > least + ratio * packed:
                raise ValueError(f"it would grow to more than {ratio} times its size")
        arrays = [_array(_content(archive, name)) for name in _names(count)]
        return json.loads(_content(archive, STATE)), arrays


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a member; its size is that which the file states, and no more is unpacked, whatever it holds."""
    with archive.open(name) as file:
        return file.read(archive.getinfo(name).file_size)


def _names(count: int) -> list[str]:
    return [f"{number}.npy" for number in range(count)]


def _array(content: bytes) -> np.ndarray:
    """Read an array whose header describes exactly the bytes that follow; memory is taken only then."""
    file = io.BytesIO(content)
    version = npy.read_magic(file)
    header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
    shape, _, dtype = header(file)
    if dtype.hasobject:
        raise ValueError("an array holds objects")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell() or (dtype.itemsize == 0 and math.prod(shape)):
        raise ValueError("the size of an array is not that of its header")
    return np.load(io.BytesIO(content), allow_pickle=False)
