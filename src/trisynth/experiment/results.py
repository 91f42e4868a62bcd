"""The record of a job, as files that only a finished job writes.

``runs/<key>/result.json`` is the truth: configuration, metrics and digests, the same bytes whenever and wherever the
job runs. ``timings.json`` beside it has what differs from run to run.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth.cache import write_atomic
from trisynth.config import canonical, target_name

RESULT, TIMINGS, FAILURE = "result.json", "timings.json", "failure.json"


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
        timings = content.pop("timings")
        write_atomic(folder / TIMINGS, json.dumps(timings, indent=1, sort_keys=True) + "\n")
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        write_atomic(folder / RESULT, text + "\n")
        (folder / FAILURE).unlink(missing_ok=True)
        return folder

    @classmethod
    def read(cls, root: str | Path, key: str) -> "Result | None":
        """Read the finished record of ``key``; None if there is none that can be read."""
        folder = Path(root) / key
        try:
            return cls(**json.loads((folder / RESULT).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def seconds(self, root: str | Path) -> dict[str, float]:
        """Read the timings that were written beside the record."""
        try:
            return json.loads((Path(root) / self.key / TIMINGS).read_text())
        except (OSError, ValueError):
            return {}


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
    settings = varied(results)
    first = [identity(result) | extra for result, extra in zip(results, settings, strict=True)]
    names = list(dict.fromkeys(name for row in first for name in row))
    rows = [row | dict(sorted(result.metrics.items())) for row, result in zip(first, results, strict=True)]
    found = pd.DataFrame(rows)
    return found[[*names, *found.columns.difference(names, sort=False)]] if rows else found


def varied(results: list[Result]) -> list[dict[str, Any]]:
    """List the settings in which a job differs from others of the same choice; one dictionary per result."""
    jobs, seen = [], defaultdict(set)
    for result in results:
        known = identity(result)
        # Two generators have different settings anyway; only one generator with two settings counts as varied.
        settings = {
            (known.get(name.partition(".")[0]), name.replace("generator.loss.", "loss.")): value
            for name, value in flat(result.config)
        }
        jobs.append({choice: value for choice, value in settings.items() if choice[1] not in known})
        for choice, value in jobs[-1].items():
            seen[choice].add(canonical(value))
    return [{name: value for (choice, name), value in job.items() if len(seen[choice, name]) > 1} for job in jobs]


def flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a config with dotted names, without the declared columns of the data set."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            if (prefix, key) != ("dataset", "columns"):
                yield from flat(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, config
