"""TGAN: its parts in closed form, what each of them does, and each part of L_total."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from tables import apart

from trisynth.errors import InputError
from trisynth.generators.neural import device
from trisynth.generators.neural.networks.recurrent import Discriminator, RecurrentGenerator, closeness
from trisynth.generators.neural.tgan import TGAN, kl_divergence
from trisynth.objective import Diverged, Loss

NATIVE = Loss(1.0, 0.0, 0.0, pairing="none")
SHORT = {
    "latent_dim": 8,
    "units": 24,
    "hidden_layer_sizes": (32,),
    "epochs": 2,
    "min_steps": 160,
    "batch_size": 100,
    "learning_rate": 5e-3,
}
PARTS = [(0, 1, True), (1, 3, False), (3, 6, False)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    label = np.arange(800) % 4 == 0
    X = pd.DataFrame({"a": rng.normal(size=800) + 2.0 * label})
    X["group"] = pd.Categorical(np.where(rng.random(800) < 0.2 + 0.6 * label, "u", "v"))
    X["twin"] = pd.Categorical(np.where(X["group"] == "u", "p", "q"))
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


@pytest.fixture(scope="module")
def native(table) -> TGAN:
    return TGAN(loss=NATIVE, **{**SHORT, "min_steps": 300}).fit(*table)


# The parts


def test_emitted_parts_are_offsets_and_probabilities():
    rows = RecurrentGenerator(PARTS, 4, 8, True, seeded())(3 * torch.randn(50, 4, generator=seeded()))
    assert rows.shape == (50, 6) and rows[:, 0].abs().max() < 1
    np.testing.assert_allclose(rows[:, 1:3].sum(dim=1).detach(), 1.0, rtol=1e-5)
    np.testing.assert_allclose(rows[:, 3:].sum(dim=1).detach(), 1.0, rtol=1e-5)


def test_a_column_sees_those_before_it_and_none_after():
    emitter, inputs = RecurrentGenerator(PARTS, 4, 8, True, seeded()), torch.randn(20, 4, generator=seeded())
    before = emitter(inputs)
    with torch.no_grad():
        emitter.outputs[1].bias.add_(torch.tensor([2.0, -2.0]))
    changed = (before != emitter(inputs)).any(dim=0).tolist()
    assert changed == [False, True, True, True, True, True]


def test_attention_is_a_learned_average_of_earlier_states():
    inputs = torch.randn(20, 4, generator=seeded())
    emitter = RecurrentGenerator(PARTS, 4, 8, True, seeded())
    before = emitter(inputs)
    with torch.no_grad():
        emitter.attention[1].copy_(torch.tensor([3.0, -3.0]))
    after = emitter(inputs)
    # The third part alone chooses between two earlier states.
    assert torch.equal(before[:, :3], after[:, :3]) and not torch.allclose(before[:, 3:], after[:, 3:])
    assert not [name for name in RecurrentGenerator(PARTS, 4, 8, False, seeded()).state_dict() if "attention" in name]


def test_closeness_is_the_mean_of_exponential_distances():
    points = torch.randn(6, 3, 2, generator=seeded(), dtype=torch.float64)
    gaps = (points[:, None] - points[None]).abs().sum(dim=3)
    torch.testing.assert_close(closeness(points), torch.exp(-gaps).mean(dim=1))
    assert closeness(torch.zeros(5, 3, 2)).eq(1).all()


def test_minibatch_discrimination_sees_a_collapsed_batch():
    rows = torch.randn(40, 5, generator=seeded())
    moved = rows.clone()
    moved[1:20] = rows[0]
    for diverse in (True, False):
        discriminator = Discriminator([5, 16], diverse, seeded()).eval()
        with torch.no_grad():
            # A row that did not move is scored by its batch, or not.
            changed = (discriminator(rows)[30:] - discriminator(moved)[30:]).abs().max() > 1e-6
        assert changed == diverse


def test_divergence_is_the_relative_entropy():
    p, q = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([0.4, 0.4, 0.2])
    assert kl_divergence(p, q).item() == pytest.approx(stats.entropy(p, q), rel=1e-5)
    assert kl_divergence(p, p).item() == 0


def test_noise_keeps_categories_and_their_sums(table):
    X, y = table
    encoded = {}
    for noise in (0.0, 0.2):
        fitted = TGAN(noise=noise, **{**SHORT, "min_steps": 2}).fit(X, y)
        encoded[noise] = fitted._encode(fitted.schema_.canonical(X), np.zeros(len(X), int), np.random.default_rng(0))
        start, stop, _ = fitted._parts()[-1]
    clean, noisy = (rows[:, start:stop] for rows in encoded.values())
    assert set(np.unique(clean)) == {0.0, 1.0}
    np.testing.assert_allclose(noisy.sum(axis=1), 1.0)
    assert (noisy.argmax(axis=1) == clean.argmax(axis=1)).all()
    assert 1 / 1.2 <= noisy.max(axis=1).min() < 0.9 and noisy.min() > 0


# What they do


def test_divergence_keeps_the_frequencies_of_categories(table):
    # After a short training with the divergence alone, the frequencies are right; without it they are not.
    brief = {**SHORT, "min_steps": 40, "loss": NATIVE}
    pulled, free = (TGAN(kl=kl, **brief).fit(*table).history_["kl"][-1] for kl in (True, False))
    assert pulled < 0.5 * free


def test_rows_are_of_the_requested_class_and_columns_depend_on_each_other(native, table):
    def seen(rows: pd.DataFrame) -> np.ndarray:
        return np.column_stack([rows["a"], rows["group"] == "u"])

    X, y = table
    drawn, asked = apart(native.sample({"ill": 500, "well": 500}))
    agreed = (LogisticRegression(class_weight="balanced").fit(seen(X), y).predict(seen(drawn)) == asked).mean()
    assert agreed > 0.7
    assert ((drawn["group"] == "u") == (drawn["twin"] == "p")).mean() > 0.75


# The weights


def test_alpha_brings_pairs_closer_and_beta_moments(table):
    losses = {"little": Loss(1e-3, 1e-3, 0.0), "alpha": Loss(10.0, 1e-3, 0.0), "beta": Loss(1e-3, 10.0, 0.0)}
    brief = {**SHORT, "min_steps": 60}
    last = {
        name: {term: values[-1] for term, values in TGAN(loss=loss, **brief).fit(*table).history_.items()}
        for name, loss in losses.items()
    }
    assert last["alpha"]["rec"] < 0.9 * last["little"]["rec"]
    assert last["beta"]["dist"] < 0.7 * last["little"]["dist"]


def test_gamma_lowers_the_error_of_a_classifier(table):
    brief = {**SHORT, "min_steps": 60}
    low, high = (
        TGAN(loss=Loss(1.0, 0.0, g, pairing="none"), **brief).fit(*table).history_["model"][-1] for g in (1e-3, 10.0)
    )
    assert high < 0.8 * low


# Training


def test_history_names_what_was_minimised(native):
    assert set(native.history_) == {"discriminator", "kl", "native", "total"}
    assert all(len(values) == 2 for values in native.history_.values())


def test_divergence_of_training_keeps_the_last_good_weights(table):
    fitted = TGAN(**{**SHORT, "learning_rate": 1e30})
    with pytest.raises(Diverged, match="last good epoch"):
        fitted.fit(*table)
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())
    assert len(fitted.sample(5)) == 5


def test_sampling_uses_no_batch(native):
    network = device.from_arrays(native._network(seeded()), native.weights_).eval()
    inputs = torch.randn(10, 8 + 2, generator=seeded())
    with torch.no_grad():
        torch.testing.assert_close(network(inputs)[:3], network(inputs[:3]))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("units", 0),
        ("max_modes", 0),
        ("noise", 1.0),
        ("attention", 1),
        ("minibatch_discrimination", "no"),
        ("kl", 0.0),
        ("device", "tpu"),
        ("loss", Loss(-1)),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, table):
    with pytest.raises(InputError, match=f"^{parameter}"):
        TGAN(**{parameter: value}).fit(*table)
