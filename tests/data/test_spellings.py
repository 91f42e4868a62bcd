"""Spellings that a format does not tell: missing cells, frequent numbers, and a second format."""

import numpy as np
import pandas as pd

from trisynth.data.dataset import Column
from trisynth.data.formats import format_of
from trisynth.data.formats.spellings import Spellings

MIXED = Column(kind="number", format="1.0 kg | 1.0")


def written(texts: list[str], facts: Column, values: list[float]) -> pd.Series:
    """Learn from texts, and write values."""
    spellings = Spellings.learn(pd.Series(texts, dtype=object), facts, ["NA"], category=False)
    cells = pd.Series(values, dtype=float)
    plain = format_of(facts.kind, facts.format).print(cells)
    return spellings.write(plain, cells, facts, np.random.default_rng(0))


def test_words_among_numbers_return_in_their_fractions_and_rare_ones_never():
    cells = ["81.2 kg"] * 60 + [">90"] * 30 + ["NA"] * 10 + ["see Dr. Unique"]
    shares = written(cells, Column(kind="number", format="1.0 kg"), [np.nan] * 4_000).value_counts(normalize=True)
    assert set(shares.index) == {">90", "NA", ""}
    assert abs(shares[">90"] - 30 / 41) < 0.03 and shares[""] < 0.06


def test_a_frequent_code_keeps_its_own_spelling():
    cells = ["81.2 kg"] * 60 + ["79.9 kg"] * 30 + ["-9"] * 10
    texts = written(cells, Column(kind="number", format="1.0 kg"), [81.2, -9.0, 70.0])
    assert texts.tolist() == ["81.2 kg", "-9", "70.0 kg"]


def test_the_second_format_is_written_as_often_as_in_the_file():
    cells = [f"{value / 10:.1f} kg" for value in range(700)] + [f"{value / 10:.1f}" for value in range(700, 1_000)]
    texts = written(cells, MIXED, [55.5] * 4_000)
    assert set(texts) == {"55.5 kg", "55.5"} and abs((texts == "55.5").mean() - 0.3) < 0.03


def test_two_forms_of_dates_return():
    days = pd.Series(pd.date_range("2021-01-01", periods=400))
    cells = [*days[:300].dt.strftime("%Y-%m-%d"), *days[300:].dt.strftime("%d.%m.%Y")]
    facts = Column(kind="date", format="%Y-%m-%d | %d.%m.%Y")
    spellings = Spellings.learn(pd.Series(cells, dtype=object), facts, [], category=False)
    plain = format_of("date", facts.format).print(days)
    texts = spellings.write(plain, days, facts, np.random.default_rng(0))
    assert abs(texts.str.contains(".", regex=False).mean() - 0.25) < 0.08
    assert format_of("date", facts.format).parse(texts).tolist() == days.tolist()
