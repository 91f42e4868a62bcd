"""Common contract of all generators for arrays, by the kinds that each declares."""

import inspect
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from configs import CONF, config, make
from omegaconf import OmegaConf

from trisynth.config import locate
from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds import Category, Number, Tensor
from trisynth.errors import InputError
from trisynth.generators.arrays.block_bootstrap import BlockBootstrap
from trisynth.generators.arrays.class_gaussian import ClassGaussian
from trisynth.generators.base import Generator
from trisynth.generators.neural.networks.backbones import Part
from trisynth.generators.neural.networks.stepwise import Stepwise
from trisynth.generators.neural.series.timevae import WithTrend
from trisynth.generators.neural.vae import VAE

NAMES = sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))
KINDS = {name: locate(config(name)["_target_"]).kinds for name in NAMES}
TAKING = [name for name in NAMES if Tensor in KINDS[name]]
# Generators of one image, and of series.
IMAGES = ["stylegan"]
SERIES = [name for name in TAKING if Number not in KINDS[name] and name not in IMAGES]
FACTS = {"series": Column(shape=(8, 2), axes=("time", "channel")), "image": Column(shape=(4, 4))}


def rows(name: str, n: int = 90) -> tuple[pd.DataFrame, pd.Series]:
    """Series of two classes that differ in their mean, with all other kinds of column that a generator takes."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    steps = rng.normal(size=(n, 8, 2)).cumsum(axis=1) + 4 * label[:, None, None]
    X = pd.DataFrame({"series": tensors.column(steps)})
    if name in IMAGES:
        X = pd.DataFrame({"image": tensors.column(rng.integers(0, 9, (n, 4, 4)) + 8 * label[:, None, None])})
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
    first = X.columns[0]
    drawn = make(name).fit(X[[first]], facts={first: FACTS[first]}).sample(7)
    assert drawn.shape == (7, 1) and drawn.dtypes.equals(X[[first]].dtypes)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(TAKING)))
def test_other_generators_refuse_arrays_in_one_line(name):
    if "privacy" in config(name):
        pytest.importorskip("dp_accounting", reason="needs the extra privacy")
    X, y = rows("independent")
    with pytest.raises(
        InputError, match=r"series.*(does not take columns of kind tensor; it takes|a private fit takes|declare)"
    ):
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


@pytest.mark.parametrize("name", [*SERIES, *IMAGES])
def test_a_generator_of_arrays_alone_keeps_the_contract_of_its_yaml(name):
    raw = OmegaConf.to_container(OmegaConf.load(CONF / "generator" / f"{name}.yaml"), resolve=False)
    kind = locate(raw.pop("_target_"))
    parameters = inspect.signature(kind).parameters
    assert list(raw) == list(parameters)
    described = "".join(inspect.cleandoc(base.__doc__ or "") for base in kind.__mro__)
    for key, value in raw.items():
        default = parameters[key].default
        assert value == (list(default) if isinstance(default, tuple) else default) or str(value).startswith("${")
        assert f"\n{key} : " in described
        if key != "encoder":
            with pytest.raises(InputError, match=key):
                make(name).set_params(**{key: "another"}).check()
    wrong, line = (
        ("series", "a series, but {} models images") if name in IMAGES else ("image", "an image, but {} models series")
    )
    with pytest.raises(InputError, match=rf"X='{wrong}': is {line.format(kind.__name__)}"):
        make(name).fit(rows("independent")[0][[wrong]], facts={wrong: FACTS[wrong]})


@pytest.mark.parametrize("name", ["vae", "gan", "cgan"])
@pytest.mark.parametrize("backbone", ["conv", "gru"])
def test_a_backbone_reads_and_writes_arrays_beside_other_columns(name, backbone):
    X, y = rows(name)
    facts = {"series": Column(shape=(16,)), "image": Column(shape=(2, 4, 2))}
    drawn = make(name).set_params(backbone=backbone).fit(X, y, facts=facts).sample(5)
    assert list(drawn) == [*X, "state"] and list(drawn.dtypes)[:-1] == list(X.dtypes)


def test_a_recurrent_backbone_refuses_images_alone():
    X, _ = rows("vae")
    with pytest.raises(
        InputError, match=r"backbone='gru': reads and writes series, but the arrays are images; take conv"
    ):
        make("vae").set_params(backbone="gru").fit(X[["image"]], facts={"image": FACTS["image"]})


def test_a_writer_puts_elements_where_a_reader_finds_them():
    """Trained on one row, a convolutional VAE must return it: no element may move."""
    arrays = np.random.default_rng(0).normal(size=(2, 15)).cumsum(axis=1)
    X = pd.DataFrame({"a": [0.0, 1.0], "s": tensors.column(arrays)})
    facts = {"s": Column(shape=(5, 3), axes=("time", "channel"))}
    vae = VAE((64,), epochs=10, min_steps=400, latent_dim=2, backbone="conv", observation_noise=False)
    drawn = vae.fit(X, pd.Series(["one", "two"]), facts=facts, rare=0).sample({"one": 1, "two": 1})
    order = drawn.sort_values("target").index
    made = tensors.values(drawn["s"].iloc[order])
    assert np.corrcoef(made.ravel(), tensors.values(X["s"]).ravel())[0, 1] > 0.99


def test_the_trend_of_timevae_is_a_polynomial_in_time():
    part = Part(0, 8, (4, 2), ("time", "channel"))
    decoder = WithTrend(torch.nn.Linear(3, 8), [part], 2, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        decoder.residual.weight.zero_(), decoder.residual.bias.zero_()
        series = decoder(torch.randn(5, 3, generator=torch.Generator().manual_seed(1))).reshape(5, 4, 2)
    third = series.diff(n=3, dim=1)
    assert third.abs().max() < 1e-5 < series.diff(n=2, dim=1).abs().max()
    assert series[:, 0].abs().max() == 0


def test_rcgan_scores_every_step_under_its_own_label():
    network = Stepwise(2, 1, 3, (6,), torch.Generator().manual_seed(0))
    series = torch.randn(4, 7, 2, generator=torch.Generator().manual_seed(1))
    scores = network(series, torch.tensor([0, 0, 1, 1]))
    assert scores.shape == (4, 7, 1)
    later = series.clone()
    later[:, 5:] += 1
    changed = network(later, torch.tensor([0, 0, 1, 1])) != scores
    assert not changed[:, :5].any() and changed[:, 5:].all()
    assert (network(series, torch.tensor([2, 2, 2, 2])) != scores).all()


def test_blocks_are_of_one_row_of_the_label_and_at_their_place():
    row, time = np.arange(40)[:, None], np.arange(12)
    X = pd.DataFrame({"s": tensors.column(row * 100 + time)})
    y = pd.Series(np.where(np.arange(40) < 20, "low", "high"))
    drawn = BlockBootstrap(4).fit(X, y, rare=0).sample({"low": 200})
    made = tensors.values(drawn["s"])
    assert (made % 100 == time).all() and (made < 2000).all()
    changes = (np.diff(made // 100, axis=1) != 0).sum(axis=1)
    assert changes.max() == 3 and changes.mean() > 2


@pytest.mark.parametrize("name", ["block_bootstrap", "class_gaussian", "autoregressive"])
def test_the_array_of_a_class_of_one_row_does_not_come_back(name, caplog):
    """One row of a class of its own, far from all others, would be all that such a class consists of."""
    X, _ = rows("autoregressive")
    lone = tensors.values(X["series"])[:1] + 100
    X = pd.concat([X, pd.DataFrame({"series": tensors.column(lone)})], ignore_index=True)
    y = pd.Series(["many"] * 90 + ["lone"], name="state")
    for rare, near in ((5, False), (0, True)):
        caplog.clear()
        made = make(name).fit(X, y, facts={"series": FACTS["series"]}, rare=rare).sample({"lone": 40})["series"]
        distance = np.abs(tensors.values(made) - lone).mean(axis=1)
        assert (np.median(distance) < 1) == near and (distance.min() > 1) != near
        noted = "state: classes of fewer than 5 rows are kept: lone (1); they are drawn as all rows are, whatever"
        assert (noted in caplog.text) != near
    # Several rows of one person are one.
    facts = {"series": FACTS["series"], "who": Column("identifier", person=True)}
    X = X.assign(who=[f"P{i}" for i in range(80)] + ["P99"] * 11)
    y = pd.Series(["many"] * 80 + ["lone"] * 11, name="state")
    make(name).fit(X, y, facts=facts)
    assert "lone (1); they are drawn as all" in caplog.text


def test_a_class_gaussian_recovers_mean_and_covariance():
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(6, 6))
    cells = rng.normal(size=(4000, 6)) @ factor.T + np.arange(6)
    X = pd.DataFrame({"s": tensors.column(cells)})
    made = tensors.values(ClassGaussian(explained=1.0).fit(X, rare=0).sample(20_000)["s"]).astype(float)
    assert np.abs(made.mean(axis=0) - cells.mean(axis=0)).max() < 0.1
    gap = np.cov(made.T) - np.cov(cells.T)
    assert np.abs(gap).max() < 0.1 * np.abs(np.cov(cells.T)).max()
    part = ClassGaussian(explained=0.5).fit(X, rare=0)
    assert part.components_[0].shape[0] < 6
    again = tensors.values(part.sample(20_000)["s"]).astype(float)
    assert np.allclose(again.var(axis=0), cells.var(axis=0), rtol=0.1)


@pytest.mark.parametrize("kind", ["identifier", "text"])
def test_arrays_are_neither_identifiers_nor_texts(kind):
    X = pd.DataFrame({"s": tensors.column(np.zeros((8, 3))), "x": np.arange(8.0)})
    with pytest.raises(InputError, match=rf"^facts.s.kind='{kind}': the column holds arrays; declare another kind"):
        ClassGaussian().fit(X, facts={"s": Column(kind)})
