"""Kinds and formats follow from the cells, and what the cells leave open is a doubt with a remedy."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cells import Cells
from trisynth.data.profile import Context, context_of, profile, suspects

N = 60
WHOLE = np.arange(N)
CLOCKS = ("sched_dep_time", "Uhrzeit", "Abfahrtszeit", "hora", "arrival")
CODES = ("room", "ward", "nace", "mcc", "post_nr", "c")


SECONDS = "%Y-%m-%dT%H:%M:%S"


def found(cells, name="c", **how):
    return profile(Cells.of(pd.Series(cells, name=name)), missing=("NA",), **how)


@pytest.mark.parametrize(
    ("cells", "kind", "form"),
    [
        ([f"{i % 40}" for i in WHOLE], "number", None),
        ([f"{i / 4:.2f}" for i in WHOLE], "number", "1.00"),
        # Not 1.000, which is a thousand.
        ([f"{i / 7 - 3:.3f}" for i in WHOLE], "number", "0.000"),
        ([f"{i / 4},5" for i in WHOLE // 4 * 4], "category", None),
        ([f"{50 + i % 9},{i % 7} kg" for i in WHOLE], "number", "1,0 kg"),
        ([f"{1 + i % 9}.{100 + i},50 €" for i in WHOLE], "number", "1.234,00 €"),
        ([f"${1000 + i:,}.25" for i in WHOLE], "number", "$1,234.00"),
        ([f"{i % 7}.5%" for i in WHOLE], "number", "1.0%"),
        ([f"{i % 30:05}" for i in WHOLE], "category", None),
        (["1", "2", "3", "more"] * 15, "category", None),
        ([*map(str, range(40)), "unknown", ">90"], "number", None),
        (["True", "False"] * 30, "category", None),
        ([f"2024-02-{1 + i % 28:02}" for i in WHOLE], "date", None),
        ([f"{1 + i % 28:02}.02.2024" for i in WHOLE], "date", "%d.%m.%Y"),
        ([f"2/{1 + i % 28}/2024" for i in WHOLE], "date", "%-m/%-d/%Y"),
        ([f"202402{1 + i % 28:02}" for i in WHOLE], "date", "%Y%m%d"),
        ([f"2024-02-{1 + i % 28:02}T10:00:00+01:00" for i in WHOLE], "date", "%Y-%m-%dT%H:%M:%S%:z"),
        ([f"{1 + i % 28} Feb 2024" for i in WHOLE], "date", "%-d %b %Y"),
        ([f"{i % 24:02}:30" for i in WHOLE], "duration", "%H:%M"),
        ([f"{1 + i % 23}:{i % 60:02}" for i in WHOLE], "duration", "%-H:%M"),
        ([f"{i % 24:02}:30:{i % 60:02}.250" for i in WHOLE], "duration", "%H:%M:%S.%3f"),
        ([f"{1 + i % 12:02}:{i % 60:02} {'AP'[i % 2]}M" for i in WHOLE], "duration", "%I:%M %p"),
        ([f"1:{i % 60:02}.456" for i in WHOLE], "duration", "%-M:%S.%3f"),
        ([f"1:{i % 30:02}.45" if i % 3 else f"{i % 60}.25" for i in WHOLE], "duration", "[%-M:]%S.%2f"),
        ([f"{40 + i % 20}:09" if i % 3 else f"1:0{i % 9}:12" for i in WHOLE], "duration", "[%-H:]%M:%S"),
        ([f"2024-02-01 10:00:{i % 60:02}.{i % 10}" for i in WHOLE], "date", "%Y-%m-%d %H:%M:%S.%1f"),
        ([f"2024-02-01 10:00:{i % 60:02},25{i % 10}" for i in WHOLE], "date", "%Y-%m-%d %H:%M:%S,%3f"),
        ([f"2024-02-01T10:00:{i % 60:02}{'.125' * bool(i % 9)}Z" for i in WHOLE], "date", "%Y-%m-%dT%H:%M:%S.%3f?Z"),
        ([f"2024-02-01T10:00:{i % 60:02}.{str(i % 9 + 1) * (i % 3 + 1)}" for i in WHOLE], "date", f"{SECONDS}.%3f*"),
        ([f"{4 + i % 3}:{i % 60:02} min/km" for i in WHOLE], "duration", "%-M:%S min/km"),
        ([f"{1 + i % 12:02}.{2000 + i % 9}" for i in WHOLE], "date", "%m.%Y"),
        ([f"{2000 + i % 9}.{1 + i % 12:02}" for i in WHOLE], "date", "%Y.%m"),
        ([f"2024.02.{1 + i % 28:02}." for i in WHOLE], "date", "%Y.%m.%d."),
        ([f"2024. {1 + i % 12}. {1 + i % 28}." for i in WHOLE], "date", "%Y. %-m. %-d."),
        ([f"2024년 {1 + i % 12}월 {1 + i % 28}일" for i in WHOLE], "date", "%Y년 %-m월 %-d일"),
        ([f"2024-02-01T10:00:{i % 60:02}{'Z' if i % 3 == 0 else '+00:00'}" for i in WHOLE], "date", f"{SECONDS}%:z"),
        ([f"EUR {i},50" if i % 3 else f"{i},50 €" for i in WHOLE], "number", "EUR 1,00 | 1,00 €"),
        ([f"{i / 2:.1f} kg" if i % 3 else f"{i / 2:.1f}" for i in WHOLE], "number", "1.0 kg | 1.0"),
        ([f"KW {1 + i % 52}/2024" for i in WHOLE], "date", "KW %-V/%G"),
        ([f"2024-W{1 + i % 52}" for i in WHOLE], "date", "%G-W%-V"),
        ([f"S{1 + i % 2}/{2000 + i % 20}" for i in WHOLE], "category", None),
        ([f"1:{10 * 2 ** (i % 5)}" for i in WHOLE], "category", None),
        ([f"202402{1 + i % 28:02}T1012{i % 60:02}" for i in WHOLE], "date", "%Y%m%dT%H%M%S"),
        (list(pd.date_range("2024-01-01", periods=N).strftime("%a, %d %b %Y")), "date", "%a, %d %b %Y"),
        ([f"2024-02-{1 + i % 28:02}" if i % 4 else "0000-00-00" for i in WHOLE], "date", None),
        (["2023", "2024-02", *(f"2024-02-{1 + i % 28:02}" for i in WHOLE)], "date", "%Y-%m-%d | %Y-%m | %Y"),
        ([f"{i // 4}.{i % 4}0" + "-" * int(i % 3 == 0) for i in WHOLE], "number", "1.00-"),
        ([f"₹{1 + i % 9},{10 + i},250" for i in WHOLE], "number", "₹1,23,456"),
        ([f"Rs. {1 + i % 9},{10 + i},250.50" for i in WHOLE], "number", "Rs. 1,23,456.00"),
        ([f"{1 + i % 9},{100 + i}円" for i in WHOLE], "number", "1,234円"),
        ([f"FR{3060 + 7 * i}" for i in WHOLE], "identifier", None),
        ([f"Fr. {3060 + 7 * i}" for i in WHOLE], "number", "Fr. 1"),
        ([f"{1 + i % 9}.{10 + i}e-0{i % 4}" for i in WHOLE], "number", "1.00e+00"),
        ([f"{'€$'[i % 2]}{i}.50" for i in WHOLE], "text", None),
        ([f"{i % 7}.50 {('EUR', 'USD')[i % 2]}" for i in WHOLE], "category", None),
        ([f"{i % 24:02}{i % 90:02}" for i in range(300)], "identifier", None),
        ([f"{i % 24}h{i % 60:02}" for i in WHOLE], "duration", "%-Hh%M"),
        ([f"2020-W{1 + i % 52:02}" for i in WHOLE], "date", "%G-W%V"),
        ([f"2020年{1 + i % 12}月{1 + i % 28}日" for i in WHOLE], "date", "%Y年%-m月%-d日"),
        ([f"{1 + i % 28}. {('September', 'März', 'Mai')[i % 3]} 2020" for i in WHOLE], "date", "%-d. %B %Y @de"),
        ([f"{1 + i % 28} {('août', 'mai', 'juin')[i % 3]} 2020" for i in WHOLE], "date", "%-d %B %Y @fr"),
        ([f"{1 + i % 28} de {('Agosto', 'Mayo')[i % 2]} de 2020" for i in WHOLE], "date", "%-d de %+B de %Y @es"),
        ([f"{1 + i % 28:02}-{('AUG', 'MAY', 'DEC')[i % 3]}-20" for i in WHOLE], "date", "%d-%^b-%y"),
        ([f"{i % 90}y {i % 12}m" for i in WHOLE], "duration", "1y 1m"),
        ([f"P{i % 9}DT{i % 24}H" for i in WHOLE], "duration", "P1DT1H"),
        ([f"{1 + i % 9}h {i % 60}min" for i in WHOLE], "duration", "1h 1min"),
        ([f"{i} min" if i < 30 else f"1 h {i - 30} min" for i in WHOLE], "duration", "1 h 1 min*"),
        ([f"{i % 30}min" for i in WHOLE], "number", "1min"),
        ([f"{100 + i}/{60 + i % 30}" for i in WHOLE], "text", None),
        ([f"{120 + i % 2}/80" for i in WHOLE], "category", None),
        ([f"2024/{i:04}" for i in WHOLE], "identifier", None),
        ([f"P{i:04}" for i in WHOLE], "identifier", None),
        ([f"a{i}@b.org" for i in WHOLE], "identifier", None),
        ([str(i) for i in WHOLE], "identifier", None),
        ([str(4915000000000 + i * 7919) for i in WHOLE], "identifier", None),
        ([f"came on day {i} with a cough" for i in WHOLE], "text", None),
        (["E11.65", "I10", "J44.9"] * 20, "category", None),
        (["1st", "2nd", "3rd", "crew"] * 15, "category", None),
    ],
)
def test_kind_and_format_of_texts(cells, kind, form):
    facts = found(cells).facts
    assert (facts.kind, facts.format) == (kind, form)


def test_several_numbers_in_a_cell_are_told():
    for cells in ([f"{100 + i}/{60 + i % 30}" for i in WHOLE], [f"{120 + i % 2}/80" for i in WHOLE]):
        (doubt,) = found(cells).doubts
        assert "several numbers" in doubt.problem
        assert "a column of its own" in doubt.treatment


def test_several_units_are_told():
    (doubt,) = found([f"{'€$'[i % 2]}{i}.50" for i in WHOLE]).doubts
    assert "several units (€, $)" in doubt.problem
    assert "a column each" in doubt.treatment and doubt.remedy == "kind: category"


def test_fractions_among_percents_are_a_doubt():
    each = found([f"{i} %" if i % 4 else f"0.{10 + i}" for i in WHOLE])
    assert each.facts.format == "1 %" and "perhaps fractions" in each.doubts[0].problem
    assert each.doubts[0].remedy.startswith('values: {"0.10": "10 %", "0.14": "14 %"')
    many = found([f"{i} %" if i % 4 else f"0.{100 + i}" for i in range(300)])
    assert many.doubts[0].cells == 75 and not many.doubts[0].remedy


def test_numbers_with_marks_are_told():
    (doubt,) = found([f"{i}.5{['', ' H', ' L', ''][i % 4]}" for i in WHOLE]).doubts
    assert doubt.problem == "numbers with marks (H, L)" and "a column each" in doubt.treatment


def test_three_decimals_may_be_thousands():
    (doubt,) = found([f"{1 + i % 9}.{100 + i}" for i in WHOLE]).doubts
    assert doubt.remedy == 'format: "1.234"'
    assert not found([f"0.{100 + i}" for i in WHOLE]).doubts


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("admission date", [str(45000 + i * 3) for i in WHOLE], "date"),
        ("Aufnahmedatum", [str(45000 + i * 3) for i in WHOLE], "date"),
        ("price", [str(45000 + i * 3) for i in WHOLE], "number"),
        ("year", [str(1950 + i) for i in WHOLE], "number"),
        ("customer_id", [str(i * i % 97) for i in range(100)], "identifier"),
        ("notes", ["lives alone", "needs help", "ok"] * 20, "text"),
    ],
)
def test_names_are_hints(name, cells, kind):
    assert found(cells, name).facts.kind == kind
    assert found(cells, name, target=True).facts.kind not in ("identifier", "text")


@pytest.mark.parametrize(
    ("name", "cells", "kind", "form"),
    [
        ("visit_date", [f"2020-{1 + 5 * i:03}" for i in WHOLE], "date", "%Y-%j"),
        ("visit_date", [f"2020{1 + 5 * i:03}" for i in WHOLE], "date", "%Y%j"),
        ("case_no", [f"2020-{1 + 5 * i:03}" for i in WHOLE], "identifier", None),
        ("invoice", [f"2020-{1 + i:03}" for i in range(299)], "identifier", None),
        ("patient_id", [f"2020{1 + 5 * i:03}" for i in WHOLE], "identifier", None),
        ("birth_id", [f"2020{1 + 5 * i:03}" for i in WHOLE], "identifier", None),
        ("amount", [f"2020{1 + 5 * i:03}" for i in WHOLE], "number", None),
        *((name, [f"{i % 24:02}{i % 60:02}" for i in WHOLE], "duration", "%H%M") for name in CLOCKS),
        *((name, [f"{1 + i % 11:02}{1 + i % 12:02}" for i in WHOLE], "category", None) for name in CODES),
    ],
)
def test_digits_are_times_where_the_name_means_one(name, cells, kind, form):
    facts, doubts = (each := found(cells * (1 if kind == "identifier" else 2), name)).facts, each.doubts
    assert (facts.kind, facts.format) == (kind, form)
    assert not form or doubts[0].remedy in ("kind: category", "kind: number")


@pytest.mark.parametrize("prefix", ["CAD", "COP", "TRY", "Kr"])
def test_letters_are_a_currency_beside_a_blank_or_decimals(prefix):
    assert found([f"{prefix}{10 + i % 20}" for i in WHOLE]).facts.kind == "category"
    for after in (f"{prefix} {{}}", f"{prefix}{{}}.50", f"{prefix}{{}},250"):
        assert found([after.format(10 + i % 20) for i in WHOLE]).facts.kind == "number"


def test_what_may_be_a_code_is_a_doubt():
    for cells, kind in (([f"{i % 9}H{i % 60:02}" for i in WHOLE], "duration"), (["7E-07", "2E-03"] * 30, "number")):
        each = found(cells)
        assert each.facts.kind == kind and each.doubts[0].remedy == "kind: category"
    versions = [f"1.{1 + i % 3}.{10 + i % 4}" for i in WHOLE]
    assert found(versions, "version").facts.kind == "category" and found(versions, "visit date").facts.kind == "date"
    assert found(versions, "seen").doubts[0].remedy == "kind: date"


def test_an_order_of_day_and_month_that_nothing_shows_is_a_doubt():
    cells = [f"0{1 + i % 9}/0{1 + i % 7}/2024" for i in WHOLE]
    doubt = found(cells).doubts[0]
    assert "could be exchanged" in doubt.problem and doubt.remedy == 'format: "%m/%d/%Y"'
    assert found(cells, context=Context(day_first=False)).facts.format == "%m/%d/%Y"


def test_columns_share_their_marks():
    raw = pd.DataFrame(
        {"a": ["1,5", "2,25"] * 20, "b": ["1.500", "2.250"] * 20, "d": ["31/01/2024", "03/02/2024"] * 20}
    )
    context = context_of(raw)
    assert context.comma and context.day_first
    assert found(raw["b"], context=context).facts.format == "1.234"


def test_codes_for_missing_cells_stand_apart_or_are_too_frequent():
    def codes(values):
        return suspects.numbers(*np.unique(np.array(values, float), return_counts=True)).codes

    ages = list(range(20, 80)) * 2
    assert codes([*ages, -9, -9]) == (-9,)
    assert codes([*ages, 999, 999, -1, -1]) == (-1, 999)
    assert codes([*ages, *[99] * 20]) == (99,)
    assert codes(ages) == codes([*ages, 99]) == codes(list(range(100)) * 3) == ()
    assert codes(np.random.default_rng(0).normal(size=200).round(1)) == ()


def test_other_spellings_are_shown_and_censored_numbers_are_found():
    counts = np.array([5, 9, 3, 4])
    assert suspects.spellings(["yes", "Yes", "no", "0"], counts) == {"yes": "Yes", "0": "no"}
    assert suspects.spellings(["a", "b", "c", "d"], counts) == {}
    assert suspects.censored([">90", "<4.0", "65+", "many"]) == {">90": "90", "<4.0": "4.0", "65+": "65"}


def test_numbers_of_many_digits_are_described():
    assert found(["9" * 5000] * 30 + ["1" * 5000] * 30).facts.kind in ("number", "category", "text")


@pytest.mark.parametrize("source", ["texts", "integers"])
def test_a_few_whole_numbers_beyond_floats_are_categories(source):
    numbers = [9007199254740993, 9007199254740995] * 30
    cells = pd.Series(map(str, numbers) if source == "texts" else numbers, name="kind of account")
    found = profile(Cells.of(cells))
    assert found.facts.kind == "category" and found.doubts[0].remedy == "kind: number"


def test_lists_give_no_context():
    assert context_of(pd.DataFrame({"l": [[1, 2], [3]], "x": ["1,5", "2,25"]})).comma


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("patient", "identifier"),
        ("Subject No", "identifier"),
        ("patient_nr", "identifier"),
        ("patient group", "category"),
    ],
)
def test_numbers_of_persons_who_come_twice_are_identifiers(name, kind):
    assert found([f"P{i // 3:03}" for i in range(90)], name).facts.kind == kind
    assert found([str(20 + i % 40) for i in range(90)], "patient age").facts.kind == "number"


def test_two_codes_stand_apart_together():
    answers = np.array([1, 2, 3, 4, 88, 99])
    assert suspects.numbers(answers, np.array([90, 80, 60, 40, 15, 15])).codes == (88, 99)
    ages = np.arange(18, 100)
    assert not suspects.numbers(ages, np.full(len(ages), 4)).codes
