"""Levels of few rows do not show in figures, unless they are declared."""

import pandas as pd

from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.report.figures.levels import FEW, hide_rare


def rows(*, rare: int = 5, declared: bool = False) -> Dataset:
    place = pd.Categorical(["Bonn"] * 20 + ["Ulm"] * 10 + ["Atlantis"] * 2 + [None])
    facts = {"place": Column("category", ("Atlantis", "Bonn", "Ulm"))} if declared else {}
    y = pd.Series(pd.Categorical(["a", "b", "c"] * 11), name="y")
    return Dataset(pd.DataFrame({"place": place, "n": range(33)}), y, Spec("t", "y", columns=facts, rare=rare))


def test_levels_of_few_real_rows_are_summed_in_all_tables():
    synthetic = rows().take(range(5, 33))
    shown = hide_rare(rows(), synthetic)
    assert [part.X["place"].value_counts().to_dict() for part in shown] == [
        {"Bonn": 20, "Ulm": 10, FEW: 2},
        {"Bonn": 15, "Ulm": 10, FEW: 2},
    ]
    assert all("Atlantis" not in part.X["place"].cat.categories for part in shown)
    assert shown[0].X["place"].isna().sum() == 1


def test_declared_levels_and_public_tables_are_shown():
    for table in (rows(declared=True), rows(rare=0)):
        assert hide_rare(table)[0].X.equals(table.X)
