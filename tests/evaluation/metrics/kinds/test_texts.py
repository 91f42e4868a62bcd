"""Metrics of texts: known values, and planted faults that they must find."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from notes import notes

from trisynth.data import texts
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.copying import IdenticalMatchShare, NearestRecord, RareValues
from trisynth.evaluation.metrics.kinds.texts import (
    CopiedRun,
    IdenticalTexts,
    NGramDistribution,
    Perplexity,
    longest_runs,
)

SPEC = Spec("notes", "state", columns={"note": Column("text", generate=True)})


def dataset(n: int, seed: int) -> Dataset:
    rows = notes(n, seed)
    columns = {"note": texts.column(rows["note"].str.replace(r" Dr.*", "", regex=True)), "state": rows["state"]}
    return Dataset.of(pd.DataFrame(columns).astype({"state": "category"}), SPEC)


def with_notes(found: Dataset, cells: list[str]) -> Dataset:
    return replace(found, X=found.X.assign(note=texts.column(cells)))


@pytest.fixture(scope="module")
def parts() -> tuple[Dataset, Dataset]:
    return dataset(200, 1), dataset(150, 2)


def score(metric, parts, synthetic: Dataset) -> dict[str, float]:
    return metric.score(Context(*parts, synthetic, None, seed=0))


def test_perplexity_finds_shuffled_words_and_texts_that_repeat(parts):
    fresh = dataset(150, 3)
    words = [np.random.default_rng(i).permutation(text.split()) for i, text in enumerate(texts.values(fresh.X["note"]))]
    shuffled = with_notes(fresh, [" ".join(each) for each in words])
    repeated = with_notes(fresh, ["Feels well today;\nsent home."] * 150)
    good, bad, few = (score(Perplexity(), parts, rows) for rows in (fresh, shuffled, repeated))
    assert 1 < good["text_perplexity"] < 2 and bad["text_perplexity"] > 2 * good["text_perplexity"]
    assert few["text_perplexity"] < 5 and few["reverse_perplexity"] > 2 * good["reverse_perplexity"]


def test_ngrams_find_other_words_and_texts_that_repeat(parts):
    fresh = dataset(150, 3)
    assert score(NGramDistribution(), parts, fresh)["ngram_js"] < 0.1
    assert score(NGramDistribution(), parts, parts[1])["ngram_js"] == pytest.approx(0, abs=1e-12)
    other = score(NGramDistribution(), parts, with_notes(fresh, ["quite another text"] * 150))
    assert other["ngram_js"] > 0.9 and other["distinct_gap"] > 0.03


def test_copied_runs_are_counted_against_held_out_texts():
    train = [np.array([1, 2, 3, 4, 5]), np.array([7, 8, 9])]
    part = [np.array([9, 2, 3, 4, 9]), np.array([6, 6]), np.zeros(0, int), np.array([5, 7, 8, 9, 1])]
    # A run does not pass from one training text to the next.
    assert longest_runs(train, [part], 40)[0].tolist() == [3, 0, 0, 3]
    assert longest_runs(train, [part], 2)[0].tolist() == [2, 0, 0, 2]


def test_copies_have_longer_runs_than_held_out_texts(parts):
    cells = [f"{i} different notes of {i * 7} words" for i in range(300)]
    train, test = with_notes(parts[0], cells[:200]), with_notes(parts[1], cells[150:])
    copied = score(CopiedRun(), (train, dataset(150, 2)), train.take(range(150)))
    assert copied["copied_run"] == 6 and copied["copied_run_base"] < 3
    fresh = score(CopiedRun(), (train, test), test)
    assert fresh["copied_run"] == fresh["copied_run_base"]


def test_identical_texts_are_counted_against_held_out_texts(parts):
    cells = [f"{i} different notes" for i in range(300)]
    train, test = with_notes(parts[0], cells[:200]), with_notes(parts[1], cells[150:])
    # Blanks do not make another text, and empty texts are no copies.
    copies = [f" {text.replace(' ', '  ')}" for text in cells[:100]] + [""] * 25 + ["new"] * 25
    assert score(IdenticalTexts(), (train, test), with_notes(test, copies)) == {
        "identical_texts": 100 / 125,
        "identical_texts_base": 0.0,
    }
    fresh = score(IdenticalTexts(), (train, test), test)
    assert fresh == {"identical_texts": 50 / 150, "identical_texts_base": 1.0}
    assert score(IdenticalTexts(), (train, test), with_notes(test, [""] * 150))["identical_texts"] == 0


def test_equal_rows_have_equal_texts_and_lengths_are_no_rare_values(parts):
    train, test = parts
    other = with_notes(train, [text[::-1] for text in texts.values(train.X["note"])])
    assert score(IdenticalMatchShare(), parts, train)["identical_match_share"] == 1
    assert score(IdenticalMatchShare(), parts, other)["identical_match_share"] == 0
    assert score(RareValues(), parts, test) == {}


def test_texts_become_weights_of_terms_without_a_way_back(parts):
    train, test = parts
    encoder = TableEncoder().fit(train.X.assign(age=np.arange(200.0)))
    matrix = encoder.transform(test.X.assign(age=np.arange(150.0)))
    assert matrix.shape == (150, encoder.width_) and "note[fever]" in [block.name for block in encoder.blocks_]
    assert np.allclose(np.linalg.norm(matrix[:, 1:], axis=1), 1)
    fever = np.array(["fever" in text.lower() for text in texts.values(test.X["note"])])
    column = [block.name for block in encoder.blocks_].index("note[fever]")
    assert ((matrix[:, column] > 0) == fever).all()
    with pytest.raises(InputError, match="cannot be restored from numbers"):
        encoder.inverse(matrix)
    assert TableEncoder().fit(train.X.assign(note=texts.column([""] * 200))).transform(test.X).shape == (150, 0)


def test_copies_without_rare_words_are_memorised_and_fresh_texts_are_not(parts):
    rng = np.random.default_rng(0)
    common = [f"{a}{b}" for a in "bdfgklmnprst" for b in "aeiou"]

    def cells(n: int, first: int) -> list[str]:
        return [" ".join([*rng.choice(common, 12), *(f"own{first + i}w{j}" for j in range(4))]) for i in range(n)]

    train, test, fresh = (dataset(200, seed) for seed in (1, 2, 3))
    train, test, fresh = (with_notes(part, cells(200, 1000 * i)) for i, part in enumerate((train, test, fresh)))
    copies = with_notes(train, [" ".join(text.split()[:12]) for text in texts.values(train.X["note"])])
    encoder = TableEncoder().fit(train.X)
    copied, new = (NearestRecord().score(Context(train, test, rows, encoder, seed=0)) for rows in (copies, fresh))
    assert copied["memorised"] > 0.5 and abs(new["memorised"]) < 0.3


def test_rows_without_texts_have_no_such_scores():
    plain = Dataset.of(pd.DataFrame({"x": [1.0, 2.0], "state": ["a", "b"]}), Spec("plain", "state"))
    for metric in (Perplexity(), NGramDistribution(), CopiedRun(), IdenticalTexts()):
        assert score(metric, (plain, plain), plain) == {}
