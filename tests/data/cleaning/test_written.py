"""Dates, durations and numbers that a DataFrame holds as texts, or as whole numbers."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cleaning.written import Written
from trisynth.data.dataset import Column
from trisynth.errors import InputError
from trisynth.frames import evaluate
from trisynth.generators.base import Generator
from trisynth.generators.circuit import Circuit
from trisynth.generators.independent import Independent

ROWS = 300
FORMS = {
    "start": r"\d{4}-\d\d-\d\d",
    "born": r"\d\d\.\d\d\.\d{4}",
    "weight": r"\d+\.\d kg",
    "share": r"\d+\.\d%",
    "price": r"(\d\.)?\d{1,3},\d\d €",
    "length": r"\d{1,2}:[0-5]\d",
}


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 500, ROWS), unit="D")
    born = start - pd.to_timedelta(rng.integers(7_000, 30_000, ROWS), unit="D")
    prices = [f"{cell:,.2f} €".translate(str.maketrans(",.", ".,")) for cell in rng.uniform(500, 5000, ROWS)]
    return pd.DataFrame(
        {
            "start": start.strftime("%Y-%m-%d"),
            "born": born.strftime("%d.%m.%Y"),
            "weight": [f"{cell:.1f} kg" for cell in rng.normal(80, 12, ROWS)],
            "share": [f"{cell:.1f}%" for cell in rng.uniform(0, 60, ROWS)],
            "price": prices,
            "length": [f"{cell // 60:02d}:{cell % 60:02d}" for cell in rng.integers(5, 900, ROWS)],
            "day": start.strftime("%Y%m%d").astype("int64"),
            "grade": rng.choice(list("123"), ROWS),
            "y": rng.choice(["a", "b"], ROWS),
        }
    )


def test_texts_come_back_in_their_form(visits):
    fitted = Independent().fit(visits, target="y")
    drawn = fitted.sample(500)
    assert drawn.dtypes.equals(visits.dtypes)
    assert not drawn.isna().any(axis=None)
    for name, form in FORMS.items():
        assert drawn[name].str.fullmatch(form).all(), name
    assert pd.to_datetime(drawn["day"].astype(str), format="%Y%m%d", errors="coerce").notna().all()
    assert set(drawn["grade"]) == {"1", "2", "3"}
    # No birthday of a single person is repeated.
    counts = visits["born"].value_counts()
    assert not set(drawn["born"]) & set(counts.index[counts < 5])


def test_quantities_keep_their_distribution(visits):
    drawn = Independent().fit(visits, target="y").sample(2000)
    real, synthetic = (table["weight"].str.removesuffix(" kg").astype(float) for table in (visits, drawn))
    assert abs(real.mean() - synthetic.mean()) < 2
    assert abs(real.std() - synthetic.std()) < 2


def test_unreadable_cells_become_missing_with_a_line(visits):
    table = visits.assign(weight=["unknown"] * 30 + list(visits["weight"][30:]))
    fitted = Independent().fit(table, target="y")
    assert any(line.startswith("weight: 30 cells: not a number; set to missing") for line in fitted.notes)
    assert 0.05 < fitted.sample(2000)["weight"].isna().mean() < 0.15


@pytest.mark.parametrize("dtype", [object, "string", pd.StringDtype("pyarrow")])
def test_texts_of_every_dtype(visits, dtype):
    table = visits.astype({"start": dtype, "weight": dtype})
    table.loc[:20, "start"] = None
    drawn = Independent().fit(table, target="y").sample(200)
    assert drawn.dtypes.equals(table.dtypes)
    assert drawn["start"].dropna().str.fullmatch(FORMS["start"]).all()
    assert drawn["start"].isna().any()


def test_declared_kinds_have_precedence(visits):
    declared = {"start": Column("category"), "day": Column("number"), "grade": Column("number")}
    written = Written.learn(visits, declared)
    assert [column.name for column in written.columns] == [*list(FORMS)[1:], "grade"]
    assert set(Independent().fit(visits, target="y", facts=declared, rare=0).sample(50)["start"]) <= set(
        visits["start"]
    )
    with pytest.raises(InputError, match="declare a category"):
        Independent().fit(visits, target="y", facts={"day": Column("duration")})


def test_a_target_of_formatted_numbers_is_a_number(visits):
    fitted = Independent().fit(visits, target="weight")
    assert fitted.numeric_target_
    assert fitted.sample(100)["weight"].str.fullmatch(FORMS["weight"]).all()
    # One cell that cannot be read makes classes of them, as no row may lose its target.
    classes = visits.assign(weight=["heavy", *visits["weight"][1:]])
    assert not Independent().fit(classes, target="weight").numeric_target_


def test_a_target_of_dates_is_a_number(visits):
    drawn = Independent().fit(visits, target="start").sample(50)
    assert drawn["start"].str.fullmatch(FORMS["start"]).all()


def test_known_cells_of_texts_are_kept(visits, tmp_path):
    fitted = Circuit(n_states=2, max_iter=2, refinement_steps=0).fit(visits, target="y")
    fitted.save(tmp_path / "circuit.zip")
    loaded = Generator.load(tmp_path / "circuit.zip")
    known = visits.loc[:9, ["born", "price"]].copy()
    known.loc[0, "price"] = None
    drawn = loaded.conditional(known)
    assert drawn["born"].equals(known["born"])
    assert drawn["price"][1:].equals(known["price"][1:])
    assert drawn["price"].str.fullmatch(FORMS["price"]).all()
    pd.testing.assert_frame_equal(loaded.sample(20), fitted.sample(20))


def test_evaluate_reads_all_tables_as_the_training_rows(visits):
    train, test = visits[:200], visits[200:]
    drawn = Independent().fit(train, target="y").sample(200)
    assert evaluate(train, test, drawn, target="y")["value"].notna().any()
    scores = evaluate(train, test, drawn, target="weight").set_index(["group", "metric"])["value"]
    assert ("real", "r2") in scores.index
