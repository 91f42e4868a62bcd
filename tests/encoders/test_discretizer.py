"""Discretization and its inverse: point masses, missing cells, rounding steps and tails."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from trisynth.encoders.discretizer import ColumnDiscretizer, TableDiscretizer

RNG = np.random.default_rng(0)
COLUMNS = {
    "normal": pd.Series(RNG.normal(size=3000)),
    "long tail": pd.Series(np.exp(3 * RNG.normal(size=3000))),
    "inflated": pd.Series(np.where(RNG.random(3000) < 0.4, 0.0, RNG.gamma(2.0, size=3000))),
    "gaps": pd.Series(np.where(RNG.random(3000) < 0.2, np.nan, RNG.normal(size=3000))),
    "whole": pd.Series(RNG.poisson(6, 3000).astype(float)),
    "many whole": pd.Series(np.round(RNG.normal(0, 5000, 3000))),
    "neighbouring floats": pd.Series(np.nextafter(1.0, [0.0, 2.0] * 40)),
    "constant": pd.Series(np.full(9, 2.5)),
    "nothing": pd.Series(np.full(9, np.nan)),
    "one value": pd.Series([3.0]),
    "category": pd.Series(pd.Categorical(RNG.choice(["a", "b", None], 300), ["z", "a", "b"])),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_decoded_tokens_encode_to_themselves(name):
    column = COLUMNS[name]
    discretizer = ColumnDiscretizer.learn(column, 64)
    tokens = discretizer.encode(column)
    assert tokens.min() >= 0
    assert np.array_equal(np.bincount(tokens, minlength=discretizer.size), discretizer.counts)
    cells = TableDiscretizer(["x"], [discretizer]).table([discretizer.decode(tokens, np.random.default_rng(1))])["x"]
    assert np.array_equal(discretizer.encode(cells), tokens)
    assert np.array_equal(cells.isna(), column.isna())


@pytest.mark.parametrize("name", ["normal", "long tail", "inflated", "gaps", "whole", "many whole"])
def test_decoding_keeps_distribution_range_and_tails(name):
    column = COLUMNS[name]
    discretizer = ColumnDiscretizer.learn(column, 64)
    drawn = pd.Series(discretizer.decode(np.repeat(discretizer.encode(column), 5), np.random.default_rng(2))).dropna()
    real = column.dropna()
    assert ks_2samp(real, drawn).statistic < 0.01
    assert drawn.min() >= real.min() and drawn.max() <= real.max()
    for share in (0.01, 0.99):
        assert real.quantile(share - 0.004) <= drawn.quantile(share) <= real.quantile(share + 0.004)


def test_a_point_mass_and_a_gap_have_tokens_of_their_own():
    discretizer = ColumnDiscretizer.learn(COLUMNS["inflated"], 64)
    zeros = discretizer.encode(pd.Series([0.0]))[0]
    assert discretizer.counts[zeros] == (COLUMNS["inflated"] == 0).sum()
    assert (discretizer.decode(np.full(50, zeros), np.random.default_rng(0)) == 0).all()
    gaps = ColumnDiscretizer.learn(COLUMNS["gaps"], 64)
    assert gaps.missing and gaps.counts[0] == COLUMNS["gaps"].isna().sum()


def test_few_values_are_met_exactly():
    discretizer = ColumnDiscretizer.learn(COLUMNS["whole"], 4)
    assert discretizer.size == COLUMNS["whole"].nunique()
    decoded = discretizer.decode(discretizer.encode(COLUMNS["whole"]), np.random.default_rng(0))
    assert np.array_equal(decoded, COLUMNS["whole"])


def test_unknown_cells_have_no_token_and_unknown_numbers_the_nearest():
    category = ColumnDiscretizer.learn(COLUMNS["category"].dropna(), 64)
    new = pd.Series(pd.Categorical(["z", None, "a"], ["z", "a", "b"]))
    assert category.encode(new).tolist() == [-1, -1, 0]
    whole = ColumnDiscretizer.learn(pd.Series(np.repeat([1.0, 2.0, 5.0], 9)), 64)
    assert whole.encode(pd.Series([-7.0, 2.2, 4.0, 99.0, np.nan])).tolist() == [0, 1, 2, 2, -1]


def test_a_table_is_numbered_through_and_absent_columns_are_unknown():
    table = pd.DataFrame({name: COLUMNS[name] for name in ("whole", "inflated")})
    discretizer = TableDiscretizer.learn(table, 16)
    tokens = discretizer.encode(table[["inflated"]])
    assert (tokens[:, 0] == -1).all()
    assert tokens[:, 1].min() == discretizer.starts[1] and tokens[:, 1].max() == discretizer.starts[2] - 1
