"""Rare categories are pooled; where a column has no others, a line states that it is left empty."""

import pandas as pd

from trisynth import Circuit


def test_a_column_of_rare_categories_only_is_told_to_be_empty():
    table = pd.DataFrame({"city": [f"town {i % 20}" for i in range(60)], "age": [20 + i % 40 for i in range(60)]})
    notes = Circuit().fit(table).notes
    assert any("no category but 20 rare" in line and "left empty" in line and "rare: 0" in line for line in notes)
