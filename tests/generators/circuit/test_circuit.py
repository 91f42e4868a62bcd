"""Circuit: exact inference, information shared between classes, and the generalization gap."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from tables import apart

from trisynth.errors import InputError
from trisynth.generators.circuit import Circuit
from trisynth.generators.circuit.em import Rows, fit_em
from trisynth.generators.circuit.model_selection import rank_initialised, weak_prior
from trisynth.generators.independent import Independent


def discrete(n: int = 400, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Three columns of few values, one with gaps, that depend on each other and on the label."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.35
    a = rng.random(n) < np.where(y, 0.8, 0.3)
    b = np.clip(a + rng.integers(0, 2, n), 0, 2).astype(float)
    c = np.where(rng.random(n) < 0.7, np.where(b == 1, "p", "q"), "r")
    b[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame({"a": a, "b": b, "c": c}), pd.Series(np.where(y, "ill", "well"), name="y")


def smooth(n: int, seed: int = 0, share: float = 0.5) -> tuple[pd.DataFrame, pd.Series]:
    """Six correlated numbers, the first of which determines the label."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < share
    y[:2] = [True, False]
    z = rng.normal(size=(n, 1)) + y[:, None] * np.array([1.5, 1.0, 0.0, 0.0, 0.5, 0.0])
    X = pd.DataFrame(z + 0.7 * rng.normal(size=(n, 6)), columns=list("abcdef"))
    return X, pd.Series(np.where(y, "ill", "well"), name="y")


EVERY = pd.DataFrame(list(product([False, True], [0.0, 1.0, 2.0, np.nan], ["p", "q", "r"])), columns=["a", "b", "c"])


@cache
def fitted() -> Circuit:
    return Circuit(n_states=4).fit(*discrete())


@cache
def joint() -> pd.DataFrame:
    """Every row and label, and its probability."""
    tables = []
    for label in fitted().labels_:
        y = pd.Series(label, index=EVERY.index, dtype=object)
        tables.append(EVERY.assign(y=label, p=np.exp(fitted().log_likelihood(EVERY, y))))
    return pd.concat(tables, ignore_index=True)


def test_probabilities_of_all_rows_sum_to_one():
    assert joint().p.sum() == pytest.approx(1.0, abs=1e-5)
    both = joint().p.to_numpy().reshape(2, -1).sum(axis=0)
    assert np.exp(fitted().log_likelihood(EVERY)) == pytest.approx(both, rel=1e-5)


def test_predicted_probabilities_are_those_of_bayes():
    p = joint().p.to_numpy().reshape(2, -1)
    assert fitted().predict_proba(EVERY) == pytest.approx((p / p.sum(axis=0)).T, abs=1e-5)
    known = joint().pivot_table("p", "a", "y", "sum")
    rows = pd.DataFrame({"a": [False, True]})
    assert fitted().predict_proba(rows) == pytest.approx(known.div(known.sum(axis=1), axis=0).to_numpy(), abs=1e-5)


def test_cells_without_a_training_example_are_marginalised():
    new = pd.DataFrame({"a": [True], "b": [1.0], "c": ["new"]})
    assert fitted().log_likelihood(new) == pytest.approx(fitted().log_likelihood(new[["a", "b"]]))


def test_samples_follow_the_likelihood():
    X, y = apart(fitted().sample({"ill": 40_000}, seed=1))
    drawn = X.assign(y=y).groupby(["a", "b", "c"], dropna=False).size() / 40_000
    table = joint()[joint().y == "ill"].groupby(["a", "b", "c"], dropna=False).p.sum()
    assert (drawn.sub(table / table.sum(), fill_value=0)).abs().max() < 0.01


@pytest.mark.parametrize("given", [{"a": True}, {"c": "p"}, {"a": False, "b": 2.0}, {"a": True, "b": 1.0, "c": "r"}])
@pytest.mark.parametrize("label", [None, "ill"])
def test_conditional_rows_follow_the_enumerated_distribution(given, label):
    n, table = 20_000, joint()
    for name, value in given.items():
        table = table[table[name] == value]
    table = table if label is None else table[table.y == label]
    rows = pd.DataFrame({name: [value] * n for name, value in given.items()})
    X, y = apart(fitted().conditional(rows, None if label is None else pd.Series([label] * n), seed=3))
    keys = ["a", "b", "c", "y"]
    drawn = X.assign(y=y.to_numpy()).groupby(keys, dropna=False).size() / n
    expected = table.groupby(keys, dropna=False).p.sum() / table.p.sum()
    assert drawn.sub(expected, fill_value=0).abs().max() < 0.017
    assert X[list(given)].equals(rows)


def test_missing_cells_are_filled_from_their_conditional_distribution_given_the_rest():
    n = 20_000
    rows = pd.DataFrame({"a": [True] * n, "b": [np.nan] * n})
    X, _ = apart(fitted().conditional(rows))
    table = joint()[joint().a & joint().b.notna()].groupby("b").p.sum()
    assert not X["b"].isna().any()
    assert (X["b"].value_counts() / n - table / table.sum()).abs().max() < 0.017


