"""The association matrix: closed forms, bias, and hard columns."""

import numpy as np
import pandas as pd
import pytest

from trisynth.statistics.dependence import association_matrix, pairs


def category(values, categories=None):
    return pd.Series(pd.Categorical(values, categories=categories))


def test_numbers_agree_with_pandas_missing_cells_included():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)), columns=list("abcd"))
    table = table.mask(rng.random(table.shape) < 0.1)
    assert association_matrix(table).to_numpy() == pytest.approx(table.corr().to_numpy())
    far = table * 1e-3 + 1e6
    assert association_matrix(far).to_numpy() == pytest.approx(table.corr().to_numpy(), abs=1e-4)


def test_a_bijection_of_categories_is_one_and_independence_nearly_zero():
    rng = np.random.default_rng(0)
    code = rng.integers(4, size=2000)
    table = pd.DataFrame(
        {
            "a": category(code.astype(str)),
            "b": category((7 - code).astype(str)),
            "c": category(rng.choice(list("xyz"), 2000)),
        }
    )
    found = association_matrix(table)
    assert found.loc["a", "b"] == pytest.approx(1.0)
    assert found.loc["a", "c"] < 0.05
    assert np.array_equal(found, found.T)


def test_cramers_v_of_a_known_table():
    # phi = 0.6 for the 2 x 2 table [[40, 10], [10, 40]]; the correction moves it by less than 1 / n.
    rows = [("a", "x")] * 40 + [("a", "y")] * 10 + [("b", "x")] * 10 + [("b", "y")] * 40
    table = pd.DataFrame(rows, columns=["one", "two"]).astype("category")
    assert association_matrix(table).loc["one", "two"] == pytest.approx(0.6, abs=0.01)


def test_correlation_ratio_of_known_groups():
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=20_000)
    # Between-group variance 1, within 1: the ratio is sqrt(1 / 2).
    table = pd.DataFrame({"x": 2.0 * group + rng.normal(size=20_000), "g": category(group.astype(str))})
    assert association_matrix(table).loc["x", "g"] == pytest.approx(np.sqrt(0.5), abs=0.02)
    exact = pd.DataFrame({"x": [1.0, 1.0, 5.0, 5.0], "g": category(list("aabb"))})
    assert association_matrix(exact).loc["g", "x"] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["number", "category"])
def test_the_correction_keeps_small_tables_from_looking_associated(kind):
    rng = np.random.default_rng(0)
    means = []
    for n in (60, 2000):
        found = []
        for _ in range(40):
            other = rng.normal(size=n) if kind == "number" else category(rng.integers(8, size=n).astype(str))
            table = pd.DataFrame({"a": category(rng.integers(8, size=n).astype(str)), "b": other})
            found.append(association_matrix(table).loc["a", "b"] ** 2)
        means.append(np.mean(found))
    # Without the correction the mean square would be about 7 / 60 = 0.117 for a number at n = 60.
    assert means[0] < 0.05
    assert means[1] < 0.005


def test_hard_columns_give_zero_and_never_nan():
    table = pd.DataFrame(
        {
            "constant": np.full(6, 3.0),
            "absent": np.full(6, np.nan),
            "number": np.arange(6.0),
            "huge": np.array([1e99, -1e99, 0, 1, 2, 3]),
            "one": category(["a"] * 6, ["a", "b"]),
            "nothing": category([None] * 6, ["a"]),
            "unique": category(list("abcdef")),
            "holes": category(["a", None, "b", "a", None, "b"]),
        }
    )
    found = association_matrix(table)
    assert np.isfinite(found.to_numpy()).all()
    assert (np.diag(found) == 1).all()
    for name in ("constant", "absent", "one", "nothing"):
        assert (found[name].drop(name) == 0).all()
    assert len(pairs(found)) == 8 * 7 // 2


def test_one_kind_and_one_row():
    for table in (pd.DataFrame({"x": [1.0], "y": [2.0]}), pd.DataFrame({"g": category(["a"]), "h": category(["b"])})):
        assert association_matrix(table).to_numpy().tolist() == [[1, 0], [0, 1]]
