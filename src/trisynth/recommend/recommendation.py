"""The answer of a search: sentences, the trials behind them, and how they were made."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth.cache import write_atomic

FILE, TRIALS = "recommendation.json", "trials.csv"
TRIAL_COLUMNS = ("candidate", "amount", "baseline", "stage", "gain", "lower", "upper", "copying", "folds", "problem")
ARM_COLUMNS = ("arm", "score", "gain", "lower", "upper", "folds")
_FRAMES = ("trials", "arms", "tables")


@dataclass(frozen=True)
class Recommendation:
    """Recommendation for one table.

    Parameters
    ----------
    verdict : str
        One sentence: the candidate and amount to use, or what to do instead.
    sharing : str
        One sentence: the best table of synthetic rows to share.
    surer : str
        One sentence: how many rows, or how much time, a more certain answer would need.
    use : mapping or None
        ``candidate``, ``amount`` (a ratio or ``"balance"``) and ``generator`` (its config) of the advised rows; None
        if synthetic rows are not advised.
    beats_baselines : bool
        Whether the advised rows gain over *every* baseline, not the real rows alone.
    share : mapping or None
        ``candidate`` and ``generator`` of the table to share; None if no candidate is fit for it.
    trials : DataFrame
        ``candidate``, ``amount``, ``baseline``, ``stage`` (choose, confirm, failed), ``gain`` (mean over the folds),
        ``lower`` and ``upper`` (95 % interval; only of the stage confirm), ``copying`` (whether the candidate copies
        training rows), ``folds``, ``problem``. A trial of the stage choose has its strongest baseline.
    arms : DataFrame
        Training sets on the folds that confirm: ``arm``, mean ``score``, and the ``gain`` over the real rows with its
        interval ``lower`` to ``upper``.
    tables : DataFrame
        Candidates as tables to share: ``candidate``, ``copying``, and means of their fidelity and copying scores with
        floor and ceiling, by the metrics' names.
    data : mapping
        ``name``, ``target``, ``task``, ``rows``, ``columns``, ``digest``.
    metric : str
    budget, seconds : float
        Wall time that was allowed and that was used.
    finished : bool
        Whether the search ended by itself; otherwise the same command continues it.
    config : mapping
        Resolved root configuration of the search, with its section ``recommend``.
    keys : mapping of str to list of str
        Keys of the trials in ``runs`` by candidate; ``baselines`` has those without synthetic rows.
    job : mapping or None
        Resolved root configuration of a finished trial: of the advised candidate, otherwise of the one to share.
    notes : list of str
        What else the user should know, one sentence each.
    versions : mapping of str to str
        Of the package and the libraries.
    """

    verdict: str
    sharing: str
    surer: str
    use: Mapping[str, Any] | None
    beats_baselines: bool
    share: Mapping[str, Any] | None
    trials: pd.DataFrame
    arms: pd.DataFrame
    tables: pd.DataFrame
    data: Mapping[str, Any]
    metric: str
    budget: float
    seconds: float
    finished: bool
    config: Mapping[str, Any]
    keys: Mapping[str, list[str]] = field(default_factory=dict)
    job: Mapping[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """Seed of the folds and of all trials."""
        return self.config["seed"]

    def write(self, folder: Path) -> None:
        """Write ``recommendation.json`` and ``trials.csv``."""
        content = {name: value for name, value in vars(self).items() if name not in _FRAMES}
        content |= {name: _records(getattr(self, name)) for name in _FRAMES}
        write_atomic(folder / TRIALS, self.trials.to_csv(index=False, float_format="%.6g"))
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=dict)
        write_atomic(folder / FILE, text + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Recommendation":
        """Read what ``write`` wrote."""
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return cls(**content | {name: pd.DataFrame(**content[name]) for name in _FRAMES})


def _records(frame: pd.DataFrame) -> dict[str, list]:
    """Return a table as plain values; a number that is missing or infinite is null."""
    rows = [
        [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row]
        for row in frame.astype(object).to_numpy().tolist()
    ]
    return {"columns": list(frame.columns), "data": rows}
