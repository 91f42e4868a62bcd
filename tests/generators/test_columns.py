"""Columns are set under names of any type, in a new table."""

import pandas as pd

from trisynth.generators.columns import fresh_name, with_column, with_columns


def test_columns_of_any_name_are_set_in_a_new_table():
    table = pd.DataFrame({"a": [1, 2]})
    found = with_columns(table, {3: [4, 5], ("b", 1): [6, 7], "a": [8, 9]})
    assert list(found) == ["a", 3, ("b", 1)] and found["a"].tolist() == [8, 9]
    assert with_column(table, 3, [4, 5])[3].tolist() == [4, 5]
    assert list(table) == ["a"] and table["a"].tolist() == [1, 2]


def test_a_fresh_name_is_like_the_given_one():
    assert fresh_name(pd.DataFrame(columns=["a", "a'"]), "a") == "a''"
    assert fresh_name(pd.DataFrame(columns=[3]), 3) == "3'" and fresh_name(pd.DataFrame(columns=[3]), "a") == "a"
