"""From a config to a clean ``Dataset``: collect, read, clean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth import cache, config
from trisynth.data.clean import clean
from trisynth.data.collect import collect
from trisynth.data.dataset import Dataset
from trisynth.errors import InputError

_KEPT = 4
_LAST: dict[tuple[str, str], Dataset] = {}


def prepare(cfg: Mapping[str, Any], root: str | Path = "data/raw") -> tuple[Dataset, pd.DataFrame]:
    """Clean data set and the report of its cleaning.

    Parameters
    ----------
    cfg : mapping
        A resolved ``conf/dataset/*.yaml``.
    root : path, default="data/raw"
        Where raw files are kept.

    Returns
    -------
    dataset : Dataset
    report : DataFrame
        See :func:`trisynth.data.clean.clean`.
    """
    path = collect(cfg, root) if cfg.get("source") else cfg.get("path")
    raw = config.instantiate(cfg["read"], **({} if path is None else {"path": path}))
    return clean(raw, cfg)


def load(cfg: Mapping[str, Any], root: str | Path = "data/raw") -> Dataset:
    """Clean data set of a config; see :func:`prepare`. The last few are kept for the jobs of a sweep."""
    key = data_key(cfg), str(root)
    if key not in _LAST:
        dataset = prepare(cfg, root)[0]
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
        try:
            content = cache.sha256(Path(cfg["path"]))
        except OSError as error:
            remedy = f"cannot be read ({error.strerror}); check the name"
            raise InputError("dataset.path", str(cfg["path"]), remedy) from None
    facts = {key: value for key, value in cfg.items() if key != "path"}
    modules = {"trisynth.data.clean", *config.targets(cfg["read"])}
    return config.digest(facts, content, config.code_digest(*sorted(modules)))
