"""Common parts of the adversarial generators, compared with closed forms."""

import math

import numpy as np
import pytest
import torch

from trisynth.encoders.table import Block
from trisynth.generators.neural import device
from trisynth.generators.neural.gan_base import discriminator_loss, generator_loss
from trisynth.generators.neural.networks import layers
from trisynth.generators.neural.networks.emission import ColumnEmission
from trisynth.generators.neural.networks.layers import Dropout
from trisynth.generators.neural.optimizer import NetworkOptimizer
from trisynth.objective import Diverged

BLOCKS = [
    Block("a", "number", 0, 1),
    Block("b", "number", 1, 2),
    Block("b", "missing", 2, 3),
    Block("c", "category", 3, 6),
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(sizes: list[int], generator: torch.Generator) -> torch.nn.Sequential:
    return layers.mlp(sizes, generator, layers.leaky(0.0, generator))


# The discriminator alone, between two known distributions


def trained(shift: float) -> tuple[torch.nn.Module, float]:
    """Discriminator of N(0, 1) against N(shift, 1), and its value on fresh draws."""
    generator = seeded(1)
    discriminator = network([1, 32, 32, 1], generator)
    optimizer = NetworkOptimizer(discriminator, 600, 5e-3)
    with device.one_thread():
        for _ in range(600):
            real, fake = torch.randn(2, 512, 1, generator=generator)
            optimizer.step(discriminator_loss(discriminator(real), discriminator(fake + shift)))
        with torch.no_grad():
            real, fake = torch.randn(2, 100_000, 1, generator=generator)
            return discriminator, -discriminator_loss(discriminator(real), discriminator(fake + shift)).item()


def test_trained_discriminator_approaches_the_ratio_of_the_densities():
    discriminator, value = trained(1.0)
    x = torch.linspace(-1.5, 2.5, 41)[:, None]
    p, q = (torch.exp(-0.5 * (x - mean) ** 2) for mean in (0.0, 1.0))
    with torch.no_grad():
        np.testing.assert_allclose(discriminator(x).sigmoid(), p / (p + q), atol=0.05)
    # V at the best discriminator is -log 4 plus twice the Jensen-Shannon divergence, here by quadrature.
    grid = np.linspace(-9, 10, 20_001)
    p, q = (np.exp(-0.5 * (grid - mean) ** 2) / math.sqrt(2 * math.pi) for mean in (0.0, 1.0))
    integrand = p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))
    divergence = integrand.sum() * (grid[1] - grid[0])
    assert value == pytest.approx(-math.log(4) + divergence, abs=0.01)


def test_value_is_minus_log_four_where_the_distributions_agree():
    discriminator, value = trained(0.0)
    assert value == pytest.approx(-math.log(4), abs=0.01)
    with torch.no_grad():
        np.testing.assert_allclose(discriminator(torch.linspace(-1.5, 1.5, 21)[:, None]).sigmoid(), 0.5, atol=0.05)


def test_generator_loss_does_not_saturate():
    confident = torch.tensor([-20.0], requires_grad=True)
    generator_loss(confident).backward()
    assert confident.grad.item() == pytest.approx(-1.0, abs=1e-6)
    # The minimax loss log(1 - D) would give almost no gradient there.
    assert torch.sigmoid(confident).item() < 1e-8


# Emissions


def test_emitted_rows_follow_the_outputs():
    n = 50_000
    raw = torch.tensor([[0.5, 1.0, -0.4, 0.2, 1.0, -1.0]]).repeat(n, 1)
    rows = ColumnEmission(BLOCKS, torch.tensor([7.0]), 0.05)(raw, torch.rand(n, 6, generator=seeded()))
    hard = torch.nn.functional.one_hot(rows[:, 3:].argmax(dim=1), 3).float()
    np.testing.assert_allclose(hard.mean(dim=0), raw[0, 3:].softmax(dim=0), atol=0.01)
    np.testing.assert_allclose((rows[:, 2] > 0.5).float().mean(), raw[0, 2].sigmoid(), atol=0.01)
    np.testing.assert_allclose(rows[:, 3:].sum(dim=1), 1.0, rtol=1e-5)
    # A missing number takes the fill, a present one its output.
    assert (rows[:, 0] == 0.5).all()
    np.testing.assert_allclose(rows[:, 1], 1 + 6 * rows[:, 2], rtol=1e-4)


def test_emission_is_differentiable_and_finite_at_the_edges():
    raw = torch.zeros(2, 6, requires_grad=True)
    rows = ColumnEmission(BLOCKS, torch.tensor([7.0]), 0.2)(raw, torch.tensor([[0.0] * 6, [1.0] * 6]))
    (rows * torch.arange(6.0)).sum().backward()
    assert torch.isfinite(rows).all() and torch.isfinite(raw.grad).all()


# Optimiser steps


def test_dropout_keeps_the_mean_and_stops_after_training():
    layer = Dropout(0.25, seeded())
    rows = torch.ones(200, 500)
    dropped = layer(rows)
    assert set(dropped.unique().tolist()) == {0.0, 4 / 3 * torch.tensor(1.0).item()} or len(dropped.unique()) == 2
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(Dropout(0.25, seeded())(rows), dropped)
    assert torch.equal(layer.eval()(rows), rows)


@pytest.mark.parametrize("spoil", [math.inf, math.nan])
def test_divergence_stops_before_the_step(spoil):
    layers = network([2, 4, 1], seeded())
    before = device.to_arrays(layers)
    with pytest.raises(Diverged):
        NetworkOptimizer(layers, 10, 1e-3).step(layers(torch.ones(3, 2)).mean() * spoil)
    after = device.to_arrays(layers)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_step_moves_one_network_only():
    first, second = network([2, 4, 2], seeded()), network([2, 4, 1], seeded(1))
    NetworkOptimizer(first, 10, 1e-3).step(second(first(torch.ones(3, 2))).mean())
    assert all(parameter.grad is None for parameter in second.parameters())
