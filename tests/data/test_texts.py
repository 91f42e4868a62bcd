"""Columns of texts: left out unless declared, and then cleaned, hashed, stored and split like all others."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notes import notes

from trisynth.data import texts
from trisynth.data.arrays.features import summarised
from trisynth.data.cleaning.clean import clean
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.kinds import Text, learn
from trisynth.data.readers import orange
from trisynth.errors import InputError

CFG = {"name": "notes", "target": "state", "path": "notes.csv"}
MODELLED = {"note": {"kind": "text", "generate": True}}


@given(st.text())
def test_the_tokens_of_a_text_are_the_text(text):
    assert "".join(texts.tokens(text)) == text
    assert texts.composed(texts.composed(text)) == texts.composed(text)


@given(st.text(max_size=20), st.integers(1, 20))
def test_a_cut_text_ends_with_a_whole_token(text, most):
    found = texts.cut(text, most)
    assert text.startswith(found) and len(found) <= most
    assert len(text) > most or found == text
    assert [texts.cut("seen today", most) for most in (3, 4, 8, 10)] == ["see", "seen", "seen", "seen today"]


@pytest.mark.parametrize(
    ("token", "expected"),
    [("the", (True, True)), (" the", (False, True)), *((other, (False, False)) for other in (" ", ".", "字"))],
)
def test_tokens_that_would_be_read_as_one_word_are_known(token, expected):
    assert texts.joins(token) == expected


def test_free_text_is_left_out_unless_it_is_declared():
    raw = notes().assign(age=np.arange(80) % 7)
    for facts in ({}, {"note": {"kind": "text"}}, {"note": {"kind": "text", "generate": False}}):
        dataset, _ = clean(raw, {**CFG, "columns": facts})
        assert list(dataset.X) == ["age"] and dataset.columns["note"].kind == "text"
    dataset, _ = clean(raw, {**CFG, "columns": MODELLED})
    assert list(dataset.X) == ["note", "age"] and texts.is_text(dataset.X["note"].dtype)
    assert texts.values(dataset.X["note"]) == list(raw["note"])
    with pytest.raises(InputError, match=r"note.generate=True: applies only to kind: text, but the kind is category"):
        clean(raw, {**CFG, "columns": {"note": {"kind": "category", "generate": True}}})
    with pytest.raises(InputError, match=r"columns.state.kind='text': the target must be a number or a category"):
        clean(raw, {**CFG, "columns": {"state": {"generate": True}}})


def test_empty_and_long_texts_are_counted():
    raw = notes(20)
    raw.loc[[2, 3, 4], "note"] = ["", None, "?"]
    raw.loc[5, "note"] = "  very " + "long " * 30
    facts = {"note": {"generate": True, "max_length": 60}}
    dataset, report = clean(raw, {**CFG, "columns": facts, "missing": ["?"]})
    cells = texts.values(dataset.X["note"])
    assert cells[2:5] == ["", "", ""] and cells[5] == ("very " + "long " * 30)[:60]
    found = {row.problem: (row.cells, row.treatment, row.remedy) for row in report.itertuples() if row.column == "note"}
    assert found["empty text"] == (3, "kept as an empty text", "")
    assert found["text of more than 60 characters"] == (1, "cut", "max_length: 154")
    for cells, held in (
        (pa.array([[1.0]] * 20), "holds lists of numbers; declare a tensor or a sequence"),
        (pa.array([["a"]] * 20), "holds list<item: string>; give one text per cell, or ignore the column"),
        (pa.array([3] * 20), "the column holds int; convert it to texts"),
        (pa.array([b"abc"] * 20), "the column holds bytes; convert it to texts"),
    ):
        other = pd.Series(pd.arrays.ArrowExtensionArray(cells))
        with pytest.raises(InputError, match=f"note.kind='text': {held}"):
            clean(raw.assign(note=other), {**CFG, "columns": MODELLED})


def test_a_data_set_of_texts_has_all_verbs(tmp_path):
    dataset, _ = clean(notes(), {**CFG, "columns": MODELLED})
    dataset.write(tmp_path / "rows.parquet")
    again = Dataset.read(tmp_path / "rows.parquet", dataset.spec)
    assert again.frame.equals(dataset.frame) and again.digest == dataset.digest
    dataset.write(tmp_path / "rows.csv")
    assert list(pd.read_csv(tmp_path / "rows.csv")["note"]) == texts.values(dataset.X["note"])
    changed = dataset.X.assign(note=texts.column([*texts.values(dataset.X["note"])[:-1], "other"]))
    assert Dataset(changed, dataset.y, dataset.spec).digest != dataset.digest
    assert texts.values(dataset.take([3, 1]).X["note"]) == [dataset.X["note"][3], dataset.X["note"][1]]
    features = summarised(dataset.X, {})
    assert list(features) == texts.names("note") and (features["note[words]"] >= 3).all()


def test_words_of_few_rows_are_hidden_and_other_texts_come_back():
    raw = notes()["note"]
    for dtype in (object, "string", pd.ArrowDtype(pa.string()), texts.DTYPE):
        cells = raw.astype(dtype)
        kind = learn(cells, Column("text", generate=True), rare=5)
        assert isinstance(kind, Text) and kind.longest == raw.str.len().max()
        restored = kind.restore(kind.canonical(cells))
        assert restored.dtype == cells.dtype and not restored.astype(object).str.contains("Name").any()
        assert restored.astype(object).str.contains("Dr").sum() == raw.str.contains("Dr").sum()
    known = learn(raw, Column("text", generate=True))
    assert known.restore(known.canonical(raw)).equals(raw)
    with pytest.raises(InputError, match=r"kind='text': the column holds int64"):
        learn(pd.Series([1, 2], name="n"), Column("text", generate=True))


def test_numbers_of_several_tokens_count_as_one_word():
    rows = [
        f"called 06 12 3{i % 9} 56 {10 + i} on 0{i % 9 + 1}/02/19{40 + i}, ref 0612-{100 + i}; gave 1.5 mg"
        for i in range(40)
    ]
    raw = pd.Series(rows, name="note")
    kind = learn(raw, Column("text", generate=True), rare=5)
    assert set(kind.restore(kind.canonical(raw))) == {"called on, ref; gave 1.5 mg"}
    public = learn(raw, Column("text", generate=True))
    assert public.restore(public.canonical(raw)).equals(raw)


def test_half_of_a_character_is_named_with_its_row():
    raw = pd.Series(["whole", None, "half \ud83d"], name="note")
    with pytest.raises(InputError, match=r"^X='note': the text of row 2 holds U\+D83D, half of a character; remove it"):
        learn(raw, Column("text", generate=True)).canonical(raw)


def test_words_of_other_scripts():
    assert texts.words("मरीज़ को बुखार है") == ["मरीज़", "को", "बुखार", "है"]
    assert texts.words("患者は発熱。") == ["患", "者", "は", "発", "熱"]
    assert len(texts.words("ผู้ป่วยมีไข้และไอ")) > 8
    assert texts.words("don't, cafe\u0301 안녕") == ["don't", "cafe\u0301", "안녕"]


def test_texts_that_are_hidden_entirely_are_reported():
    raw = notes(60).assign(note=[f"only{chr(97 + i % 26)}{i}x" for i in range(60)])
    _, report = clean(raw, {**CFG, "columns": MODELLED, "rare": 5})
    found = report[report["column"] == "note"].iloc[0]
    assert found["problem"] == "text whose words and numbers all occur in fewer than 5 rows" and found["cells"] == 60
    _, report = clean(raw, {**CFG, "columns": MODELLED})
    assert "note" not in set(report["column"])


def test_orange_files_have_three_lines_above_the_rows(tmp_path):
    path = tmp_path / "news.tab"
    path.write_text("Topic\tText\nd\tstring\nclass\t\n\ntrade\ttariffs rise\nship\ta port\n")
    assert orange(path).to_dict("list") == {"Topic": ["trade", "ship"], "Text": ["tariffs rise", "a port"]}
    path.write_text("Topic\tText\ntrade\n")
    with pytest.raises(InputError, match="three lines of names, types and roles"):
        orange(path)


def test_a_spec_with_a_text_has_its_facts():
    spec = Spec("notes", "state", columns={"note": Column("text", generate=True)})
    assert spec.columns["note"].analysed and not Column("text").analysed
