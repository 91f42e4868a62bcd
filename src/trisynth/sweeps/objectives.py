"""Objective values for a search."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trisynth import renamed
from trisynth.errors import InputError


def values(objectives: str | Mapping | Sequence, metrics: Mapping[str, float]) -> list[float]:
    """Return the values of all objectives, in their order; NaN for a metric that is absent.

    Parameters
    ----------
    objectives : str, mapping or sequence of these
        The key ``objective`` of a resolved root config: a metric's name for its value, or a mapping with ``metric``,
        ``best`` and ``worst`` for its regret.
    metrics : mapping of str to float

    Raises
    ------
    InputError
        If an objective is neither, or its best equals its worst.
    """
    each = [objectives] if isinstance(objectives, str | Mapping) else objectives
    return [_value(objective, metrics) for objective in each]


def check(objective: str | Mapping | Sequence) -> None:
    """Raise ``InputError`` if the key ``objective`` of a root config is malformed or uses a former name."""
    if not objective or not isinstance(objective, str | Mapping | Sequence):
        raise InputError("objective", objective, "must be the name of a metric, or a list of such names")
    values(objective, {})
    for each in [objective] if isinstance(objective, str | Mapping) else objective:
        name = each if isinstance(each, str) else each["metric"]
        if present := renamed.metric(name):
            raise InputError("objective", name, f"is now called {present}")


def regret(value: float, best: float, worst: float) -> float:
    """Scale a value to its regret: 0 at ``best`` and beyond it, 1 at ``worst``, linear between them.

    A value beyond the best, such as a C2ST below one half, is due to chance and counts as the best.
    """
    return max((value - best) / (worst - best), 0.0) if not math.isnan(value) else math.nan


def _value(objective: Any, metrics: Mapping[str, float]) -> float:
    if isinstance(objective, str):
        return metrics.get(objective, math.nan)
    known = isinstance(objective, Mapping) and set(objective) == {"metric", "best", "worst"}
    if not known or objective["best"] == objective["worst"]:
        remedy = "must be the name of a metric, or a mapping of metric, best and worst, with best unlike worst"
        raise InputError("objective", objective, remedy)
    return regret(metrics.get(objective["metric"], math.nan), objective["best"], objective["worst"])
