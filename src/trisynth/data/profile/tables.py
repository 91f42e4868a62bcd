"""Facts that the columns of a table share: marks of numbers, and the order of day and month."""

from collections.abc import Hashable

import pandas as pd
import pyarrow as pa

from trisynth.data.cells import matches
from trisynth.data.profile.columns import Context
from trisynth.data.profile.dates import time_format

_SAMPLE = 500
# Decimal commas that cannot be thousands, and as many points.
_COMMA = r"[^0-9,.]{0,4}[0-9]{1,9}(\.[0-9]{3})*,([0-9]{1,2}|[0-9]{4,})[^0-9,.]{0,12}|[^0-9]{0,4}0,[0-9]+[^0-9]{0,12}"
_POINT = r"[^0-9,.]{0,4}[0-9]{1,9}(,[0-9]{3})*\.([0-9]{1,2}|[0-9]{4,})[^0-9,.]{0,12}"


def context_of(raw: pd.DataFrame) -> Context:
    """Find out how a table writes decimals and dates, from samples of the columns where only one way is possible."""
    commas = points = 0
    orders: dict[bool, int] = {True: 0, False: 0}
    for texts in map(_sample, (column for _, column in _columns(raw))):
        if not len(texts):
            continue
        commas += matches(texts, _COMMA).mean() > 0.5
        points += matches(texts, _POINT).mean() > 0.5
        found = time_format(texts.to_pylist())
        if found and found.kind == "date" and found.format and not found.other:
            day, month = (max(found.format.find(f"%{key}"), found.format.find(f"%-{key}")) for key in "dm")
            year = max(found.format.find("%Y"), found.format.find("%y"))
            if 0 <= min(day, month) < year:
                orders[day < month] += 1
    first = None if orders[True] == orders[False] else orders[True] > orders[False]
    return Context(comma=bool(commas and commas >= points), day_first=first)


def _columns(raw: pd.DataFrame) -> list[tuple[Hashable, pd.Series]]:
    return [(name, column) for name, column in raw.items() if not pd.api.types.is_numeric_dtype(column.dtype)]


def _sample(column: pd.Series) -> pa.Array:
    values = column.iloc[:: max(1, len(column) // _SAMPLE)].dropna()
    # Lists and other compound cells are refused later, with the name of their column.
    texts = dict.fromkeys(value.strip() for value in values if isinstance(value, str) and value.strip())
    return pa.array(list(texts), pa.string())
