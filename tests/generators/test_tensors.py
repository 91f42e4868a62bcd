"""Common contract of all generators for arrays, by the kinds that each declares."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from configs import CONF, config, make

from trisynth.config import locate
from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds import Category, Number, Tensor
from trisynth.errors import InputError
from trisynth.generators.base import Generator

NAMES = sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))
KINDS = {name: locate(config(name)["_target_"]).kinds for name in NAMES}
TAKING = [name for name in NAMES if Tensor in KINDS[name]]
FACTS = {"series": Column(shape=(8, 2), axes=("time", "channel")), "image": Column(shape=(4, 4))}


def rows(name: str, n: int = 90) -> tuple[pd.DataFrame, pd.Series]:
    """Series of two classes that differ in their mean, with all other kinds of column that a generator takes."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    steps = rng.normal(size=(n, 8, 2)).cumsum(axis=1) + 4 * label[:, None, None]
    X = pd.DataFrame({"series": tensors.column(steps)})
    if Number in KINDS[name]:
        X["size"] = rng.normal(size=n)
        X["image"] = tensors.column(rng.integers(0, 17, (n, 4, 4)))
        X.loc[::9, "size"] = np.nan
    if Category in KINDS[name]:
        X["region"] = rng.choice(["north", "south"], n)
    return X, pd.Series(np.array(["calm", "wild"])[label], name="state")


@cache
def fitted(name: str) -> Generator:
    X, y = rows(name)
    return make(name).fit(X, y, facts={key: FACTS[key] for key in FACTS if key in X})


@pytest.mark.parametrize("name", TAKING)
def test_rows_are_like_the_training_rows(name):
    X, y = rows(name)
    for n in (0, 1, 33):
        drawn = fitted(name).sample(n, seed=1)
        assert list(drawn) == [*X, "state"] and list(drawn.dtypes) == [*X.dtypes, y.dtype] and len(drawn) == n
    for column in X.columns.intersection(["series", "image"]):
        real, made = tensors.values(X[column]), tensors.values(drawn[column])
        assert real.min() <= made.min() and made.max() <= real.max()
        assert column == "series" or not (made % 1).any()
    assert fitted(name).sample({"calm": 3, "wild": 0})["state"].tolist() == ["calm"] * 3


@pytest.mark.parametrize("name", TAKING)
def test_a_saved_generator_draws_the_same_rows(name, tmp_path):
    fitted(name).save(tmp_path / "state")
    drawn = fitted(name).sample(20, seed=3)
    assert Generator.load(tmp_path / "state").sample(20, seed=3).equals(drawn)
    assert not fitted(name).sample(20, seed=4).equals(drawn)
    X, y = rows(name)
    again = make(name).fit(X, y, facts={key: FACTS[key] for key in FACTS if key in X})
    assert again.sample(20, seed=3).equals(drawn) and X.equals(rows(name)[0])


@pytest.mark.parametrize("name", TAKING)
def test_a_table_of_arrays_without_a_target(name):
    X, _ = rows(name)
    drawn = make(name).fit(X[["series"]], facts={"series": FACTS["series"]}).sample(7)
    assert drawn.shape == (7, 1) and drawn.dtypes.equals(X[["series"]].dtypes)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(TAKING)))
def test_other_generators_refuse_arrays_in_one_line(name):
    if "privacy" in config(name):
        pytest.importorskip("dp_accounting", reason="needs the extra privacy")
    X, y = rows("independent")
    with pytest.raises(InputError, match=r"series.*(does not take columns of kind tensor; it takes|declare)"):
        make(name).fit(X, y)


def test_the_floor_draws_elements_and_the_ceiling_whole_arrays():
    X, _ = rows("independent")
    real = set(tensors.hashable(X)["series"])
    for name, copied in (("independent", False), ("copy", True)):
        drawn = fitted(name).sample(60)
        whole = set(tensors.hashable(drawn)["series"])
        assert (whole <= real) == copied and bool(whole & real) == copied
        elements = tensors.values(X["series"])
        assert all(
            np.isin(made, seen).all() for made, seen in zip(tensors.values(drawn["series"]).T, elements.T, strict=True)
        )
