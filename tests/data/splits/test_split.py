"""The split is stratified and reproducible, and test rows are invisible from the training part."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cleaning.clean import clean
from trisynth.data.splits.split import split
from trisynth.errors import InputError


@pytest.fixture
def make(table):
    def build(y, task="classification", **columns):
        n = len(y)
        raw = pd.DataFrame({"row": np.arange(n) + 0.5, "kind": ["u", "v"] * (n // 2) + ["u"] * (n % 2), "y": y})
        return clean(raw, table(task=task, **columns))[0]

    return build


def test_classes_keep_their_proportions_and_every_row_is_in_one_part(make):
    dataset = make(["a"] * 60 + ["b"] * 30 + ["c"] * 2)
    train, test = split(dataset, 3)
    assert train.y.value_counts().to_dict() == {"a": 40, "b": 20, "c": 1}
    assert test.y.value_counts().to_dict() == {"a": 20, "b": 10, "c": 1}
    assert sorted([*train.X["row"], *test.X["row"]]) == dataset.X["row"].tolist()
    assert train.X["row"].is_monotonic_increasing
    assert train.X.index.tolist() == list(range(61))


def test_equal_seeds_give_equal_splits(make):
    dataset = make(["a", "b"] * 50)
    rows = [split(dataset, seed)[0].X["row"].tolist() for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_a_quantity_is_split_evenly_along_its_quantiles(make):
    dataset = make(np.arange(300) ** 2, task="regression")
    _, test = split(dataset, 0, test_size=0.2)
    assert len(test) == 60
    assert np.histogram(test.y, bins=(np.arange(0, 301, 30) - 0.5).clip(0) ** 2)[0].tolist() == [6] * 10
    tiny = split(make([1, 2], task="regression"), 0)
    assert [len(part) for part in tiny] == [1, 1]


def test_a_class_of_one_row_is_named(make):
    with pytest.raises(InputError, match=r"dataset\.target='y': class 'c' has a single row"):
        split(make(["a", "b"] * 10 + ["c"]), 0)


@pytest.mark.parametrize("size", [0, 1, -0.1])
def test_test_size_is_a_fraction(make, size):
    with pytest.raises(InputError, match="test_size"):
        split(make(["a", "b"] * 10), 0, test_size=size)


def canary(make, **columns):
    """A data set whose last test row gets a category that nothing else has; the other rows stay as they are."""
    dataset = make(["a", "b"] * 50, **columns)
    row = split(dataset, 0)[1].X["row"].iloc[-1]
    kind = dataset.X["kind"].cat.add_categories([] if columns else ["canary"])
    kind[dataset.X["row"] == row] = "canary"
    return split(type(dataset)(dataset.X.assign(kind=kind), dataset.y, dataset.spec), 0), split(dataset, 0)


def test_a_category_of_test_rows_only_is_invisible_in_training(make):
    (train, test), (train_before, _) = canary(make)
    pd.testing.assert_frame_equal(train.X, train_before.X)
    assert list(test.X["kind"].cat.categories) == ["u", "v", "canary"]
    assert (test.X["kind"] == "canary").sum() == 1


def test_a_declared_category_stays_although_no_training_row_has_it(make):
    (train, test), _ = canary(make, kind={"categories": ["canary", "u", "v"]})
    assert list(train.X["kind"].cat.categories) == list(test.X["kind"].cat.categories) == ["canary", "u", "v"]
    assert (test.X["kind"] == "canary").sum() == 1


def test_equal_rows_are_on_one_side(make, table):
    rng = np.random.default_rng(0)
    raw = pd.DataFrame({"a": rng.normal(size=200).round(3), "y": rng.choice(["n", "y"], 200)})
    dataset = clean(pd.concat([raw, raw.iloc[:60], raw.iloc[:20]]), table())[0]
    train, test = split(dataset, 0)
    assert not set(train.X["a"]) & set(test.X["a"])
    assert len(train) + len(test) == len(dataset) == 280 and abs(len(test) / 280 - 1 / 3) < 0.03
    assert set(test.y) == {"n", "y"}
    # Without equal rows, nothing changes.
    alone = clean(raw, table())[0]
    assert split(alone, 0)[1].X["a"].tolist() == split(dataset.take(range(200)), 0)[1].X["a"].tolist()


def test_answers_that_many_people_share_are_divided_row_by_row(table):
    raw = pd.DataFrame({"a": ["u", "v"] * 100, "y": ["n", "n", "y", "y"] * 50})
    train, test = split(clean(raw, table())[0], 0)
    assert set(test.X["a"]) == set(train.X["a"]) == {"u", "v"} and len(test) == 66


def test_a_table_without_a_target_is_split(table):
    raw = pd.DataFrame({"a": np.arange(60) / 2})
    train, test = split(clean(raw, table(target=None, task=None))[0], 0)
    assert (len(train), len(test)) == (40, 20) and test.y is None
