"""Relations between columns that a generator keeps, and the fraction of rows in which each holds."""

from typing import Any

import numpy as np
import pandas as pd

from trisynth.data.dataset import Dataset
from trisynth.generators.base import Generator
from trisynth.report.html.columns import exact
from trisynth.report.names import printable

_LONGEST = 160


def relations(generator: Generator, train: Dataset, synthetic: Dataset) -> list[dict[str, Any]]:
    """List relations and declared constraints with the fractions of real and of synthetic rows that hold them."""
    known = generator.relations_
    tables = [_canonical(generator, part) for part in (train, synthetic)]
    found = []
    for step in known.steps:
        if step.reported:
            found.append(_entry(step, "found", [step.agreeing(table, known.grids).mean() for table in tables]))
    for one in known.constraints:
        parts = zip(tables, (train, synthetic), strict=True)
        held = [one.holds(known.cells(table, _labels(generator, part))).mean() for table, part in parts]
        found.append(_entry(one.text, "declared", held))
    return found


def _entry(text: object, origin: str, held: list[float]) -> dict[str, Any]:
    real, synthetic = map(exact, held)
    return {"text": printable(text, _LONGEST), "origin": origin, "real": real, "synthetic": synthetic}


def _canonical(generator: Generator, rows: Dataset) -> pd.DataFrame:
    table = generator.schema_.canonical(rows.X[[column.name for column in generator.schema_.columns]])
    if generator.numeric_target_:
        table[generator.target_column_] = generator.target_.canonical(rows.y).to_numpy()
    return table


def _labels(generator: Generator, rows: Dataset) -> np.ndarray | None:
    if generator.target_ is None or generator.numeric_target_:
        return None
    return pd.Index(generator.labels_.astype(str)).get_indexer(rows.y.astype(str))
