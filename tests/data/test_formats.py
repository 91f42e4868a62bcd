"""Formats: every text that is read is printed as it came."""

from itertools import product

import pandas as pd
import pytest

from trisynth.data.formats import NumberFormat, format_of
from trisynth.errors import InputError


@pytest.mark.parametrize(
    ("kind", "text", "cells"),
    [
        ("number", None, ["1", "-2.5", "0", "0.001"]),
        ("number", "1.0*", ["1.0", "2.25", "-0.5"]),
        ("number", "0.00", ["1.50", "2.00", "-3.10"]),
        ("number", "81.2 kg", ["81.2 kg", "90.0 kg", "-1.5 kg"]),
        ("number", "1.234,5", ["1.234,5", "0,5", "-12.345.678,9"]),
        ("number", "173,1", ["173,0", "81,6"]),
        ("number", "1,234", ["1,234", "85", "1,234,567"]),
        ("number", "$1,234.50", ["$1,660.21", "$0.05", "-$12.00"]),
        ("number", "($1,234.50)", ["$1,660.21", "($12.00)"]),
        ("number", "28.0%", ["28.0%", "0.3%"]),
        ("number", "1 234,50 €", ["1 234,50 €", "12,00 €"]),
        ("number", "1'234.5", ["1'234.5", "7.0"]),
        ("number", "000", ["007", "512"]),
        ("number", "\u22121", ["\u22125", "5"]),
        ("number", None, ["1152925200178309014", "-7"]),
        ("number", "27.5 kg/m2", ["27.5 kg/m2", "31.0 kg/m2"]),
        ("date", None, ["2020-02-29", "1957-02-09"]),
        ("date", None, ["2020-02-29 10:00:01", "1957-02-09 00:00:00"]),
        ("date", None, ["2020-02-29 10:00:01+02:00", "1957-02-09 00:00:00+02:00"]),
        ("date", "%d.%m.%Y", ["29.02.2020", "01.12.1999"]),
        ("date", "%-m/%-d/%Y", ["2/29/2020", "12/1/1999"]),
        ("date", "%Y%m%d", ["20200229", "19991201"]),
        ("date", "%d %b %Y", ["29 Feb 2020"]),
        ("date", "%Y-%m-%dT%H:%M:%SZ", ["2020-02-29T01:02:03Z"]),
        ("date", "%Y-%m-%dT%H:%M:%S.%3fZ", ["2020-02-29T01:02:03.250Z"]),
        ("date", "%Y-%m-%dT%H:%M:%S%:z", ["2020-02-29T01:02:03-05:30"]),
        ("date", "excel", ["43890", "25569.5"]),
        ("date", "unix", ["1582934400", "0"]),
        ("duration", None, ["1 days 02:00:00"]),
        ("duration", "%H:%M:%S", ["36:15:00", "-00:00:07"]),
        ("duration", "%H:%M", ["09:30"]),
        ("duration", "%-H:%M", ["9:30", "0:07", "100:00"]),
        ("duration", "%H:%M:%S.%3f", ["23:55:03.250", "00:00:00.000", "-00:00:01.500"]),
        ("duration", "%H:%M:%S.%f", ["23:55:59.999999"]),
        ("duration", "%H:%M:%S.%1f", ["23:55:59.9", "00:00:00.0"]),
        ("duration", "%-M:%S.%3f", ["1:23.456", "0:59.999", "75:00.000", "-0:01.500"]),
        ("duration", "%M:%S,%2f", ["01:23,45"]),
        ("duration", "%-M:%S min/km", ["4:56 min/km", "12:05 min/km"]),
        ("duration", "[%-M:]%S.%2f", ["59.25", "9.75", "1:09.00"]),
        ("duration", "[%-H:]%M:%S", ["59:58", "9:05", "1:02:03"]),
        ("date", "%Y-%m-%d %H:%M:%S,%3f", ["2020-02-29 01:02:03,250"]),
        ("date", "%Y-%m-%d %H:%M:%S.%2f%:z", ["2020-02-29 01:02:03.25+01:00"]),
        ("date", "%Y-%m-%dT%H:%M:%S.%3f?Z", ["2020-02-29T01:02:03.250Z", "2020-02-29T01:02:03Z"]),
        ("date", "%Y-%m-%dT%H:%M:%S.%f*", ["2020-02-29T01:02:03.25", "2020-02-29T01:02:03"]),
        ("date", "KW %-V/%G", ["KW 9/2020", "KW 53/2020"]),
        ("date", "%G-W%-V", ["2020-W9"]),
        ("duration", "%I:%M %p", ["12:00 AM", "12:30 PM", "09:05 AM", "11:59 PM"]),
        ("duration", "%-I:%M:%S%p", ["9:05:07AM", "12:00:00PM"]),
        ("duration", "P1DT1H", ["P3DT4H", "-P0DT7H"]),
        ("duration", "P1DT1H1M*", ["P3DT4M", "PT20M", "P2D", "PT0M"]),
        ("duration", "1h 1min", ["1h 20min", "0h 5min", "100h 0min"]),
        ("duration", "1 hours, 1 minutes*", ["2 hours, 1 minute", "1 hour", "0 minutes"]),
        ("duration", "1h 01m", ["1h 05m"]),
        ("duration", "1min 1.0s", ["3min 2.5s"]),
        ("number", "1.00-", ["26.68-", "3.10", "0.50"]),
        ("number", "₹1,23,456", ["₹12,34,56,789", "₹1,234", "₹56", "-₹1,00,000"]),
        ("number", "1,23,456.00", ["1,00,000.50", "0.05"]),
        ("number", "1.000e+00", ["3.490e-02", "-1.000e+06", "0.000e+00"]),
        ("number", "1E+00", ["3E-02", "5E+11"]),
        ("date", "%d-%^b-%Y", ["29-FEB-2020", "01-DEC-1999"]),
        ("date", "%-d. %B %Y @de", ["29. Februar 2020", "1. März 1999", "3. Mai 2001"]),
        ("date", "%d. %b %Y @de.", ["29. Feb. 2020", "01. März 1999", "03. Mai 2001"]),
        ("date", "%-d %B %Y @fr", ["29 février 2020", "1 août 1999"]),
        ("date", "%-d de %B de %Y @es", ["29 de febrero de 2020"]),
        ("date", "%A, %-d de %B de %Y @pt", ["sábado, 29 de fevereiro de 2020", "segunda-feira, 2 de março de 2020"]),
        ("date", "%a, %d.%m.%Y @de", ["Sa, 29.02.2020"]),
        ("date", "%G-W%V", ["2020-W01", "2020-W53"]),
        ("date", "%G-W%V-%u", ["2020-W09-6"]),
        ("date", "%Y-%j", ["2020-366"]),
        ("date", "%Y年%-m月%-d日", ["2020年2月29日"]),
        ("duration", "%H%M", ["0930", "2359"]),
        ("duration", "%-Hh%M", ["9h30", "23h05"]),
        ("duration", "1y 1m", ["72y 6m", "0y 11m"]),
        ("duration", "1 years, 1 months*", ["1 year, 2 months", "3 years"]),
        ("number", "1\u202f234,00\u00a0€", ["12\u202f345,60\u00a0€", "7,05\u00a0€"]),
        ("number", "1.0\u00a0mg", ["81.2\u00a0mg", "-3.0\u00a0mg"]),
        ("number", "1,234.00 €-", ["1,126.68 €-", "3.10 €"]),
    ],
)
def test_cells_return_as_they_came(kind, text, cells):
    form = format_of(kind, text)
    values = form.parse([*cells, "none of it"])
    assert values.isna().tolist() == [False] * len(cells) + [True]
    assert form.print(values).tolist() == [*cells, None]


