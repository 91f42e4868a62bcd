"""The SMOTE family stays between neighbouring rows of the requested class, for every class and any count."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from imblearn import over_sampling
from tables import apart

from trisynth.errors import InputError
from trisynth.generators import smote
from trisynth.generators.smote import ADASYN, SMOTE, SMOTENC, BorderlineSMOTE

pytestmark = pytest.mark.usefixtures("unprotected")

FAMILY = [SMOTE, SMOTENC, BorderlineSMOTE, ADASYN]


def neighbours(family, k):
    """Generator of the family with ``k`` neighbours, under the name that imbalanced-learn gives them."""
    return family(**{"n_neighbors" if family is ADASYN else "k_neighbors": k})


def blobs(counts=(60, 25, 1), width=3, seed=0, spread=2.0):
    """Classes a, b, c around different centres; no two differences of rows are parallel."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(list("abc"), counts)
    X = rng.normal(size=(len(labels), width)) * 100 ** np.arange(width) + np.repeat([0, spread, 9], counts)[:, None]
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(width)]), pd.Series(labels, name="y")


def distance_to_segments(points, rows):
    """Relative distance of each point to the nearest segment between two of the rows."""
    starts = np.repeat(rows, len(rows), axis=0)
    ways = np.tile(rows, (len(rows), 1)) - starts
    lengths = (ways**2).sum(axis=1)
    lengths[lengths == 0] = 1.0
    offsets = points[:, None] - starts
    steps = np.clip((offsets * ways).sum(axis=2) / lengths, 0, 1)
    return np.linalg.norm(offsets - steps[..., None] * ways, axis=2).min(axis=1) / np.linalg.norm(rows, axis=1).max()


@pytest.mark.parametrize("family", FAMILY)
def test_points_lie_on_segments_within_the_class(family):
    X, y = blobs()
    generator = family().fit(X, y)
    for label, n in {"a": 40, "b": 90}.items():
        points, _ = apart(generator.sample({label: n}))
        scale = X.std().to_numpy()
        own = X[y == label].to_numpy() / scale
        assert distance_to_segments(points.to_numpy() / scale, own).max() < 1e-9
        foreign = X[y != label].to_numpy() / scale
        assert distance_to_segments(points.to_numpy() / scale, foreign).max() > 1e-3, "the check must be able to fail"
        assert not points.merge(X).shape[0], "a point between two rows is none of them"


@pytest.mark.parametrize("family", FAMILY)
def test_segments_go_to_the_k_nearest_neighbours(family):
    rng = np.random.default_rng(0)
    near, far = rng.random(8), 100 + rng.random(8)
    X = pd.DataFrame({"x": np.concatenate([near, far, [0.5, 100.5, 0.4, 100.4]])})
    y = pd.Series(["a"] * 16 + ["b"] * 4)
    between = {}
    for k in (7, 12):
        points = neighbours(family, k).fit(X, y).sample({"a": 400})["x"]
        between[k] = points.between(2, 99).mean()
    assert between[7] == 0 < between[12]


def test_same_rows_as_imbalanced_learn_on_standardised_numbers():
    X, y = blobs((40, 15, 0))
    generator = SMOTE(k_neighbors=3).fit(X, y)
    own = generator.numbers_[generator.rows_ == 1]
    new = smote._smote(own, [], 7, 3, 11)
    peer = over_sampling.SMOTE(k_neighbors=3, random_state=11, sampling_strategy={"b": 22})
    np.testing.assert_array_equal(new, peer.fit_resample(generator.numbers_, y)[0][55:])


def test_units_do_not_choose_the_neighbours():
    X, y = blobs()
    first = apart(SMOTE().fit(X, y).sample(50))[0]
    second = apart(SMOTE().fit(X * [1.0, 2.0**20, 2.0**-20], y).sample(50))[0]
    np.testing.assert_allclose(second / [1.0, 2.0**20, 2.0**-20], first, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILY)
