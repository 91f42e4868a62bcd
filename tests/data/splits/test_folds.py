"""Folds cover all rows, keep equal rows and the two stages apart, and never know what they hold out."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.dataset import Dataset, Spec
from trisynth.data.splits.folds import Fold, deal, divide, held_out
from trisynth.errors import InputError


def dataset(rows: int = 100, task: str = "classification") -> Dataset:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"row": np.arange(float(rows)), "mark": pd.Categorical(np.arange(rows).astype(str))})
    y = pd.Categorical(rng.choice(["a", "b"], rows)) if task == "classification" else rng.normal(size=rows)
    return Dataset(X, pd.Series(y, name="y"), Spec("small", "y", task))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_repeat_holds_out_every_row_of_its_stage_once(task):
    data = dataset(task=task)
    held = {
        (stage, repeat): [held_out(data, Fold(stage, i, repeat)) for i in range(of)]
        for stage, repeat, of in (("choose", 0, 4), ("confirm", 0, 6), ("confirm", 1, 6))
    }
    for folds in held.values():
        assert sum(map(len, folds)) == len(frozenset(np.concatenate(folds)))
    rows = {key: frozenset(np.concatenate(folds)) for key, folds in held.items()}
    assert rows["choose", 0] | rows["confirm", 0] == frozenset(range(100))
    assert not rows["choose", 0] & rows["confirm", 0]
    assert rows["confirm", 0] == rows["confirm", 1]
    assert list(map(list, held["confirm", 0])) != list(map(list, held["confirm", 1]))


def test_a_category_of_held_out_rows_alone_is_unknown_to_the_training_rows():
    train, held = divide(dataset(), Fold("confirm", 2))
    assert len(train) + len(held) == 100
    assert set(train.X["mark"].cat.categories) == set(train.X["mark"])
    assert set(held.X["mark"]) <= set(held.X["mark"].cat.categories)


def test_equal_rows_stay_on_one_side_where_they_are_few():
    data = dataset(100)
    twins = data.take([*range(100), 3, 50])
    for fold in (Fold("choose", i) for i in range(4)):
        rows = held_out(twins, fold)
        assert (3 in rows) == (100 in rows)
        assert (50 in rows) == (101 in rows)
    survey = data.take(np.zeros(100, int))
    assert len(held_out(survey, Fold("choose", 0))) == 10


def test_every_label_is_dealt_out_in_turn():
    labels = np.repeat([0, 1, 2], [50, 23, 10])
    parts = deal(labels, [4, 6], np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(83))
    for part, share in zip(parts, (0.4, 0.6), strict=True):
        for label, rows in enumerate((50, 23, 10)):
            assert abs((labels[part] == label).sum() - share * rows) <= 2
    singles = deal(labels, [1] * 10, np.random.default_rng(0))
    assert all((labels[part] == 2).any() for part in singles)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stage": "test"}, "fold.stage='test': must be one of choose, confirm"),
        ({"index": 4}, "fold.index=4: must be below 4, the number of folds that choose"),
        ({"choosing": 9}, "fold.choosing=9: must leave at least 2 of 10 folds to confirm"),
        ({"parts": 2.0}, "fold.parts=2.0: must be a whole number"),
    ],
)
def test_a_fold_that_does_not_exist_is_refused(given, message):
    with pytest.raises(InputError) as error:
        Fold(**{"stage": "choose", "index": 0} | given)
    assert message in str(error.value)
