"""Settings of a search, checked before the first row is read."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trisynth.errors import InputError, require_number, require_whole
from trisynth.evaluation.arms import BALANCE

# Higher is better. Metrics of decisions have one more baseline, which only moves the threshold.
RANKING, DECISIONS = ("roc_auc", "average_precision"), ("f1_macro", "balanced_accuracy", "accuracy")
REGRESSION = "r2"
_LONGEST = 8760 * 3600
# All trials of a search are listed before they start.
_MOST_REPEATS = 1000
_UNITS = {"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}
_LIMITS = ("memorised", "identical")


@dataclass(frozen=True)
class Settings:
    """Section ``recommend`` of a resolved root configuration.

    Parameters
    ----------
    candidates : mapping of str to mapping
        Configs of generators, the cheap ones first.
    classifiers : mapping of str to mapping
        As in the files of ``conf/classifier``; a score is the mean over them.
    amounts : list of float or "balance"
        Synthetic rows for each real one; ``balance`` fills every class up to the largest.
    budget : float
        Wall time in seconds.
    metric : str
    folds, choosing, repeats : int
        Folds of all rows, how many of them choose, and how often the other rows are dealt into theirs.
    copying : mapping of str to float
        Limits of ``memorised`` and ``identical``; see ``conf/recommend/default.yaml``.
    n_jobs : int
        Worker processes, as in joblib.
    """

    candidates: Mapping[str, Mapping[str, Any]]
    classifiers: Mapping[str, Mapping[str, Any]]
    amounts: list[float | str]
    budget: float
    metric: str = "f1_macro"
    folds: int = 10
    choosing: int = 4
    repeats: int = 2
    copying: Mapping[str, float] | None = None
    n_jobs: int = -1

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "Settings":
        """Check a section of the configuration and build its settings.

        Raises
        ------
        InputError
            For the first value that cannot be used.
        """
        try:
            given = cls(**{**section, "budget": seconds(section.get("budget"))})
        except TypeError:
            names = ", ".join(cls.__dataclass_fields__)
            raise InputError("recommend", sorted(section), f"must have the settings {names}") from None
        given._check()
        return given

    def _check(self) -> None:
        for part in ("candidates", "classifiers"):
            named = getattr(self, part)
            if not isinstance(named, Mapping) or not named:
                raise InputError(f"recommend.{part}", named, f"must name at least one {part.removesuffix('s')}")
        for name, config in self.candidates.items():
            if not isinstance(config, Mapping) or "_target_" not in config:
                remedy = "must name a generator by _target_, like the files of conf/generator"
                raise InputError(f"recommend.candidates.{name}", config, remedy)
        if not isinstance(self.amounts, list) or not self.amounts:
            remedy = "must be a list of ratios or balance, such as [0.5,1,balance]"
            raise InputError("recommend.amounts", self.amounts, remedy)
        for amount in self.amounts:
            number = isinstance(amount, int | float) and not isinstance(amount, bool)
            if amount != BALANCE and not (number and 0 < amount < math.inf):
                raise InputError("recommend.amounts", amount, "must hold ratios > 0 or balance")
        if self.metric not in (*RANKING, *DECISIONS):
            remedy = f"must be one of {', '.join((*RANKING, *DECISIONS))}; a numeric target is scored by {REGRESSION}"
            raise InputError("recommend.metric", self.metric, remedy)
        for name, least in (("folds", 4), ("choosing", 2), ("repeats", 1)):
            require_whole(f"recommend.{name}", getattr(self, name), least)
        if self.repeats > _MOST_REPEATS:
            raise InputError("recommend.repeats", self.repeats, f"must be at most {_MOST_REPEATS}")
        if self.choosing > self.folds - 2:
            remedy = f"must leave at least 2 of recommend.folds={self.folds} to confirm"
            raise InputError("recommend.choosing", self.choosing, remedy)
        if not isinstance(self.copying, Mapping) or set(self.copying) != set(_LIMITS):
            raise InputError("recommend.copying", self.copying, f"must have limits of {' and '.join(_LIMITS)}")
        for name, limit in self.copying.items():
            require_number(f"recommend.copying.{name}", limit, 0, 1)
        if isinstance(self.n_jobs, bool) or not isinstance(self.n_jobs, int) or not self.n_jobs:
            raise InputError("recommend.n_jobs", self.n_jobs, "must be a number of processes, or -1 for all cores")


def seconds(text: Any) -> float:
    """Read a duration: a number of seconds, or a number and its unit as in ``90s``, ``10min``, ``1.5h``.

    Raises
    ------
    InputError
        If it is not a duration above zero.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", str(text).lower())
    if isinstance(text, bool) or not found or found[2] not in _UNITS or not float(found[1]) > 0:
        raise InputError("recommend.budget", text, "must be a time above zero, such as 90s, 10min or 1h")
    budget = float(found[1]) * _UNITS[found[2]]
    if budget > _LONGEST:
        raise InputError("recommend.budget", text, "must be at most a year, 8760h")
    return budget
