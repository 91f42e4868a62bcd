"""Verbs of a data set: taken apart and put together in one place."""

import pandas as pd
import pytest

from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.errors import InputError

SPEC = Spec("small", "y", columns={"a": Column(bounds=(0.0, 9.0))})


def whole() -> pd.DataFrame:
    y = pd.Categorical(["no", "yes", "no"], ["no", "unseen", "yes"])
    return pd.DataFrame({"a": [1, 2, 3], "y": y, "b": [0.5, None, 1.5]})


def test_the_target_returns_to_its_place():
    frame = whole()
    dataset = Dataset.of(frame.set_axis([7, 8, 9]), SPEC)
    assert dataset.frame.equals(frame) and list(dataset.X) == ["a", "b"] and len(dataset) == 3
    assert list(dataset.target_last) == ["a", "b", "y"]
    assert dataset.take([2, 0]).frame.equals(frame.iloc[[2, 0]].reset_index(drop=True))
    with pytest.raises(InputError, match=r"^target='y': the table has no such column"):
        Dataset.of(frame.drop(columns="y"), SPEC)


def test_classes_counts_and_facts():
    dataset = Dataset.of(whole(), SPEC)
    assert dataset.classes == ["no", "unseen", "yes"] and dataset.counts == {"no": 2, "unseen": 0, "yes": 1}
    assert dataset.facts == {"a": Column(bounds=(0.0, 9.0)), "y": Column(kind="category")}
    number = Dataset(dataset.X, pd.Series([1.0, 2.0, 3.0], name="y"), Spec("small", "y", "regression"))
    assert number.classes is None and number.counts == {"rows": 3} and number.facts["y"].kind == "number"


def test_the_digest_sees_cells_and_order_but_not_the_place_of_the_target():
    frame = whole()
    digest = Dataset.of(frame, SPEC).digest
    assert Dataset.of(frame[["y", "a", "b"]], SPEC).digest == digest
    assert Dataset.of(frame.assign(a=[1, 2, 4]), SPEC).digest != digest
    assert Dataset.of(frame.iloc[::-1], SPEC).digest != digest


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_what_is_written_is_read_again(name, tmp_path):
    dataset = Dataset.of(whole(), SPEC)
    dataset.write(tmp_path / name)
    again = Dataset.read(tmp_path / name, SPEC)
    pd.testing.assert_frame_equal(again.frame, whole(), check_dtype=name.endswith("parquet"), check_categorical=False)


def test_a_table_without_a_target_has_the_same_verbs():
    dataset = Dataset.of(whole(), Spec("small", None, None))
    assert dataset.y is None and dataset.classes is None and dataset.counts == {"rows": 3} and len(dataset) == 3
    assert dataset.frame.equals(whole()) and dataset.take([1]).y is None and dataset.facts == {}
    assert dataset.digest == Dataset.of(whole(), Spec("small", None, None)).digest
