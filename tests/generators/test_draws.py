"""Even draws: each row as an independent one, samples nearer to the distribution, and rows that are not independent."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.generators.circuit import Circuit
from trisynth.generators.copula import Copula
from trisynth.generators.draws import even_normals, even_uniforms, uniform_by_group
from trisynth.generators.independent import Independent
from trisynth.generators.neural.cgan import CGAN
from trisynth.generators.neural.ctgan import CTGAN
from trisynth.generators.neural.diffusion import Diffusion
from trisynth.generators.neural.vae import VAE
from trisynth.generators.trees.arf import ARF
from trisynth.generators.trees.cart import CART
from trisynth.generators.trees.sequential_forest import SequentialForest

SHORT = {"epochs": 1, "min_steps": 20, "hidden_layer_sizes": (8, 8)}
GENERATORS = {
    "independent": Independent(),
    "copula": Copula(),
    "circuit": Circuit(n_states=4, refinement_steps=0),
    "cart": CART(min_samples_leaf=20),
    "sequential_forest": SequentialForest(n_estimators=2, min_samples_leaf=20, max_copying=None),
    "arf": ARF(n_estimators=2, max_iter=1),
    "vae": VAE(**SHORT),
    "cgan": CGAN(**SHORT),
    "ctgan": CTGAN(**SHORT),
    "diffusion": Diffusion(**SHORT, sampling_steps=3),
}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    ill = np.arange(300) % 3 == 0
    x = rng.normal(size=300) + ill
    return pd.DataFrame({"x": x, "z": x + rng.normal(size=300), "k": np.where(x > 0, "u", "v"), "y": ill.astype(str)})


@pytest.fixture(scope="module", params=GENERATORS)
def fitted(request, table):
    return GENERATORS[request.param].fit(table, target="y", relations=False, rare=0)


def means(generator, draws, samples=40):
    generator.set_params(draws=draws)
    drawn = [generator.sample(128, seed) for seed in range(samples)]
    return np.array([[each["x"].mean(), (each["k"] == "u").mean()] for each in drawn])


def test_even_samples_have_the_same_mean_and_vary_less(fitted):
    independent, even = (means(fitted, draws) for draws in ("independent", "even"))
    error = np.sqrt((independent.var(axis=0) + even.var(axis=0)) / len(even))
    assert (np.abs(independent.mean(axis=0) - even.mean(axis=0)) < 4.5 * error + 1e-12).all()
    # The standard deviation of 40 samples has a relative error of 0.11.
    assert (even.std(axis=0) < 0.8 * independent.std(axis=0)).any() and (
        even.std(axis=0) < 1.4 * independent.std(axis=0)
    ).all()


@pytest.mark.parametrize("draws", ["independent", "even"])
def test_the_same_seed_draws_the_same_rows(fitted, draws):
    fitted.set_params(draws=draws)
    one, same, other = (fitted.sample(50, seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)
    assert len(fitted.sample({"True": 1})) == 1


def test_other_draws_are_refused(table):
    for generator in GENERATORS.values():
        with pytest.raises(InputError, match="draws='odd': must be independent or even"):
            type(generator)(draws="odd").fit(table, target="y")


def test_points_of_a_label_fill_every_part_of_each_dimension():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [128, 32, 1]))
    points = even_uniforms(labels, 600, np.random.default_rng(1))
    assert ((points > 0) & (points < 1)).all() and np.isfinite(even_normals(labels, 3, np.random.default_rng(0))).all()
    for label, size in ((0, 128), (1, 32)):
        parts = np.sort((points[labels == label] * size).astype(int), axis=0)
        assert (parts == np.arange(size)[:, None]).all()
    pairs = (points[labels == 0][:, :2] * [8, 16]).astype(int)
    assert len(np.unique(pairs, axis=0)) == 128


def test_a_point_is_uniform_by_itself():
    """Draw the same place of many samples: even numbers of one row are as independent ones."""
    labels = np.zeros(7, int)
    one = np.array([even_uniforms(labels, 2, np.random.default_rng(seed))[3] for seed in range(500)])
    by_group = np.array([uniform_by_group(labels, np.random.default_rng(seed), True)[3] for seed in range(500)])
    for found in (*one.T, by_group):
        # Kolmogorov's limit at one in a thousand is 1.95 / sqrt(n).
        assert np.abs(np.sort(found) - (np.arange(500) + 0.5) / 500).max() < 1.95 / np.sqrt(500)
    assert abs(np.corrcoef(one.T)[0, 1]) < 0.15


def test_standard_errors_from_repeated_even_samples_are_several_times_too_small(table):
    copula = Copula().fit(table, target="y", relations=False)
    independent, even = (means(copula, draws, 100).std(axis=0)[0] for draws in ("independent", "even"))
    assert independent / even > 3
    assert independent == pytest.approx(table["x"].std() / 128**0.5, rel=0.25)
