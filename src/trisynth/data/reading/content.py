"""Content of a file: unpacked where it is compressed, decoded, and refused with a one-line error if it is not text."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from trisynth.cache import require_file
from trisynth.errors import InputError

# A file may unpack to the first, and beyond it to a multiple of its own size; tables shrink to a tenth or so.
_UNPACKED, RATIO = 2**26, 100
# Where an archive of tar has its mark.
_TAR = slice(257, 262)
# Fewer NUL characters than one in so many bytes are damage, not an encoding of two bytes.
_FEW = 100
_UNPACK: dict[bytes, Callable] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
# First bytes of files that are not text, and what to do with them.
_OTHERS = {
    b"PAR1": "is a Parquet file; use dataset=parquet",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save its sheet as CSV (UTF-8) and give that file",
    b"SQLite format 3": "is a SQLite database; export the table as CSV and give that file",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd; unpack it by zstd -d and give the CSV file",
    b"7z\xbc\xaf": "is a 7z archive; unpack it and give the CSV file",
    b"Rar!": "is a rar archive; unpack it and give the CSV file",
    b"%PDF": "is a PDF document; give the table as CSV",
    b"ARROW1": "is a Feather file; write it by to_parquet and use dataset=parquet",
}
# Names of workbooks, which are compressed folders or binary files.
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
_WORKBOOK = "an Excel workbook; save its sheet as CSV (UTF-8) and give that file"
_SHEET = "open it in a spreadsheet program and save its sheet as CSV (UTF-8)"
# Characters that no text of a workbook's rows has.
_BINARY = re.compile("[\\0-\\x08\\x0e-\\x1a]")
_MARKUP = {
    "<!doctype": "is a web page; save the table itself as CSV",
    "<html": "is a web page; save the table itself as CSV",
    "<?xml": "is XML; save the table as CSV",
    "[{": "is JSON; write it by pandas.read_json(...).to_csv and give that file",
    '{"': "is JSON; write it by pandas.read_json(...).to_csv and give that file",
}


def text_of(path: str | Path, encoding: str | None = None) -> tuple[str, str, list[str]]:
    """Read a text file, compressed or not.

    Parameters
    ----------
    path : path
    encoding : str or None, default=None
        None takes UTF-16 if the file is marked so, else UTF-8 if it can be, else Windows-1252.

    Returns
    -------
    text, encoding : str
    notes : list of str
        What was done that the file's name does not tell.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, no text, or not in the encoding.
    """
    require_file(path, "dataset.path")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError("dataset.path", str(path), f"cannot be read ({error.strerror}); check the name") from None
    content, notes = _unpacked(path, content)
    if notes and content.startswith(b"PK\x03\x04"):
        inner = _WORKBOOK if b"[Content_Types].xml" in content else "another archive; unpack it and give its table"
        raise InputError("dataset.path", str(path), f"holds {inner}")
    if content[_TAR] == b"ustar":
        raise InputError("dataset.path", str(path), "is a tar archive; unpack it and give the CSV file")
    for start, remedy in _OTHERS.items():
        if content.startswith(start):
            raise InputError("dataset.path", str(path), remedy)
    text, used = _decoded(path, content, encoding)
    if encoding is None and used == "cp1252":
        notes.append("is not in UTF-8; read as Windows-1252. If letters look wrong, add read: {encoding: ...}")
    head = text[:200].lstrip().casefold()
    for start, remedy in _MARKUP.items():
        if head.startswith(start):
            raise InputError("dataset.path", str(path), remedy)
    if not text.strip():
        raise InputError("dataset.path", str(path), "is empty; give a file with at least one row")
    return text, used, notes


def _unpacked(path: str | Path, content: bytes) -> tuple[bytes, list[str]]:
    if content.startswith(b"PK\x03\x04"):
        return _from_zip(path, content)
    unpack = next((opened for start, opened in _UNPACK.items() if content.startswith(start)), None)
    if unpack is None:
        return content, []
    try:
        with unpack(io.BytesIO(content)) as file:
            return _limited(path, file, len(content)), ["unpacked"]
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise InputError("dataset.path", str(path), f"cannot be unpacked ({error}); copy the file again") from None


def unpacked_limit(packed: int) -> int:
    """Return how many bytes a file of ``packed`` bytes may unpack to."""
    return _UNPACKED + RATIO * packed


def limited(file: IO[bytes], packed: int, refusal: InputError) -> bytes:
    """Read a member of an archive of ``packed`` bytes; raise ``refusal`` if it is larger than such a file may be."""
    most = unpacked_limit(packed)
    content = file.read(most + 1)
    if len(content) > most:
        raise refusal
    return content


def _limited(path: str | Path, file: IO[bytes], packed: int) -> bytes:
    remedy = f"unpacks to more than {RATIO} times its size; unpack it yourself"
    return limited(file, packed, InputError("dataset.path", str(path), remedy))


def _from_zip(path: str | Path, content: bytes) -> tuple[bytes, list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
            if "content.xml" in files and "mimetype" in files:
                raise InputError("dataset.path", str(path), f"is a workbook of OpenDocument; {_SHEET}")
            if "[Content_Types].xml" in files:
                raise InputError("dataset.path", str(path), f"is {_WORKBOOK}")
            tables = [name for name in files if Path(name).suffix.lower() in (".csv", ".tsv", ".txt", ".dat")] or files
            if len(tables) != 1:
                listed = ", ".join(tables[:6])
                raise InputError("dataset.path", str(path), f"holds {len(tables)} files ({listed}); unpack one of them")
            if archive.getinfo(tables[0]).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # Python unpacks the other methods in one piece, however large it is.
                raise InputError(
                    "dataset.path", str(path), "is a zip with an unusual compression method; unpack it yourself"
                )
            with archive.open(tables[0]) as file:
                return _limited(path, file, len(content)), [f"{tables[0]} unpacked"]
    except InputError:
        raise
    # A place before the file's start, or a name of no encoding, is a ValueError.
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError, RuntimeError) as error:
        remedy = f"cannot be unpacked ({error}); unpack it yourself"
        if Path(path).suffix.lower() in _WORKBOOKS:
            remedy = f"is a damaged workbook ({error}); copy the file again, then {_SHEET}"
        raise InputError("dataset.path", str(path), remedy) from None


def _decoded(path: str | Path, content: bytes, encoding: str | None) -> tuple[str, str]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        guesses = ["utf-16"]
    elif b"\0" in content[:1000]:
        # Without a mark, every second byte of Latin letters is zero.
        guesses = ["utf-16-le" if b"\0" in content[1:1000:2] else "utf-16-be"]
    else:
        guesses = ["utf-8-sig", "cp1252"]
    if guesses[0] != "utf-16" and 0 < (few := content.count(b"\0")) < len(content) / _FEW and not encoding:
        remedy = f"contains {few:,} NUL characters, which no text has; remove them: tr -d '\\000' < FILE > NEW"
        raise InputError("dataset.path", str(path), remedy)
    workbook = Path(path).suffix.lower() in _WORKBOOKS
    for name in [encoding] if encoding else guesses:
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" not in text[:1000] and not (workbook and _BINARY.search(text, 0, 1000)):
            # UTF-8 is read with or without a mark.
            marked = name != "utf-8-sig" or content.startswith(codecs.BOM_UTF8)
            return text, name if marked else "utf-8"
    if workbook:
        raise InputError("dataset.path", str(path), f"is neither text nor a workbook of a known type; {_SHEET}")
    remedy = f"is not text in {encoding or ' or '.join(guesses)}"
    known = "such as shift_jis, gb18030, cp1251, latin-1"
    raise InputError("dataset.path", str(path), f"{remedy}; set dataset.read.encoding, {known}")
