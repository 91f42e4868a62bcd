"""What a search says to a person: the table of its trials and one plain sentence."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

NAMES = {"roc_auc": "ROC AUC", "average_precision": "PR AUC", "f1_macro": "macro-F1", "r2": "R²"}


def told(trials: pd.DataFrame, advice: Mapping[str, Any]) -> str:
    """Table and sentence."""
    if not len(trials):
        return sentence(advice)
    shown = trials.assign(**{name: trials[name].map(_gain) for name in ("gain", "lower")})
    return f"{shown.to_string(index=False)}\n{sentence(advice)}"


def sentence(advice: Mapping[str, Any]) -> str:
    """The advice in one line."""
    metric, rival = NAMES.get(advice["metric"], advice["metric"].replace("_", " ")), advice["rival"]
    trial = f"{advice['candidate']}, {_amount(advice['tried'])}"
    level = f"{100 * advice['confidence']:g} % lower bound"
    if advice["reason"]:
        text = f"auto: none: {advice['reason']}"
        if rival:
            bound = "" if pd.isna(advice["lower"]) else f" ({level} {_gain(advice['lower'])})"
            text += f"; best was {trial}: {metric} {_gain(advice['gain'])} against {rival}{bound}"
    else:
        text = f"auto: {trial}: {metric} {_gain(advice['gain_over_real'])} against real ({level} "
        text += f"{_gain(advice['lower_over_real'])})"
        if rival != "real":
            text += f", {_gain(advice['gain'])} ({_gain(advice['lower'])}) against {rival}, its nearest rival"
    if advice["spent_out"]:
        text += f"; the budget ended the search after {advice['searched']} of {advice['candidates']} candidates"
    return text


def _amount(amount: float | str) -> str:
    return amount if isinstance(amount, str) else f"ratio {amount:g}"


def _gain(value: float) -> str:
    return "" if pd.isna(value) else f"{value:+.3f}"
