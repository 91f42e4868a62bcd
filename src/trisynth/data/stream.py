"""Rows of a folder in batches, cleaned as its sample was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pandas.api import types

from trisynth.data.cleaning.columns import clean_column
from trisynth.data.dataset import Column, Dataset
from trisynth.data.load import prepare
from trisynth.data.readers import parquet
from trisynth.data.reading.arrow import to_frame
from trisynth.data.reading.folder import Folder
from trisynth.errors import InputError


@dataclass(frozen=True)
class Stream:
    """Table that is read in batches, and a sample of it from which its facts are known.

    Parameters
    ----------
    sample : Dataset
        Its columns, their kinds and formats are those of all rows.
    folder : Folder
    missing : tuple of str
        Texts that stand for a missing cell.
    """

    sample: Dataset
    folder: Folder
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows, those without a target included."""
        return self.folder.rows

    def line(self, passes: bool, rows: int) -> str:
        """Return a sentence on which of the rows with a target a fit sees: all of them in passes, or the sample's."""
        some, every, left = f"{len(self.sample):,}", f"{rows:,}", len(self) - rows
        without = f"; {left:,} rows without a target are left out" if left else ""
        if passes:
            return f"fitted on {every} rows; structure, bins and relations are those of a sample of {some}{without}"
        return f"fitted on {some} of {every} rows; the fractions of the classes are those of all rows{without}"

    def frames(self) -> Iterator[pd.DataFrame]:
        """Read all rows, a batch at a time: the features and the target of the sample, cleaned."""
        names = [*self.sample.X] if self.sample.y is None else [*self.sample.X, self.sample.y.name]
        for table in self.folder.tables(names, encoded=True):
            yield pd.DataFrame({name: self._cells(table.select([name])) for name in names})

    def _cells(self, column: pa.Table) -> pd.Series:
        facts = self.sample.columns[column.schema.names[0]]
        kind = column.schema.types[0]
        if not facts.generate and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            # Each distinct text is cleaned once, and not once for each cell.
            column = pa.table({column.schema.names[0]: column.column(0).dictionary_encode()})
        cells = to_frame(column).iloc[:, 0]
        if _is_clean(cells, facts, self.missing):
            return cells
        return clean_column(cells, facts, self.missing, _silent, doubts=False).cells


def whole(cfg: Mapping[str, Any], dataset: Dataset) -> Dataset | Stream:
    """Return the rows that a generator is fitted to: those of a data set, or of the folder that it is a sample of.

    Parameters
    ----------
    cfg : mapping
        A resolved ``conf/dataset/*.yaml``.
    dataset : Dataset
        What ``load`` returns for it.

    Raises
    ------
    InputError
        If equal rows are to be dropped, which batches do not show.
    """
    path = cfg.get("path")
    if path is None or not Path(path).is_dir():
        return dataset
    folder = Folder.open(path)
    if folder.rows <= cfg["read"]["sample"]:
        return dataset
    if cfg.get("duplicates") == "drop":
        remedy = "equal rows cannot be found in batches; drop them beforehand, or set dataset.duplicates=keep"
        raise InputError("dataset.duplicates", "drop", remedy)
    return Stream(dataset, folder, tuple(cfg.get("missing") or ()))


def open_folder(path: str | Path, parameter: str = "path") -> Folder:
    """Return a folder of Parquet files, checked; refuse what is none."""
    if not isinstance(path, str | Path) or not Path(path).is_dir():
        raise InputError(
            parameter,
            path if path is None else str(path),
            "must be a folder of Parquet files; read a file by pandas.read_parquet",
        )
    return Folder.open(path, parameter)


def read_folder(
    path: str | Path,
    target: str | None = None,
    *,
    facts: Mapping[str, Column] | None = None,
    sample: int = 100_000,
    seed: int = 0,
) -> Dataset | Stream:
    """Open a folder of Parquet files for a fit by ``Generator.fit``, without reading it whole.

    Parameters
    ----------
    path : path
        Folder of files with equal columns.
    target : str or None, default=None
        Column to predict.
    facts : mapping of str to Column, optional
        Declared facts of columns.
    sample : int, default=100000
        Rows that kinds, relations and structure are learned from.
    seed : int, default=0
        Seed of the sample.

    Returns
    -------
    Stream, or Dataset if the folder has no more rows than the sample

    Raises
    ------
    InputError
        If the path is no folder of such files.
    """
    open_folder(path)
    cfg = {
        "name": Path(path).resolve().name,
        "path": str(path),
        "read": {"sample": sample},
        "target": target,
        "columns": facts,
        "rare": 5,
    }
    return whole(cfg, prepare(cfg, read=partial(parquet, sample=sample, seed=seed))[0])


def _is_clean(cells: pd.Series, facts: Column, missing: tuple[str, ...]) -> bool:
    """Decide whether cells are numbers that cleaning would leave as they are."""
    number = types.is_float_dtype(cells.dtype) or types.is_signed_integer_dtype(cells.dtype)
    given = any(vars(facts)[name] is not None for name in ("missing", "values", "bounds", "format"))
    rounded = facts.integer and types.is_float_dtype(cells.dtype)
    return facts.kind == "number" and number and not missing and not given and not rounded


def _silent(*_: object) -> None:
    """Record nothing: findings are those of the sample."""
