"""A saved generator is data: it comes back as it was, and no file makes the reader run something else."""

import datetime
import io
import json
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.generators import persistence
from trisynth.generators.base import Generator
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent


@pytest.fixture
def path(mixed, tmp_path):
    path = tmp_path / "deep" / "generator"
    Independent().fit(*mixed()).save(path)
    return path


def rewrite(path, change):
    """Change the JSON of a saved file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    state = json.loads(members["state.json"])
    members["state.json"] = json.dumps(change(state)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def values():
    frame = pd.DataFrame({"n": [1.5, np.nan], 3: pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["é", None])})
    return [
        None,
        True,
        2**70,
        -0.0,
        float("inf"),
        "☃\x00",
        [1, [2.5]],
        (1, ("a",)),
        {1: "one", "1": 1.0, (2, "k"): None},
        np.arange(6, dtype="int16").reshape(2, 3),
        np.array(["a", None, 2], dtype=object),
        np.float32(0.1),
        np.int64(3),
        np.dtype("float32"),
        np.dtype("datetime64[ns]"),
        np.dtype(object),
        pd.CategoricalDtype(["b", "a"], ordered=True),
        pd.Int64Dtype(),
        pd.StringDtype(),
        pd.DatetimeTZDtype("ns", "Europe/Berlin"),
        pd.Timestamp("2020-02-29 12:00", tz="UTC"),
        pd.Index(["b", "a"], name="i"),
        frame["n"],
        frame["c"],
        frame,
    ]


@pytest.mark.parametrize("value", values(), ids=lambda value: type(value).__name__)
def test_value_comes_back_as_it_was(value, tmp_path):
    class_ = TableEncoder(scaler=value)
    persistence.save(class_, tmp_path / "f")
    back = persistence.load(tmp_path / "f", TableEncoder).scaler
    assert type(back) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(back, value)
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value)
    elif isinstance(value, np.ndarray):
        assert back.dtype == value.dtype
        np.testing.assert_array_equal(back, value)
    elif isinstance(value, pd.Index):
        pd.testing.assert_index_equal(back, value)
    else:
        assert back == value and repr(back) == repr(value)


def test_nan_comes_back(tmp_path):
    persistence.save(TableEncoder(scaler=float("nan")), tmp_path / "f")
    assert np.isnan(persistence.load(tmp_path / "f", TableEncoder).scaler)


@pytest.mark.parametrize("foreign", ["os.system", "builtins.eval", "pickle.Unpickler", "sklearn.utils.os.system"])
def test_file_that_names_a_foreign_class_is_refused(path, foreign):
    rewrite(path, lambda state: {**state, "class": foreign})
    with pytest.raises(InputError):
        Generator.load(path)


@pytest.mark.parametrize(
    "gadget",
    [
        "trisynth.config.digest",
        "sklearn.datasets.clear_data_home",
        "sklearn.utils.Bunch",
        "trisynth.cache.InputError",
        "sklearn.conftest.pytest_configure",
        "trisynth.__main__.main",
    ],
)
def test_only_classes_of_plain_attributes_come_back(path, gadget):
    rewrite(path, lambda state: {**state, "class": gadget})
    with pytest.raises(InputError, match=r"^saved state="):
        Generator.load(path)


def test_nested_foreign_class_is_refused(path):
    def plant(state):
        state["state"]["items"] = []
        planted = {"~": "object", "class": "subprocess.Popen", "state": {"~": "dict", "items": []}}
        return {"~": "object", "class": state["class"], "state": {"~": "dict", "items": [["table_", planted]]}}

    rewrite(path, plant)
    with pytest.raises(InputError, match=r"subprocess\.Popen"):
        Generator.load(path)


def test_array_with_a_pickle_inside_is_refused(path):
    content = io.BytesIO()
    np.save(content, np.array([{"any": "object"}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["0.npy"] = content.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(InputError, match="not a saved"):
        Generator.load(path)


def test_object_of_another_kind_is_refused(tmp_path):
    persistence.save(TableEncoder(), tmp_path / "encoder")
    with pytest.raises(InputError, match="holds a TableEncoder"):
        Generator.load(tmp_path / "encoder")


def test_foreign_state_cannot_be_saved(tmp_path):
    with pytest.raises(InputError):
        persistence.save(TableEncoder(scaler=io.BytesIO()), tmp_path / "f")
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"\x80\x04N."])
def test_damaged_file(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(InputError, match=r"^path="):
        Generator.load(tmp_path / "f")


def test_cut_file(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"^path="):
        Generator.load(path)


def test_file_of_another_version(path):
    rewrite(path, lambda state: {"~": "hologram"})
    with pytest.raises(InputError, match="hologram"):
        Generator.load(path)


def test_an_absent_file_is_named_once(tmp_path):
    with pytest.raises(InputError, match=r"^path='[^']*absent\.zip': cannot be read \(No such file or directory\)$"):
        Generator.load(tmp_path / "absent.zip")


def test_equal_states_give_equal_bytes(mixed, tmp_path):
    for name in ("first", "second"):
        Copula().fit(*mixed()).save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_objects_of_another_package_need_the_class_at_hand_or_permission(tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text(
        "class Box:\n    def __init__(self, content):\n        self.content = content\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from stranger import Box

    path = tmp_path / "box.zip"
    persistence.save(Box([1, 2]), path)
    assert persistence.load(path, Box).content == [1, 2]
    assert persistence.load(path, object, allow=["stranger"]).content == [1, 2]
    with pytest.raises(InputError, match=r"^saved state='stranger.Box': "):
        persistence.load(path, object)


@pytest.mark.parametrize(
    "cells",
    [
        pd.array(["a", "b"], dtype="string[pyarrow]"),
        pd.Series(["a", "b"], dtype=pd.ArrowDtype(pa.string())),
        pd.Series(["a", "b"], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        pd.Series([1, 2], dtype="int64[pyarrow]"),
        pd.Series([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]),
        pd.Series([datetime.time(1), datetime.time(2)]),
        pd.to_timedelta([1, 2], unit="s"),
        pd.period_range("2020", periods=2, freq="M"),
        pd.cut(pd.Series([1.0, 2.0]), 2),
        [Decimal("1.5"), Decimal("2.5")],
        [b"a", b"b"],
    ],
    ids=str,
)
def test_rows_of_every_dtype_are_the_same_after_loading(cells, tmp_path):
    frame = pd.DataFrame({"n": range(20), "cells": pd.Series(cells).repeat(10).reset_index(drop=True)})
    fitted = Independent().fit(frame)
    fitted.save(tmp_path / "generator")
    rows = fitted.sample(20)
    assert rows["cells"].dtype == frame["cells"].dtype
    pd.testing.assert_frame_equal(Generator.load(tmp_path / "generator").sample(20), rows)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"~": "object"},
        {"~": "array", "number": 500},
        {"~": "dtype", "name": "no such"},
        {"~": "extension", "name": "no such"},
        {"~": "object", "class": "trisynth.generators.base.Generator", "state": {"~": "dict", "items": []}},
    ],
)
def test_a_state_that_makes_no_sense_is_one_line(path, state):
    rewrite(path, lambda _: state)
    with pytest.raises(InputError, match="is not a saved Generator"):
        Generator.load(path)
