"""The VAE against closed forms: its likelihood, KL term and bound, and what each part of L_total does to it."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MinMaxScaler
from tables import apart

from trisynth.config import instantiate
from trisynth.encoders.table import Block, TableEncoder
from trisynth.errors import InputError
from trisynth.generators.neural import device, state, training
from trisynth.generators.neural.networks.autoencoder import Autoencoder, kl_divergence
from trisynth.generators.neural.networks.likelihoods import ColumnLikelihood
from trisynth.generators.neural.vae import VAE
from trisynth.objective import Diverged, Loss, moments

NATIVE = Loss(1.0, 0.0, 0.0)
BLOCKS = [
    Block("a", "number", 0, 1),
    Block("b", "number", 1, 2),
    Block("b", "missing", 2, 3),
    Block("c", "category", 3, 6),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with device.one_thread():
        yield


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_label(table: np.ndarray) -> tuple[pd.DataFrame, pd.Series]:
    return pd.DataFrame(table, columns=[f"x{i}" for i in range(table.shape[1])]), pd.Series(["all"] * len(table))


def network(fitted: VAE) -> Autoencoder:
    return device.from_arrays(fitted._network(seeded()), fitted.weights_)


def encoded(fitted: VAE, X: pd.DataFrame) -> torch.Tensor:
    matrix = (fitted.encoder_.encoder_.transform(X) - fitted.encoder_.mean_) / fitted.encoder_.scale_
    return torch.tensor(matrix, dtype=torch.float32)


# Closed forms


def test_divergence_agrees_with_monte_carlo():
    mean, log_variance = torch.randn(4, 3, generator=seeded()), torch.randn(4, 3, generator=seeded(1))
    q, prior = torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0.0, 1.0)
    z = mean + (0.5 * log_variance).exp() * torch.randn(100_000, 4, 3, generator=seeded(2))
    ratios = (q.log_prob(z) - prior.log_prob(z)).sum(dim=2)
    error = ratios.std(dim=0) / math.sqrt(len(ratios))
    assert ((ratios.mean(dim=0) - kl_divergence(mean, log_variance)).abs() < 4 * error).all()
    assert kl_divergence(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


@pytest.fixture
def likelihood() -> ColumnLikelihood:
    made = ColumnLikelihood(BLOCKS, torch.tensor([7.0]))
    with torch.no_grad():
        made.log_noise.copy_(torch.tensor([0.3, -0.5]))
    return made


def test_likelihood_is_gaussian_bernoulli_and_categorical(likelihood):
    output = torch.tensor([[0.5, 1.0, -0.4, 0.2, 1.0, -1.0]]).repeat(3, 1)
    rows = torch.tensor([[1.0, 2.0, 0, 0, 1, 0], [1.0, 7.0, 1, 1, 0, 0], [1.0, -50.0, 1, 0, 0, 0]])
    deviation = likelihood.variance.sqrt().detach().numpy()
    first = stats.norm.logpdf(1.0, 0.5, deviation[0])
    second = stats.norm.logpdf(2.0, 1.0, deviation[1])
    absent = 1 / (1 + math.exp(0.4))
    category = np.log(np.exp([0.2, 1.0, -1.0]) / np.exp([0.2, 1.0, -1.0]).sum())
    expected = [first + second + math.log(1 - absent) + category[1], first + math.log(absent) + category[0]]
    # The third row's category was never seen, and its missing number's fill does not count.
    expected.append(first + math.log(absent))
    np.testing.assert_allclose(likelihood.log_density(rows, output).detach(), expected, rtol=1e-5)


def test_draws_follow_the_likelihood(likelihood):
    n = 100_000
    output = torch.tensor([[0.5, 1.0, -0.4, 0.2, 1.0, -1.0]]).repeat(n, 1)
    rows = likelihood.draw(output, torch.rand(n, 6, generator=seeded())).detach().double()
    shares = torch.cat([output[:1, 2].sigmoid(), output[0, 3:].softmax(dim=0)])
    np.testing.assert_allclose(rows[:, 2:].mean(dim=0), shares, atol=0.01)
    assert set(rows[:, 2:].unique().tolist()) == {0.0, 1.0} and (rows[:, 3:].sum(dim=1) == 1).all()
    present = rows[rows[:, 2] == 0]
    assert (rows[rows[:, 2] == 1][:, 1] == 7).all()
    np.testing.assert_allclose(present[:, :2].mean(dim=0), [0.5, 1.0], atol=0.03)
    np.testing.assert_allclose(present[:, :2].var(dim=0), likelihood.variance.detach(), rtol=0.03)


def test_draws_have_the_gradient_of_their_mean(likelihood):
    n = 20_000
    output = torch.tensor([0.5, 1.0, -0.4, 0.2, 1.0, -1.0], requires_grad=True)
    uniform = torch.rand(n, 6, generator=seeded())
    weights = torch.tensor([1.0, 2.0, 0.0, 1.0, -1.0, 0.5])
    (likelihood.draw(output.expand(n, 6), uniform) @ weights).mean().backward()
    p, absent = output[3:].softmax(dim=0), output[2].sigmoid()
    exact = torch.stack([torch.tensor(1.0), 2 * (1 - absent), *(p * (weights[3:] - weights[3:] @ p))]).detach()
    drawn = output.grad[[0, 1, 3, 4, 5]]
    np.testing.assert_allclose(drawn[:2], exact[:2], rtol=0.05)
    # The straight-through estimator is biased, but points the right way.
    assert torch.nn.functional.cosine_similarity(drawn[2:], exact[2:], dim=0) > 0.95


# The linear VAE is probabilistic PCA (Lucas et al. 2019)


NOISE = 0.3


@pytest.fixture(scope="module")
def linear() -> tuple[VAE, pd.DataFrame]:
    rng = np.random.default_rng(0)
    angles = np.arange(6) * np.pi / 6
    # Rows of unit length give every column the same variance: its noise stays isotropic when columns are scaled.
    loadings = np.column_stack([np.cos(angles), np.sin(angles)])
    X, y = one_label(rng.normal(size=(3000, 2)) @ loadings.T + NOISE * rng.normal(size=(3000, 6)))
    fitted = VAE(latent_dim=2, hidden_layer_sizes=(), loss=NATIVE, learning_rate=1e-2, epochs=10, min_steps=1000).fit(
        X, y
    )
    return fitted, X


def test_linear_vae_recovers_probabilistic_pca(linear):
    fitted, X = linear
    model, rows = network(fitted), encoded(fitted, X).numpy()
    pca = PCA(2).fit(rows)
    weights = model.decoder[0].weight.detach().numpy()[:, :2]
    basis = np.linalg.qr(weights)[0]
    # Cosines of the principal angles between the two subspaces.
    assert np.linalg.svd(basis.T @ pca.components_.T)[1].min() > 0.995
    np.testing.assert_allclose(model.likelihood.variance.detach(), pca.noise_variance_, rtol=0.15)
    np.testing.assert_allclose(pca.noise_variance_, NOISE**2 / (1 + NOISE**2), rtol=0.1)
    np.testing.assert_allclose(np.linalg.svd(weights)[1] ** 2 + pca.noise_variance_, pca.explained_variance_, rtol=0.1)


def importance_bound(model: Autoencoder, rows: torch.Tensor, labels: torch.Tensor, k: int) -> float:
    """Mean importance-weighted bound (Burda et al. 2016); k = 1 is the evidence lower bound."""
    mean, log_variance = model.posterior(rows, labels)
    q, prior = torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0.0, 1.0)
    z = mean + (0.5 * log_variance).exp() * torch.randn(k, *mean.shape, generator=seeded(k))
    inside = torch.stack([model.likelihood.log_density(rows, model.decode(draw, labels)) for draw in z])
    return ((inside + (prior.log_prob(z) - q.log_prob(z)).sum(dim=2)).logsumexp(dim=0) - math.log(k)).mean().item()


def test_bounds_are_ordered_and_below_the_exact_likelihood(linear):
    _, X = linear
    # Trained for a moment, so that there is a gap to see.
    fitted = VAE(latent_dim=2, hidden_layer_sizes=(), loss=NATIVE, epochs=1, min_steps=60).fit(
        X, pd.Series(["all"] * len(X))
    )
    model, rows = network(fitted), encoded(fitted, X)
    rows = rows[:1000]
    labels = torch.zeros(len(rows), dtype=torch.long)
    with torch.no_grad():
        bounds = [importance_bound(model, rows, labels, k) for k in (1, 5, 50, 300)]
        decoder = model.decoder[0]
        W, centre = decoder.weight[:, :2].double().numpy(), (decoder.bias + decoder.weight[:, 2]).double().numpy()
        covariance = W @ W.T + np.diag(model.likelihood.variance.double().numpy())
    exact = stats.multivariate_normal.logpdf(rows.double().numpy(), centre, covariance).mean()
    assert bounds == sorted(bounds) and bounds[0] < bounds[-1] - 0.05
    assert bounds[-1] < exact + 0.01
    assert exact - bounds[-1] < 0.2 * (exact - bounds[0])


def test_recorded_terms_are_the_bound(linear):
    fitted, X = linear
    model, rows = network(fitted), encoded(fitted, X)
    with torch.no_grad():
        bound = importance_bound(model, rows, torch.zeros(len(rows), dtype=torch.long), 1)
    last = {name: values[-1] for name, values in fitted.history_.items()}
    assert -(last["rec"] * 6 + last["kl"]) == pytest.approx(bound, abs=0.1)
    assert last["native"] / last["kl"] == pytest.approx(last["rec_weighted"] / (last["rec"] * 6))


def test_rows_are_drawn_from_the_likelihood_and_not_from_its_mean(linear):
    fitted, X = linear
    drawn, _ = apart(fitted.sample(8000))
    np.testing.assert_allclose(drawn.std(), X.std(), rtol=0.06)
    with torch.no_grad():
        uniform = torch.rand(8000, 8, generator=seeded())
        uniform[:, 2:] = 0.5
        means = network(fitted).draw(torch.zeros(8000, dtype=torch.long), uniform)
    # The mean of p(x given z) lacks the noise.
    np.testing.assert_allclose(means.var(dim=0), 1 - NOISE**2 / (1 + NOISE**2), rtol=0.08)


def test_switched_off_the_likelihood_lends_no_noise(linear):
    fitted, X = linear
    bare = VAE(latent_dim=2, hidden_layer_sizes=(), observation_noise=False)
    vars(bare).update({name: value for name, value in vars(fitted).items() if name.endswith("_")})
    drawn = (apart(bare.sample(8000))[0] - X.mean()) / X.std()
    np.testing.assert_allclose(drawn.var(), 1 - NOISE**2 / (1 + NOISE**2), rtol=0.08)


def test_without_the_kl_term_codes_leave_the_prior(linear):
    _, X = linear
    y, brief = (
        pd.Series(["all"] * len(X)),
        {"latent_dim": 2, "hidden_layer_sizes": (), "loss": NATIVE, "epochs": 1, "min_steps": 150},
    )
    last = [VAE(kl=on, **brief, learning_rate=1e-2).fit(X, y).history_["kl"][-1] for on in (True, False)]
    assert last[1] > 1.2 * last[0]


# The class


@pytest.fixture(scope="module")
def overlapping() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    label = np.arange(800) % 4 == 0
    shifted = rng.normal(size=(800, 3)) + 1.2 * label[:, None]
    X = pd.DataFrame(shifted, columns=list("abc"))
    X["skewed"] = np.exp(rng.normal(size=800) + label)
    X["group"] = pd.Categorical(np.where(rng.random(800) < 0.3 + 0.4 * label, "u", "v"))
    X.loc[rng.random(800) < 0.3, "b"] = np.nan
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


SHORT = {
    "hidden_layer_sizes": (32,),
    "latent_dim": 4,
    "epochs": 5,
    "min_steps": 400,
    "batch_size": 128,
    "learning_rate": 1e-2,
}


@pytest.fixture(scope="module")
def conditional(overlapping) -> VAE:
    return VAE(loss=NATIVE, **SHORT).fit(*overlapping)


def agreement(fitted: VAE, X: pd.DataFrame, y: pd.Series, drawn: pd.DataFrame, asked: np.ndarray) -> float:
    # Balanced real rows, so that the larger class is not simply the better guess.
    classifier = LogisticRegression(class_weight="balanced").fit(encoded(fitted, X), y)
    return (classifier.predict(encoded(fitted, drawn)) == asked).mean()


def test_rows_are_of_the_requested_class(conditional, overlapping):
    X, y = overlapping
    drawn, asked = apart(conditional.sample({"ill": 600, "well": 600}, seed=2))
    agreed = agreement(conditional, X, y, drawn, asked.to_numpy())
    real = agreement(conditional, X, y, X, y.to_numpy())
    assert agreed > 0.7 and abs(agreed - real) < 0.1
    # The same noise under the other label gives the other class.
    labels = (asked == "well").to_numpy().astype(int)
    rows = [conditional._sample(asked_of, np.random.default_rng(0)) for asked_of in (labels, 1 - labels)]
    kept, swapped = (agreement(conditional, X, y, drawn_of, asked.to_numpy()) for drawn_of in rows)
    assert swapped < 0.35 < 0.7 < kept


def test_missing_cells_and_categories_keep_their_frequencies_within_classes(conditional, overlapping):
    X, y = overlapping
    drawn, asked = apart(conditional.sample({"ill": 3000, "well": 3000}))
    for label in ("ill", "well"):
        real, fake = X[y == label], drawn[asked == label]
        assert fake["b"].isna().mean() == pytest.approx(real["b"].isna().mean(), abs=0.06)
        assert (fake["group"] == "u").mean() == pytest.approx((real["group"] == "u").mean(), abs=0.08)
        assert fake["b"].mean() == pytest.approx(real["b"].mean(), abs=0.25)


def test_filled_values_of_missing_numbers_are_not_learned(overlapping):
    X, y = overlapping
    # Nine in ten cells are missing: a likelihood that counted their fill would put nearly all mass there.
    sparse = X.assign(b=X["a"].where(np.arange(len(X)) % 10 == 0))
    drawn, _ = apart(VAE(loss=NATIVE, **SHORT).fit(sparse, y).sample(4000))
    assert drawn["b"].notna().mean() == pytest.approx(0.1, abs=0.03)
    assert drawn["b"].std() > 0.6 * sparse["b"].std()


# The weights


def gap(fitted: VAE, X: pd.DataFrame, y: pd.Series) -> float:
    model, gaps = network(fitted), []
    for number, label in enumerate(fitted.labels_):
        with torch.no_grad():
            uniform = torch.rand(20_000, fitted.latent_dim + fitted.encoder_.width_, generator=seeded())
            drawn = model.draw(torch.full((20_000,), number), uniform)
        gaps.append(moments(encoded(fitted, X[y == label]), drawn).item())
    return float(np.mean(gaps))


def test_beta_brings_the_moments_of_prior_samples_closer(overlapping, conditional):
    with_beta = VAE(loss=Loss(1.0, 1.0, 0.0), **SHORT).fit(*overlapping)
    assert gap(with_beta, *overlapping) < 0.6 * gap(conditional, *overlapping)
    assert with_beta.history_["dist"][-1] < with_beta.history_["dist"][0]
    assert "dist" not in conditional.history_ and "model" not in with_beta.history_


def test_gamma_makes_rows_more_typical_of_their_class(overlapping, conditional):
    X, y = overlapping
    with_gamma = VAE(loss=Loss(1.0, 0.0, 1.0), **SHORT).fit(X, y)
    agreed = []
    for fitted in (conditional, with_gamma):
        drawn, asked = apart(fitted.sample({"ill": 1000, "well": 1000}, seed=4))
        agreed.append(agreement(fitted, X, y, drawn, asked.to_numpy()))
    assert agreed[1] > agreed[0] + 0.08
    assert with_gamma.history_["model"][-1] < with_gamma.history_["model"][0]


def test_alpha_sharpens_reconstruction(overlapping):
    last = {}
    for alpha in (0.0, 0.3, 3.0):
        history = VAE(loss=Loss(alpha, 0.5, 0.0), **{**SHORT, "min_steps": 250}).fit(*overlapping).history_
        last[alpha] = history["rec"][-1], history["kl"][-1]
    assert last[3.0][0] < last[0.3][0] < last[0.0][0]
    # Without L_rec nothing holds the code, and the KL term empties it.
    assert last[3.0][1] > 2 * last[0.3][1] > last[0.0][1] and last[0.0][1] < 0.05


def test_gamma_acts_on_a_numeric_target():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(500, 3)), columns=list("abc"))
    y = pd.Series(X["a"] - X["b"] + 0.5 * rng.normal(size=500), name="y")
    errors = []
    for gamma in (0.0, 6.0):
        fitted = VAE(loss=Loss(1.0, 0.0, gamma), **{**SHORT, "min_steps": 700}).fit(X, y)
        drawn, target = apart(fitted.sample(2000))
        errors.append(np.square(target - drawn["a"] + drawn["b"]).mean())
    assert errors[1] < 0.8 * errors[0]


# Training


def test_history_has_one_number_per_epoch_and_term(overlapping):
    fitted = VAE(**{**SHORT, "min_steps": 50}).fit(*overlapping)
    names = {"rec", "dist", "model"}
    assert set(fitted.history_) == names | {f"{name}_weighted" for name in names} | {"kl", "native", "total"}
    assert all(len(values) == 5 for values in fitted.history_.values())
    parts = np.sum([fitted.history_[f"{name}_weighted"] for name in names], axis=0) + fitted.history_["native"]
    np.testing.assert_allclose(fitted.history_["total"], parts, rtol=1e-5)


@pytest.mark.parametrize(("rows", "taken"), [(40, 24), (300, 24), (800, 40)])
def test_small_tables_get_their_gradient_steps_and_large_ones_their_epochs(rows, taken, overlapping, monkeypatch):
    X, y = overlapping
    counted = []

    def count(n: int, size: int, generator: torch.Generator):
        for batch in every_batch(n, size, generator):
            counted.append(len(batch))
            yield batch

    every_batch = state.batches
    monkeypatch.setattr(state, "batches", count)
    VAE(hidden_layer_sizes=(4,), epochs=4, min_steps=21, batch_size=80, loss=NATIVE).fit(X.iloc[:rows], y.iloc[:rows])
    assert len(counted) == taken and set(counted) == {min(rows, 80)}


def test_batches_take_every_row_before_any_twice():
    stream = state.batches(10, 4, seeded())
    taken = torch.cat([next(stream) for _ in range(5)])
    assert sorted(taken[:10].tolist()) == sorted(taken[10:].tolist()) == list(range(10))


def test_sampling_in_batches_changes_no_row(conditional, monkeypatch):
    labels = np.arange(50) % 2
    whole = conditional._sample(labels, np.random.default_rng(0))
    monkeypatch.setattr(training, "_CHUNK", 7)
    pd.testing.assert_frame_equal(conditional._sample(labels, np.random.default_rng(0)), whole, rtol=1e-4)


@pytest.mark.usefixtures("unprotected")  # which rows are drawn again depends on their last bits
def test_scale_of_the_encoder_does_not_matter(overlapping):
    drawn = [
        VAE(encoder=TableEncoder(scaler), loss=NATIVE, **{**SHORT, "min_steps": 30}).fit(*overlapping).sample(99)
        for scaler in (None, MinMaxScaler())
    ]
    pd.testing.assert_frame_equal(*drawn, rtol=1e-2, atol=1e-2)


def test_divergence_of_training_keeps_the_last_good_weights(overlapping):
    X, y = overlapping
    fitted = VAE(**{**SHORT, "learning_rate": 1e30})
    with pytest.raises(Diverged, match="last good epoch"):
        fitted.fit(X, y)
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())
    assert len(fitted.sample(5)) == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("latent_dim", 0),
        ("hidden_layer_sizes", (8, 0)),
        ("hidden_layer_sizes", (2.5,)),
        ("epochs", True),
        ("min_steps", "9"),
        ("batch_size", -1),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", "fast"),
        ("device", "tpu"),
        ("loss", Loss(-1)),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, overlapping):
    with pytest.raises(InputError, match=f"^{parameter}"):
        VAE(**{parameter: value}).fit(*overlapping)


@pytest.mark.skipif(torch.cuda.is_available(), reason="refused only where there is no GPU")
def test_absent_gpu_is_refused(overlapping):
    with pytest.raises(InputError, match=r"^device='cuda'.*use device=cpu"):
        VAE(device="cuda").fit(*overlapping)


@pytest.mark.parametrize(
    ("former", "present"),
    [("latent", "latent_dim"), ("hidden", "hidden_layer_sizes"), ("steps", "min_steps"), ("ranks", "normal_scores")],
)
def test_a_former_argument_is_answered_with_its_present_name(former, present):
    with pytest.raises(InputError, match=f"^generator.{former}=3: is now called generator.{present}$"):
        instantiate({"_target_": "trisynth.generators.neural.vae.VAE", former: 3}, "generator")
