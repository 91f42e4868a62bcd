"""The record of a job, as files that only a finished job writes.

``runs/<key>/result.json`` is the truth: configuration, metrics and digests, the same bytes whenever and wherever the
job runs. ``timings.json`` beside it has what differs from run to run. A record holds a digest of itself, and
``manifest.json`` those of the files beside it; both are checked whenever a result is read. A damaged record is moved to
``runs/damaged`` and its job is run again.
"""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from filelock import FileLock

from trisynth.cache import MANIFEST, is_sealed, sealed, sha256, text_of, unsealed, unwritable, write_atomic
from trisynth.config import canonical, target_name
from trisynth.errors import InputError

RESULT, TIMINGS, FAILURE, CONFIG, CURVES = "result.json", "timings.json", "failure.json", "config.yaml", "history.json"
SUMMARY, NOTES = "summary.txt", "notes.txt"
# Files beside a result from which numbers, settings or texts are read again.
_BESIDE = (CONFIG, TIMINGS, CURVES, SUMMARY, NOTES)
DAMAGED = "damaged"


class DamagedError(InputError):
    """A result that differs from what its job wrote.

    Parameters
    ----------
    path : Path
        Its ``result.json``.
    reason : str
        What is wrong with it, as a sentence without its end.
    """

    def __init__(self, path: Path, reason: object):
        self.reason = " ".join(str(reason).split())[:200]
        super().__init__("result", str(path), f"is damaged ({self.reason}); run its command again")

    def __reduce__(self) -> tuple:
        """Return the arguments from which a process builds the same error."""
        return type(self), (Path(self.value), self.reason)


@dataclass(frozen=True)
class Result:
    """Result of one job.

    Parameters
    ----------
    key : str
        Digest of the resolved configuration, the data, the code and the libraries.
    name : str
        Readable name: data set, generator, classifier, seed, and the loss weights, if any.
    config : mapping
        The job's resolved configuration.
    metrics : mapping of str to float
        Named ``real/f1_macro``, ``gain/f1_macro``, ``fidelity/ks``, ``copying/identical_match_share``; absent where
        undefined.
    digests : mapping of str to str
        Of the real training rows, the real test rows and the synthetic rows.
    counts : mapping of str to mapping
        Training rows per class of each arm.
    timings : mapping of str to float
        Seconds spent on each part, empty for a result read from the cache.
    """

    key: str
    name: str
    config: Mapping[str, Any]
    metrics: Mapping[str, float]
    digests: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)

    def write(self, root: str | Path) -> Path:
        """Write the record under ``root``, result last; returns its folder."""
        folder = Path(root) / self.key
        content = asdict(self)
        text = json.dumps(content.pop("timings"), indent=1, sort_keys=True, allow_nan=False)
        record = sealed(content)
        write_atomic(folder / TIMINGS, text + "\n")
        sums = {name: sha256(folder / name) for name in _BESIDE if (folder / name).is_file()}
        write_atomic(folder / MANIFEST, sealed(sums))
        write_atomic(folder / RESULT, record)
        (folder / FAILURE).unlink(missing_ok=True)
        return folder

    @classmethod
    def read(cls, root: str | Path, key: str) -> "Result | None":
        """Read the finished record of ``key``; None if there is none.

        Raises
        ------
        DamagedError
            If the record, or a file beside it, is not as its job wrote it.
        """
        path = Path(root) / key / RESULT
        try:
            content = _whole(path)
            return None if content is None else cls(**_shaped(content, key))
        except (OSError, ValueError, TypeError, OverflowError) as error:
            raise DamagedError(path, error) from None

    def seconds(self, root: str | Path) -> dict[str, float]:
        """Read the timings that were written beside the record."""
        return seconds(Path(root) / self.key)


def is_whole(root: str | Path, key: str) -> bool:
    """Check the digests of the record of ``key`` and of the files beside it; this is faster than reading it."""
    try:
        return _whole(Path(root) / key / RESULT) is not None
    except (OSError, ValueError):
        return False


def _whole(path: Path) -> dict[str, Any] | None:
    """Return the content of a record after a check of all digests; None if there is none."""
    if path.is_symlink() or path.parent.is_symlink():
        # A new record would be written, and old files would be removed, where the link leads.
        raise ValueError("it is a link to another place")
    try:
        text = text_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        sums = unsealed(text_of(path.with_name(MANIFEST)))
    except FileNotFoundError:
        # A record may be copied without the files beside it.
        return unsealed(text) if is_sealed(text) else _earlier(path, text)
    for name, digest in sums.items():
        beside = path.with_name(name)
        if name not in _BESIDE or (beside.exists() and (not beside.is_file() or sha256(beside) != digest)):
            raise ValueError(f"{name} beside it has changed")
    return unsealed(text)


