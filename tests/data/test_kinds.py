"""Kinds of columns: declared facts come first, and the rows must agree with them."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trisynth.data.dataset import Column
from trisynth.data.kinds import KINDS, Category, Date, Duration, Number, learn
from trisynth.errors import InputError


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], Number),
        ([1.5, None], Number),
        ([True, False], Category),
        (["a", None], Category),
        (pd.to_datetime(["2020-01-01"]), Date),
        (pd.Categorical([1, 2]), Category),
        (pd.to_timedelta(["1d", "3d"]), Duration),
        (pd.Series(["PT1S"] * 2).map(pd.Timedelta).astype(pd.ArrowDtype(pa.duration("s"))), Duration),
        ([datetime.date(2020, 1, 1), None], Date),
        ([datetime.datetime(2020, 1, 1, 12), None], Date),
        (pd.Series([datetime.date(2020, 1, 1)], dtype=pd.ArrowDtype(pa.date32())), Date),
        ([Decimal("1.50"), None], Number),
        (pd.Series([Decimal("1.50")], dtype=pd.ArrowDtype(pa.decimal128(9, 2))), Number),
    ],
)
def test_the_dtype_decides_where_nothing_is_declared(values, kind):
    assert type(learn(pd.Series(values))) is kind


def test_declared_categories_keep_their_order_and_those_without_a_row():
    column = learn(pd.Series(["high", "low"], name="risk"), Column("category", ("low", "mid", "high")))
    assert list(column.categories) == ["low", "mid", "high"]
    restored = column.restore(column.canonical(pd.Series(["high", "other"])))
    assert restored[0] == "high" and pd.isna(restored[1])
    with pytest.raises(InputError, match=r"^facts.risk.categories='hi': not a declared category"):
        learn(pd.Series(["hi"], name="risk"), Column("category", ("low", "high")))


def test_whole_numbers_may_be_declared_categories():
    column = learn(pd.Series([3, 1, 3]), Column("category"))
    assert type(column) is Category and list(column.categories) == [1, 3]
    assert column.restore(column.canonical(pd.Series([1, 3]))).dtype == "int64"


def test_a_declared_step_is_kept_where_rows_do_not_show_it():
    column = learn(pd.Series([0.5, 2.25]), Column("number", integer=True))
    assert column.step == 1.0
    assert learn(pd.Series([0.5, 2.25])).step == 0.01


def test_declared_bounds_are_kept_and_do_not_widen_the_range():
    column = learn(pd.Series([3.0, 4.0]), Column("number", bounds=(0.0, 9.0)))
    assert column.facts.bounds == (0.0, 9.0)
    assert column.restore(pd.Series([-1.0, 7.0, np.nan])).tolist()[:2] == [3.0, 4.0]


def test_texts_are_no_declared_number():
    with pytest.raises(InputError, match=r"^facts.age.kind='number': the column holds"):
        learn(pd.Series(["old"], name="age"), Column("number"))


def test_every_kind_has_a_name_of_its_own():
    assert [kind.kind for kind in KINDS] == ["date", "duration", "number", "tensor", "sequence", "text", "category"]


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ([["a"], ["b"]], "cells of type list"),
        ([[1], [2]], "arrays as objects; make the column by trisynth.data.tensors.column"),
        ([{"a": 1}], "cells of type dict"),
        ([("a", 2), (3, 4)], "cells of type tuple"),
        (pd.Series([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), "lists of numbers; make the column by"),
        ([1 + 2j], "convert the column to float"),
        (pd.arrays.SparseArray([0, 0, 1]), "to_dense"),
        ([len, print], "without an order"),
    ],
)
def test_cells_that_are_neither_numbers_nor_categories_are_refused(values, remedy):
    with pytest.raises(InputError, match=rf"^X='m': holds .*{remedy}"):
        learn(pd.Series(values, name="m"))


@pytest.mark.parametrize(
    "values",
    [
        pd.to_timedelta([1, 2, 1], unit="s"),
        pd.period_range("2020", periods=3, freq="M"),
        pd.cut(pd.Series([1.0, 2.0, 3.0]), 2),
        pd.Series([datetime.date(2020, 1, day) for day in (1, 2, 3)]),
        pd.Series([datetime.date(2020, 1, 1), None]).astype(pd.ArrowDtype(pa.date32())),
        pd.Series([datetime.datetime(2020, 1, 1, 5), datetime.datetime(2020, 1, 1)], dtype=object),
        pd.Series(pd.to_timedelta(["1h", None])).astype(pd.ArrowDtype(pa.duration("ms"))),
        pd.Series([Decimal("1.50"), Decimal("12.25"), None]),
        pd.Series([Decimal("1.50"), None]).astype(pd.ArrowDtype(pa.decimal128(9, 2))),
        pd.Series(pd.date_range("2020", periods=3, tz="UTC")).astype("timestamp[ns, UTC][pyarrow]"),
    ],
)
def test_spans_and_dates_come_back_as_they_were(values):
    values = pd.Series(values)
    column = learn(values)
    pd.testing.assert_series_equal(column.restore(column.canonical(values)), values, check_names=False)


@pytest.mark.parametrize("dtype", ["timedelta64[ns]", "timedelta64[s]", pd.ArrowDtype(pa.duration("ms"))])
def test_durations_are_numbers_of_seconds(dtype):
    values = pd.Series(pd.to_timedelta(["01:30:00", None, "02:00:00"]), name="c").astype(dtype)
    kind = learn(values)
    assert kind.kind == "duration" and kind.canonical(values).tolist()[::2] == [5400, 7200]
    restored = kind.restore(pd.Series([5401.0, np.nan, 9e9]))
    assert restored.dtype == values.dtype
    assert restored.astype("timedelta64[ns]").tolist()[::2] == [pd.Timedelta("01:30:00"), pd.Timedelta("02:00:00")]


def test_cells_of_one_zone_in_two_notations_are_read():
    naive = pd.Series(pd.date_range("2024-01-01", periods=3, freq="D"), name="t")
    zones = [datetime.timezone(datetime.timedelta(hours=2)), pd.Timestamp("2024-01-01T00:00+02:00").tz]
    first, second = (naive.dt.tz_localize(zone) for zone in zones)
    joined = pd.concat([first.astype(object), second.astype(object)], ignore_index=True)
    learned = learn(first, None, 0)
    assert learned.canonical(joined).tolist() == learned.canonical(first).tolist() * 2


@pytest.mark.parametrize(
    "values", [[0.25, 1.5, 3.0], [1e-300, 2e-301], [1e200, -1.5e200], [1.0, 5.0, 7.0], [np.nan, np.nan]]
)
def test_settled_numbers_are_those_of_the_way_to_the_dtype_and_back(values):
    kind = learn(pd.Series(values, name="a"))
    cells = np.array([0.3, -0.0, 1e9, np.nan, np.inf, -np.inf])
    expected = kind.canonical(kind.restore(pd.Series(cells)))
    assert kind.settled(cells).tobytes() == expected.to_numpy().tobytes()


@pytest.mark.parametrize(
    ("cells", "step"), [(["1.5s", "2s"], 0.1), (["88.123s", "90.5s"], 0.001), (["1us", "2s"], 0.0)]
)
def test_times_are_on_the_digits_of_their_fractions(cells, step):
    assert learn(pd.Series(pd.to_timedelta(cells))).step == step
    stamps = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(cells))
    assert learn(stamps).step == step