@pytest.mark.parametrize(
    "text",
    [
        "1.0*",
        "0.00",
        "1.00-",
        "1.234,5*",
        "1,234",
        "1 234,50 €",
        "($1,234.00)",
        "000",
        "1.5%",
        "1,5",
        "1,23,456",
        "1E+00",
    ],
)
def test_an_example_describes_its_format_and_is_described_by_it(text):
    form = NumberFormat.of(text)
    assert NumberFormat.of(form.text) == form


@pytest.mark.parametrize("decimals", range(7))
@pytest.mark.parametrize("thousands", ["", ",", ".", " ", "'"])
def test_every_format_is_described_by_its_example(thousands, decimals):
    for around, more, minus in product([("", ""), ("$", ""), ("", " kg"), ("", "%")], [False, True], "-("):
        form = NumberFormat(*around, thousands, "," if thousands == "." else ".", decimals, more, 0, minus)
        assert NumberFormat.of(form.text) == form


@pytest.mark.parametrize("around", [("", ""), ("$", ""), ("CHF ", ""), ("", " kg"), ("", "\u00a0%"), ("x", "y")])
@pytest.mark.parametrize("marks", [("", "."), (",", "."), (".", ","), ("", ","), ("'", "."), (" ", ",")])
def test_texts_of_one_usual_form_are_read_as_any_other(around, marks, monkeypatch):
    numbers = [0.5, 1.0, 12.25, 1234.75, 1234567.5]
    forms = [NumberFormat(*around, *marks, decimals, more) for decimals in (0, 1, 3) for more in (False, True)]
    cells = [(form, form.print(pd.Series(some)).tolist()) for form in forms for some in (numbers, [0, 7, 12345])]
    read = [form.parse(texts) for form, texts in cells]
    monkeypatch.setattr(NumberFormat, "_usual", lambda form, array: None)
    for (form, texts), values in zip(cells, read, strict=True):
        pd.testing.assert_series_equal(values, form.parse(texts))