def test_conditional_rows_keep_index_and_dtypes_and_repeat_with_the_seed():
    X, y = discrete(30)
    given = X.iloc[5:9][["c", "b"]]
    one, other = apart(fitted().conditional(given, seed=2)), apart(fitted().conditional(given, seed=2))
    assert one[0].equals(other[0]) and one[1].equals(other[1])
    assert one[0].index.equals(given.index) and list(one[0].dtypes) == list(X.dtypes)
    assert apart(fitted().conditional(given, y.iloc[5:9]))[1].equals(y.iloc[5:9])


def test_a_numeric_target_is_given_or_drawn_like_a_column():
    X, _ = smooth(600)
    y = (X["a"] * 3).round(1).rename("amount")
    circuit = Circuit().fit(X, y)
    assert np.isfinite(circuit.generalization_gap_)
    rows = pd.DataFrame({"a": [-1.5] * 300 + [1.5] * 300})
    drawn, amounts = apart(circuit.conditional(rows))
    assert amounts.name == "amount" and drawn["a"].equals(rows["a"])
    assert amounts[300:].mean() - amounts[:300].mean() > 5
    back, _ = apart(circuit.conditional(X[["b"]].iloc[:2].reset_index(drop=True), pd.Series([-5.0, 5.0])))
    assert back["a"][0] < back["a"][1]
    drawn, amounts = apart(circuit.sample(600))
    assert np.corrcoef(drawn["a"], amounts)[0, 1] > 0.85


def test_evidence_on_unknown_columns_and_classes_are_refused():
    X, y = discrete(10)
    with pytest.raises(InputError, match=r"^X="):
        fitted().log_likelihood(X.assign(z=1))
    with pytest.raises(InputError, match=r"^y="):
        fitted().log_likelihood(X, y.replace("ill", "dead"))
    with pytest.raises(InputError, match=r"^y="):
        apart(fitted().conditional(X, y.iloc[1:]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_states", 0),
        ("n_bins", 2.5),
        ("max_iter", 0),
        ("prior_strength", 0),
        ("prior_strength", np.inf),
        ("validation_fraction", 1.0),
        ("refinement_steps", -1),
    ],
)
def test_wrong_parameters_are_named(name, value):
    with pytest.raises(InputError, match=rf"^{name}="):
        Circuit(**{name: value}).fit(*discrete(20))


def test_weights_count_rows_and_move_priors():
    X, y = discrete()
    weights = np.where(y == "ill", 5.0, 1.0)
    heavy = Circuit(n_states=4).fit(X, y, weights=weights)
    share = 5 * (y == "ill").sum() / weights.sum()
    assert heavy.class_priors_[0] == pytest.approx(share)
    even = Circuit(n_states=4).fit(X, y, weights=np.ones(len(X)))
    assert np.array_equal(even.log_likelihood(X), fitted().log_likelihood(X))
    for wrong in (np.ones(3), -weights, np.zeros(len(X)), np.full(len(X), np.nan)):
        with pytest.raises(InputError, match=r"^weights="):
            Circuit().fit(X, y, weights=wrong)


def test_a_hint_that_a_generator_does_not_take_is_named():
    X, y = discrete(20)
    with pytest.raises(InputError, match=r"^weights="):
        Independent().fit(X, y, weights=np.ones(20))
    with pytest.raises(InputError, match=r"^rng="):
        Circuit().fit(X, y, rng=1)


def test_the_generalization_gap_rises_with_too_many_states():
    X, y = smooth(160)
    # A class's circuit with a weak prior memorises.
    few, many = (Circuit(n_states=k, prior_strength=s).fit(X, y).generalization_gap_ for k, s in ((2, 30.0), (64, 0.1)))
    assert many > few + 2
    assert fitted().diagnostics()["generalization_gap"] == fitted().generalization_gap_


def test_a_small_class_shares_information():
    X, y = smooth(1500, seed=1)
    few = np.flatnonzero(y == "ill")[:10]
    kept = np.concatenate([few, np.flatnonzero(y == "well")])
    X_new, y_new = smooth(1500, seed=2)
    ill = X_new[y_new == "ill"]

    together = Circuit().fit(X.iloc[kept], y.iloc[kept])
    label = pd.Series("ill", index=ill.index, dtype=object)
    borrowed = together.log_likelihood(ill, label) - np.log(together.class_priors_[0])
    # The same tokens, states and smoothing, but EM on the ten rows alone.
    rows = Rows(together.discretizer_.encode(together.schema_.canonical(X.iloc[few])), np.ones(10))
    prior = weak_prior(together.discretizer_, together.smoothing_, together.n_states_, together.growth_)
    start = rank_initialised(together.discretizer_, together.circuits_[0].tree, prior, rows, np.random.default_rng(0))
    alone = fit_em(start, prior, rows, rows, 10).circuit.log_likelihood(
        together.discretizer_.encode(together.schema_.canonical(ill))
    )
    assert borrowed.mean() > alone.mean() + 0.5


@pytest.mark.parametrize(
    ("name", "value"), [("loss", 3), ("loss", {"alpha": 1}), ("decision_regions", "no"), ("derived_columns", None)]
)
def test_arguments_of_a_wrong_type_are_refused(name, value):
    with pytest.raises(InputError, match=f"{name}="):
        Circuit(**{name: value}).fit(pd.DataFrame({"a": range(9), "b": range(9)}))
