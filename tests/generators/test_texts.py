"""Common contract of all generators for texts, by the kinds that each declares, and the n-gram model."""

import inspect
from functools import cache

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from configs import CONF, config, make
from notes import notes
from omegaconf import OmegaConf

from trisynth.commandline import composed
from trisynth.config import locate
from trisynth.data import texts
from trisynth.data.dataset import Column
from trisynth.data.kinds import Text
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.texts.ngram import NGram
from trisynth.generators.texts.text_gru import TextGRU
from trisynth.sampling import synthesize

NAMES = sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))
KINDS = {name: locate(config(name)["_target_"]).kinds for name in NAMES}
TAKING = [name for name in NAMES if Text in KINDS[name]]
FACTS = {"note": Column(kind="text", generate=True)}


@cache
def fitted(name: str) -> Generator:
    return make(name).fit(notes(), target="state", facts=FACTS)


@pytest.mark.parametrize("name", TAKING)
def test_rows_are_like_the_training_rows(name):
    real = notes()
    for n in (0, 1, 33):
        drawn = fitted(name).sample(n, seed=1)
        assert list(drawn) == list(real) and list(drawn.dtypes) == list(real.dtypes) and len(drawn) == n
    assert drawn["note"].str.len().max() <= real["note"].str.len().max()
    assert not drawn["note"].str.contains("Name").any()
    assert fitted(name).sample({"ill": 3, "well": 0})["state"].tolist() == ["ill"] * 3
    assert any("parts of real ones may come back; words of few rows" in line for line in fitted(name).notes)


@pytest.mark.parametrize("name", TAKING)
def test_a_saved_generator_draws_the_same_rows(name, tmp_path):
    fitted(name).save(tmp_path / "state")
    drawn = fitted(name).sample(20, seed=3)
    assert Generator.load(tmp_path / "state").sample(20, seed=3).equals(drawn)
    assert not fitted(name).sample(20, seed=4).equals(drawn)
    assert make(name).fit(notes(), target="state", facts=FACTS).sample(20, seed=3).equals(drawn)


@pytest.mark.parametrize("name", TAKING)
def test_texts_without_a_target_empty_ones_and_a_class_of_one_row(name):
    real = notes()[["note"]]
    assert make(name).fit(real, facts=FACTS).sample(7).shape == (7, 1)
    empty = make(name).fit(pd.DataFrame({"note": [""] * 4}), facts=FACTS).sample(3)
    assert empty["note"].tolist() == [""] * 3
    y = pd.Series(["one"] + ["other"] * 79, name="y")
    assert len(make(name).fit(real, y, facts=FACTS).sample({"one": 5})) == 5


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(TAKING)))
def test_other_generators_refuse_texts_in_one_line(name):
    if "privacy" in config(name):
        pytest.skip("a private fit needs declared facts; see the tests of private generators")
    with pytest.raises(InputError, match=r"note.*does not take columns of kind text; it takes"):
        make(name).fit(notes(), target="state", facts=FACTS)


def test_texts_are_withheld_where_nothing_is_declared():
    for facts in ({}, {"note": Column("text")}):
        with pytest.raises(
            InputError, match=r"note.*are all identifiers or free text; .*, of a text also generate=True"
        ):
            NGram().fit(notes(), target="state", facts=facts)
    with pytest.raises(InputError, match=r"target='note': holds arrays or texts, which are no target"):
        NGram().fit(notes(), target="note", facts=FACTS)


def test_long_texts_are_cut_and_texts_of_rare_words_alone_are_counted(caplog):
    real = pd.DataFrame({"note": ["often seen again"] * 20 + [str(1000 + i) for i in range(8)]})
    drawn = NGram().fit(real, facts={"note": Column("text", generate=True, max_length=10)}).sample(40)["note"]
    # A text of rare words alone counts as empty, and may be drawn as such.
    assert set(drawn) <= {"often seen", "often", "seen", ""} and (drawn == "").mean() < 0.5
    assert (
        "; 8 texts hold only words and numbers of fewer than 5 rows and count as empty (rare=0 keeps all)"
        in caplog.text
    )
    assert "20 texts of more than 10 characters are cut" in caplog.text


@pytest.mark.parametrize("cell", ["{0}1234{0}", "{0} {0} 12 {1}"], ids=["numbers", "digits that blanks join"])
def test_texts_of_numbers_alone_come_back_empty_and_the_note_states_it(cell, caplog):
    real = pd.DataFrame({"note": [cell.format(10 + i, i % 2) for i in range(60)]})
    assert set(NGram().fit(real, facts=FACTS).sample(20)["note"]) == {""}
    only = "60 texts hold only words and numbers of fewer than 5 rows and count as empty: no word is drawn"
    assert f"0 are kept; {only} (rare=0 keeps all)" in caplog.text


@pytest.mark.parametrize("facts", [FACTS, {}], ids=["modelled", "undeclared"])
def test_half_of_a_character_is_one_line(facts):
    real = notes().assign(note=lambda t: t["note"].where(t.index != 7, "half \ud83d"))
    with pytest.raises(InputError, match=r"^X='note': the text of row 7 holds U\+D83D, half of a character"):
        make("independent").fit(real, target="state", facts=facts)


