"""Diffusion against closed forms: coefficients, posterior means, the flow of Gaussians; and what each weight does."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from tables import apart
from torch import nn

from trisynth.errors import InputError
from trisynth.generators.neural import device, training
from trisynth.generators.neural.diffusion import Diffusion
from trisynth.generators.neural.networks import edm, layers
from trisynth.generators.neural.networks.edm import Denoiser, euler, heun, loss_weight, noise_levels, precondition
from trisynth.generators.neural.optimizer import WeightAverage
from trisynth.objective import Diverged, Loss, moments

NATIVE = Loss(1.0, 0.0, 0.0)
SHORT = {"hidden_layer_sizes": (48, 48), "epochs": 5, "min_steps": 400, "batch_size": 128, "sampling_steps": 18}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def denoiser(width: int, preconditioned: bool = True) -> Denoiser:
    sizes = [Denoiser.inputs(width, 1), 8, width]
    return Denoiser(layers.mlp(sizes, seeded()), 1, preconditioned)


def network(fitted: Diffusion) -> Denoiser:
    return device.from_arrays(fitted._network(torch.Generator()), fitted.weights_)


def encoded(fitted: Diffusion, X: pd.DataFrame) -> torch.Tensor:
    matrix = (fitted.encoder_.encoder_.transform(X) - fitted.encoder_.mean_) / fitted.encoder_.scale_
    return torch.tensor(matrix, dtype=torch.float32)


def gaussian(covariance: torch.Tensor):
    """The ideal denoiser of N(0, covariance): the posterior mean of a row given its noised one."""

    def denoise(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        noised = covariance + sigma[0, 0] ** 2 * torch.eye(len(covariance))
        return x @ torch.linalg.solve(noised, covariance)

    return denoise


# Closed forms


def test_preconditioning_keeps_unit_variance_and_least_amplification():
    sigma = torch.tensor([0.002, 0.05, 0.5, 3.0, 80.0], dtype=torch.float64)
    c_skip, c_out, c_in, c_noise = precondition(sigma)
    data, noise = edm.SIGMA_DATA**2, sigma.square()
    # The paper's three requirements (its appendix B.6): inputs and targets of variance one, and the smallest c_out.
    torch.testing.assert_close(c_in.square() * (data + noise), torch.ones_like(sigma))
    torch.testing.assert_close(((1 - c_skip).square() * data + c_skip.square() * noise), c_out.square())
    for nudge in (-0.01, 0.01):
        assert ((1 - c_skip - nudge).square() * data + (c_skip + nudge).square() * noise > c_out.square()).all()
    torch.testing.assert_close(loss_weight(sigma) * c_out.square(), torch.ones_like(sigma))
    torch.testing.assert_close(c_noise, sigma.log() / 4)


def test_without_preconditioning_inputs_and_targets_grow_with_the_noise(overlapping):
    sigma = torch.tensor([[0.1], [1.0], [40.0]])
    ones = torch.ones_like(sigma)
    model = denoiser(2, preconditioned=False)
    seen = []
    model.inner = nn.Sequential(model.inner, nn.Identity())
    model.inner.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x = torch.randn(3, 2, generator=seeded())
    # The network starts at zero: the estimate is the noised row itself.
    torch.testing.assert_close(model(x, sigma, torch.zeros(3, dtype=torch.long)), x)
    assert torch.equal(seen[0][:, :2], x)
    torch.testing.assert_close(edm.unconditioned(sigma)[:3], (ones, sigma, ones))
    brief = {**SHORT, "min_steps": 100, "loss": NATIVE}
    rec = [Diffusion(preconditioning=on, **brief).fit(*overlapping).history_["rec"][-1] for on in (True, False)]
    assert rec[0] < 0.8 * rec[1]


def test_levels_are_the_papers():
    levels = noise_levels(50)
    assert len(levels) == 51 and levels[-1] == 0 and (levels.diff() < 0).all()
    assert levels[0].item() == pytest.approx(80.0) and levels[49].item() == pytest.approx(0.002)
    roots = levels[:-1].double() ** (1 / 7)
    torch.testing.assert_close(roots.diff(), torch.full((49,), (0.002 ** (1 / 7) - 80 ** (1 / 7)) / 49).double())
    noise = edm.training_noise(50_000, seeded()).log()
    assert stats.kstest(noise[:, 0].numpy(), stats.norm(-1.2, 1.2).cdf).pvalue > 1e-3


def test_untrained_estimate_is_the_best_one_of_gaussian_rows():
    model = denoiser(3)
    x = torch.randn(20, 3, generator=seeded(1))
    ideal = gaussian(edm.SIGMA_DATA**2 * torch.eye(3))
    for sigma in (0.01, 0.5, 10.0):
        column = torch.full((20, 1), sigma)
        torch.testing.assert_close(model(x, column, torch.zeros(20, dtype=torch.long)), ideal(x, column))


def test_solver_maps_noise_to_the_gaussian_and_is_of_second_order():
    root = torch.tensor([[0.5, 0.0], [0.4, 0.2]])
    covariance = root @ root.T
    noise = torch.randn(200, 2, generator=seeded())
    # The flow of a Gaussian is known: along each principal axis it rescales the noise.
    values, axes = torch.linalg.eigh(covariance)
    exact = (noise @ axes) * 80 * (values / (values + 80**2)).sqrt() @ axes.T
    errors = [(heun(gaussian(covariance), noise, noise_levels(n)) - exact).abs().max().item() for n in (25, 50, 100)]
    assert errors[1] < 0.02
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_euler_is_exact_where_heun_is():
    model, noise = denoiser(2), torch.randn(50, 2, generator=seeded(1))
    y = torch.zeros(50, dtype=torch.long)
    with torch.no_grad():
        long = heun(lambda x, sigma: model(x, sigma, y), noise, noise_levels(100))
        torch.testing.assert_close(euler(model, noise, y, 2), long, atol=1e-3, rtol=1e-3)
        # And where F is not 0, many steps of one are many of the other.
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=seeded(2)))
        long = heun(lambda x, sigma: model(x, sigma, y), noise, noise_levels(100))
        torch.testing.assert_close(euler(model, noise, y, 300), long, atol=0.01, rtol=0.01)
        assert (euler(model, noise, y, 1) - long).abs().max() > 0.1


# Learned


@pytest.fixture(scope="module")
def normal() -> tuple[Diffusion, np.ndarray]:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(2000, 1))
    table = common * [1.0, -0.8, 0.0] + rng.normal(size=(2000, 3)) * [0.3, 0.6, 1.0]
    X = pd.DataFrame(table, columns=list("abc"))
    return Diffusion(loss=NATIVE, **{**SHORT, "min_steps": 800}).fit(X, pd.Series(["all"] * 2000)), X


def test_denoiser_approaches_the_posterior_mean(normal):
    fitted, X = normal
    rows, model = encoded(fitted, X), network(fitted)
    ideal = gaussian(rows.T.cov())
    x, y = rows[:1000], torch.zeros(1000, dtype=torch.long)
    for level in (0.1, 0.3, 0.6, 1.5):
        sigma = torch.full((1000, 1), level)
        noised = x + level * torch.randn(x.shape, generator=seeded())
        wanted = ideal(noised, sigma)
        with torch.no_grad():
            error = (model(noised, sigma, y) - wanted).square().mean()
        # What it learned beyond the coefficients, which know no correlation.
        unlearned = (precondition(sigma)[0] * noised - wanted).square().mean()
        assert error < 0.15 * unlearned, level


def test_samples_have_the_covariance(normal):
    fitted, X = normal
    drawn, _ = apart(fitted.sample(4000))
    np.testing.assert_allclose(drawn.mean(), X.mean(), atol=0.12)
    np.testing.assert_allclose(drawn.std(), X.std(), rtol=0.1)
    np.testing.assert_allclose(drawn.corr(), X.corr(), atol=0.08)


@pytest.fixture(scope="module")
def modes() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    mode = rng.integers(0, 6, 1500)
    angle = mode * np.pi / 3
    X = pd.DataFrame({"a": np.cos(angle), "b": np.sin(angle)}) + 0.08 * rng.normal(size=(1500, 2))
    X["pair"] = pd.Categorical(np.array(["p", "q", "r"])[mode // 2])
    return X, pd.Series(np.where(mode % 2, "odd", "even"), name="parity")


@pytest.fixture(scope="module")
def conditional(modes) -> Diffusion:
    return Diffusion(loss=NATIVE, **{**SHORT, "hidden_layer_sizes": (96, 96), "min_steps": 1000}).fit(*modes)


def nearest_mode(X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    angle = np.arange(6) * np.pi / 3
    distance = np.hypot(X["a"].to_numpy()[:, None] - np.cos(angle), X["b"].to_numpy()[:, None] - np.sin(angle))
    return distance.argmin(axis=1), distance.min(axis=1)


def test_modes_and_classes_are_recovered(conditional):
    drawn, asked = apart(conditional.sample({"even": 600, "odd": 600}))
    mode, distance = nearest_mode(drawn)
    assert (distance < 0.35).mean() > 0.9
    assert np.bincount(mode, minlength=6).min() > 100
    assert ((mode % 2 == 1) == (asked == "odd")).mean() > 0.95
    assert (np.array(["p", "q", "r"])[mode // 2] == drawn["pair"].astype(str)).mean() > 0.93


@pytest.fixture(scope="module")
def overlapping() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    label = np.arange(800) % 4 == 0
    X = pd.DataFrame(rng.normal(size=(800, 3)) + 1.2 * label[:, None], columns=list("abc"))
    X["skewed"] = np.exp(rng.normal(size=800) + label)
    X["group"] = pd.Categorical(np.where(rng.random(800) < 0.3 + 0.4 * label, "u", "v"))
    X.loc[rng.random(800) < 0.3, "b"] = np.nan
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


@pytest.fixture(scope="module")
def native(overlapping) -> Diffusion:
    return Diffusion(loss=NATIVE, **SHORT).fit(*overlapping)


def agreement(fitted: Diffusion, X: pd.DataFrame, y: pd.Series, drawn: pd.DataFrame, asked: np.ndarray) -> float:
    classifier = LogisticRegression(class_weight="balanced").fit(encoded(fitted, X), y)
    return (classifier.predict(encoded(fitted, drawn)) == asked).mean()


def test_another_class_by_the_same_noise(native, overlapping):
    X, y = overlapping
    asked = np.where(np.arange(1200) % 2, "well", "ill")
    labels = np.arange(1200) % 2
    rows = [native._sample(of, np.random.default_rng(0)) for of in (labels, 1 - labels)]
    kept, swapped = (agreement(native, X, y, drawn, asked) for drawn in rows)
    assert swapped < 0.35 < 0.65 < kept
    assert abs(kept - agreement(native, X, y, X, y.to_numpy())) < 0.1


def test_missing_cells_and_categories_keep_their_frequencies_within_classes(native, overlapping):
    X, y = overlapping
    drawn, asked = apart(native.sample({"ill": 2000, "well": 2000}))
    for label in ("ill", "well"):
        real, fake = X[y == label], drawn[asked == label]
        assert fake["b"].isna().mean() == pytest.approx(real["b"].isna().mean(), abs=0.1)
        assert (fake["group"] == "u").mean() == pytest.approx((real["group"] == "u").mean(), abs=0.1)


# The weights


def gap(fitted: Diffusion, X: pd.DataFrame, y: pd.Series) -> float:
    drawn, asked = apart(fitted.sample({"ill": 1500, "well": 1500}, seed=3))
    parts = [
        [encoded(fitted, table[of == label]) for table, of in ((X, y), (drawn, asked))] for label in ("ill", "well")
    ]
    return float(np.mean([moments(real, fake).item() for real, fake in parts]))


def test_beta_brings_the_moments_of_samples_closer(overlapping):
    X, y = overlapping
    few = {**SHORT, "min_steps": 60}
    plain, pulled = (Diffusion(loss=Loss(1.0, beta, 0.0), **few).fit(X, y) for beta in (0.0, 3.0))
    assert gap(pulled, X, y) < 0.7 * gap(plain, X, y)
    assert pulled.history_["dist"][-1] < pulled.history_["dist"][0]
    assert "dist" not in plain.history_ and "model" not in pulled.history_


def test_gamma_makes_rows_more_typical_of_their_class(overlapping, native):
    X, y = overlapping
    pulled = Diffusion(loss=Loss(1.0, 0.0, 1.0), **SHORT).fit(X, y)
    agreed = []
    for fitted in (native, pulled):
        drawn, asked = apart(fitted.sample({"ill": 1000, "well": 1000}, seed=4))
        agreed.append(agreement(fitted, X, y, drawn, asked.to_numpy()))
    assert agreed[1] > agreed[0] + 0.05
    assert pulled.history_["model"][-1] < pulled.history_["model"][0]


def test_alpha_is_what_learns_the_dependence(overlapping):
    rng = np.random.default_rng(3)
    a = rng.normal(size=600)
    X = pd.DataFrame({"a": a, "b": a + 0.2 * rng.normal(size=600)})
    y = pd.Series(["all"] * 600)
    correlations = []
    for alpha in (0.0, 1.0):
        fitted = Diffusion(loss=Loss(alpha, 0.5, 0.0), **{**SHORT, "min_steps": 150}).fit(X, y)
        drawn, _ = apart(fitted.sample(1000))
        correlations.append(drawn["a"].corr(drawn["b"]))
    # Equal moments of each column do not make them depend on one another.
    assert abs(correlations[0]) < 0.5 < 0.9 < correlations[1]


# Training


def test_average_follows_and_smooths():
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    average, values = WeightAverage(model, 0.9), []
    for k in range(400):
        with torch.no_grad():
            model.weight.fill_(1.0 + (-1) ** k)
        average.update(model)
        values.append(average.model.weight.item())
    # A step keeps 0.9 in the end: swings of 1 become swings of 0.1 / 1.9.
    assert values[-1] == pytest.approx(1 - 0.1 / 1.9, abs=1e-3) and model.weight.item() == 0
    # Early on it keeps less, 1 / 10 in the first step.
    assert values[0] == pytest.approx(2 * 0.9)


def test_rows_are_drawn_with_the_average(overlapping):
    X, y = overlapping
    few = {**SHORT, "min_steps": 60, "learning_rate": 0.03, "loss": NATIVE}
    last, averaged = (Diffusion(ema_decay=ema, **few).fit(X, y) for ema in (0.0, 0.999))
    # Training itself is the same; what is kept is not.
    assert last.history_ == averaged.history_
    name = max(last.weights_, key=lambda name: last.weights_[name].size)
    assert np.abs(last.weights_[name] - averaged.weights_[name]).max() > 1e-3


def test_history_has_one_number_per_epoch_and_term(overlapping):
    history = Diffusion(**{**SHORT, "min_steps": 20}).fit(*overlapping).history_
    names = {"rec", "dist", "model"}
    assert set(history) == names | {f"{name}_weighted" for name in names} | {"total"}
    assert all(len(values) == 5 for values in history.values())
    np.testing.assert_allclose(history["total"], np.sum([history[f"{n}_weighted"] for n in names], axis=0), rtol=1e-5)


def test_first_loss_is_one_per_column(normal):
    _, X = normal
    history = (
        Diffusion(loss=NATIVE, **{**SHORT, "epochs": 1, "min_steps": 1, "batch_size": 2000})
        .fit(X, pd.Series(["all"] * 2000))
        .history_
    )
    # Unit targets under 1 / c_out^2, columns of unit variance: one per column.
    assert history["rec"][0] == pytest.approx(1.0, abs=0.05)


def test_sampling_in_batches_changes_no_row(native, monkeypatch):
    labels = np.arange(50) % 2
    whole = native._sample(labels, np.random.default_rng(0))
    monkeypatch.setattr(training, "_CHUNK", 7)
    pd.testing.assert_frame_equal(native._sample(labels, np.random.default_rng(0)), whole, rtol=1e-3, atol=1e-3)


def test_divergence_of_training_keeps_the_last_good_weights(overlapping):
    fitted = Diffusion(**{**SHORT, "learning_rate": 1e30})
    with pytest.raises(Diverged, match="last good epoch"):
        fitted.fit(*overlapping)
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())
    assert len(fitted.sample(5)) == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("hidden_layer_sizes", (8, 0)),
        ("epochs", True),
        ("min_steps", "9"),
        ("batch_size", -1),
        ("sampling_steps", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("ema_decay", 1.0),
        ("ema_decay", "slow"),
        ("device", "tpu"),
        ("loss", Loss(-1)),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, overlapping):
    with pytest.raises(InputError, match=f"^{parameter}"):
        Diffusion(**{parameter: value}).fit(*overlapping)
