"""The GAN: modes that it covers, classes that share nothing, and what each part of L_total does to it."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from tables import apart

from trisynth.errors import InputError
from trisynth.generators.neural.gan import GAN, PerClass
from trisynth.objective import Diverged, Loss

NATIVE = Loss(1.0, 0.0, 0.0, pairing="none")
SHORT = {
    "latent_dim": 8,
    "hidden_layer_sizes": (32, 32),
    "epochs": 4,
    "min_steps": 160,
    "batch_size": 64,
    "learning_rate": 5e-3,
}
RING = {"latent_dim": 8, "hidden_layer_sizes": (64, 64), "batch_size": 128, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def ring() -> tuple[np.ndarray, tuple[pd.DataFrame, pd.Series]]:
    rng = np.random.default_rng(0)
    angles = np.arange(8) * np.pi / 4
    centres = 2 * np.column_stack([np.cos(angles), np.sin(angles)])
    rows = centres[np.arange(1600) % 8] + 0.1 * rng.normal(size=(1600, 2))
    return centres, (pd.DataFrame(rows, columns=["a", "b"]), pd.Series(["all"] * len(rows)))


def covered(centres: np.ndarray, drawn: pd.DataFrame) -> tuple[int, float]:
    """Modes with at least a fifth of their expected rows, and the fraction of rows near any mode."""
    distances = np.linalg.norm(drawn.to_numpy()[:, None] - centres, axis=2)
    near = distances.min(axis=1) < 0.4
    return (np.bincount(distances.argmin(axis=1)[near], minlength=8) > len(drawn) / 40).sum(), near.mean()


@pytest.mark.parametrize("pairing", ["none", "transport"])
def test_ring_of_eight_gaussians_is_covered(ring, pairing):
    centres, table = ring
    loss = Loss(1.0, 0.0, 0.0, pairing=pairing)
    fitted = GAN(epochs=5, min_steps=800, loss=loss, **RING).fit(*table)
    modes, near = covered(centres, apart(fitted.sample(1600))[0])
    assert modes == 8 and near > 0.6
    # Hardly trained, the same network fails the check.
    modes, near = covered(centres, apart(GAN(epochs=1, min_steps=20, loss=loss, **RING).fit(*table).sample(1600))[0])
    assert modes < 8 or near < 0.4


@pytest.fixture(scope="module")
def classes() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    label = np.arange(600) % 4 == 0
    X = pd.DataFrame(rng.normal(size=(600, 2)) + 2.0 * label[:, None], columns=list("ab"))
    X["group"] = pd.Categorical(np.where(rng.random(600) < 0.2 + 0.6 * label, "u", "v"))
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


def test_a_class_is_learned_from_its_rows_alone(classes):
    X, y = classes
    # Moving the healthy rows away changes nothing about the ill, up to the scale of the columns.
    drawn = apart(GAN(loss=Loss(1.0, 0.0, 0.0), **SHORT).fit(X, y).sample({"ill": 500, "well": 500}))
    for label in ("ill", "well"):
        real, fake = X[y == label], drawn[0][(drawn[1] == label).to_numpy()]
        assert fake["a"].mean() == pytest.approx(real["a"].mean(), abs=0.5)
        assert (fake["group"] == "u").mean() == pytest.approx((real["group"] == "u").mean(), abs=0.2)


def test_networks_of_other_classes_get_no_gradient():
    networks = PerClass(torch.nn.Linear(2, 1) for _ in range(3))
    rows = torch.arange(8.0).reshape(4, 2)
    labels = torch.tensor([2, 0, 2, 0])
    outputs = networks(rows, labels)
    for row, label, output in zip(rows, labels, outputs, strict=True):
        assert torch.allclose(networks[int(label)](row), output)
    outputs.sum().backward()
    assert networks[1].weight.grad is None and networks[0].weight.grad is not None


def test_alpha_brings_pairs_closer_and_beta_moments(classes):
    histories = {
        name: GAN(loss=loss, **SHORT).fit(*classes).history_
        for name, loss in {
            "alpha": Loss(3.0, 0.0, 0.0),
            "less": Loss(0.03, 0.0, 0.0),
            "beta": Loss(0.03, 3.0, 0.0),
        }.items()
    }
    assert histories["alpha"]["rec"][-1] < 0.9 * histories["less"]["rec"][-1]
    assert histories["beta"]["dist"][-1] < 0.5 * histories["beta"]["dist"][0]
    assert set(histories["less"]) == {"rec", "rec_weighted", "native", "total", "discriminator"}


def test_without_pairs_alpha_has_no_effect(classes):
    X, y = classes
    tables = [
        GAN(loss=Loss(alpha, 0.1, 0.0, pairing="none"), **{**SHORT, "min_steps": 8}).fit(X, y) for alpha in (0.0, 5.0)
    ]
    pd.testing.assert_frame_equal(*(apart(fitted.sample(50))[0] for fitted in tables))
    assert all("rec" not in fitted.history_ for fitted in tables)


def test_divergence_keeps_the_last_good_weights(classes):
    fitted = GAN(**{**SHORT, "learning_rate": 1e30})
    with pytest.raises(Diverged, match="last good epoch"):
        fitted.fit(*classes)
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())
    assert len(fitted.sample(5)) == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("latent_dim", 0),
        ("hidden_layer_sizes", (8, -1)),
        ("dropout", 1.0),
        ("dropout", "half"),
        ("min_steps", 2.5),
        ("learning_rate", math.inf),
        ("device", "tpu"),
        ("loss", Loss(beta=-1)),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, classes):
    with pytest.raises(InputError, match=f"^{parameter}"):
        GAN(**{parameter: value}).fit(*classes)
