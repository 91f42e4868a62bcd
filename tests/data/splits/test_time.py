"""A split by time: the latest rows are tested, whatever their kinds."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from trisynth import data
from trisynth.data import tensors, texts
from trisynth.data.dataset import Dataset, Spec
from trisynth.data.splits.folds import Fold, divide
from trisynth.data.splits.inner import inner
from trisynth.data.splits.split import split
from trisynth.errors import InputError


def visits(n: int = 90) -> pd.DataFrame:
    """Rows in random order: a date, an image that shows it, a text and a class."""
    rng = np.random.default_rng(0)
    day = rng.permutation(n)
    columns = {
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D"),
        "scan": list(np.repeat(day[:, None], 4, axis=1).astype(float)),
        "note": [f"day {d}" for d in day],
        "y": rng.choice(["a", "b"], n),
    }
    return pd.DataFrame(columns)


@pytest.fixture
def cfg(tmp_path):
    pa.parquet.write_table(pa.Table.from_pandas(visits()), tmp_path / "visits.parquet")
    columns = {"scan": {"kind": "tensor", "shape": [2, 2]}, "note": {"kind": "text", "generate": True}}
    read = {"_target_": "trisynth.data.readers.parquet"}
    given = {"name": "visits", "path": str(tmp_path / "visits.parquet"), "read": read, "target": "y"}
    return given | {"columns": columns, "time": "day"}


def test_the_latest_rows_are_tested_with_their_arrays_and_texts(cfg):
    dataset = data.load(cfg)
    train, test = split(dataset, 0)
    assert len(test) == 30 and train.X["day"].max() < test.X["day"].min()
    days = tensors.values(test.X["scan"])[:, 0]
    assert sorted(days) == list(range(60, 90))
    assert test.X["note"].tolist() == [f"day {int(day)}" for day in days]
    assert split(dataset, 7)[1].X["day"].equals(test.X["day"])
    early, late = inner(train, 3)
    assert early.X["day"].max() < late.X["day"].min()
    with pytest.raises(InputError, match=r"dataset.time='day'.*folds are dealt at random"):
        divide(dataset, Fold("choose", 0))


def made(times, y, persons=None) -> Dataset:
    X = pd.DataFrame({"at": times, "x": np.arange(len(times)) / 4})
    return Dataset(X, pd.Series(pd.Categorical(y), name="y"), Spec("visits", "y", time="at"), persons=persons)


def test_equal_times_stay_together_and_a_person_counts_by_the_last_row():
    train, test = split(made([1.0, 1, 2, 2, 2, np.nan], list("ababab")), 0)
    assert train.X["at"].isna().sum() == 1 and set(test.X["at"]) == {2.0}
    persons = np.array([0, 1, 2, 0, 1, 2])
    train, test = split(made([1.0, 2, 3, 9, 8, 4], list("abbbaa"), persons), 0)
    assert set(test.persons) == {0} and set(train.persons) == {1, 2}


@pytest.mark.parametrize(
    ("times", "y", "line"),
    [
        ([1.0] * 6, "ababab", "has equal values in all rows"),
        ([1.0, 2, 3, 4, 5, 6], "aaaabb", "class 'b' has no training row"),
        ([1.0, 2, 3, 4, 5, 6], "ababbb", "class 'a' has no test row"),
        (pd.Categorical(list("abcdef")), "ababab", "has no dates or numbers"),
        (tensors.column(np.zeros((6, 2))), "ababab", "has no dates or numbers"),
        (texts.column(["one"] * 6), "ababab", "has no dates or numbers"),
    ],
)
def test_what_cannot_be_split_by_time_is_one_line(times, y, line):
    with pytest.raises(InputError, match=f"dataset.time='at'.*{line}"):
        split(made(times, list(y)), 0)


@pytest.mark.parametrize("name", ["absent", "y"])
def test_the_time_is_a_column_other_than_the_target(cfg, name):
    with pytest.raises(InputError, match=rf"dataset.time='{name}'.*name the column of dates"):
        data.load(cfg | {"time": name})
