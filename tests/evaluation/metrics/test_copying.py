"""Copy detectors: honest values for fresh rows, alarms for planted copies."""

import numpy as np
import pandas as pd
import pytest
from tables import apart

from trisynth.data.dataset import Dataset
from trisynth.evaluation.metrics.copying import IdenticalMatchShare, NearestRecord, RareValues, row_hashes
from trisynth.generators.copy import Copy

nearest, identical_match_share = NearestRecord().score, IdenticalMatchShare().score


def test_fresh_rows_read_one_half_within_binomial_bounds(draw, context):
    found = [nearest(context(draw(600, 9 * i), draw(300, 9 * i + 1), draw(1000, 9 * i + 2), i)) for i in range(6)]
    # Training and held-out rows are random as well, which widens the binomial error of 6,000 rows about threefold.
    error = 3 * np.sqrt(0.25 / 6000)
    assert abs(np.mean([each["dcr_share"] for each in found]) - 0.5) < 3 * error
    assert abs(np.mean([each["memorised"] for each in found])) < 6 * error
    assert np.mean([each["dcr_ratio"] for each in found]) == pytest.approx(1.0, abs=0.05)


def test_memorised_counts_what_fitted_parameters_owe_to_their_rows(columns, context):
    """Fit 34 means and 595 covariances to 239 rows: they follow these rows, so draws from them lie closer to them."""
    found = {}
    for fitted in (True, False):
        scores = []
        for seed in range(4):
            rng = np.random.default_rng(seed)
            train, test, fresh = (rng.normal(size=(n, 34)) for n in (239, 119, 239))
            if fitted:
                fresh = train.mean(axis=0) + fresh @ np.linalg.cholesky(np.cov(train.T)).T
            tables = (
                columns(**{f"x{i}": rows[:, i] for i in range(34)}, y=["a"] * len(rows))
                for rows in (train, test, fresh)
            )
            scores.append(nearest(context(*tables, seed))["memorised"])
        found[fitted] = np.mean(scores)
    assert found[True] == pytest.approx(0.29, abs=0.12) and found[False] == pytest.approx(0.0, abs=0.1)


def test_copies_read_one_when_the_sides_are_equally_large(draw, context):
    train = draw(400, 0)
    copies = Dataset(*apart(Copy().fit(train.X, train.y).sample(400)), train.spec)
    found = nearest(context(train, draw(400, 1), copies))
    assert found == {"dcr_share": 1.0, "memorised": 1.0, "dcr_ratio": 0.0}


def test_copies_are_found_whole_by_the_scores_that_use_all_training_rows(draw, context):
    train = draw(800, 0)
    copies = Dataset(*apart(Copy().fit(train.X, train.y).sample(800)), train.spec)
    found = nearest(context(train, draw(400, 1), copies))
    assert found["dcr_share"] == pytest.approx(0.75, abs=0.04)
    assert found["memorised"] == 1.0


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_memorised_estimates_the_fraction_of_planted_copies(share, draw, context):
    train, fresh = draw(1200, 0), draw(1200, 2)
    copied = int(1200 * share)
    planted = Dataset(
        pd.concat([train.X[:copied], fresh.X[copied:]], ignore_index=True),
        pd.concat([train.y[:copied], fresh.y[copied:]], ignore_index=True),
        train.spec,
    )
    scores = context(train, draw(600, 1), planted)
    assert nearest(scores)["memorised"] == pytest.approx(share, abs=0.12)
    assert identical_match_share(scores) == {
        "identical_match_share": pytest.approx(share),
        "identical_match_share_base": 0.0,
    }


def test_standard_errors_of_copy_scores_are_their_deviations_over_samples(draw, context):
    score = NearestRecord(standard_errors=True).score
    found = [score(context(draw(150, 3 * i), draw(75, 3 * i + 1), draw(150, 3 * i + 2))) for i in range(40)]
    for name in ("memorised", "dcr_share"):
        errors = [each[f"{name}_se"] for each in found]
        assert np.std([each[name] for each in found]) == pytest.approx(np.mean(errors), rel=0.3)
    train = draw(150, 0)
    copied = score(context(train, draw(75, 1), train))
    # Each training row is nearest to one copy: another sample would score the same.
    assert copied["memorised"] == 1
    assert copied["memorised_se"] == 0