def test_class_of_one_row_repeats_it(family):
    X, y = blobs()
    points, labels = apart(family().fit(X, y).sample({"c": 8}))
    assert (labels == "c").all()
    np.testing.assert_allclose(points.to_numpy(), np.tile(X[y == "c"].to_numpy(), (8, 1)), rtol=1e-12)


@pytest.mark.parametrize("family", FAMILY)
def test_small_class_uses_all_its_rows(family):
    X, y = blobs((60, 2, 0))
    points, _ = apart(neighbours(family, 9).fit(X, y).sample({"b": 30}))
    low, high = X[y == "b"].min(), X[y == "b"].max()
    assert ((points >= low) & (points <= high)).all(axis=None)
    assert points["x0"].nunique() == 30


@pytest.mark.parametrize("family", [BorderlineSMOTE, ADASYN])
def test_falls_back_on_smote_when_no_other_class_is_near(family):
    X, y = blobs((30, 20, 0), spread=1e6)
    drawn = apart(family().fit(X, y).sample({"b": 100}))[0]
    rng_free = apart(SMOTE().fit(X, y).sample({"b": 100}))[0]
    pd.testing.assert_frame_equal(drawn, rng_free)


@pytest.mark.parametrize("family", [BorderlineSMOTE, ADASYN])
def test_seeds_are_the_rows_near_other_classes(family):
    # Class b fills [0, 10], class a everything above 9.
    X = pd.DataFrame({"x": np.append(np.linspace(0, 10, 40), np.linspace(9.03, 30, 60))})
    y = pd.Series(["b"] * 40 + ["a"] * 60)
    points = apart(neighbours(family, 3).fit(X, y).sample({"b": 200}))[0]
    plain = apart(SMOTE(k_neighbors=3).fit(X, y).sample({"b": 200}))[0]
    assert points["x"].median() > 8.5 > 6 > plain["x"].median()


def test_adasyn_is_exact_where_rounding_loses_rows():
    X, y = blobs((60, 40, 0), spread=0.5)
    generator = ADASYN().fit(X, y)
    for n in (1, 2, 7, 39, 500):
        assert len(generator.sample({"b": n})) == n


@pytest.mark.parametrize("family", FAMILY)
def test_gaps_come_back_as_often_as_they_were(family):
    rng = np.random.default_rng(3)
    X, y = blobs((150, 150, 0))
    X["x1"] = X["x1"].mask(rng.random(300) < 0.3)
    X["kind"] = rng.choice(np.array(["p", "q", None], dtype=object), 300)
    drawn, _ = apart(family().fit(X, y).sample(900))
    assert abs(drawn["x1"].isna().mean() - 0.3) < 0.15
    assert drawn["kind"].isna().any()
    assert drawn[["x0", "x2"]].notna().all(axis=None)


@pytest.mark.parametrize("family", FAMILY)
def test_categories_follow_the_class(family):
    X, y = blobs((80, 80, 0))
    X["kind"] = np.where(y == "a", "common in a", "common in b")
    X.loc[::16, "kind"] = "rare"
    drawn, labels = apart(family().fit(X, y).sample(200))
    assert not (drawn["kind"].eq("common in a") & labels.eq("b")).any()
    assert not (drawn["kind"].eq("common in b") & labels.eq("a")).any()


def test_smoten_votes_on_categories_alone():
    X = pd.DataFrame({"c": list("ppppqqqqrrrr"), "d": list("uuuuvvvvwwww")})
    y = pd.Series(list("aaaaaaaabbbb"))
    drawn, _ = apart(SMOTE(k_neighbors=2).fit(X, y).sample({"a": 40, "b": 5}))
    assert set(map(tuple, drawn.to_numpy())) <= {("p", "u"), ("q", "v"), ("r", "w")}


def test_smoten_knows_the_other_class_in_every_block(monkeypatch):
    monkeypatch.setattr(smote, "_BLOCK", 10)
    rng = np.random.default_rng(0)
    X = pd.DataFrame({name: rng.choice(list("pqrs"), 103) for name in "abcde"})
    drawn, _ = apart(SMOTE().fit(X, pd.Series(["most"] * 100 + ["few"] * 3)).sample({"most": 300}))
    assert drawn.merge(X.drop_duplicates()).shape[0] < 150, "votes, not copies"


