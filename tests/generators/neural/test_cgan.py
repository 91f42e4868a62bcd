"""The conditional GAN: both networks use the label, and gamma makes rows more typical of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tables import apart

from trisynth.generators.neural import device
from trisynth.generators.neural.cgan import CGAN
from trisynth.objective import Loss

SHORT = {
    "latent_dim": 8,
    "hidden_layer_sizes": (32, 32),
    "epochs": 4,
    "min_steps": 300,
    "batch_size": 128,
    "learning_rate": 5e-3,
}


@pytest.fixture(scope="module")
def overlapping() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    label = np.arange(800) % 4 == 0
    X = pd.DataFrame(rng.normal(size=(800, 3)) + 1.2 * label[:, None], columns=list("abc"))
    X["group"] = pd.Categorical(np.where(rng.random(800) < 0.3 + 0.4 * label, "u", "v"))
    X.loc[rng.random(800) < 0.3, "b"] = np.nan
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


@pytest.fixture(scope="module")
def plain(overlapping) -> CGAN:
    return CGAN(loss=Loss(1.0, 0.0, 0.0, pairing="none"), **SHORT).fit(*overlapping)


def encoded(fitted: CGAN, X: pd.DataFrame) -> np.ndarray:
    return (fitted.encoder_.encoder_.transform(X) - fitted.encoder_.mean_) / fitted.encoder_.scale_


def agreement(fitted: CGAN, X: pd.DataFrame, y: pd.Series, seed: int = 2) -> float:
    drawn, asked = apart(fitted.sample({"ill": 1000, "well": 1000}, seed=seed))
    classifier = LogisticRegression(class_weight="balanced").fit(encoded(fitted, X), y)
    return (classifier.predict(encoded(fitted, drawn)) == asked).mean()


def test_an_independent_classifier_agrees_with_the_requested_labels(plain, overlapping):
    X, y = overlapping
    real = LogisticRegression(class_weight="balanced").fit(encoded(plain, X), y).score(encoded(plain, X), y)
    assert agreement(plain, X, y) > 0.7 and abs(agreement(plain, X, y) - real) < 0.15
    # The same noise under the other label gives the other class.
    labels = np.arange(1000) % 2
    first, second = (plain._sample(asked, np.random.default_rng(0)) for asked in (labels, 1 - labels))
    classifier = LogisticRegression(class_weight="balanced").fit(encoded(plain, X), y)
    asked = np.array(["ill", "well"])[labels]
    assert (classifier.predict(encoded(plain, first)) == asked).mean() > 0.65
    assert (classifier.predict(encoded(plain, second)) == asked).mean() < 0.35


def test_swapped_labels_lower_the_discriminators_score(plain, overlapping):
    X, y = overlapping
    rows = torch.tensor(encoded(plain, X), dtype=torch.float32)
    labels = torch.tensor((y == "well").to_numpy().astype(int))
    classifier = device.from_arrays(plain._discriminator(torch.Generator()), plain.discriminator_).eval()
    with torch.no_grad():
        kept, swapped = classifier(rows, labels), classifier(rows, 1 - labels)
    for label in (0, 1):
        assert (kept - swapped)[labels == label].mean() > 0.1


def test_without_labels_the_discriminator_is_unconditional(plain, overlapping):
    unseen = CGAN(condition_discriminator=False, loss=Loss(1.0, 0.0, 0.0, pairing="none"), **SHORT).fit(*overlapping)
    classifier = device.from_arrays(unseen._discriminator(torch.Generator()), unseen.discriminator_).eval()
    rows = torch.randn(9, unseen.encoder_.width_)
    assert torch.equal(classifier(rows, torch.zeros(9, dtype=int)), classifier(rows, torch.ones(9, dtype=int)))
    assert agreement(unseen, *overlapping) < agreement(plain, *overlapping) - 0.1


def test_missing_cells_and_categories_keep_their_frequencies(plain, overlapping):
    X, y = overlapping
    drawn, asked = apart(plain.sample({"ill": 2000, "well": 2000}))
    for label in ("ill", "well"):
        real, fake = X[y == label], drawn[asked == label]
        assert fake["b"].isna().mean() == pytest.approx(real["b"].isna().mean(), abs=0.15)
        assert (fake["group"] == "u").mean() == pytest.approx((real["group"] == "u").mean(), abs=0.2)


def test_alpha_shrinks_the_distance_of_pairs(overlapping):
    brief = {**SHORT, "min_steps": 120}
    last = [CGAN(loss=Loss(alpha, 0.0, 0.0), **brief).fit(*overlapping).history_["rec"][-1] for alpha in (0.03, 3.0)]
    assert last[1] < 0.9 * last[0]


def test_beta_brings_moments_closer(overlapping):
    brief = {**SHORT, "min_steps": 120}
    histories = [CGAN(loss=Loss(0.0, beta, 0.0), **brief).fit(*overlapping).history_["dist"] for beta in (1e-6, 3.0)]
    assert histories[1][-1] < 0.7 * histories[0][-1]


def test_gamma_makes_rows_more_typical_of_their_class(overlapping, plain):
    with_gamma = CGAN(loss=Loss(0.0, 0.0, 2.0), **SHORT).fit(*overlapping)
    assert agreement(with_gamma, *overlapping) > agreement(plain, *overlapping) + 0.05


def test_dropout_acts_and_sampling_uses_none(overlapping):
    short = {**SHORT, "epochs": 1, "min_steps": 5}
    first, second = (CGAN(dropout=share, **short).fit(*overlapping) for share in (0.0, 0.5))
    assert not np.array_equal(first.discriminator_["layers.0.weight"], second.discriminator_["layers.0.weight"])
    pd.testing.assert_frame_equal(apart(second.sample(40))[0], apart(second.sample(40))[0])
