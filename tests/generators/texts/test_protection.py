"""Protection of passages of few rows, the filter by label, and parts of texts for training."""

import numpy as np
import pandas as pd
import pytest
from notes import notes

from trisynth.data import texts
from trisynth.data.dataset import Column
from trisynth.generators.composed import Composed
from trisynth.generators.texts.base import TextGenerator
from trisynth.generators.texts.ngram import NGram
from trisynth.generators.texts.segments import segments
from trisynth.generators.texts.text_gru import TextGRU
from trisynth.statistics.ngrams import UNKNOWN

FACTS = {"note": Column(kind="text", generate=True)}


class Parrot(TextGenerator):
    """Repeats training texts, as a network may that has memorised them."""

    def _learn(self, column, sequences, labels, rng, persons=None):
        self.held_ = sequences

    def _drawn(self, name, labels, starts, rng):
        return [self.held_[i].copy() for i in rng.integers(len(self.held_), size=len(labels))]


def words(text: str) -> list[str]:
    return [token.strip() for token in texts.tokens(text) if not token.isspace()]


def test_no_passage_of_few_rows_leaves_even_where_a_model_has_memorised_all():
    rng = np.random.default_rng(0)
    common = np.array([f"w{chr(97 + i)}" for i in range(24)])
    cells = [" ".join(rng.choice(common, 12)) for _ in range(100)] + ["seen again and well today, sent home"] * 20
    real = pd.DataFrame({"note": cells})
    drawn = Parrot().fit(real, facts=FACTS).sample(300)["note"]
    known = pd.Series(cells)
    rare = {tuple(words(cell)[i : i + 8]) for cell in known[:100] for i in range(5)}
    assert not rare & {tuple(words(cell)[i : i + 8]) for cell in drawn for i in range(len(words(cell)) - 7)}
    assert not set(drawn) & set(known[:100])
    # What twenty rows hold may be repeated; all others end before their eighth word.
    assert {len(words(cell)) for cell in drawn} <= {7, 8} and (drawn == cells[-1]).any()
    assert set(Parrot().fit(real, facts=FACTS, rare=0).sample(300)["note"]) <= set(cells)


def test_texts_of_which_all_are_personal_keep_their_length():
    rng = np.random.default_rng(1)
    common = np.array([f"w{chr(97 + i)}" for i in range(20)])
    # Each word is followed by one of three, and all texts end with the same word.
    sizes = np.minimum(8 + rng.geometric(0.1, 400), 80)
    walks = [(rng.integers(20) + np.cumsum(rng.choice([1, 3, 7], size))) % 20 for size in sizes]
    real = pd.DataFrame({"note": [" ".join([*common[walk], "end"]) for walk in walks]})
    drawn = NGram().fit(real, facts=FACTS).sample(400)["note"]
    lengths = [column.map(lambda text: len(words(text))).mean() for column in (real["note"], drawn)]
    assert 0.8 < lengths[1] / lengths[0] < 1.1


def test_words_do_not_grow_together():
    rng = np.random.default_rng(0)
    one, two = (np.array([f"{first}{chr(97 + i)}" for i in range(12)]) for first in "xy")
    # The gaps have different widths, so that none is drawn as a successor.
    cells = [f"{rng.choice(one)}{' ' * (2 + i)}{rng.choice(two)}" for i in range(200)]
    drawn = NGram().fit(pd.DataFrame({"note": cells}), facts=FACTS).sample(300)["note"]
    assert {word for text in drawn for word in text.split()} <= {*one, *two}


def test_the_filter_draws_texts_again_that_are_of_another_class(tmp_path):
    # Many texts of a model of single words lack the words that show the class.
    draws, made = {}, NGram(order=1)
    for label_filter in (False, True):
        fitted = made.set_params(label_filter=label_filter).fit(notes(), target="state", facts=FACTS)
        drawn = fitted.sample({"ill": 150, "well": 150})
        draws[label_filter] = (drawn["note"].str.contains("ever|ough") == (drawn["state"] == "ill")).mean()
    found = fitted.diagnostics()
    assert draws[True] > draws[False] and 0 <= found["denied_at_last"] < found["denied"] <= 1
    fitted.save(tmp_path / "state")
    assert NGram.load(tmp_path / "state").sample(30, seed=2).equals(fitted.sample(30, seed=2))


