"""Mode-specific normalisation: reversible, drawn from the posterior, and differentiable back to numbers."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from trisynth.encoders.modes import ModeEncoder, Modes
from trisynth.errors import InputError
from trisynth.generators.neural.networks.emission import emit_modes


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def table() -> pd.DataFrame:
    draws = rng()
    two = np.where(draws.random(500) < 0.3, draws.normal(-5, 1, 500), draws.normal(40, 2, 500))
    return pd.DataFrame(
        {
            "group": pd.Categorical(np.where(draws.random(500) < 0.1, None, draws.choice(["u", "v"], 500))),
            "two": two,
            "gaps": np.where(draws.random(500) < 0.2, np.nan, draws.normal(size=500)),
            "constant": 3.0,
            "none": np.nan,
        }
    )


def test_two_modes_are_found():
    draws = rng()
    values = np.append(draws.normal(-5, 1, 600), draws.normal(40, 2, 1400))
    modes = Modes.learn(values, 10, rng())
    heavy = np.argsort(-modes.weights)[:2]
    means = modes.means * modes.scale + modes.mean
    assert modes.weights[means > 20].sum() == pytest.approx(0.7, abs=0.03)
    assert sorted(np.rint(means[heavy] / 5) * 5) == [-5, 40]
    place, weights = modes.encode(values, rng().random(2000))
    chosen = weights.argmax(axis=1)
    # Every value lies in a mode of its own cluster.
    assert ((means[chosen] > 20) == (values > 20)).all()
    assert np.abs(place).max() <= 1


def test_modes_are_drawn_from_their_posterior():
    modes = Modes(10.0, 2.0, np.array([0.3, 0.7]), np.array([0.0, 1.0]), np.array([1.0, 0.5]))
    x = 11.0
    joint = modes.weights * stats.norm.pdf(0.5, modes.means, modes.deviations)
    _, weights = modes.encode(np.full(50_000, x), rng().random(50_000))
    chosen = weights.argmax(axis=1)
    assert (weights.max(axis=1) == 1).all()
    assert chosen.mean() == pytest.approx(joint[1] / joint.sum(), abs=0.01)


def test_one_mode_is_plain_standardisation():
    values = rng().gamma(2.0, size=300)
    modes = Modes.learn(values, 1, rng())
    place, weights = modes.encode(values, rng().random(300))
    chosen = weights.argmax(axis=1)
    inside = np.abs(place) < 1
    np.testing.assert_allclose(4 * place[inside], stats.zscore(values)[inside], atol=0.02)
    assert not chosen.any()


def test_tables_return_from_their_encoding(table):
    encoder = ModeEncoder(10).fit(table, rng())
    matrix = encoder.transform(table, rng())
    back = encoder.inverse(matrix)
    assert list(back) == list(table)
    pd.testing.assert_series_equal(back["group"], table["group"])
    near = np.abs(back["two"] - table["two"])
    # A value in the tail of its mode may be cut.
    assert (near < 1e-9).mean() > 0.99
    assert (back["gaps"].isna() == table["gaps"].isna()).all()
    assert (back["constant"] == 3).all() and back["none"].isna().all()
    for block in encoder.blocks_:
        first = block.start + (block.kind == "modes")
        assert (matrix[:, first : block.stop].sum(axis=1) == 1).all()


def test_values_are_standardised_numbers(table):
    encoder = ModeEncoder(10).fit(table, rng())
    values = encoder.values(torch.tensor(encoder.transform(table, rng()))).numpy()
    columns = {(block.name, block.kind): values[:, block.start : block.stop] for block in encoder.value_blocks_}
    assert values.shape[1] == encoder.value_blocks_[-1].stop
    np.testing.assert_allclose(columns["two", "number"][:, 0], stats.zscore(table["two"]), atol=0.05)
    present = table["gaps"].notna()
    gaps = columns["gaps", "number"][:, 0]
    np.testing.assert_allclose(gaps[present], stats.zscore(table["gaps"][present]), atol=0.5)
    assert (gaps[~present] == 0).all() and (columns["gaps", "missing"][:, 0] == ~present).all()
    np.testing.assert_allclose(columns["group", "category"].mean(axis=0)[-1], table["group"].isna().mean())


def test_emitted_rows_are_encodings(table):
    encoder = ModeEncoder(10).fit(table, rng())
    raw = torch.zeros(400, encoder.width_, requires_grad=True)
    rows = emit_modes(encoder, raw, torch.rand(400, encoder.width_, generator=torch.Generator().manual_seed(0)), 0.2)
    for block in encoder.blocks_:
        first = block.start + (block.kind == "modes")
        np.testing.assert_allclose(rows[:, first : block.stop].sum(dim=1).detach(), 1, rtol=1e-5)
    encoder.values(rows).square().sum().backward()
    assert torch.isfinite(raw.grad).all() and raw.grad.abs().sum() > 0
    assert encoder.inverse(rows.detach().numpy())["two"].between(-15, 55).all()


def test_same_generator_same_modes_and_the_number_of_modes_is_checked(table):
    first, second = (ModeEncoder(10).fit(table, rng(3)).transform(table, rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    with pytest.raises(InputError, match=r"^max_modes=0"):
        ModeEncoder(0).fit(table, rng())


def test_soft_modes_carry_their_posterior(table):
    modes = Modes(10.0, 2.0, np.array([0.3, 0.7]), np.array([0.0, 1.0]), np.array([1.0, 0.5]))
    place, weights = modes.encode(np.array([11.0]), None)
    joint = modes.weights * stats.norm.pdf(0.5, modes.means, modes.deviations)
    np.testing.assert_allclose(weights[0], joint / joint.sum())
    assert place[0] == pytest.approx((0.5 - 1.0) / (4 * 0.5))
    # The likeliest mode and the place within it still tell the number.
    encoder = ModeEncoder(5, soft=True).fit(table, rng())
    back = encoder.inverse(encoder.transform(table, rng()))
    np.testing.assert_allclose(back["gaps"], table["gaps"], atol=1e-6)
