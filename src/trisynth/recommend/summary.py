"""Readable summary of a search: the table of its trials and one sentence."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

NAMES = {"roc_auc": "ROC AUC", "average_precision": "PR AUC", "f1_macro": "macro-F1", "r2": "R²"}


def text(trials: pd.DataFrame, advice: Mapping[str, Any]) -> str:
    """Format the trials and the recommendation."""
    if not len(trials):
        return sentence(advice)
    shown = trials.assign(**{name: trials[name].map(_gain) for name in ("gain", "lower")})
    return f"{shown.to_string(index=False)}\n{sentence(advice)}"


def sentence(advice: Mapping[str, Any]) -> str:
    """Format the recommendation in one line."""
    metric, baseline = NAMES.get(advice["metric"], advice["metric"].replace("_", " ")), advice["baseline"]
    trial = f"{advice['candidate']}, {_amount(advice['tried'])}"
    level = f"{100 * advice['confidence']:g} % lower bound"
    if advice["reason"]:
        line = f"auto: none: {advice['reason']}"
        if baseline:
            bound = "" if pd.isna(advice["lower"]) else f" ({level} {_gain(advice['lower'])})"
            line += f"; best was {trial}: {metric} {_gain(advice['gain'])} against {baseline}{bound}"
    else:
        line = f"auto: {trial}: {metric} {_gain(advice['gain_over_real'])} against real ({level} "
        line += f"{_gain(advice['lower_over_real'])})"
        if baseline != "real":
            line += f", {_gain(advice['gain'])} ({_gain(advice['lower'])}) against {baseline}, its strongest baseline"
    if advice["spent_out"]:
        line += f"; the budget ended the search after {advice['searched']} of {advice['candidates']} candidates"
    return line


def _amount(amount: float | str) -> str:
    return amount if isinstance(amount, str) else f"ratio {amount:g}"


def _gain(value: float) -> str:
    return "" if pd.isna(value) else f"{value:+.3f}"