def test_the_filter_gives_up_after_some_draws_and_does_nothing_without_classes():
    alike = pd.DataFrame({"note": ["one and the same"] * 60 + ["two of them"] * 60, "state": ["a", "b"] * 60})
    fitted = NGram(label_filter=True).fit(alike, target="state", facts=FACTS)
    assert len(fitted.sample(50)) == 50 and fitted.diagnostics()["denied_at_last"] > 0
    assert NGram(label_filter=True).fit(alike[["note"]], facts=FACTS).diagnostics() == {}


def test_parts_for_training_end_at_hidden_words_and_at_ngrams_of_few_texts():
    a, b, c, d, e = range(UNKNOWN + 1, UNKNOWN + 6)
    sequences = [np.array(each) for each in ([a, b, c], [a, b, c, d], [e, UNKNOWN, a, b])]
    found = [(each.row, each.words.tolist(), each.first, each.last) for each in segments(sequences, e + 1, 3, 2)]
    assert found == [
        (0, [a, b, c], True, False),
        (0, [], False, True),
        (1, [a, b, c], True, False),
        (1, [d], False, False),
        (1, [], False, True),
        (2, [], True, False),
        (2, [e], False, False),
        (2, [a, b], False, False),
        (2, [], False, True),
    ]
    assert [each.words.tolist() for each in segments(sequences, e + 1, 3, 0)] == [each.tolist() for each in sequences]


@pytest.fixture(scope="module")
def gru() -> TextGRU:
    made = TextGRU(sub_words=120, embedding=32, units=64, dropout=0.0, epochs=6, min_steps=120, learning_rate=0.02)
    real = notes(120)
    # Names of one row would take most of the training.
    return made.fit(real.assign(note=real["note"].str.replace(r" Dr.*", "", regex=True)), target="state", facts=FACTS)


def test_the_network_learns_the_texts_of_each_class(gru):
    curves = gru.history_
    assert curves["held_out"][-1] < 0.5 * curves["held_out"][0] and len(curves["loss"]) <= 6
    drawn = gru.sample({"ill": 100, "well": 100})
    complaints = drawn["note"].str.contains("complaints|Feels|Well")
    assert complaints[drawn["state"] == "well"].mean() > 0.8 > 0.2 > complaints[drawn["state"] == "ill"].mean()
    known = {word for text in notes(120)["note"] for word in words(text)}
    assert {word for text in drawn["note"] for word in words(text)} <= known


def test_a_continued_text_begins_with_its_start(gru):
    start = gru._drawn("note", np.zeros(1, int), None, np.random.default_rng(0))[0][:3]
    for text in gru._drawn("note", np.zeros(5, int), [start] * 5, np.random.default_rng(1)):
        assert text[:3].tolist() == start.tolist()


@pytest.mark.parametrize("kind", [NGram, Parrot])
def test_what_many_rows_of_one_person_hold_does_not_come_back(kind):
    secret = "lives alone with a parrot and two old cats in Zanzibar"
    common = [f"feels well {day}, sent home {when}" for day in ("today", "now") for when in ("early", "late")] * 25
    real = pd.DataFrame({"note": [secret] * 20 + common})
    named = real.assign(patient=["p0"] * 20 + [f"p{i}" for i in range(1, 101)])
    facts = {**FACTS, "patient": Column(kind="identifier", person=True)}
    drawn = kind().fit(named, facts=facts).sample(300)
    assert not drawn["note"].str.contains("Zanzibar|parrot").any() and not set(drawn["patient"]) & set(named["patient"])
    assert kind().fit(real, facts=FACTS).sample(300)["note"].str.contains("Zanzibar").any()


def test_words_that_all_have_form_no_passage_of_one_person():
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"note": [" ".join(words)] * 20 + [" ".join(rng.permutation(words)) for _ in range(40)]})
    named = real.assign(patient=[0] * 20 + [*range(1, 41)])
    facts = {**FACTS, "patient": Column(kind="identifier", person=True)}
    for made in (Parrot(), NGram(), TextGRU(units=4, epochs=1, min_steps=1)):
        drawn = made.fit(named, facts=facts).sample(100)["note"]
        assert not drawn.str.contains("one two three four five six seven eight").any()
    assert (Parrot().fit(real, facts=FACTS).sample(100)["note"] == real["note"][0]).any()


def test_composed_rows_of_two_texts_are_saved(tmp_path):
    real = notes(60).assign(other=notes(60, 1)["note"], age=np.arange(60.0))
    facts = {**FACTS, "other": FACTS["note"]}
    fitted = Composed(min_rows=10).fit(real, target="state", facts=facts)
    fitted.save(tmp_path / "state")
    assert Composed.load(tmp_path / "state").sample(9, seed=1).equals(fitted.sample(9, seed=1))
