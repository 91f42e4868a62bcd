"""A table whose columns depend on each other in a cycle, its declared facts, and the misfit of rows."""

import numpy as np
import pandas as pd

from trisynth.data.dataset import Column

NAMES = ["a", "b", "c"]
FACTS = {name: Column("category", categories=("0", "1", "2"), gaps=False) for name in NAMES}
FACTS["y"] = Column("category", categories=("no", "yes"), gaps=False)


def cycle(rows: int) -> pd.DataFrame:
    """Three columns that depend on each other in pairs, which no tree can show."""
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 3, (3, rows))
    keep = rng.random(rows)
    frame = pd.DataFrame({"a": a, "b": np.where(keep < 0.4, a, b)})
    frame["c"] = np.where(keep > 0.6, a, np.where(keep < 0.2, c, frame["b"]))
    frame["y"] = np.where(rng.random(rows) < 0.3 + 0.4 * (frame["a"] == frame["c"]), "yes", "no")
    return frame.astype(str)


def misfit(frame: pd.DataFrame, drawn: pd.DataFrame) -> float:
    """Return the largest total variation distance of a table of two columns and the label."""
    found = []
    for first, second in (("a", "b"), ("a", "c"), ("b", "c")):
        real, own = (pd.crosstab(part["y"], [part[first], part[second]]) for part in (frame, drawn))
        found.append(np.abs(real - own).sum().sum() / len(frame) / 2)
    return max(found)
