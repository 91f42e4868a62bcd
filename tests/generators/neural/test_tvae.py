"""The tabular VAE: its likelihood in closed form, what modes are for, and each part of L_total."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from tables import apart

from trisynth.encoders.modes import ModeEncoder
from trisynth.errors import InputError
from trisynth.generators.neural.networks import layers
from trisynth.generators.neural.networks.autoencoder import Autoencoder
from trisynth.generators.neural.networks.likelihoods import ModeLikelihood
from trisynth.generators.neural.tvae import TVAE
from trisynth.objective import Diverged, Loss

NATIVE = Loss(1.0, 0.0, 0.0)
SHORT = {
    "latent_dim": 8,
    "hidden_layer_sizes": (32,),
    "epochs": 4,
    "min_steps": 200,
    "batch_size": 128,
    "learning_rate": 5e-3,
}


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    label = np.arange(800) % 4 == 0
    X = pd.DataFrame(rng.normal(size=(800, 2)) + 1.5 * label[:, None], columns=list("ab"))
    X["two"] = np.where(rng.random(800) < 0.5, -4.0, 4.0) + 0.3 * rng.normal(size=800)
    X["group"] = pd.Categorical(np.where(rng.random(800) < 0.3 + 0.4 * label, "u", "v"))
    X.loc[rng.random(800) < 0.3, "b"] = np.nan
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


@pytest.fixture(scope="module")
def native(table) -> TVAE:
    return TVAE(loss=NATIVE, **SHORT).fit(*table)


def small() -> tuple[Autoencoder, ModeEncoder]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan] * 5, "c": pd.Categorical(list("uuvu") * 5)})
    encoder = ModeEncoder(1).fit(frame, rng)
    generator = torch.Generator().manual_seed(0)
    networks = {
        "encoder": layers.mlp([encoder.width_ + 1, 4, 4], generator, torch.nn.ReLU),
        "decoder": layers.mlp([3, 4, encoder.width_], generator, torch.nn.ReLU),
    }
    return Autoencoder(1, 2, likelihood=ModeLikelihood(encoder), **networks), encoder


def test_likelihood_is_gaussian_places_and_categorical_modes():
    model, encoder = small()
    assert encoder.width_ == 5
    output = torch.tensor([[0.3, 0.5, -0.5, 0.2, 1.0]]).repeat(2, 1)
    rows = torch.tensor([[0.4, 1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0]])
    place = stats.norm.logpdf(0.4, math.tanh(0.3), 0.1)
    mode, category = (np.log(np.exp(v) / np.exp(v).sum()) for v in (np.array([0.5, -0.5]), np.array([0.2, 1.0])))
    # The second row's number is missing: its place does not count.
    expected = [place + mode[0] + category[0], mode[1] + category[1]]
    np.testing.assert_allclose(model.likelihood.log_density(rows, output).detach(), expected, rtol=1e-5)


def test_draws_follow_the_likelihood(monkeypatch):
    model, _ = small()
    output = torch.tensor([[0.3, 0.5, -0.5, 0.2, 1.0]])
    monkeypatch.setattr(model, "decode", lambda z, labels: output.repeat(len(z), 1))
    uniform = torch.rand(40_000, 7, generator=torch.Generator().manual_seed(0))
    rows = model.draw(torch.zeros(40_000, dtype=torch.long), uniform).detach()
    assert rows[:, 0].mean().item() == pytest.approx(math.tanh(0.3), abs=0.002)
    assert rows[:, 0].std().item() == pytest.approx(0.1, rel=0.03)
    absent = (rows[:, 2] > rows[:, 1]).float().mean().item()
    assert absent == pytest.approx(1 / (1 + math.e), abs=0.01)
    assert (rows[:, 4] > rows[:, 3]).float().mean().item() == pytest.approx(1 / (1 + math.exp(-0.8)), abs=0.01)


def test_modes_keep_a_gap_that_one_mode_fills(native, table):
    plain = TVAE(max_modes=1, loss=NATIVE, **SHORT).fit(*table)
    gaps = [(fitted.sample(1000)["two"].abs() < 2.5).mean() for fitted in (native, plain)]
    assert (table[0]["two"].abs() < 2.5).mean() == 0
    assert gaps[0] < 0.05 and gaps[1] > gaps[0] + 0.03


def score_of(fitted: TVAE, X: pd.DataFrame, y: pd.Series, drawn: pd.DataFrame, asked: pd.Series) -> float:
    def seen(rows: pd.DataFrame) -> np.ndarray:
        return np.column_stack([rows["a"], rows["b"].fillna(0), rows["group"] == "u"])

    classifier = LogisticRegression(class_weight="balanced").fit(seen(X), y)
    return (classifier.predict(seen(drawn)) == asked).mean()


def test_rows_are_of_the_requested_class(native, table):
    agreed = score_of(native, *table, *apart(native.sample({"ill": 600, "well": 600})))
    assert agreed > 0.72 and abs(agreed - score_of(native, *table, *table)) < 0.12


def test_missing_cells_and_categories_keep_their_frequencies(native, table):
    X, y = table
    drawn, asked = apart(native.sample({"ill": 2000, "well": 2000}))
    for label in ("ill", "well"):
        real, fake = X[y == label], drawn[asked == label]
        assert fake["b"].isna().mean() == pytest.approx(real["b"].isna().mean(), abs=0.1)
        assert (fake["group"] == "u").mean() == pytest.approx((real["group"] == "u").mean(), abs=0.12)


def test_alpha_sharpens_reconstruction(table):
    brief = {**SHORT, "min_steps": 100}
    last = [TVAE(loss=Loss(alpha, 0.5, 0.0), **brief).fit(*table).history_["rec"][-1] for alpha in (0.1, 3.0)]
    assert last[1] < last[0] - 0.1


def test_beta_brings_moments_closer(table):
    brief = {**SHORT, "min_steps": 60}
    dists = [TVAE(loss=Loss(0.1, beta, 0.0), **brief).fit(*table).history_["dist"][-1] for beta in (1e-6, 3.0)]
    assert dists[1] < 0.7 * dists[0], dists


def test_gamma_makes_rows_more_typical_of_their_class(native, table):
    drawn = apart(TVAE(loss=Loss(1.0, 0.0, 1.0), **SHORT).fit(*table).sample({"ill": 1000, "well": 1000}, seed=4))
    before = apart(native.sample({"ill": 1000, "well": 1000}, seed=4))
    assert score_of(native, *table, *drawn) > score_of(native, *table, *before) + 0.05


def test_native_loss_is_the_published_one(native):
    last = {name: values[-1] for name, values in native.history_.items()}
    # Twice the reconstruction plus KL, up to a factor.
    ratio = last["native"] / last["rec_weighted"]
    assert ratio == pytest.approx(last["kl"] / (2 * last["rec"] * 4), rel=1e-4)


def test_divergence_keeps_the_last_good_weights(table):
    fitted = TVAE(**{**SHORT, "learning_rate": 1e30})
    with pytest.raises(Diverged, match="last good epoch"):
        fitted.fit(*table)
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())
    assert len(fitted.sample(5)) == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("latent_dim", 0),
        ("max_modes", 0.5),
        ("hidden_layer_sizes", "wide"),
        ("learning_rate", True),
        ("device", "tpu"),
        ("loss", Loss(-1)),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, table):
    with pytest.raises(InputError, match=f"^{parameter}"):
        TVAE(**{parameter: value}).fit(*table)
