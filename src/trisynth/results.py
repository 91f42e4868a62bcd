"""One record per job, as files that nothing but a finished job writes.

``runs/<key>/result.json`` is the truth: configuration, metrics and digests, the same bytes whenever and wherever
the job runs. What differs from run to run (seconds, the machine) lies beside it in ``timings.json``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth.cache import write_atomic
from trisynth.config import target_name

RESULT, TIMINGS, FAILURE = "result.json", "timings.json", "failure.json"


@dataclass(frozen=True)
class Result:
    """What one job found.

    Parameters
    ----------
    key : str
        Digest of the resolved configuration, the data, the code and the libraries.
    name : str
        Readable name: data set, generator, classifier, seed, and the loss weights where there are any.
    config : mapping
        The job's resolved configuration.
    metrics : mapping of str to float
        Named ``real/f1_macro``, ``gain/f1_macro``, ``fidelity/ks``, ``privacy/exact_copies``; absent where
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
        """The finished record of ``key``, or None if there is none that can be read."""
        folder = Path(root) / key
        try:
            return cls(**json.loads((folder / RESULT).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def seconds(self, root: str | Path) -> dict[str, float]:
        """Timings that were written beside the record."""
        try:
            return json.loads((Path(root) / self.key / TIMINGS).read_text())
        except (OSError, ValueError):
            return {}


def write_failure(root: str | Path, key: str, message: str) -> None:
    """Leave a job's error text beside where its result would be."""
    write_atomic(Path(root) / key / FAILURE, json.dumps({"key": key, "error": message}, indent=1) + "\n")


def table(results: list[Result]) -> pd.DataFrame:
    """Results as a table: one row per job, what identifies it first, then its metrics in sorted order."""
    rows = []
    for result in results:
        config = result.config
        weights = config["generator"].get("loss") or {}
        rows.append(
            {
                "key": result.key,
                "dataset": config["dataset"]["name"],
                "generator": target_name(config["generator"]),
                "classifier": config["classifier"]["name"],
                "seed": config["seed"],
                **{f"loss.{name}": weights.get(name) for name in ("alpha", "beta", "gamma")},
                **dict(sorted(result.metrics.items())),
            }
        )
    return pd.DataFrame(rows)
