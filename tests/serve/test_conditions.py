"""Conditions and cells that need care: dates, durations, derived columns, equal names, and unexpected errors."""

import http.client
import io
import json
from decimal import Decimal
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.serve.test_serve import error, get, running

from trisynth import Circuit
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.serve.formats import as_csv, as_json
from trisynth.serve.source import Source


def fitted(frame: pd.DataFrame, **options: object) -> Generator:
    return Circuit(n_states=2, decision_regions=False).fit(frame, rare=0, **{"relations": False, **options})


@pytest.fixture(scope="module")
def source() -> Source:
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, 120), "D")
    frame = pd.DataFrame({"when": days, "length": pd.to_timedelta(rng.integers(0, 9000, 120), "s")})
    frame["zoned"] = (days + frame["length"]).dt.tz_localize("Europe/Berlin")
    frame["day"] = pd.Series(days.date, dtype=object)
    frame["lap"] = frame["length"].astype(pd.ArrowDtype(pa.duration("s")))
    return Source(fitted(frame), "")


@pytest.fixture(scope="module")
def port(source):
    with running(source) as found:
        yield found


def ask(port: int, form: str = "json", **given: object) -> tuple[int, bytes, http.client.HTTPMessage]:
    return get(port, f"/rows?n=2&seed=1&format={form}&given={quote(json.dumps(given))}")


@pytest.mark.parametrize(
    ("name", "value", "served"),
    [
        ("when", "2020-02-01", "2020-02-01T00:00:00"),
        ("when", "2020-02-01T10:30", "2020-02-01T10:30:00"),
        ("zoned", "2020-02-01", "2020-02-01T00:00:00+01:00"),
        ("zoned", "2020-02-01T10:30:00Z", "2020-02-01T11:30:00+01:00"),
        ("day", "2020-02-01", "2020-02-01"),
        ("length", "01:30:00", "P0DT1H30M0S"),
        ("length", "-1 days +22:30:00", "P-1DT22H30M0S"),
        ("length", "1 day, 1:30:00", "P1DT1H30M0S"),
        ("lap", "01:30:00", "1:30:00"),
        ("lap", "1 day, 1:30:00", "1 day, 1:30:00"),
    ],
)
def test_times_are_given_as_they_are_served(port, name, value, served):
    status, body, _ = ask(port, **{name: value})
    assert status == 200, body
    assert [row[name] for row in json.loads(body)] == [served] * 2
    assert ask(port, **{name: served})[0] == 200


@pytest.mark.parametrize(
    "value", ["01/02/2020", "now", "today", "12:30", "2020", "2020-2-1", "2021-02-30", 5, None, "٢٠٢٠-٠٢-٠١"]
)
def test_only_iso_dates_are_read(port, value):
    assert error(ask(port, when=value)) == f"given.when={value!r}: must be a date such as 2020-02-01"


def test_a_zone_is_given_where_the_column_has_one(port):
    assert "must be a date such as 2020-02-01" in error(ask(port, when="2020-02-01T10:00Z"))
    # The clock skips this hour.
    assert "such as 2020-02-01T12:00:00+00:00" in error(ask(port, zoned="2020-03-29T02:30"))
    assert "must be a date such as 2020-02-01" in error(ask(port, day="2020-02-01T10:30"))


def test_a_time_out_of_range_has_its_cause(port):
    for name in ("when", "zoned", "day"):
        assert "outside the range of dates in nanoseconds, 1677-09-21" in error(ask(port, **{name: "2500-01-01"}))
    assert "outside the range of durations" in error(ask(port, length="999999999 days 00:00:00"))


@pytest.mark.parametrize("value", ["5", "90 min", "now", 5, None])
def test_a_wrong_duration_is_refused_with_an_example(port, value):
    assert error(ask(port, length=value)).endswith("must be a duration such as 01:30:00")


@pytest.fixture(scope="module")
def numbers() -> Source:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"tiny": rng.integers(0, 100, 120).astype("int8"), "z": rng.normal(size=120)})
    frame["natural"] = np.uint64(2**63) + rng.integers(0, 1000, 120).astype("uint64") * np.uint64(2**40)
    frame["single"] = rng.normal(size=120).astype("float32")
    cents = [Decimal(int(cent)) / 100 for cent in rng.integers(0, 10_000, 120)]
    frame["price"] = pd.Series(cents, dtype=pd.ArrowDtype(pa.decimal128(10, 2)))
    frame["fee"] = pd.Series(cents, dtype=object)
    return Source(fitted(frame), "")


