"""Loading of a clean ``Dataset`` by its config: collect, read, clean."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth import cache, config
from trisynth.data.cleaning.clean import REPORT, ROWS, clean
from trisynth.data.collect import collect
from trisynth.data.constraints.checks import findings
from trisynth.data.dataset import Dataset
from trisynth.data.reading.folder import Folder
from trisynth.data.spec import check_name
from trisynth.errors import InputError
from trisynth.places import READER

_KEPT = 4
# Cleaning takes some milliseconds for each, and models of pairs of columns many times as long.
_MOST_COLUMNS = 10_000
# The reader of a folder of files; other readers read one file.
_READS_FOLDERS = "trisynth.data.readers.parquet"
_LAST: dict[tuple[str, str], Dataset] = {}


Reader = Callable[..., pd.DataFrame]


def reader(cfg: Mapping[str, Any], allow: Iterable[str] = ()) -> Reader:
    """Return the function that reads a data set's raw table, with its declared arguments; nothing is read yet.

    Parameters
    ----------
    cfg : mapping
        A resolved ``conf/dataset/*.yaml``.
    allow : iterable of str, default=()
        Further packages that the function may come from; see :func:`trisynth.config.locate`.

    Raises
    ------
    InputError
        If ``read`` names no function, or an argument that the function does not take.
    """
    check_name(cfg.get("name"))
    read = cfg.get("read")
    if not isinstance(read, Mapping) or "_target_" not in read:
        raise InputError("dataset.read", read, "must name the function that reads the table, as _target_")
    return config.bind(read, "dataset.read", kind=READER, allow=allow)


def prepare(
    cfg: Mapping[str, Any], root: str | Path = "data/raw", read: Reader | None = None, layout: bool = True
) -> tuple[Dataset, pd.DataFrame]:
    """Read and clean a data set; return it with the report of its cleaning.

    Parameters
    ----------
    cfg : mapping
        A resolved ``conf/dataset/*.yaml``.
    root : path, default="data/raw"
        Folder of the raw files.
    read : callable, optional
        The data set's reader; the default builds it from ``cfg``.
    layout : bool, default=True
        Learn the layout of a user's file, too, to write rows like its own.

    Returns
    -------
    dataset : Dataset
    report : DataFrame
        See :func:`trisynth.data.cleaning.clean.clean`.
    """
    path = collect(cfg, root) if cfg.get("source") else cfg.get("path")
    raw = (read or reader(cfg))(**({} if path is None else {"path": path}))
    if not isinstance(raw, pd.DataFrame):
        remedy = f"returns {type(raw).__name__}; name a function that returns a DataFrame"
        raise InputError("dataset.read._target_", cfg["read"]["_target_"], remedy)
    if raw.shape[1] > _MOST_COLUMNS:
        remedy = f"has {raw.shape[1]:,} columns, and at most {_MOST_COLUMNS:,} are read; keep those that you need"
        raise InputError("dataset.path", str(path), remedy)
    dataset, report = clean(raw, cfg, layout)
    report = _with_constraints(report, dataset)
    return replace(dataset, report=report), report


def _with_constraints(report: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Add the number of real rows that break each declared constraint."""
    rows = [
        (ROWS, f"breaks the constraint {text}", count, count / len(dataset), "kept; no synthetic row does", "")
        for text, count in findings(dataset)
    ]
    return pd.concat([report, pd.DataFrame(rows, columns=REPORT)], ignore_index=True) if rows else report


def load(cfg: Mapping[str, Any], root: str | Path = "data/raw", read: Reader | None = None) -> Dataset:
    """Return the clean data set of a config; see :func:`prepare`. The last few are kept for the jobs of a sweep."""
    key = data_key(cfg), str(root)
    if key not in _LAST:
        dataset = prepare(cfg, root, read)[0]
        if len(_LAST) == _KEPT:
            _LAST.pop(next(iter(_LAST)))
        _LAST[key] = dataset
    return _LAST[key]


def data_key(cfg: Mapping[str, Any]) -> str:
    """Digest of all that a prepared data set depends on; where a user's file lies does not count.

    Parameters
    ----------
    cfg : mapping
        A resolved ``conf/dataset/*.yaml``.

    Returns
    -------
    str
        Equal keys mean equal data: config, file content, cleaning code and library versions are the same.
    """
    content = None
    if cfg.get("path") is not None:
        cache.require_file(cfg["path"], "dataset.path")
        try:
            path = Path(cfg["path"])
            folder = path.is_dir() and cfg["read"]["_target_"] == _READS_FOLDERS
            content = Folder.open(path).digest if folder else cache.sha256(path)
        except OSError as error:
            remedy = f"cannot be read ({error.strerror}); check the name"
            raise InputError("dataset.path", str(cfg["path"]), remedy) from None
    facts = {key: value for key, value in cfg.items() if key != "path"}
    modules = {"trisynth.data.cleaning.clean", *config.targets(cfg["read"])}
    return config.digest(facts, content, config.code_digest(*sorted(modules)))
