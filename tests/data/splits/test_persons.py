"""Rows of persons: on one side of every split, counted as one, and declared in one way."""

import numpy as np
import pandas as pd
import pytest

from trisynth import data
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.schema import Schema
from trisynth.data.splits.folds import Fold, divide
from trisynth.data.splits.inner import inner
from trisynth.data.splits.split import split
from trisynth.errors import InputError


@pytest.fixture
def visits(tmp_path):
    """Return the configuration of a table of forty patients with five visits each."""
    rng = np.random.default_rng(0)
    patients = rng.permutation(np.repeat([f"P{i:03d}" for i in rng.permutation(900)[:40]], 5))
    frame = pd.DataFrame({"patient": patients, "x": rng.normal(size=200).round(6), "y": rng.choice(["a", "b"], 200)})
    frame.to_csv(tmp_path / "visits.csv", index=False)
    read = {"_target_": "trisynth.data.readers.delimited"}
    columns = {"patient": {"person": True}}
    return {"name": "visits", "path": str(tmp_path / "visits.csv"), "read": read, "target": "y", "columns": columns}


def test_rows_of_one_person_are_on_one_side(visits):
    dataset = data.load(visits)
    raw = pd.read_csv(visits["path"])
    assert list(dataset.X) == ["x"] and len(dataset.persons) == 200
    assert (pd.factorize(raw["patient"])[0] == dataset.persons).all()
    train, test = split(dataset, 0)
    fold = divide(dataset, Fold("choose", 1))
    for one, other in ((train, test), inner(train, 0), fold):
        assert not set(one.persons) & set(other.persons) and len(other)
    assert 0.2 < len(test) / 200 < 0.5


def test_a_class_of_one_person_is_not_divided():
    X, y = pd.DataFrame({"x": np.arange(60.0)}), pd.Series(pd.Categorical(["rare"] * 2 + ["a", "b"] * 29))
    # The first person has both rows of the rare class, and most of its rows are of another.
    persons = np.array([0, 0, 0, 0, 0, *np.repeat(range(1, 12), 5)])
    train, test = split(Dataset(X, y.rename("y"), Spec("t", "y"), persons=persons), 0)
    assert not set(train.persons) & set(test.persons) and len(train) + len(test) == 60


def test_a_category_of_many_rows_of_few_persons_is_rare():
    X = pd.DataFrame({"ward": ["Z"] * 30 + ["A"] * 30 + ["B"] * 30})
    persons = np.array([0, 1] * 15 + [*range(2, 62)])
    assert list(Schema.learn(X, rare=5, persons=persons).columns[0].categories) == ["A", "B"]
    assert list(Schema.learn(X, rare=5).columns[0].categories) == ["A", "B", "Z"]


def test_two_columns_of_persons_and_other_kinds_are_refused(visits):
    with pytest.raises(InputError, match=r"person=True: applies only to kind: identifier, but the kind is number"):
        data.prepare({**visits, "columns": {"x": {"kind": "number", "person": True}}})
    facts = {"patient": Column(person=True), "x": Column(person=True)}
    with pytest.raises(InputError, match="several columns have person: true"):
        Dataset.person_numbers(pd.read_csv(visits["path"]), facts)


def test_a_row_without_a_name_is_a_person_of_its_own():
    frame = pd.DataFrame({"who": ["a", None, "a", None]})
    assert Dataset.person_numbers(frame, {"who": Column(person=True)}).tolist() == [0, 1, 0, 2]