def test_near_copies_are_found_by_neighbours_and_not_by_identical_matches(draw, context):
    train = draw(500, 0)
    noise = np.random.default_rng(0).normal(size=(500, 4)) * 0.01
    near = train.X.copy()
    near[["x0", "x1", "x2", "x3"]] += noise
    scores = context(train, draw(500, 1), Dataset(near, train.y, train.spec))
    assert identical_match_share(scores)["identical_match_share"] == 0.0
    assert nearest(scores)["dcr_share"] > 0.95
    assert nearest(scores)["dcr_ratio"] < 0.1


def test_a_table_of_few_cells_is_not_reported_as_copied(columns, context):
    def cells(n, seed):
        rng = np.random.default_rng(seed)
        shown = {f"c{i}": pd.Categorical(rng.choice(list("xy"), n), categories=list("xy")) for i in range(4)}
        return columns(**shown, y=rng.choice(["a", "b"], n))

    scores = context(cells(600, 0), cells(300, 1), cells(600, 2))
    assert identical_match_share(scores) == {"identical_match_share": 1.0, "identical_match_share_base": 1.0}
    found = nearest(scores)
    assert found["dcr_share"] == pytest.approx(0.5, abs=0.01)
    assert found["memorised"] == pytest.approx(0.0, abs=0.05)
    assert "dcr_ratio" not in found


def test_a_table_of_all_combinations_once_has_the_base_of_fresh_rows(columns, context):
    rng = np.random.default_rng(0)
    cells = rng.permutation([[int(place) for place in np.base_repr(i, 4).zfill(5)] for i in range(4**5)])

    def rows(chosen):
        shown = {f"c{i}": pd.Categorical(chosen[:, i], categories=range(4)) for i in range(4)}
        return columns(**shown, y=pd.Series(chosen[:, 4]).map(str))

    train, test = rows(cells[:683]), rows(cells[683:])
    fresh = identical_match_share(context(train, test, rows(cells[rng.integers(0, len(cells), 1000)])))
    # Equal rows lie on one side of a split, so no held-out row equals a training row.
    assert fresh["identical_match_share"] == pytest.approx(2 / 3, abs=0.05)
    assert fresh["identical_match_share_base"] == pytest.approx(2 / 3, abs=0.1)
    copies = identical_match_share(context(train, test, train))
    assert copies == {"identical_match_share": 1.0, "identical_match_share_base": 0.0}


def test_sparse_cells_are_not_reported_as_copied(columns, context):
    def cells(n, seed):
        rng = np.random.default_rng(seed)
        shown = {f"c{i}": pd.Categorical(rng.choice(list("wxyz"), n), categories=list("wxyz")) for i in range(5)}
        return columns(**shown, y=rng.choice(["a", "b"], n))

    found = [nearest(context(cells(600, 3 * i), cells(300, 3 * i + 1), cells(600, 3 * i + 2))) for i in range(6)]
    assert np.mean([each["dcr_share"] for each in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([each["memorised"] for each in found]) == pytest.approx(0.0, abs=0.06)


def test_the_target_belongs_to_the_row(columns, context):
    x = np.arange(10.0)
    real, flipped = columns(x=x, y=["a", "b"] * 5), columns(x=x, y=["b", "a"] * 5)
    assert identical_match_share(context(real, real, flipped))["identical_match_share"] == 0.0


def test_row_hashes_know_equal_rows():
    table = pd.DataFrame({"x": [0.0, -0.0, np.nan, np.nan, 1.0], "c": pd.Categorical(["u", "u", "u", "u", "v"])})
    found = row_hashes(table)
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert len(set(found)) == 3


def test_rare_values_are_found_column_by_column(draw, context):
    train, test, fresh = draw(400, 0), draw(200, 1), draw(200, 2)
    rare = RareValues().score
    honest = rare(context(train, test, fresh))
    assert honest["rare_reproduced"] == pytest.approx(honest["rare_reproduced_base"], abs=0.02)
    planted = Dataset(fresh.X.assign(x0=train.X["x0"][:200]), fresh.y, train.spec)
    found = rare(context(train, test, planted))
    assert found["rare_reproduced_max"] == pytest.approx(0.5)
    assert found["rare_reproduced"] > honest["rare_reproduced"] + 0.05
    assert found["rare_reproduced_base"] == honest["rare_reproduced_base"]


def test_without_a_rare_value_nothing_is_scored(draw, context):
    train = draw(400, 0)
    common = Dataset(train.X[[]].assign(c=pd.Categorical(["a", "b"] * 200)), train.y, train.spec)
    assert RareValues().score(context(common, common, common)) == {}
