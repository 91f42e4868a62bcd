"""CTGAN: conditions and critic in closed form, ablations of its defining parts, and each part of L_total."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tables import apart

from trisynth.errors import InputError
from trisynth.generators.neural import device
from trisynth.generators.neural.conditions import Conditions
from trisynth.generators.neural.ctgan import CTGAN
from trisynth.generators.neural.networks import layers
from trisynth.generators.neural.networks.critic import Critic
from trisynth.generators.neural.optimizer import NetworkOptimizer
from trisynth.objective import Diverged, Loss

NATIVE = Loss(1.0, 0.0, 0.0, pairing="none")
SHORT = {
    "latent_dim": 8,
    "hidden_layer_sizes": (48,),
    "pac": 5,
    "dropout": 0.2,
    "epochs": 2,
    "min_steps": 250,
    "batch_size": 200,
    "learning_rate": 5e-3,
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def critic_of(sizes: list[int], pac: int, generator: torch.Generator) -> Critic:
    return Critic(layers.mlp(sizes, generator, layers.leaky(0.0, generator)), pac)


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    label = np.arange(1000) % 4 == 0
    X = pd.DataFrame({"a": rng.normal(size=1000) + 1.5 * label})
    X["two"] = np.where(rng.random(1000) < 0.5, -4.0, 4.0) + 0.3 * rng.normal(size=1000)
    X["group"] = pd.Categorical(np.where(rng.random(1000) < 0.3 + 0.4 * label, "u", "v"))
    X["site"] = pd.Categorical(rng.choice(["main", "other", "rare"], 1000, p=[0.8, 0.18, 0.02]))
    return X, pd.Series(np.where(label, "ill", "well"), name="state")


@pytest.fixture(scope="module")
def native(table) -> CTGAN:
    return CTGAN(loss=NATIVE, **SHORT).fit(*table)


# Training by sampling


def test_drawn_rows_have_the_drawn_category():
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.choice(3, 400, p=[0.9, 0.08, 0.02]), rng.choice(2, 400)])
    conditions = Conditions(codes, [3, 2], log_frequency=True)
    column, category, row = conditions.draw(20_000, rng)
    assert (codes[row, column] == category).all()
    np.testing.assert_allclose(np.bincount(column) / 20_000, [0.5, 0.5], atol=0.015)
    weights = np.log1p(np.bincount(codes[:, 0]))
    shares = np.bincount(category[column == 0]) / (column == 0).sum()
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.02)
    # Every row of a category is as likely.
    rare = np.flatnonzero(codes[:, 0] == 2)
    drawn = row[(column == 0) & (category == 2)]
    assert set(drawn) == set(rare) and np.bincount(drawn)[rare].min() > 0.6 * len(drawn) / len(rare)


def test_without_logarithms_categories_come_by_their_count():
    codes = np.repeat([0, 1, 2], [90, 10, 0])[:, None]
    column, category, _ = Conditions(codes, [3], log_frequency=False).draw(20_000, np.random.default_rng(0))
    assert not column.any()
    np.testing.assert_allclose(np.bincount(category, minlength=3) / 20_000, [0.9, 0.1, 0.0], atol=0.01)


def test_one_indicator_of_the_conditional_vector_is_set():
    conditions = Conditions(np.zeros((4, 3), dtype=int), [2, 4, 3], log_frequency=True)
    vectors = conditions.vector(np.array([0, 1, 2]), np.array([1, 3, 0]))
    assert vectors.shape == (3, 9) and vectors.argmax(dim=1).tolist() == [1, 5, 6] and (vectors.sum(dim=1) == 1).all()
    assert conditions.vector(-1, np.array([2])).argmax().item() == 8


# The critic


def test_gradient_penalty_of_a_linear_critic_is_known():
    critic = critic_of([6, 1], 2, seeded())
    with torch.no_grad():
        critic.layers[0].weight.copy_(torch.tensor([[1.0, 2.0, 2.0, 0.0, 0.0, 4.0]]))
    real, generated = torch.randn(2, 8, 3, generator=seeded())
    assert critic.penalty(real, generated, torch.rand(4, 1, generator=seeded())).item() == pytest.approx(16.0)


def test_a_pack_is_scored_as_one_and_packs_apart():
    critic = critic_of([15, 16, 1], 5, seeded())
    rows = torch.randn(20, 3, generator=seeded(1))
    moved = rows.clone()
    moved[7] += 1
    with torch.no_grad():
        changed = (critic(rows) != critic(moved))[:, 0].tolist()
    assert changed == [False, True, False, False]


def test_critic_learns_the_distance_between_known_distributions():
    # Between rows shifted by 2 the Wasserstein distance is 2.
    generator = seeded(2)
    critic = critic_of([1, 32, 1], 1, generator)
    optimizer = NetworkOptimizer(critic, 200, 1e-2)
    for _ in range(200):
        real, generated = torch.randn(2, 64, 1, generator=generator)
        generated = generated + 2
        distance = critic(real).mean() - critic(generated).mean()
        optimizer.step(10 * critic.penalty(real, generated, torch.rand(64, 1, generator=generator)) - distance)
    real, generated = torch.randn(2, 20_000, 1, generator=generator)
    with torch.no_grad():
        assert (critic(real).mean() - critic(generated + 2).mean()).item() == pytest.approx(2.0, abs=0.25)


# The defining parts


def emitted(fitted: CTGAN, column: int, category: int, n: int = 400) -> float:
    """Fraction of rows with the requested category of a discrete column."""
    spans = fitted._conditions()
    place = sum(stop - start for start, stop in spans[:column]) + category
    asked = torch.zeros(n, sum(stop - start for start, stop in spans))
    asked[:, place] = 1
    made = device.from_arrays(fitted._network(seeded()), fitted.weights_).eval()
    with torch.no_grad():
        rows = fitted._draw_given(made, asked, np.random.default_rng(0)).numpy()
    start, stop = spans[column]
    return (rows[:, start:stop].argmax(axis=1) == category).mean()


def test_the_conditional_vector_is_obeyed(native):
    shares = {(0, 0): 0.42, (0, 1): 0.58, (1, 0): 0.8, (1, 1): 0.18, (1, 2): 0.02, (2, 0): 0.25, (2, 1): 0.75}
    for (column, category), share in shares.items():
        assert emitted(native, column, category) > max(0.85, share), (column, category)


def test_training_by_sampling_raises_the_recall_of_rare_categories(native, table):
    by_count = CTGAN(log_frequency=False, loss=NATIVE, **SHORT).fit(*table)
    assert emitted(native, 1, 2) > emitted(by_count, 1, 2) + 0.1


def test_without_conditions_only_the_label_is_conditioned_on(native, table):
    plain = CTGAN(conditional=False, loss=NATIVE, **{**SHORT, "min_steps": 750}).fit(*table)
    assert len(plain._conditions()) == 1 and len(native._conditions()) == 3
    drawn = apart(plain.sample({"ill": 600, "well": 600}))
    assert agreement(*table, *drawn) > 0.65


def test_modes_keep_a_gap_that_one_mode_fills(native, table):
    plain = CTGAN(max_modes=1, loss=NATIVE, **SHORT).fit(*table)
    gaps = [(fitted.sample(1000)["two"].abs() < 2.0).mean() for fitted in (native, plain)]
    assert (table[0]["two"].abs() < 2.0).mean() == 0
    assert gaps[0] < 0.05 < gaps[1]


def agreement(X: pd.DataFrame, y: pd.Series, drawn: pd.DataFrame, asked: pd.Series) -> float:
    def seen(rows: pd.DataFrame) -> np.ndarray:
        return np.column_stack([rows["a"], rows["group"] == "u"])

    return (LogisticRegression(class_weight="balanced").fit(seen(X), y).predict(seen(drawn)) == asked).mean()


def test_rows_are_of_the_requested_class(table):
    drawn = apart(CTGAN(**SHORT).fit(*table).sample({"ill": 600, "well": 600}))
    agreed = agreement(*table, *drawn)
    assert agreed > 0.7 and abs(agreed - agreement(*table, *table)) < 0.12


# The weights


def test_alpha_brings_pairs_closer_and_beta_moments(table):
    losses = {"little": Loss(1e-3, 1e-3, 0.0), "alpha": Loss(10.0, 1e-3, 0.0), "beta": Loss(1e-3, 10.0, 0.0)}
    brief = {**SHORT, "min_steps": 80}
    last = {
        name: {term: values[-1] for term, values in CTGAN(loss=loss, **brief).fit(*table).history_.items()}
        for name, loss in losses.items()
    }
    assert last["alpha"]["rec"] < 0.9 * last["little"]["rec"]
    assert last["beta"]["dist"] < 0.7 * last["little"]["dist"]


def test_gamma_makes_rows_more_typical_of_their_class(table):
    brief = {**SHORT, "min_steps": 120}
    agreed = [
        agreement(
            *table,
            *apart(
                CTGAN(loss=Loss(1.0, 0.0, gamma, pairing="none"), **brief).fit(*table).sample({"ill": 800, "well": 800})
            ),
        )
        for gamma in (0.0, 5.0)
    ]
    assert agreed[1] > agreed[0] + 0.05


# Training


def test_history_names_what_was_minimised(native):
    assert set(native.history_) == {"wasserstein", "native", "condition", "total"}
    assert all(len(values) == 2 for values in native.history_.values())
    assert native.history_["condition"][-1] < native.history_["condition"][0]


def test_divergence_keeps_the_last_good_weights(table):
    fitted = CTGAN(**{**SHORT, "learning_rate": 1e30})
    with pytest.raises(Diverged, match="last good epoch"):
        fitted.fit(*table)
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())
    assert len(fitted.sample(5)) == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("pac", 0),
        ("max_modes", -1),
        ("dropout", 1.0),
        ("log_frequency", "yes"),
        ("learning_rate", 0),
        ("device", "tpu"),
        ("loss", Loss(gamma=-1)),
    ],
)
def test_impossible_parameters_are_refused(parameter, value, table):
    with pytest.raises(InputError, match=f"^{parameter}"):
        CTGAN(**{parameter: value}).fit(*table)
