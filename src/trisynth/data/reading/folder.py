"""Folder of Parquet files that are one table: checked, sampled, and read in batches, never whole."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from trisynth import seeds
from trisynth.cache import require_file, sha256, text_of, unsealed
from trisynth.config import digest
from trisynth.data.reading import gaps
from trisynth.data.reading.unpacked import require_moderate
from trisynth.errors import InputError

# Readers of folders, such as pyarrow, polars and duckdb, skip names that begin with an underscore.
IDENTITY, MANIFEST = "_identity.json", "_manifest.json"
# Rows of a batch, whatever the files and their row groups are: up to four times as many where there are few columns,
# as each column of each batch is cleaned by itself.
BATCH, _CELLS = 65_536, 6_000_000
_ENCODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Folder:
    """Parquet files of equal columns below one folder, in the order of their names.

    Parameters
    ----------
    path : Path
    files : dict of str to int
        Rows of each file, by its path below the folder.
    schema : Schema
        Columns of all files, and those that names of folders such as ``year=2024`` hold.
    stamps : dict of str to tuple
        What differs for each file once it is written again.
    texts : frozenset of str
        Columns that are plain texts in all files.
    """

    path: Path
    files: dict[str, int]
    schema: pa.Schema
    stamps: dict[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)
    texts: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @classmethod
    def open(cls, path: str | Path, parameter: str = "dataset.path") -> "Folder":
        """Check a folder by the footers of its files; no row is read.

        Raises
        ------
        InputError
            If there is no file, one of them is not Parquet, two have different columns, or they are not the files of
            the folder's manifest.
        """
        path = Path(path)
        names = [p.relative_to(path) for p in sorted(path.rglob("*")) if not p.is_dir()]
        names = [name.as_posix() for name in names if not any(part[0] in "._" for part in name.parts)]
        if not names:
            raise InputError(parameter, str(path), "holds no Parquet file; name a file, or a folder of .parquet files")
        stamps = {name: _stamp(path / name) for name in names}
        files, first, texts = {}, None, None
        # One footer at a time: those of very many files would fill the memory.
        for name in names:
            footer = _footer(path / name, parameter)
            files[name], own = footer.num_rows, footer.schema.to_arrow_schema()
            _check_unique(path / name, own, parameter)
            first = own if first is None else first
            plain = {each.name for each in own if pa.types.is_string(each.type)}
            texts = plain if texts is None else texts & plain
            _check_alike(path, names[0], first, name, own, parameter)
        if not sum(files.values()):
            raise InputError(parameter, str(path), "holds files without rows; give at least two rows")
        _check_manifest(path, files, parameter)
        # Files of categories differ in the types of their codes; texts are the same in all.
        fields = [each.with_type(_plain(each.type)) for each in first]
        try:
            found = _source(path, files).schema
        except pa.ArrowException as error:
            raise InputError(parameter, str(path), f"cannot be read ({_line(error)})") from None
        fields += [each.with_type(_plain(each.type)) for each in found if each.name not in first.names]
        return cls(path, files, pa.schema(fields, first.metadata), stamps, frozenset(texts))

    @property
    def rows(self) -> int:
        """Number of rows of all files."""
        return sum(self.files.values())

    @property
    def digest(self) -> str:
        """Digest of the names and bytes of all files.

        Raises
        ------
        InputError
            If a file has other bytes than the folder's manifest lists.
        """
        found = {name: sha256(self.path / name) for name in self.files}
        listed = _manifest(self.path, "dataset.path")
        for known in listed["files"] if listed else ():
            if found.get(known["file"]) != known["sha256"]:
                remedy = f"was changed after {MANIFEST} was written; make the part again, or delete the manifest"
                raise InputError("dataset.path", str(self.path / known["file"]), remedy)
        return digest(found)

    def tables(
        self, columns: Sequence[str] | None = None, size: int | None = None, *, encoded: bool = False
    ) -> Iterator[pa.Table]:
        """Read all rows, ``size`` at a time, except that the last table has fewer.

        With ``encoded``, texts are dictionaries and codes, as they are in the files, where all files have them so.

        Raises
        ------
        InputError
            If a file cannot be read, or has changed since the folder was opened: not before the last table of a pass
            during which it does.
        """
        self._require_unchanged()
        waiting: list[pa.RecordBatch] = []
        rows = 0
        size = size or min(max(BATCH, _CELLS // len(columns or self.schema.names)), 4 * BATCH)
        texts = self.texts & set(columns or self.schema.names) if encoded else frozenset()
        fields = [each.with_type(_ENCODED) if each.name in texts else each for each in self.schema]
        schema = pa.schema(fields, self.schema.metadata)
        try:
            batches = _source(self.path, self.files, schema, sorted(texts)).to_batches(
                columns=None if columns is None else list(columns),
                batch_size=size,
                batch_readahead=1,
                fragment_readahead=1,
                use_threads=False,
            )
            for batch in batches:
                waiting.append(batch)
                rows += batch.num_rows
                while rows >= size:
                    table = pa.Table.from_batches(waiting)
                    yield table.slice(0, size)
                    waiting, rows = table.slice(size).to_batches(), rows - size
        except (pa.ArrowException, OSError) as error:
            for name in self.files:
                gaps.refuse(self.path / name, f" of {name}")
            raise InputError("dataset.path", str(self.path), f"cannot be read ({_line(error)})") from None
        self._require_unchanged()
        if rows:
            yield pa.Table.from_batches(waiting)

    def _require_unchanged(self) -> None:
        """Refuse a folder with other files than were checked: its sample and its passes would not belong together."""
        for name, stamp in self.stamps.items():
            if _stamp(self.path / name) != stamp:
                remedy = "has changed since the folder was opened; run again once nothing writes to it"
                raise InputError("dataset.path", str(self.path / name), remedy)

    def sample(self, rows: int, seed: int = 0) -> pa.Table:
        """Draw rows without replacement, in their order; all rows where there are no more.

        The rows are chosen by their numbers, so that neither files nor batches matter.
        """
        if rows >= self.rows:
            return pa.concat_tables(self.tables())
        # Shuffling would need memory for the numbers of all rows.
        chosen = seeds.stream(seed, "folder.sample").choice(self.rows, rows, replace=False, shuffle=False)
        chosen.sort()
        found, start = [], 0
        for table in self.tables(encoded=True):
            first, last = np.searchsorted(chosen, [start, start + len(table)])
            found.append(table.take(pa.array(chosen[first:last] - start)).cast(self.schema))
            start += len(table)
        return pa.concat_tables(found)


def error_of_quantiles(rows: int) -> float:
    """Return the most that quantiles of a sample are off, as a fraction of the rows, with a probability of 95 %.

    It is the bound of Dvoretzky, Kiefer and Wolfowitz (1956) with the constant of Massart (1990).
    """
    return float(np.sqrt(np.log(2 / 0.05) / (2 * rows)))


def _source(
    path: Path, names: Iterable[str], schema: pa.Schema | None = None, encoded: Sequence[str] = ()
) -> ds.Dataset:
    files = [str(path / name) for name in names]
    form = ds.ParquetFileFormat(dictionary_columns=encoded)
    return ds.dataset(files, schema, form, partitioning="hive", partition_base_dir=str(path))


def _stamp(file: Path) -> tuple[int, ...]:
    """Return what differs once a file is written again; empty where there is none."""
    try:
        seen = file.stat()
    except OSError:
        return ()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def _check_unique(file: Path, schema: pa.Schema, parameter: str) -> None:
    for column in schema.names:
        if len(schema.get_all_field_indices(column)) > 1:
            raise InputError(parameter, str(file), f"has two columns {column}; rename one")


def _footer(file: Path, parameter: str) -> pq.FileMetaData:
    require_file(file, parameter)
    try:
        require_moderate(file, parameter, whole=False)
        return pq.read_metadata(file)
    except (pa.ArrowException, OSError) as error:
        remedy = f"is not a readable Parquet file ({_line(error)}); move it out of the folder"
        raise InputError(parameter, str(file), remedy) from None


def _check_alike(path: Path, one: str, first: pa.Schema, name: str, other: pa.Schema, parameter: str) -> None:
    for column in [*first.names, *other.names]:
        types = [
            str(_plain(schema.field(column).type)) if column in schema.names else "absent" for schema in (first, other)
        ]
        if types[0] != types[1]:
            remedy = f"column {column} is {types[0]} in {one} and {types[1]} in {name}; write both with the same type"
            raise InputError(parameter, str(path), remedy)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _manifest(path: Path, parameter: str) -> dict | None:
    if not (path / MANIFEST).exists():
        return None
    try:
        listed = unsealed(text_of(path / MANIFEST))
        if not isinstance(listed.get("files"), list) or not all(map(_names_file, listed["files"])):
            raise ValueError("it does not list files with their rows and digests")
        return listed
    except (OSError, ValueError) as error:
        remedy = f"is damaged ({error}); delete it, or make the parts again"
        raise InputError(parameter, str(path / MANIFEST), remedy) from None


def _names_file(record: object) -> bool:
    kinds = {"file": str, "rows": int, "sha256": str}
    return isinstance(record, dict) and all(isinstance(record.get(name), kind) for name, kind in kinds.items())


def _check_manifest(path: Path, files: dict[str, int], parameter: str) -> None:
    """Compare the files with those that the command of parts wrote."""
    listed = _manifest(path, parameter)
    if listed is None:
        if (path / IDENTITY).is_file():
            remedy = f"is not finished: it has {len(files)} parts and no {MANIFEST}; make the other parts"
            raise InputError(parameter, str(path), remedy)
        return
    known = {each["file"]: each["rows"] for each in listed["files"]}
    for name in sorted(files.keys() ^ known.keys()):
        how = "is listed in the manifest and absent" if name in known else "is not listed in the manifest"
        raise InputError(parameter, str(path / name), f"{how}; restore the folder, or delete {MANIFEST}")
    for name, rows in files.items():
        if rows != known[name]:
            remedy = f"has {rows:,} rows, and {known[name]:,} in {MANIFEST}; make the part again"
            raise InputError(parameter, str(path / name), remedy)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
