"""What a search wants of a job, as numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trisynth import renamed
from trisynth.errors import InputError


def values(aims: str | Mapping | Sequence, metrics: Mapping[str, float]) -> list[float]:
    """The values of all aims, in their order; NaN for a metric that is absent.

    Parameters
    ----------
    aims : str, mapping or sequence of these
        The key ``objective`` of a resolved root config: a metric's name for its value, or a mapping with ``metric``,
        ``best`` and ``worst`` for its way to the best.
    metrics : mapping of str to float

    Raises
    ------
    InputError
        If an aim is neither, or its best is its worst.
    """
    return [_value(aim, metrics) for aim in ([aims] if isinstance(aims, str | Mapping) else aims)]


def check(objective: str | Mapping | Sequence) -> None:
    """Raise ``InputError`` if the key ``objective`` of a root config is malformed or uses a former name."""
    values(objective, {})
    for each in [objective] if isinstance(objective, str | Mapping) else objective:
        name = each if isinstance(each, str) else each["metric"]
        if present := renamed.metric(name):
            raise InputError("objective", name, f"is now called {present}")


def regret(value: float, best: float, worst: float) -> float:
    """Way from ``value`` to ``best``, in units of that from ``worst``: 0 at the best and beyond, 1 at the worst.

    A C2ST below one half or a share of copies below nothing is luck, and no better than the best.
    """
    return max((value - best) / (worst - best), 0.0) if not math.isnan(value) else math.nan


def _value(aim: Any, metrics: Mapping[str, float]) -> float:
    if isinstance(aim, str):
        return metrics.get(aim, math.nan)
    if not isinstance(aim, Mapping) or set(aim) != {"metric", "best", "worst"} or aim["best"] == aim["worst"]:
        raise InputError("objective", aim, "must be a metric's name, or a mapping: metric, best and another worst")
    return regret(metrics.get(aim["metric"], math.nan), aim["best"], aim["worst"])
