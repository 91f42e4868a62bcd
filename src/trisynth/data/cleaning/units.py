"""Numbers in another unit than the rest of their column, and the same in its unit."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from trisynth.data.cleaning.remarks import quoted
from trisynth.data.dataset import Column
from trisynth.data.formats import OR, NumberFormat, format_of
from trisynth.data.profile.numbers import number_format

# Units of each quantity, by their size in the first.
_QUANTITIES = (
    {"kg": 1.0, "g": 1e-3, "mg": 1e-6, "µg": 1e-9, "μg": 1e-9, "ug": 1e-9, "t": 1e3}
    | {"lb": 0.45359237, "lbs": 0.45359237, "oz": 0.028349523125, "st": 6.35029318},
    {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "km": 1e3, "in": 0.0254, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344},
    {"l": 1.0, "L": 1.0, "dl": 0.1, "dL": 0.1, "cl": 1e-2, "ml": 1e-3, "mL": 1e-3},
    {"h": 1.0, "hrs": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0, "days": 24.0},
)
# Cells that a line of yaml may list.
_MOST = 40


def others(labels: Sequence[str], unread: np.ndarray, facts: Column) -> dict[str, dict[str, str]]:
    """Return cells in other units with the same in the column's unit, by the other unit.

    Parameters
    ----------
    labels : sequence of str
        Distinct cells.
    unread : ndarray of bool
        Those that are not read as numbers.
    facts : Column
        Its format has the column's unit.
    """
    form = format_of("number", (facts.format or "").split(OR)[0] or None)
    unit = form.suffix.strip() if isinstance(form, NumberFormat) else ""
    known = next((units for units in _QUANTITIES if unit in units), {})
    found: dict[str, dict[str, str]] = {}
    for i in np.flatnonzero(unread) if known else ():
        other = number_format([labels[i]])
        name = other.suffix.strip() if other else ""
        if name in known and name != unit:
            value = other.parse([labels[i]]).astype(float) * known[name] / known[unit]
            # More digits than the cell has would be made up.
            digits = 3 - int(np.floor(np.log10(max(abs(value.iloc[0]), 1e-9)))) if form.more else form.decimals
            found.setdefault(name, {})[labels[i]] = form.print(pd.Series(value.round(digits))).iloc[0]
    return found


def line(found: Mapping[str, str]) -> str:
    """Return the line of yaml that converts cells; nothing for too many, which are better converted in the file."""
    pairs = ", ".join(f"{quoted(text)}: {quoted(other)}" for text, other in found.items())
    return f"values: {{{pairs}}}" if len(found) <= _MOST else ""