def test_values_have_the_kind_of_their_texts():
    assert format_of("number").parse(["9007199254740993"]).tolist() == [9007199254740993]
    assert format_of("date", "%d/%m/%Y").parse(["03/04/2020"])[0] == pd.Timestamp(2020, 4, 3)
    assert str(format_of("date").parse(["2020-01-01T00:00:00Z"]).dtype) == "datetime64[ns, UTC]"
    assert format_of("duration", "%H:%M").parse(["26:30"])[0] == pd.Timedelta(hours=26.5)
    assert format_of("date", "%Y%m%d").parse(["20210495"]).isna().all()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "many"),
        ("number", ""),
        ("number", 3),
        ("date", "%Q"),
        ("date", "dd.mm"),
        ("date", "%Y-%m-%Y"),
        ("date", "%d %B %Y @xx"),
        ("date", "%Y" * 3000),
        ("duration", "%d"),
        ("text", "x"),
    ],
)
def test_what_is_no_format_is_one_line(kind, text):
    with pytest.raises(InputError) as caught:
        format_of(kind, text)
    assert caught.value.parameter == "format" and "\n" not in str(caught.value)


def test_fractions_are_rounded_to_their_last_digit():
    values = pd.Series([pd.Timestamp("2024-01-01 00:00:59.999600"), pd.Timestamp("2024-01-01 00:00:00.000400")])
    texts = ["2024-01-01 00:01:00.000", "2024-01-01 00:00:00.000"]
    assert format_of("date", "%Y-%m-%d %H:%M:%S.%3f").print(values).tolist() == texts
    zone = values.dt.tz_localize("Europe/Berlin")
    shown = format_of("date", "%Y-%m-%d %H:%M:%S.%2f%:z").print(zone)
    assert shown[0] == "2024-01-01 00:01:00.00+01:00"
    lengths = pd.Series([pd.Timedelta("59.9996s")])
    assert format_of("duration", "%-M:%S.%3f").print(lengths)[0] == "1:00.000"


def test_offsets_that_differ_are_written_as_the_most_frequent_one():
    form = format_of("date", "%Y-%m-%dT%H:%M:%S%:z")
    values = form.parse(["2024-07-01T10:00:00+02:00", "2024-01-01T10:00:00+01:00", "2024-08-01T10:00:00+02:00"])
    assert form.print(values)[1] == "2024-01-01T11:00:00+02:00"
    assert values[1] == pd.Timestamp("2024-01-01T09:00:00Z")


@pytest.mark.parametrize("written", [None, "%d.%m.%Y", "%Y-%m-%d"])
def test_words_for_the_present_are_no_dates(written):
    # pandas reads them as the time of the run.
    assert format_of("date", written).parse(["now", "Today", "TODAY"]).isna().all()
