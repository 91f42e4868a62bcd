"""Planted relations are found and kept by every kind of generator; chance gives none; declared constraints are met."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.schema import Schema
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.circuit import Circuit
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent
from trisynth.generators.relations import Relations
from trisynth.generators.relations.computed import Computed
from trisynth.generators.relations.equalities import Equality
from trisynth.generators.relations.functional import Functional
from trisynth.generators.relations.orders import Order
from trisynth.generators.smote import SMOTE

ROWS = 800


def stays(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    """Patients whose columns are tied in many ways."""
    rng = np.random.default_rng(seed)
    height = np.round(rng.normal(172, 10, rows))
    weight = np.round(rng.normal(24, 4, rows) * (height / 100) ** 2, 1)
    birth = pd.Timestamp("1940-01-01") + pd.to_timedelta(rng.integers(0, 20_000, rows), "D")
    admitted = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    days = rng.integers(1, 16, rows)
    before = (admitted.month * 100 + admitted.day) < (birth.month * 100 + birth.day)
    level = rng.integers(0, 8, rows)
    doses = rng.integers(0, 60, (3, rows))
    celsius = np.round(rng.normal(37, 1, rows), 1)
    bill = np.round(rng.gamma(2, 500, rows), 0)
    paid = np.where(rng.random(rows) < 0.15, bill, np.round(rng.gamma(2, 400, rows), 0))
    return pd.DataFrame(
        {
            "height": height,
            "weight": weight,
            "bmi": np.round(weight / (height / 100) ** 2, 1),
            "birth": birth,
            "admitted": admitted,
            "discharged": admitted + pd.to_timedelta(days, "D"),
            "stay": days,
            "age": admitted.year - birth.year - before,
            "school": np.array(list("abcdefgh"))[level],
            "grade": level + 3,
            "first": doses[0],
            "second": doses[1],
            "third": doses[2],
            "dose": doses.sum(axis=0),
            "celsius": celsius,
            "fahrenheit": np.round(celsius * 9 / 5 + 32, 1),
            "bill": bill,
            "paid": paid,
            "noise": rng.normal(size=rows),
        }
    )


def learned(X: pd.DataFrame, constraints: tuple = (), **options) -> tuple[Relations, pd.DataFrame]:
    schema = Schema.learn(X)
    table = schema.canonical(X)
    return Relations.learn(table, schema.columns, constraints, **options), table


def broken(X: pd.DataFrame) -> dict[str, float]:
    """Fraction of the rows that break each planted relation."""
    days = (X["discharged"] - X["admitted"]).dt.days
    before = (X["admitted"].dt.month * 100 + X["admitted"].dt.day) < (X["birth"].dt.month * 100 + X["birth"].dt.day)
    found = {
        "bmi": (X["bmi"] - X["weight"] / (X["height"] / 100) ** 2).abs() > 0.0501,
        "stay": X["stay"] != days,
        "order": ~days.between(1, 15),
        "age": X["age"] != X["admitted"].dt.year - X["birth"].dt.year - before,
        "grade": X["grade"] != X["school"].map(dict(zip("abcdefgh", range(3, 11), strict=True))),
        "dose": X["dose"] != X["first"] + X["second"] + X["third"],
        "fahrenheit": (X["fahrenheit"] - X["celsius"] * 9 / 5 - 32).abs() > 0.0501,
    }
    return {name: float(rows.mean()) for name, rows in found.items()}


def test_every_planted_relation_is_found():
    relations, table = learned(stays())
    taken = {step.derived: type(step) for step in relations.steps}
    assert taken == {
        "bmi": Computed,
        "stay": Computed,
        "age": Computed,
        "discharged": Order,
        "grade": Functional,
        "dose": Computed,
        "fahrenheit": Computed,
        "paid": Equality,
    }
    pd.testing.assert_frame_equal(relations.expand(relations.reduce(table)), table, check_dtype=False)
    assert relations.valid(table, None).all()


def test_missing_cells_come_back_where_they_were():
    X, rng = stays(), np.random.default_rng(1)
    X.loc[rng.random(ROWS) < 0.1, "weight"] = np.nan
    X["bmi"] = np.round(X["weight"] / (X["height"] / 100) ** 2, 1)
    X.loc[rng.random(ROWS) < 0.1, "bmi"] = np.nan
    X.loc[rng.random(ROWS) < 0.1, "discharged"] = pd.NaT
    X["stay"] = (X["discharged"] - X["admitted"]).dt.days
    relations, table = learned(X)
    assert {"bmi", "discharged", "stay"} <= set(relations.taken)
    back = relations.expand(relations.reduce(table))
    pd.testing.assert_frame_equal(back, table, check_dtype=False, rtol=1e-12)
    drawn = Copula().fit(X).sample(2_000)
    for name in ("weight", "bmi", "discharged", "stay"):
        assert drawn[name].isna().mean() == pytest.approx(X[name].isna().mean(), abs=0.05)


@pytest.mark.parametrize("generator", [Independent(), SMOTE(), Copula(), Circuit(n_states=4, refinement_steps=0)])
def test_every_generator_keeps_them(generator, tmp_path):
    X = stays()
    fitted = generator.fit(X)
    drawn = fitted.sample(1_000, seed=3)
    assert broken(drawn) == dict.fromkeys(broken(drawn), 0.0)
    assert list(drawn) == list(X) and list(drawn.dtypes) == list(X.dtypes)
    for name in X.select_dtypes(["number", "datetime"]):
        assert drawn[name].between(X[name].min(), X[name].max()).all(), name
    equal = (drawn["bill"] == drawn["paid"]).mean()
    assert equal == pytest.approx((X["bill"] == X["paid"]).mean(), abs=0.05)
    fitted.save(tmp_path / "state")
    assert Generator.load(tmp_path / "state").sample(1_000, seed=3).equals(drawn)


def test_without_the_search_they_break():
    X = stays()
    drawn = Copula().fit(X, relations=False).sample(1_000)
    assert min(broken(drawn).values()) > 0.02


def test_chance_gives_no_relation():
    rng = np.random.default_rng(0)
    for cells in (
        rng.normal(size=(2_000, 12)) + np.arange(12) * 8,
        np.exp(rng.normal(size=(2_000, 12))).round(2),
        rng.integers(0, 50, (2_000, 12)),
        rng.integers(0, 3, (2_000, 12)),
        rng.normal(size=(2_000, 1)) + rng.normal(size=(2_000, 12)),
        rng.normal(size=(60, 12)).round(1),
    ):
        relations, _ = learned(pd.DataFrame(cells, columns=[f"c{i}" for i in range(12)]))
        assert not relations, relations.lines()


def test_far_apart_ranges_and_constants_give_no_order():
    rng = np.random.default_rng(0)
    year = rng.integers(1930, 2000, 500)
    X = pd.DataFrame({"low": rng.normal(0, 1, 500), "high": rng.normal(50, 1, 500), "year": year, "one": 1.0})
    assert not learned(X)[0]
    # A planted violation in one row ends an order.
    start = rng.integers(0, 900, 500)
    Y = pd.DataFrame({"start": start, "end": start + rng.integers(1, 9, 500)})
    assert learned(Y)[0].taken == ["end"]
    Y.loc[7, "end"] = Y.loc[7, "start"] - 1
    assert not learned(Y)[0]


def test_equality_of_measurements_is_chance_and_that_of_amounts_is_not():
    rng = np.random.default_rng(0)
    level = rng.normal(120, 15, 3_000)
    X = pd.DataFrame({"a": np.round(level + rng.normal(0, 3, 3_000)), "b": np.round(level + rng.normal(0, 3, 3_000))})
    assert (X["a"] == X["b"]).mean() > 0.05 and not learned(X)[0]
    zeros = pd.DataFrame(
        np.where(rng.random((3_000, 2)) < 0.5, 0, rng.integers(1, 9_999, (3_000, 2))), columns=["a", "b"]
    )
    assert (zeros["a"] == zeros["b"]).mean() > 0.2 and not learned(zeros)[0]


def orders(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    net, tax = np.round(rng.uniform(5, 40, (2, rows)), 2)
    start, age = rng.integers(0, 1_000, rows), rng.integers(18, 90, rows)
    years = np.minimum(rng.integers(0, 40, rows), age // 2)
    X = pd.DataFrame({"net": net, "tax": tax, "total": np.round(net + tax, 2), "start day": start})
    X["end day"] = start + rng.integers(0, 9, rows)
    X.loc[: rows // 50, "end day"] -= 30
    return X.assign(age=age, years=years, y=np.where(rng.random(rows) < 0.3, "yes", "no"))


DECLARED = ["total == net + tax", "`end day` > `start day`", "years <= age / 2", "y == 'no' or age >= 30"]


@pytest.mark.parametrize("generator", [Independent(), SMOTE(), Copula()])
def test_declared_constraints_are_met_in_every_row(generator):
    X = orders()
    fitted = generator.fit(X, target="y", constraints=DECLARED)
    for n in (1, 500):
        drawn = fitted.sample(n)
        assert np.isclose(drawn["total"], drawn["net"] + drawn["tax"], atol=1e-9).all()
        assert (drawn["end day"] > drawn["start day"]).all()
        assert (drawn["years"] <= drawn["age"] / 2).all()
        assert ((drawn["y"] == "no") | (drawn["age"] >= 30)).all()
    text = fitted.summary()
    assert "`end day` > `start day`" in text and "of the real rows break it" in text
    assert fitted.relations_.shares["total == net + tax"] == 0 < fitted.relations_.shares["`end day` > `start day`"]


def test_a_constraint_that_rows_hardly_meet_ends_and_is_met():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(0, 1, 500), "b": rng.normal(0, 1, 500).round(1), "c": rng.normal(size=500)})
    for constraint in ("a + b >= 3.5", "a ** 2 + b ** 2 < 0.02", "b > a + 2.5"):
        drawn = Independent().fit(X, constraints=[constraint]).sample(300)
        kept = {"a + b >= 3.5": drawn.a + drawn.b >= 3.5 - 1e-9, "b > a + 2.5": drawn.b > drawn.a + 2.5}
        assert kept.get(constraint, drawn.a**2 + drawn.b**2 < 0.02).all()
        assert list(drawn) == list(X) and len(drawn) == 300


def test_equalities_that_read_each_other_are_met():
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 50, (3, 400))
    X = pd.DataFrame({"a": a, "b": b, "c": c, "ab": a + b, "abc": a + b + c})
    for declared in (["ab == a + b", "abc == ab + c"], ["abc == ab + c", "ab == a + b"]):
        drawn = Independent().fit(X, constraints=declared, relations=False).sample(500)
        assert (drawn["ab"] == drawn["a"] + drawn["b"]).all() and (drawn["abc"] == drawn["ab"] + drawn["c"]).all()


def test_a_gap_between_two_dates_leaves_their_order():
    X = stays()[["admitted"]].assign(y="a")
    X["discharged"] = X["admitted"] + pd.Timedelta("5D")
    X["seen"] = X["admitted"] + pd.to_timedelta(np.random.default_rng(3).integers(1, 86_400, len(X)), "s")
    X["discharged"] += pd.to_timedelta(np.random.default_rng(4).integers(0, 9, len(X)), "D")
    X.loc[X.index[7], "seen"] = pd.NaT
    drawn = Independent().fit(X, target="y").sample(500)
    assert (drawn["discharged"] - drawn["admitted"]).between(pd.Timedelta("5D"), pd.Timedelta("13D")).all()


def test_an_order_holds_although_the_lower_column_has_gaps():
    rng = np.random.default_rng(5)
    X = stays()[["admitted", "discharged"]]
    X["seen"] = X["admitted"] + pd.to_timedelta(rng.integers(0, 86_400, len(X)), "s")
    X.loc[rng.random(len(X)) < 0.15, "seen"] = pd.NaT
    X.loc[rng.random(len(X)) < 0.1, "discharged"] = pd.NaT
    relations, table = learned(X)
    assert {"seen", "discharged"} <= set(relations.taken)
    pd.testing.assert_frame_equal(relations.expand(relations.reduce(table)), table, check_dtype=False, rtol=1e-12)
    drawn = Independent().fit(X).sample(1_000)
    for lower, upper in (("seen", "discharged"), ("admitted", "discharged"), ("admitted", "seen")):
        assert ((drawn[lower] <= drawn[upper]) | drawn[[lower, upper]].isna().any(axis=1)).all()
    for name in ("seen", "discharged"):
        assert drawn[name].isna().mean() == pytest.approx(X[name].isna().mean(), abs=0.05)
        assert drawn[name].dropna().between(X[name].min(), X[name].max()).all()


def visits(gaps: tuple[float, float, float], rows: int, seed: int = 0) -> pd.DataFrame:
    """Three dates in order, of which fractions are missing."""
    rng = np.random.default_rng(seed)
    days = np.cumsum([rng.integers(0, 900, rows), rng.integers(0, 60, rows), rng.integers(0, 60, rows)], axis=0)
    X = pd.DataFrame(
        dict(zip(["visit", "death", "next"], pd.Timestamp("2020-01-01") + days * pd.Timedelta("1D"), strict=True))
    )
    for name, gap in zip(X, gaps, strict=True):
        X.loc[rng.random(rows) < gap, name] = pd.NaT
    return X.assign(z=rng.normal(size=rows))


@pytest.mark.parametrize("constraints", [(), ("death >= visit", "next >= death")])
@pytest.mark.parametrize(("gaps", "rows"), [((0, 0.75, 0), 300), ((0, 0.75, 0.3), 150), ((0.7, 0.7, 0.7), 400)])
def test_dates_with_many_gaps_keep_their_order(gaps, rows, constraints):
    X = visits(gaps, rows)
    made = Copula().fit(X, constraints=constraints).sample(600)
    for low, high in (("visit", "death"), ("death", "next"), ("visit", "next")):
        known = made[[low, high]].notna().all(axis=1)
        assert known.sum() > 20 and (made[low] <= made[high])[known].all()
    assert made.isna().mean().sub(X.isna().mean()).abs().max() < 0.1


def test_too_few_common_rows_show_no_order():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    X.loc[X["a"] > X["b"], "b"] = np.nan
    X.loc[X.index[X["b"].notna()][12:], "b"] = np.nan
    assert not learned(X)[0].steps


def test_a_product_with_a_small_quantity_is_found():
    rng = np.random.default_rng(0)
    quantity, price = rng.integers(1, 9, 300), rng.gamma(3, 12, 300).round(2)
    X = pd.DataFrame({"quantity": quantity, "price": price, "subtotal": (quantity * price).round(2)})
    made = Copula().fit(X.assign(z=rng.normal(size=300))).sample(500)
    assert (made["subtotal"] - made["quantity"] * made["price"]).abs().max() < 0.0051


def test_local_times_keep_their_order_with_times_in_utc():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2023-05-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 10**7, 300), "s")
    end = start + pd.to_timedelta(rng.integers(60, 20_000, 300), "s")
    X = pd.DataFrame({"start": start.tz_convert("Europe/Berlin").tz_localize(None), "end": end, "z": rng.random(300)})
    made = Copula().fit(X).sample(500)
    # Two hours lie between both clocks.
    span = made["end"].dt.tz_localize(None) - made["start"] + pd.Timedelta("2h")
    assert span.between(pd.Timedelta("50s"), pd.Timedelta("20000s")).all()


def test_a_numeric_target_stays_and_takes_part():
    X = orders().drop(columns="y")
    fitted = Copula().fit(X, target="total", constraints=["total == net + tax"])
    drawn = fitted.sample(500)
    assert np.isclose(drawn["total"], drawn["net"] + drawn["tax"], atol=1e-9).all()
    assert fitted.relations_.taken[0] != "total"


@pytest.mark.parametrize(
    ("constraints", "named"),
    [
        (["age > 50", "age < 40"], r"\['age > 50', 'age < 40'\]: cannot both be met"),
        (["age > 200"], "'age > 200': no row of the 400 meets it"),
        (["years <= wage"], "no column is called wage"),
        ("age > 3", "must be a list"),
        (["y > 'no'"], "compares texts by size"),
    ],
)
def test_impossible_constraints_are_one_line(constraints, named):
    with pytest.raises(InputError, match=rf"^constraints=.*{named}") as caught:
        Independent().fit(orders(), target="y", constraints=constraints)
    assert "\n" not in str(caught.value)


def test_the_circuit_completes_rows_by_their_relations():
    X = stays(rows=400)
    circuit = Circuit(n_states=4, refinement_steps=0).fit(X)
    given = X[["admitted", "discharged", "height", "weight", "grade"]].iloc[:20]
    drawn = circuit.conditional(given)
    assert broken(drawn) == dict.fromkeys(broken(drawn), 0.0)
    assert drawn[list(given)].equals(given)
    with pytest.raises(InputError, match=r"^X='discharged': follows from .* give admitted as well"):
        circuit.conditional(given.drop(columns="admitted"))


def test_blank_cells_of_relations_are_filled():
    X, rng = stays(rows=400), np.random.default_rng(2)
    X.loc[rng.random(400) < 0.2, "discharged"] = pd.NaT
    X["stay"] = (X["discharged"] - X["admitted"]).dt.days
    circuit = Circuit(n_states=4, refinement_steps=0).fit(X)
    given = X[["admitted", "discharged"]].iloc[:30].copy()
    given.loc[:9, "discharged"] = pd.NaT
    drawn = circuit.conditional(given)
    assert drawn["discharged"].notna().all() and (drawn["discharged"] - drawn["admitted"]).dt.days.between(1, 15).all()
    assert drawn["discharged"].where(given["discharged"].notna()).equals(given["discharged"])
    days = (drawn["discharged"] - drawn["admitted"]).dt.days[:10]
    assert days.nunique() > 3


def test_columns_with_names_that_are_numbers():
    X = stays().set_axis(range(stays().shape[1]), axis=1)
    drawn = Copula().fit(X).sample(300).set_axis(list(stays()), axis=1)
    assert broken(drawn) == dict.fromkeys(broken(drawn), 0.0)


def born(rows: int = 400, wrong: float = 0.0) -> pd.DataFrame:
    """Return births, visits and ages, some of them wrong by a year or more."""
    rng = np.random.default_rng(3)
    birth = pd.Timestamp("1930-01-01") + pd.to_timedelta(rng.integers(0, 28_000, rows), "D")
    visit = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1_500, rows), "D")
    slips = (rng.random(rows) < wrong) * rng.integers(1, 4, rows)
    return pd.DataFrame({"birth": birth, "visit": visit, "age": years(birth, visit) + slips})


def years(birth, day) -> np.ndarray:
    """Count whole years."""
    birth, day = pd.DatetimeIndex(birth), pd.DatetimeIndex(day)
    early = (day.month * 100 + day.day) < (birth.month * 100 + birth.day)
    return np.asarray(day.year - birth.year - early, float)


def test_numbers_that_one_date_determines_are_computed():
    X = born().drop(columns="age")
    day = pd.DatetimeIndex(["2023-05-17"] * len(X))
    X = X.assign(age=years(X["birth"], day), born=X["birth"].dt.year * 1.0, weekday=X["visit"].dt.dayofweek * 1.0)
    relations, _ = learned(X)
    lines = "\n".join(relations.lines())
    assert "age = whole years from birth to 2023-05-" in lines
    assert "born = year of birth" in lines
    assert "weekday = weekday of visit" in lines
    rows = Copula().fit(X).sample(300, seed=1)
    assert (years(rows["birth"], day[:300]) == rows["age"]).mean() > 0.99
    assert (rows["birth"].dt.year == rows["born"]).all()
    assert (rows["visit"].dt.dayofweek == rows["weekday"]).all()


def test_ages_that_disagree_with_the_birth_in_few_rows_do_so_as_often_afterwards():
    X = born(wrong=0.05)
    real = (years(X["birth"], X["visit"]) == X["age"]).mean()
    relations, _ = learned(X)
    assert f"age = whole years from birth to visit in {real:.1%} of the rows" in "\n".join(relations.lines())
    rows = Copula().fit(X).sample(400, seed=1)
    assert abs((years(rows["birth"], rows["visit"]) == rows["age"]).mean() - real) < 0.04
    assert rows["age"].between(X["age"].min(), X["age"].max()).all()


def test_a_sum_of_parts_that_were_rounded_afterwards_keeps_its_differences():
    rng = np.random.default_rng(3)
    parts = rng.gamma(2, 20, (600, 3))
    X = pd.DataFrame(parts.round(1), columns=["room", "board", "care"]).assign(total=parts.sum(axis=1).round(1))
    found, _ = learned(X)
    assert any("total = room + board + care in" in str(relation) for relation in found.steps)
    rows = Independent().fit(X, seed=0).sample(600, seed=0)
    off = (rows["total"] - rows[["room", "board", "care"]].sum(axis=1)).round(1).abs()
    assert off.max() <= 0.2
    real = (X["total"] - X[["room", "board", "care"]].sum(axis=1)).round(1).abs()
    assert (off > 0).mean() == pytest.approx((real > 0).mean(), abs=0.1)
    unlike = X.assign(total=X["total"] + rng.choice([-0.4, 0.0, 0.4], 600))
    assert not any("total = room" in str(relation) for relation in learned(unlike)[0].steps)


def test_times_between_clocks_go_past_midnight():
    rng = np.random.default_rng(4)
    begin, minutes = rng.integers(18 * 60, 24 * 60, 400), rng.integers(200, 600, 400)
    X = pd.DataFrame({"bed": pd.to_timedelta(begin, "min"), "up": pd.to_timedelta((begin + minutes) % 1440, "min")})
    X = X.assign(slept=minutes)
    (found,) = (relation for relation in learned(X)[0].steps if isinstance(relation, Computed))
    assert str(found) == "slept = 1/minute * up - 1/minute * bed, also past midnight"
    rows = Independent().fit(X, seed=0).sample(300, seed=0)
    passed = (rows["up"] - rows["bed"]) // pd.Timedelta("1min") % 1440
    assert (passed == rows["slept"]).all()


def test_two_sums_do_not_hide_each_other():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.integers(1, 50, (300, 4)).astype(float), columns=list("abcd"))
    shares = rng.dirichlet([2, 3, 4], 300).round(3)
    X = X.assign(ab=X["a"] + X["b"], cd=X["c"] + X["d"], u=shares[:, 0], v=shares[:, 1])
    X = X.assign(w=(1 - X["u"] - X["v"]).round(3))
    rows = Copula().fit(X).sample(200, seed=1)
    assert (rows["ab"] == rows["a"] + rows["b"]).all()
    assert (rows["cd"] == rows["c"] + rows["d"]).all()
    assert np.allclose(rows[["u", "v", "w"]].sum(axis=1), 1)


def test_names_of_weekdays_and_seasons_follow_their_date():
    X = born().drop(columns="age")
    X = X.assign(day=X["visit"].dt.day_name(), season=np.where(X["visit"].dt.month.between(4, 9), "summer", "winter"))
    rows = Copula().fit(X).sample(200, seed=1)
    assert (rows["visit"].dt.day_name() == rows["day"]).all()
    assert (np.where(rows["visit"].dt.month.between(4, 9), "summer", "winter") == rows["season"]).all()


@pytest.mark.parametrize(("unit", "last"), [("s", 1), ("ms", 1000)])
def test_short_spans_between_stamps_are_no_constant(unit, last):
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 30 * 86_400 * last, 300), unit)
    table = pd.DataFrame({"start": start, "end": start + pd.to_timedelta(rng.integers(last, 1_200 * last, 300), unit)})
    table = table.assign(count=10**7 + rng.integers(0, 10**6, 300)).assign(
        other=lambda t: t["count"] + rng.integers(1, 9, 300)
    )
    found, _ = learned(table)
    assert [str(step) for step in found.steps if " = " in str(step)] == []
    rows = Independent().fit(table.assign(y=rng.choice(["a", "b"], 300)), target="y").sample(400)
    span = (rows["end"] - rows["start"]).dt.total_seconds()
    assert span.between(1, 1_200).all() and span.std() > 200


def test_stamps_that_were_cut_to_milliseconds_stay_cut():
    rng = np.random.default_rng(0)
    whole = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**13, 300), "us")
    table = pd.DataFrame({"whole": whole, "cut": whole.floor("ms"), "y": rng.choice(["a", "b"], 300)})
    rows = Independent().fit(table, target="y").sample(400)
    assert ((rows["whole"] - rows["cut"]) / pd.Timedelta("1ms")).between(-0.001, 1.001).all()
    assert (rows["cut"] - rows["cut"].dt.round("ms")).abs().max() < pd.Timedelta("1us")


def test_a_column_in_a_finer_unit_follows_from_the_coarser_one():
    rng = np.random.default_rng(8)
    kg = np.round(rng.normal(75, 12, 400), 1)
    issued = pd.Timestamp("2022-01-03") + pd.to_timedelta(rng.integers(0, 600, 400), "D")
    X = pd.DataFrame({"kg": kg, "lb": np.round(kg * 2.20462, 1), "issued": issued, "due": issued + pd.Timedelta("30D")})
    relations, _ = learned(X)
    listed = "\n".join(relations.lines())
    assert "lb = 2.20" in listed and "due = issued + 30 days" in listed
    drawn = Independent().fit(X).sample(400)
    assert ((drawn["lb"] - drawn["kg"] * 2.20462).abs() < 0.051).mean() > 0.98