def _earlier(path: Path, text: str) -> dict[str, Any]:
    """Return the content of a record of an earlier version, which has no digest; its form alone can be checked."""
    try:
        content = json.loads(text)
        plain = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        config = path.with_name(CONFIG)
        known = yaml.load(text_of(config), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if config.exists() else None
    except (RecursionError, yaml.YAMLError):
        raise ValueError("it cannot be read") from None
    if plain != text or not isinstance(content, dict) or (config.exists() and known != content.get("config")):
        raise ValueError("it has no digest, and no earlier version wrote it in this form")
    _note_earlier(str(path.parent.parent))
    return content


@lru_cache(maxsize=64)
def _note_earlier(root: str) -> None:
    """Report once that a folder holds records of an earlier version."""
    line = "has results of an earlier version, without a digest; they are read, but changes in them go undetected"
    print(f"note: paths.runs={root!r}: {line}", file=sys.stderr, flush=True)


def _shaped(content: dict[str, Any], key: str) -> dict[str, Any]:
    """Check that the values of a record have the types that its readers expect."""
    if content.get("key") != key:
        raise ValueError(f"it is the result of key {content.get('key')}")
    config = content.get("config")
    named = isinstance(config, Mapping) and all(
        isinstance(config.get(group), Mapping) and isinstance(config[group].get(name), str)
        for group, name in (("dataset", "name"), ("generator", "_target_"), ("classifier", "name"))
    )
    if not named or not isinstance(config.get("seed"), int) or not isinstance(content.get("name"), str):
        raise ValueError("it does not name its job")
    if not isinstance(config["generator"].get("loss") or {}, Mapping):
        raise ValueError("its loss is not a mapping")
    counts = content.get("counts", {})
    if not isinstance(counts, Mapping) or not all(_maps(arm, int) for arm in counts.values()):
        raise ValueError("its counts are not whole numbers")
    if not _maps(content.get("digests", {}), str):
        raise ValueError("its digests are not strings")
    if not _maps(content.get("metrics"), int | float) or not all(map(math.isfinite, content["metrics"].values())):
        raise ValueError("its metrics are not all numbers")
    return content


def _maps(value: Any, kind: Any) -> bool:
    """Return whether a value is a mapping to values of one type."""
    return isinstance(value, Mapping) and all(
        isinstance(each, kind) and not isinstance(each, bool) for each in value.values()
    )


def seconds(folder: Path) -> dict[str, float]:
    """Read the timings in the folder of a result; none where they cannot be read."""
    try:
        found = json.loads(text_of(folder / TIMINGS))
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(found) if _maps(found, int | float) and all(map(math.isfinite, found.values())) else {}


def set_aside(root: str | Path, key: str) -> Path | None:
    """Move the damaged record of ``key`` out of the way; return its new place, None if another process was faster.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    place = Path(root) / DAMAGED
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / ".lock"):
            try:
                # Another process may have moved it, and even written the new one, since it was read.
                Result.read(root, key)
                return None
            except DamagedError:
                number = next(i for i in range(1, 1_000_000) if not (place / f"{key}-{i}").exists())
                return (Path(root) / key).rename(place / f"{key}-{number}")
    except OSError as error:
        raise unwritable(place, error, "paths.runs") from error


def write_failure(root: str | Path, key: str, message: str) -> None:
    """Write a job's error text to the folder where its result would be."""
    write_atomic(Path(root) / key / FAILURE, json.dumps({"key": key, "error": message}, indent=1) + "\n")


def identity(result: Result) -> dict[str, Any]:
    """Collect what distinguishes a job in a usual sweep: the first columns of ``table``."""
    config = result.config
    weights = config["generator"].get("loss") or {}
    return {
        "key": result.key,
        "dataset": config["dataset"]["name"],
        "generator": target_name(config["generator"]),
        "classifier": config["classifier"]["name"],
        "seed": config["seed"],
        **{f"loss.{name}": weights.get(name) for name in ("alpha", "beta", "gamma")},
    }


def table(results: list[Result]) -> pd.DataFrame:
    """Tabulate results, one row per job: its identity, settings that were varied, and its metrics in sorted order.

    A setting counts as varied if jobs with the same data set, or the same generator, and so on, differ in it.
    """
    first = [identity(result) | extra for result, extra in zip(results, varied(results), strict=True)]
    names = list(dict.fromkeys(name for row in first for name in row))
    metrics = dict.fromkeys(name for result in results for name in sorted(result.metrics) if name not in names)
    # Column by column: a dictionary for each row would take more memory than the results.
    columns = {name: [row.get(name, math.nan) for row in first] for name in names}
    numbers = {name: np.array([result.metrics.get(name, math.nan) for result in results]) for name in metrics}
    return pd.DataFrame(columns | numbers)


def varied(results: list[Result]) -> list[dict[str, Any]]:
    """List the settings in which a job differs from others of the same choice; one dictionary per result."""
    leaves: dict[tuple[str, str], list[tuple[str, Any, str]]] = {}
    seen = defaultdict(set)

    def settings(result: Result) -> Iterator[tuple[tuple[Any, str], Any, str]]:
        """Yield the settings of a job: the choice that they belong to and their name, value and canonical text."""
        known = identity(result)
        for part, config in result.config.items():
            # Most jobs of a sweep have most parts in common.
            own = part, canonical(config)
            if own not in leaves:
                leaves[own] = [
                    (name.replace("generator.loss.", "loss."), value, canonical(value))
                    for name, value in flat({part: config})
                ]
            # Two generators have different settings anyway; only one generator with two settings counts as varied.
            for name, value, text in leaves[own]:
                if name not in known:
                    yield (known.get(part), name), value, text

    for result in results:
        for choice, _, text in settings(result):
            seen[choice].add(text)
    return [
        {name: value for (choice, name), value, _ in settings(result) if len(seen[choice, name]) > 1}
        for result in results
    ]


def flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a config with dotted names, without the declared columns of the data set."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            if (prefix, key) != ("dataset", "columns"):
                yield from flat(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, config