@pytest.mark.parametrize(
    ("name", "value", "served"),
    [
        ("tiny", "1e2", 100),
        ("natural", 2**63 + 5, 2**63 + 5),
        ("single", 0.5, 0.5),
        ("price", 5, "5.00"),
        ("fee", 2**63, str(2**63)),
    ],
)
def test_every_row_has_the_number_that_is_given(numbers, name, value, served):
    rows = json.loads(b"".join(as_json(numbers.tables(2, 1, {name: value}))))
    assert [row[name] for row in rows] == [served] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("tiny", 300), ("natural", -1), ("single", 1e39), ("price", 0.125), ("fee", "1e400"), ("fee", f"1.{'1' * 100}")],
)
def test_a_number_that_its_column_cannot_hold_is_refused(numbers, name, value):
    with pytest.raises(InputError, match=f"^given.{name}=.*: does not fit into .*, the type of the column$"):
        next(numbers.tables(2, 1, {name: value}))


def test_csv_holds_times_as_pandas_writes_them():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2021-11-29", None]),
            "time": pd.to_datetime(["2021-11-29", "2021-11-29 10:30"], format="ISO8601"),
            "length": pd.to_timedelta(["01:30:00", None]),
        }
    )
    frame["zoned"] = frame["time"].dt.tz_localize("UTC")
    content = b"".join(as_csv(iter([pa.Table.from_pandas(frame)])))
    expected = pd.read_csv(io.StringIO(frame.to_csv(index=False)), dtype=str)
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(content), dtype=str), expected)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [([1, "a"], "int', 'str"), (pd.period_range("2020", periods=2), "Period"), (pd.interval_range(0, 2), "Interval")],
)
def test_labels_that_answers_cannot_hold_are_refused_at_the_start(values, kinds):
    table = pd.DataFrame({"a": np.arange(60.0), "y": pd.Series([*values] * 30, dtype=object)})
    with pytest.raises(InputError, match=rf"y=\['{kinds}'\]: are of a type, or of several"):
        Source(fitted(table, target="y"), "")


def test_equal_names_and_labels_are_refused_at_the_start():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=[1, "1"])
    with pytest.raises(InputError, match=r"columns=\[1, '1'\]: are equal as texts"):
        Source(fitted(X), "")
    labels = pd.DataFrame({"a": X[1], "y": pd.Series([1, "1"] * 30, dtype="object").astype("category")})
    with pytest.raises(InputError, match=r"y=.*: are equal as texts"):
        Source(fitted(labels, target="y"), "")


def test_a_derived_column_is_refused_in_the_words_of_a_request():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(1, 50, (200, 2)), columns=[1, 2])
    frame[0] = frame[1] + frame[2]
    frame[4] = np.where(frame[1] < 20, 1, np.where(frame[1] < 30, 3, 2))
    with running(Source(fitted(frame, relations=True), "")) as port:
        assert error(ask(port, **{"0": 30})) == "given.0=30: is derived from 1 and 2; give these columns as well"
        assert {row["0"] for row in json.loads(ask(port, **{"0": 30, "1": 10, "2": 20})[1])} == {30}
        answer = ask(port, **{"4": 2})
    refusal = error(answer)
    assert refusal.startswith("given.4=2: follows from") and refusal.endswith("; give 1 as well")


def test_a_text_that_is_no_date_of_its_column_is_refused():
    days = pd.Series(pd.date_range("2020-01-01", periods=90)).dt.strftime("%d/%m/%Y")
    with running(Source(fitted(pd.DataFrame({"when": days, "x": np.arange(90.0)})), "")) as port:
        assert [row["when"] for row in json.loads(ask(port, when="01/02/2020")[1])] == ["01/02/2020"] * 2
        assert "in the form of the training rows" in error(ask(port, when="soon"))


def test_an_unexpected_error_is_one_line_and_logged(source, monkeypatch, capfd):
    def failing(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Source, "tables", failing)
    with running(source) as port:
        status, body, headers = get(port, "/rows")
    assert status == 500 and headers["Content-Type"] == "application/json"
    assert error((status, body)) == "the server failed to answer; its log has the cause"
    assert "RuntimeError: a secret detail" in capfd.readouterr().err
