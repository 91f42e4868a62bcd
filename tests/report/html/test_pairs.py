"""Tables of pairs of columns in the report."""

import numpy as np
import pandas as pd

from trisynth.data.dataset import Dataset, Spec
from trisynth.report.html import charts
from trisynth.report.html.columns import FEWEST, Columns
from trisynth.report.html.pairs import MOST_DRAWN, drawn


def pair(dependent: bool) -> Dataset:
    rng = np.random.default_rng(int(dependent))
    number = rng.normal(50, 9, 300)
    level = np.where((number if dependent else rng.permutation(number)) > 50, "high", "low").astype(object)
    level[:2] = "Rarehausen"
    frame = pd.DataFrame({"size": number.round(1), "level": level, "noise": rng.normal(size=300)})
    return Dataset.of(frame.assign(y=rng.permutation(300) % 2), Spec("made", "y", "classification"))


def test_the_broken_pair_comes_first_without_rare_cells():
    real, synthetic = pair(True), pair(False)
    found = drawn(Columns(real, synthetic))
    assert len(found) == MOST_DRAWN
    first = found[0]
    assert set(first["columns"]) == {"size", "level"}
    for which in ("real", "synthetic"):
        cells = [value for row in first[which] for value in row if value is not None]
        assert min(cells) >= 100 * FEWEST / 300 - 0.01
        assert sum(cells) <= 100.1
    drawings = "".join(charts.pair(each) for each in found)
    assert "Rarehausen" not in drawings + str(found)
    assert drawings.count("<title>") == len(found)
