"""Cells of exports, surveys and statements: read as what they mean, reported where doubtful, written as they came."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cells import Cells
from trisynth.data.cleaning.columns import clean_column
from trisynth.data.dataset import Column
from trisynth.data.formats import format_of
from trisynth.data.formats.spellings import Spellings
from trisynth.data.profile import profile
from trisynth.data.readers import delimited

N = 60
WHOLE = np.arange(N)
DAYS = pd.date_range("2019-01-07", periods=N, freq="31D")


def found(cells, name="c"):
    return profile(Cells.of(pd.Series(cells, name=name)))


def notes(cells, name="c", **facts):
    reported = []
    clean_column(pd.Series(cells, name=name), Column(**facts), (), lambda *finding: reported.append(finding))
    return reported


def rewritten(cells, facts, values=None):
    """Write values, by default those of the cells, as synthetic rows are written."""
    cells = pd.Series(cells, dtype=object)
    spellings = Spellings.learn(cells, facts, [], category=False)
    form = format_of(facts.kind, facts.format)
    values = form.parse(cells) if values is None else pd.Series(values)
    return spellings.write(form.print(values), values, facts, np.random.default_rng(0)).tolist()


@pytest.mark.parametrize(
    ("cells", "kind", "form"),
    [
        ([f"{(i - 30) / 4:+.2f}" for i in WHOLE], "number", "+1.00"),
        ([f"{i - 30:+.1f}%" for i in WHOLE], "number", "+1.0%"),
        ([f"$({97 * i:,})" if i % 3 else f"${97 * i:,}" for i in WHOLE + 1], "number", "$(1,234)"),
        ([f"CHF {i}.–" for i in WHOLE], "number", "CHF 1.–"),
        ([f"{i},-" for i in WHOLE], "number", "1,-"),
        ([f"{i % 6}/5" if i % 6 else "1/5" for i in WHOLE], "number", "1/5"),
        ([f"{i + 1}/24" for i in WHOLE], "text", None),
        ([f"{1 + i % 9}.0E-{1 + i % 7}" for i in WHOLE], "number", "1.0E0"),
        ([np.format_float_scientific((i + 1) / 7e5, precision=i % 3) for i in WHOLE], "number", None),
        ([f"{1 + i % 9},{10 + i}E-06" for i in WHOLE], "number", "1,00E+00"),
        ([repr(float(f"{1 + i}e-{i % 8}")) for i in WHOLE], "number", "1.0* | 1*e+00"),
        ([f"{i}.5K" if i % 3 else f"{i}" for i in WHOLE], "text", None),
        ([f"{i % 4} - answer {i % 4}" for i in WHOLE], "category", None),
        ([f"0x{i % 9:02X}" for i in WHOLE], "category", None),
        (list(DAYS.strftime("%m/%d/%Y %I:%M:%S PM")), "date", "%m/%d/%Y %I:%M:%S %p"),
        (list(DAYS.strftime("%H:%M Uhr").str.replace("00:", "1:")), "duration", "%-H:%M Uhr"),
        ([f"{9 + i % 9}.{i:02d} h" for i in WHOLE], "duration", "%-H.%M h"),
        (list(DAYS.strftime("%Y%m")), "date", "%Y%m"),
        (
            [d.strftime(("%Y-%m-%d", "%d.%m.%Y", "%b %d, %Y")[i % 3]) for i, d in enumerate(DAYS)],
            "date",
            "%Y-%m-%d | %d.%m.%Y | %b %d, %Y",
        ),
        ([f"{i:064x}" for i in WHOLE * 7919], "identifier", None),
    ],
)
def test_kind_and_format(cells, kind, form):
    facts = found(cells).facts
    assert facts.kind == kind
    if form:
        assert facts.format == form
        assert sorted(rewritten(cells, facts)) == sorted(cells) or " | " in form


@pytest.mark.parametrize(
    ("name", "cells", "kind", "form"),
    [
        ("Uhrzeit", [f"{i % 24:02}.{i:02}" for i in WHOLE], "duration", "%H.%M"),
        ("Preis", [f"{i % 24:02}.{i:02}" for i in WHOLE], "number", "1.00"),
        ("KW", [f"2024{1 + i % 52:02}" for i in WHOLE], "date", "%G%V"),
        ("updated_at", [str(1_700_000_000_000_000 + 10**9 * i) for i in WHOLE], "date", "unix_us"),
        ("Fall-Nr.", [str(4_100_000 + 7 * i * i) for i in WHOLE], "identifier", None),
        ("number of falls", [str(4_100_000 + 7 * i * i) for i in WHOLE], "number", None),
    ],
)
def test_a_name_decides_where_the_cells_leave_it_open(name, cells, kind, form):
    facts = found(cells, name).facts
    assert (facts.kind, facts.format) == (kind, form)


def test_births_are_past():
    births = pd.date_range("1931-02-03", "2018-05-06", freq="131D")
    profiled = found(list(births.strftime("%m/%d/%y")), "date of birth")
    assert "1931 to 2018" in profiled.doubts[0].problem
    read = format_of("date", profiled.facts.format).parse(births.strftime("%m/%d/%y"))
    assert read.tolist() == list(births)
    assert format_of("date", profiled.facts.format).print(read).tolist() == list(births.strftime("%m/%d/%y"))
    children = pd.date_range("2014-01-01", "2021-01-01", freq="37D").strftime("%m/%d/%y")
    assert found(list(children), "dob").facts.format == "%m/%d/%y"
    assert found(list(births.strftime("%m/%d/%y")), "seen").facts.format == "%m/%d/%y"


def test_small_numbers_alone_have_a_power_of_ten():
    cells = [repr(float(f"{1 + i}e-{i % 8}")) for i in WHOLE]
    facts = found(cells).facts
    assert rewritten(cells, facts) == cells
    assert rewritten(cells, facts, [0.0, 2.5e-7, 0.0125, 3.0]) == ["0.0", "2.5e-07", "0.0125", "3.0"]


def test_three_forms_of_dates_return_in_their_fractions():
    cells = [d.strftime(("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d", "%b %d, %Y")[i % 4]) for i, d in enumerate(DAYS)]
    written = pd.Series(rewritten(cells, found(cells).facts, np.repeat(DAYS.to_numpy(), 20)))
    assert abs(written.str.contains(".", regex=False).mean() - 0.25) < 0.05
    assert abs(written.str.contains(",").mean() - 0.25) < 0.05


@pytest.mark.parametrize(
    ("cells", "problem", "remedy"),
    [
        ([*map(str, range(5)), "5+"] * 10, "censored ones: '5+' (10)", 'kind: number\nvalues: {"5+": "5"}'),
        ([*DAYS.strftime("%Y-%m-%d"), *["1900-01-01"] * 5], "no date: '1900-01-01' (5)", 'missing: ["1900-01-01"]'),
        (["a", "b", "\\N"] * 20, "missing cell: '\\\\N'", 'missing: ["\\\\N"]'),
        ([f"{60 + i:.1f} kg" for i in WHOLE] + ["170 lb"], "in lb", 'values: {"170 lb": "77.1 kg"}'),
        (["a;b", "b;c", "a", "c", "a;c", "b"] * 10, "lists of several values (;", ""),
    ],
)
def test_doubtful_cells_are_reported_with_a_remedy(cells, problem, remedy):
    reported = [finding for finding in notes(cells) if problem in finding[0]]
    assert len(reported) == 1
    assert (reported[0][3] if len(reported[0]) > 3 else "") == remedy


def test_identifiers_that_repeat_may_be_persons():
    reported = notes([f"P-{i // 4:04d}" for i in range(240)], name="patient_id")
    assert ("60 identifiers that repeat, perhaps of persons", "person: true") in [
        (each[0], each[3]) for each in reported
    ]


def test_too_many_cells_in_another_unit_are_reported():
    cells = [f"{60 + i / 10:.1f} kg" for i in range(600)] + [f"{150 + i} lb" for i in range(50)]
    (reported,) = [finding for finding in notes(cells) if "in lb" in finding[0]]
    assert "convert them in the file" in reported[0] and reported[1] == 50 and not reported[3]


def test_rows_of_numbers_with_powers_are_no_names(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i:.1f}e-05,{i:.1f}E+03\n" for i in range(1, 9)))
    assert len(delimited(tmp_path / "t.csv")) == 8


def test_questions_of_a_survey_are_left_out(tmp_path):
    keys = ",".join(f'"{{""ImportId"":""Q{i}""}}"' for i in range(2))
    (tmp_path / "t.csv").write_text(f"Q1,Q2\nHow are you?,Age?\n{keys}\n" + "good,35\nbad,51\n" * 4)
    table = delimited(tmp_path / "t.csv")
    assert table["Q2"].tolist() == ["35", "51"] * 4
    assert "questions" in table.attrs["notes"][0]


def test_blanks_separate_where_nothing_else_does(tmp_path):
    rows = "".join(f'{i + 1 / 2} "in school" {"ab"[i % 2]}\n' for i in range(9))
    (tmp_path / "t.txt").write_text(f'"len" "where" "y"\n{rows}')
    table = delimited(tmp_path / "t.txt")
    assert list(table) == ["len", "where", "y"] and table.attrs["dialect"].separator == " "


@pytest.mark.parametrize("form", [" {:.2f} ", "{:>9.2f}", "{:<9.2f}"])
def test_blanks_around_numbers_return(form):
    cells = [form.format(i * i / 4) for i in WHOLE]
    assert rewritten(cells, found(cells).facts) == cells
