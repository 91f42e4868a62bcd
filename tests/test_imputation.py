"""The imputers beside the circuit: holes are filled, nothing else changes, and what follows from the rest is found."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.imputation import BLANK, Chained, Matrix, blanked, by_circuit, filled_plainly, imputers
from sklearn.linear_model import LogisticRegression, Ridge

from trisynth.data.dataset import Dataset, Spec
from trisynth.data.schema import Schema


def table(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """A number, its double, its sign as a category, and a target."""
    a = np.random.default_rng(seed).normal(size=n)
    sign = pd.Categorical(np.where(a > 0, "up", "down"))
    return pd.DataFrame({"a": a, "b": 2 * a, "sign": sign, "y": pd.Categorical(np.where(a > 0.5, "yes", "no"))})


def test_three_cells_of_ten_are_blanked_but_no_target():
    holes, chosen = blanked(table(4_000), np.random.default_rng(1))
    assert abs(chosen.iloc[:, :3].to_numpy().mean() - BLANK) < 0.02
    assert not holes["y"].isna().any()
    assert holes.isna().equals(chosen)


def test_a_matrix_has_its_table_back():
    real = table()
    pd.testing.assert_frame_equal(Matrix(real).decode(Matrix(real).encode(real), real), real)


@pytest.mark.parametrize("name", list(imputers(0)))
def test_every_imputer_fills_holes_and_keeps_the_rest(name):
    real = table(seed=2)
    holes, chosen = blanked(real, np.random.default_rng(3))
    filled = imputers(0)[name](table(), holes)
    assert not filled.isna().any().any() and list(filled) == list(real)
    assert np.allclose(filled["a"][~chosen["a"]], real["a"][~chosen["a"]])


def test_chained_models_find_what_follows_from_the_rest():
    real = table(seed=2)
    holes = real.assign(b=np.nan)
    holes.loc[::2, "sign"] = None
    filled = Chained(Ridge(1e-6), LogisticRegression(C=1e6, max_iter=1_000))(table(), holes)
    assert np.allclose(filled["b"], real["b"], atol=1e-3)
    assert (filled["sign"] == real["sign"]).mean() > 0.97


def test_plain_filling_takes_means_and_commonest_categories():
    real = table()
    filled = filled_plainly(real, real.assign(a=np.nan, sign=pd.Categorical([None] * 400, real["sign"].cat.categories)))
    assert np.allclose(filled["a"], real["a"].mean())
    assert (filled["sign"] == real["sign"].mode()[0]).all()


def test_the_circuits_guess_is_better_than_its_draw():
    real, more = table(), table(seed=4)
    train = Dataset(real.drop(columns="y"), real["y"], Spec("small", "y", relations="none"))
    holes, chosen = blanked(more, np.random.default_rng(5))
    found = by_circuit(train, holes, Schema.learn(real), 0)
    errors = {name: np.square((rows["b"] - more["b"])[chosen["b"]]).mean() for name, rows in found.items()}
    assert errors["circuit"] < errors["circuit, a draw"] < np.square(more["b"]).mean()
