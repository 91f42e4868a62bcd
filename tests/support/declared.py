"""Facts of a test's table as its owner would declare them; a private fit takes no others."""

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data.dataset import Column
from trisynth.data.disclosure.withheld import withheld_kind
from trisynth.data.inference import task_of
from trisynth.data.kinds import learn
from trisynth.errors import InputError


def facts_of(X: pd.DataFrame, y: pd.Series | None = None, rare: int = 0) -> dict[object, Column]:
    """Declare all columns; categories of fewer than ``rare`` rows are not admissible."""
    facts = {name: fact_of(X[name], rare) for name in X}
    if y is not None:
        target = fact_of(y)
        if target.kind == "number" and task_of(y) == "classification":
            target = Column("category", categories=tuple(map(str, sorted(y.dropna().unique()))), gaps=False)
        facts[y.name or "target"] = target
    return facts


def fact_of(cells: pd.Series, rare: int = 0) -> Column:
    kind = withheld_kind(cells) if rare else None
    if kind:
        return Column(kind)
    try:
        found = learn(cells)
    except InputError:
        return Column("category", categories=("none",), gaps=True)
    gaps = bool(cells.isna().any())
    if found.categories is not None:
        counts = cells.value_counts()
        ordered = True if isinstance(cells.dtype, pd.CategoricalDtype) and cells.dtype.ordered else None
        few = rare and not ordered and not types.is_bool_dtype(cells.dtype)
        kept = [str(value) for value in found.categories if not few or counts.get(value, 0) >= rare]
        return Column("category", categories=tuple(kept) or ("none",), ordered=ordered, gaps=gaps)
    low, high = (found.lower, found.upper) if np.isfinite(float(found.lower)) else (0, 0)
    gaps |= types.is_float_dtype(cells.dtype) and bool(np.isinf(cells.to_numpy(float, na_value=np.nan)).any())
    if found.kind in ("date", "duration"):
        start = pd.Timestamp(0) if found.kind == "date" else pd.Timedelta(0)
        ends = tuple(str(start + pd.Timedelta(seconds=float(end))) for end in (low, high))
        return Column(found.kind, bounds=ends, step=found.step or None, gaps=gaps)
    whole = types.is_integer_dtype(cells.dtype)
    return Column("number", bounds=(float(low), float(high)), integer=whole, step=found.step or None, gaps=gaps)
