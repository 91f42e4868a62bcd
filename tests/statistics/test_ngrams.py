"""N-gram models: probabilities that sum to one, samples that follow them, and classes that stay apart."""

import numpy as np
import pytest

from trisynth.statistics.ngrams import END, START, UNKNOWN, NGrams, joined

SIZE = 8


def texts(n: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Sequences of the symbols 3 to 7: one class counts upwards, the other repeats."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 2
    found = []
    for label in classes:
        first, size = rng.integers(3, SIZE), rng.integers(0, 7)
        steps = np.where(rng.random(size) < 0.8, 1 - label, rng.integers(0, 5, size))
        found.append(3 + (first - 3 + np.cumsum(steps)) % 5)
    return found, classes


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_probabilities_of_the_next_symbol_sum_to_one(order):
    found, classes = texts(40)
    model = NGrams.learn(found, classes, SIZE, order)
    assert model.order == order
    for label in (0, 1):
        for before in ([], [3], [3, 4], [7, 7, 7], [5, 3, 6, 4]):
            ends = [model.log_probabilities([np.array([*before, s], int)], np.array([label])) for s in range(2, SIZE)]
            ends.append(model.log_probabilities([np.array(before, int)], np.array([label])))
            following = [each[len(before)] for each in ends]
            assert np.exp(following).sum() == pytest.approx(1)


def test_samples_follow_the_probabilities_of_their_class():
    found, classes = texts(60)
    model = NGrams.learn(found, classes, SIZE, 3)
    drawn = model.sample(np.repeat([0, 1], 20_000), 12, np.random.default_rng(1))
    for label, part in ((0, drawn[:20_000]), (1, drawn[20_000:])):
        first = np.bincount([each[0] if len(each) else END for each in part], minlength=SIZE) / len(part)
        after = [each[1] if len(each) > 1 else END for each in part if len(each) and each[0] == 4]
        second = np.bincount(after, minlength=SIZE) / len(after)
        for s in range(3, SIZE):
            one, two = (model.log_probabilities([np.array(text)], np.array([label])) for text in ([s], [4, s]))
            assert np.exp(one[0]) == pytest.approx(first[s], abs=0.015)
            assert np.exp(two[1]) == pytest.approx(second[s], abs=0.03)


def test_a_long_gram_is_likelier_than_its_parts_suggest():
    found = [np.array([3, 4, 5])] * 9 + [np.array([6, 4, 7])] * 9
    model = NGrams.learn(found, np.zeros(18, int), SIZE, 3)
    one = np.zeros(1, int)
    likely, unlikely = (model.log_probabilities([np.array([3, 4, last])], one)[2] for last in (5, 7))
    assert np.exp(likely) > 0.8 and np.exp(unlikely) < 0.2


def test_starts_ends_and_empty_sequences_are_never_drawn():
    model = NGrams.learn([np.array([3, UNKNOWN, 4]), np.zeros(0, int)], np.zeros(2, int), SIZE, 3)
    drawn = np.concatenate(model.sample(np.zeros(500, int), 9, np.random.default_rng(0)))
    assert not np.isin(drawn, [END, START]).any() and {3, 4} <= set(drawn)
    assert all(not len(each) for each in model.sample(np.zeros(3, int), 0, np.random.default_rng(0)))


def test_what_follows_a_hidden_symbol_follows_it_in_draws():
    # Without it, 3 would have no successor, and a sequence would go on until another ends by chance.
    found = [np.array([3, UNKNOWN]), np.array([4, 5, 6, 4, 5, 6])] * 20
    model = NGrams.learn(found, np.zeros(40, int), SIZE, 3, rare=5)
    drawn = model.sample(np.zeros(500, int), 40, np.random.default_rng(0))
    begun = [each for each in drawn if len(each) and each[0] == 3]
    assert len(begun) > 100 and np.mean([each.tolist() == [3, UNKNOWN] for each in begun]) > 0.9


def test_grams_longer_than_every_sequence_are_unknown():
    found, classes = [np.array([3]), np.array([4])], np.zeros(2, int)
    model = NGrams.learn(found, classes, SIZE, 5)
    assert np.isfinite(model.log_probabilities([np.array([3, 4, 3, 4, 3])], np.zeros(1, int))).all()
    first = [each[0] for each in model.sample(np.zeros(200, int), 4, np.random.default_rng(0)) if len(each)]
    assert np.isin(first, [3, 4]).mean() > 0.6
    empty = NGrams.learn([np.zeros(0, np.int64)], np.zeros(1, int), SIZE, 3)
    assert np.isfinite(empty.log_probabilities([np.array([3, 4])], np.zeros(1, int))).all()


def test_joined_sequences_have_starts_ends_and_places():
    symbols, place, classes = joined([np.array([5, 6]), np.zeros(0, int)], np.array([1, 0]))
    assert symbols.tolist() == [START, 5, 6, END, START, END]
    assert place.tolist() == [0, 1, 2, 3, 0, 1] and classes.tolist() == [1, 1, 1, 1, 0, 0]


def test_grams_of_few_sequences_leave_their_mass_to_shorter_ones():
    found, classes = texts(60)
    model = NGrams.learn(found, classes, SIZE, 3, rare=4)
    assert not all(level.shown.all() for level in model.levels) and model.levels[0].shown.all()
    one = np.zeros(1, int)
    for before in ([], [3], [3, 4], [7, 5]):
        ends = [model.log_probabilities([np.array([*before, s], int)], one)[len(before)] for s in range(2, SIZE)]
        ends.append(model.log_probabilities([np.array(before, int)], one)[-1])
        assert np.exp(ends).sum() == pytest.approx(1)
    drawn = model.sample(np.zeros(20_000, int), 12, np.random.default_rng(1))
    after = [each[1] if len(each) > 1 else END for each in drawn if len(each) and each[0] == 4]
    two = [np.exp(model.log_probabilities([np.array([4, s])], one)[1]) for s in range(3, SIZE)]
    assert np.bincount(after, minlength=SIZE)[3:] / len(after) == pytest.approx(two, abs=0.03)


@pytest.mark.parametrize("order", [2, 3])
def test_a_sequence_is_empty_only_if_one_of_its_class_is(order):
    rng = np.random.default_rng(3)
    found = [rng.integers(3, SIZE, rng.integers(1, 4)) for _ in range(60)]
    found = [each[:0] if i % 4 == 1 else each for i, each in enumerate(found)]
    model = NGrams.learn(found, np.arange(60) % 2, SIZE, order)
    drawn = model.sample(np.repeat([0, 1], 2_000), 12, np.random.default_rng(1))
    empty = np.array([not len(each) for each in drawn]).reshape(2, -1).mean(axis=1)
    assert empty[0] == 0 and empty[1] == pytest.approx(0.5, abs=0.1)
