"""Formulas planted in tables are found, kept to the last digit, and refused as evidence where they cannot be solved."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from tables import apart

from trisynth.data.schema import Schema
from trisynth.errors import InputError
from trisynth.generators.circuit import Circuit
from trisynth.generators.relations.formulas import DerivedColumns, Formula, Formulas


def pages(n: int = 800, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Sides, area, ink and its fraction: two relations, one of them rounded."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    height = rng.integers(5, 60, n) + 10 * y
    length = rng.integers(5, 200, n)
    ink = rng.binomial(height * length, rng.uniform(0.2, 0.9, n))
    area = height * length
    X = pd.DataFrame({"height": height, "length": length, "area": area, "ink": ink, "share": np.round(ink / area, 3)})
    return X.assign(tint=rng.normal(size=n)), pd.Series(np.where(y, "text", "line"), name="y")


def learned(X: pd.DataFrame) -> DerivedColumns:
    schema = Schema.learn(X)
    return DerivedColumns.learn(schema.canonical(X), schema)


def triples(relations: DerivedColumns) -> set[frozenset]:
    return {frozenset(formula.names) for formula in relations.formulas}


@cache
def fitted() -> Circuit:
    return Circuit(n_states=8).fit(*pages())


def holds(X: pd.DataFrame) -> np.ndarray:
    product = np.isclose(X["area"], X["height"] * X["length"])
    return product & ((X["share"] - X["ink"] / X["area"]).abs() <= 0.0005 + 1e-9)


@pytest.mark.parametrize(
    ("kind", "formula"),
    [
        ("product", lambda a, b: a * b),
        ("ratio", lambda a, b: np.round(a / b, 4)),
        ("sum", lambda a, b: a + b),
        ("difference", lambda a, b: a - b),
    ],
)
def test_each_kind_is_found_and_completed(kind, formula):
    rng = np.random.default_rng(1)
    a, b = np.round(rng.uniform(1, 9, (2, 500)), 2)
    X = pd.DataFrame({"a": a, "c": formula(a, b), "b": b, "other": rng.normal(size=500)})
    relations = learned(X)
    (found,) = relations.formulas
    assert set(found.names) == {"a", "b", "c"}
    # A sum is the same relation as a difference.
    assert found.kind == kind or {found.kind, kind} == {"sum", "difference"}
    complete = relations.complete(X.drop(columns=relations.names))
    assert complete[["a", "b", "c", "other"]].to_numpy() == pytest.approx(
        X[["a", "b", "c", "other"]].to_numpy(), rel=0.01
    )


def test_a_rounded_column_is_used_to_go_back_and_then_computed_again():
    X, _ = pages()
    relations = learned(X)
    assert triples(relations) == {frozenset(["height", "length", "area"]), frozenset(["ink", "share", "area"])}
    complete = relations.complete(X.drop(columns=relations.names).astype(float))
    assert holds(complete).all()
    assert complete["share"].to_numpy() == pytest.approx(X["share"], abs=0.01)


def test_nothing_is_found_where_nothing_is():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(400, 6)), columns=list("abcdef"))
    assert not learned(X).formulas
    # Nearly constant columns fulfil many formulas, and so do a few rows.
    X["zero"], X["one"] = 0.0, np.where(rng.random(400) < 0.995, 1.0, rng.normal(size=400))
    X["same"] = X["a"] * X["one"]
    assert not learned(X).formulas
    assert not learned(pages(40)[0]).formulas
    # A tenth of the rows break the rule.
    X, _ = pages()
    X.loc[::10, ["area", "share"]] *= 2
    assert not learned(X).formulas


def test_a_missing_cell_or_a_date_is_no_part_of_a_relation():
    X, _ = pages()
    gaps = X.astype(float).mask(np.random.default_rng(0).random(X.shape) < 0.05)
    assert not learned(gaps).formulas
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(X["length"], "D")
    assert not learned(
        pd.DataFrame({"start": start, "days": X["ink"], "end": start + pd.to_timedelta(X["ink"], "D")})
    ).formulas


def test_chains_are_computed_in_order_and_circles_left_out():
    rng = np.random.default_rng(3)
    a, b, c = rng.integers(1, 99, (3, 500)).astype(float)
    X = pd.DataFrame({"whole": a * b + c, "area": a * b, "a": a, "b": b, "c": c})
    relations = learned(X)
    assert len(relations.formulas) == 2 and len(set(relations.names)) == 2
    assert relations.complete(X.drop(columns=relations.names))[list(X)].equals(X)


def test_samples_fulfil_their_relations_and_the_switch_is_off():
    X, y = pages()
    drawn, _ = apart(fitted().sample(2_000))
    # The range of the training rows is kept, too.
    inner = drawn["area"].between(X["area"].min() + 1, X["area"].max() - 1) & (drawn["ink"] < X["ink"].max())
    assert inner.mean() > 0.97 and holds(drawn[inner]).all()
    assert list(drawn.dtypes) == list(X.dtypes) and list(drawn) == list(X)
    plain = Circuit(n_states=8, derived_columns=False).fit(X, y)
    assert not any(isinstance(step, Formulas) for step in plain.relations_.steps)
    assert holds(apart(plain.sample(2_000))[0]).mean() < 0.2


def test_given_columns_lead_to_those_that_follow():
    X, y = pages(20, seed=5)
    follows = fitted().log_likelihood(X[["height", "area"]], y)
    assert follows == pytest.approx(fitted().log_likelihood(X[["height", "length"]], y))
    assert fitted().log_likelihood(X) == pytest.approx(
        fitted().log_likelihood(X.drop(columns=fitted().relations_.taken))
    )
    drawn, _ = apart(fitted().conditional(X[["height", "area"]]))
    assert drawn["length"].to_list() == X["length"].to_list() and drawn["area"].equals(X["area"])


def test_a_product_without_its_factors_is_refused_with_a_remedy():
    X, _ = pages(5)
    assert "area" in fitted().relations_.taken
    for ask in (fitted().log_likelihood, fitted().predict_proba, fitted().conditional):
        with pytest.raises(InputError, match=r"^X='?area'?.*give these columns as well$"):
            ask(X[["area", "tint"]])


def test_names_of_columns_may_be_numbers():
    X, y = pages()
    numbered = X.set_axis(range(X.shape[1]), axis=1)
    circuit = Circuit(n_states=4).fit(numbered, y)
    assert len(circuit.relations_.taken) == 2
    assert list(apart(circuit.sample(10))[0]) == list(numbered)


def test_a_formula_without_a_value_gives_the_median():
    relation = Formula("ratio", "c", "a", "b", "c")
    relations = DerivedColumns([relation], {"a": 1.0, "b": 1.0, "c": 0.1}, {"a": 0.0, "b": 0.0, "c": 2.5})
    found = relations.complete(pd.DataFrame({"a": [1.0, 0.0, 1.0], "b": [0.0, 0.0, 3.0]}))
    assert found["c"].to_list() == [2.5, 2.5, 0.3]