def test_a_dtype_of_arrow_declares_nothing_in_a_dataframe():
    real = notes().assign(note=texts.column(notes()["state"]))
    drawn = make("independent").fit(real, target="state").sample(10)
    assert drawn["note"].dtype == real["note"].dtype and set(drawn["note"]) <= {"ill", "well"}


@pytest.mark.parametrize("name", ["ngram", "text_gru"])
def test_the_yaml_has_the_arguments(name):
    raw = OmegaConf.to_container(OmegaConf.load(CONF / "generator" / f"{name}.yaml"))
    parameters = inspect.signature(locate(raw.pop("_target_"))).parameters
    assert raw == {name: parameter.default for name, parameter in parameters.items()}


@pytest.mark.parametrize(
    "made", [NGram(order=0), NGram(label_filter=1), TextGRU(sub_words=0), TextGRU(dropout=1.0), TextGRU(device="tpu")]
)
def test_wrong_arguments_are_refused(made):
    with pytest.raises(InputError, match=r"order|label_filter|sub_words|dropout|device"):
        made.check()


def test_words_depend_on_the_class_and_a_numeric_target_is_drawn():
    drawn = fitted("ngram").sample({"ill": 300, "well": 300})
    complaints = drawn["note"].str.contains("complaints|Feels")
    assert complaints[drawn["state"] == "well"].mean() > 0.4 > 8 * complaints[drawn["state"] == "ill"].mean()
    value = np.where(notes()["state"] == "ill", 10.0, 20.0) + np.arange(80) / 100
    drawn = NGram().fit(notes()[["note"]], pd.Series(value, name="dose"), facts=FACTS).sample(200)
    assert drawn[drawn["note"].str.contains("Feels")]["dose"].median() > 20


def test_memory_of_a_draw_does_not_hold_all_texts_as_numbers(monkeypatch):
    asked = []
    sample = type(fitted("ngram").models_["note"]).sample
    monkeypatch.setattr(
        "trisynth.generators.texts.ngram.NGrams.sample",
        lambda model, labels, *rest: asked.append(len(labels)) or sample(model, labels, *rest),
    )
    assert len(fitted("ngram").sample(5000)) == 5000 and max(asked) < 5000


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_of_notes_comes_back_in_its_form(suffix, tmp_path):
    rows = notes().assign(id=[f"P{i:05d}" for i in np.random.default_rng(0).permutation(90_000)[:80]])
    source = tmp_path / f"mine.{suffix}"
    rows.to_csv(source, index=False) if suffix == "csv" else rows.to_parquet(source, index=False)
    paths = [f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps")]
    overrides = [f"dataset={suffix}", f"dataset.path={source}", "dataset.target=state", "generator=ngram", *paths]
    declared = ["+dataset.columns.note.kind=text", "+dataset.columns.note.generate=true"]
    out = tmp_path / f"rows.{suffix}"
    assert synthesize(composed([*overrides, *declared]), 50, str(out)) == 50
    drawn = pd.read_csv(out, keep_default_na=False) if suffix == "csv" else pd.read_parquet(out)
    assert list(drawn) == list(rows) and (drawn["note"] != "").mean() > 0.5
    assert not drawn["note"].str.contains("Name").any() and not set(drawn["id"]) & set(rows["id"])
    if suffix == "parquet":
        assert pq.read_schema(out).types == pq.read_schema(source).types


def words(text: str) -> list[str]:
    return [token.strip() for token in texts.tokens(text) if not token.isspace()]


@pytest.mark.parametrize("order", [3, 12])
def test_no_note_of_one_row_comes_back_in_whole_or_in_long_parts(order):
    rng = np.random.default_rng(5)
    common = np.array([f"w{chr(97 + i)}" for i in range(24)])
    # One of four words follows each word, so that short grams are those of many notes and long ones of one note.
    cells = [" ".join(common[(rng.integers(24) + np.cumsum(rng.choice([1, 5, 7, 11], 14))) % 24]) for _ in range(300)]
    cells += ["seen again and well today, sent home with thanks to all"] * 20 + ["wa wb"] * 2
    real = pd.DataFrame({"note": cells})
    drawn = NGram(order).fit(real, facts=FACTS).sample(600)["note"]
    counts = pd.Series(cells).value_counts()
    assert not set(drawn) & set(counts.index[counts < 5])
    found: dict[tuple, set] = {}
    for row, cell in enumerate(cells):
        for i in range(len(words(cell)) - 7):
            found.setdefault(tuple(words(cell)[i : i + 8]), set()).add(row)
    few = {run for run, rows in found.items() if len(rows) < 5}
    assert not few & {tuple(words(cell)[i : i + 8]) for cell in drawn for i in range(len(words(cell)) - 7)}
    assert (drawn.str.len() > 20).mean() > 0.5
    public = NGram(order).fit(real, facts=FACTS, rare=0).sample(300)["note"]
    assert public.isin(cells).any() and not public.equals(drawn[:300])