def test_smotenc_puts_gaps_to_the_vote():
    X, y = blobs((40, 40, 0))
    X["x0"] = X["x0"].mask(np.arange(80) % 2 == 0)
    generator = SMOTENC().fit(X, y, relations=False)
    assert generator._nominal() and not SMOTE().fit(X, y, relations=False)._nominal()
    drawn, _ = apart(generator.sample(60))
    assert drawn["x0"].isna().any() and drawn["x0"].notna().any()


def test_blocks_divide_the_class_and_keep_counts(monkeypatch):
    monkeypatch.setattr(smote, "_BLOCK", 16)
    monkeypatch.setattr(smote, "_CELLS", 200)
    X, y = blobs((100, 50, 0))
    X["kind"] = np.tile(list("pqr"), 50)
    for family in FAMILY:
        generator = family().fit(X, y, relations=False)
        blocks = generator._blocks(0, np.random.default_rng(0))
        assert len(blocks) > 1
        own = np.concatenate([rows[generator.rows_[rows] == 0] for rows in blocks])
        assert sorted(own) == list(range(100))
        drawn, labels = apart(generator.sample({"a": 61, "b": 21}))
        assert labels.value_counts().to_dict() == {"a": 61, "b": 21}
        assert drawn["x0"].between(X["x0"].min(), X["x0"].max()).all()


def test_one_hot_neighbours_are_worked_in_bounded_pieces(monkeypatch):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=600), "c": [f"c{i}" for i in rng.integers(0, 300, 600)]})
    generator = SMOTE().fit(X, pd.Series(np.tile(["a", "b"], 300)), relations=False)
    peaks = {}
    for cells in (2**19, 2**30):
        monkeypatch.setattr(smote, "_CELLS", cells)
        tracemalloc.start()
        generator.sample({"a": 2000})
        peaks[cells] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[2**19] < peaks[2**30] / 2


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "5", None])
def test_impossible_neighbours(wrong):
    for family in FAMILY:
        with pytest.raises(InputError, match=r"^[kn]_neighbors="):
            neighbours(family, wrong).fit(*blobs())
    with pytest.raises(InputError, match=r"^m_neighbors="):
        BorderlineSMOTE(m_neighbors=wrong).fit(*blobs())


def test_borderline_2_also_reaches_towards_other_classes():
    X = pd.DataFrame({"x": np.append(np.linspace(0, 10, 40), np.linspace(9.03, 30, 60))})
    y = pd.Series(["b"] * 40 + ["a"] * 60)
    farthest = {}
    for kind in ("borderline-1", "borderline-2"):
        drawn = apart(BorderlineSMOTE(kind=kind).fit(X, y).sample({"b": 300}))
        farthest[kind] = drawn[0]["x"].max()
    assert farthest["borderline-1"] <= 10 < farthest["borderline-2"]
    with pytest.raises(InputError, match=r"^kind='borderline-3': must be"):
        BorderlineSMOTE(kind="borderline-3").fit(X, y)


def test_what_shifts_the_distribution_is_stated():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=40), "b": rng.choice(["u", "v"], 40)})
    y = pd.Series(["n", "y"] * 20, name="y")
    for generator in (BorderlineSMOTE(), ADASYN()):
        assert "not to be shared" in generator.fit(X, y, relations=False).summary()
    assert "rare categories become rarer" in SMOTE().fit(X[["b"]], y, relations=False).summary()
    assert not SMOTE().fit(X, y, relations=False).summary()


def test_a_class_is_named_by_its_value_too():
    X = pd.DataFrame({"a": np.arange(40.0)})
    rows = SMOTE().fit(X, pd.Series([0, 1] * 20, name="y"), relations=False).sample({1.0: 3, False: 2})
    assert len(rows) == 5
