"""Every L_dist against closed forms and finite differences."""

import math

import numpy as np
import pytest
import torch

from trisynth.generators.neural.device import one_thread as single_thread
from trisynth.objective.distances import DISTANCES, MMD, Sliced, bures, by_class, moments, sliced


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with single_thread():
        yield


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def two_classes(n: int = 400, gap: float = 4.0) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(n) % 2
    return (normal(n, 3) + gap * labels[:, None]).float(), labels


def test_moments_are_zero_for_equal_moments_of_different_distributions():
    real = normal(200, 2)
    assert moments(real, real.flip(0)) < 1e-12
    signs = torch.tensor([[-1.0], [1.0]], dtype=torch.float64).repeat(100, 2)
    standard = (real - real.mean(dim=0)) / real.std(dim=0, correction=0)
    assert moments(standard, signs) < 1e-12


def test_moments_equal_their_closed_form():
    real = torch.tensor([[0.0, 1.0], [2.0, 5.0]], dtype=torch.float64)
    generated = torch.tensor([[1.0, 0.0], [7.0, 0.0], [1.0, 0.0], [7.0, 0.0]], dtype=torch.float64)
    # Means 1, 3 against 4, 0; deviations 1, 2 against 3, 0.
    assert moments(real, generated).item() == pytest.approx(((9 + 4) + (9 + 4)) / 2, rel=1e-5)


def test_moments_are_the_squared_wasserstein_distance_of_an_affine_image():
    real = normal(300, 3)
    generated = real * torch.tensor([2.0, 0.5, 1.0]) + torch.tensor([1.0, -1.0, 3.0])
    transport = (real.sort(dim=0).values - generated.sort(dim=0).values).square().mean()
    assert moments(real, generated[torch.randperm(300, generator=seeded())]).item() == pytest.approx(transport.item())


def test_gradient_of_moments_agrees_with_finite_differences():
    real, generated = normal(9, 3), (normal(7, 3, seed=1) * 2 + 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda rows: moments(real, rows), (generated,))


def test_gradient_of_moments_is_finite_at_a_constant_column():
    generated = torch.zeros(5, 2, requires_grad=True)
    moments(torch.ones(5, 2), generated).backward()
    assert torch.isfinite(generated.grad).all() and (generated.grad < 0).all()


def test_distance_is_taken_within_classes():
    real, labels = two_classes()
    swapped = real.roll(1, dims=0)
    assert moments(real, swapped) < 1e-12
    # Means of the classes are 4 apart, in either class.
    assert by_class(moments, real, swapped, labels).item() == pytest.approx(16, rel=0.1)
    assert by_class(moments, real, real, labels) == 0


def test_classes_weigh_by_their_frequency():
    labels = torch.tensor([0] * 30 + [1] * 10)
    real = torch.zeros(40, 1)
    generated = torch.where(labels == 1, 2.0, 0.0)[:, None]
    assert by_class(moments, real, generated, labels).item() == pytest.approx(0.25 * 4)


def test_gradient_within_classes_agrees_with_finite_differences():
    labels = torch.tensor([0] * 9 + [1] * 10 + [2, 3, 3])
    real, generated = normal(22, 2), normal(22, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda rows: by_class(moments, real, rows, labels), (generated,))


@pytest.mark.parametrize("labels", [[0], [0, 1, 2], [0] * 20 + [1], [3] * 20 + [1] * 4 + [0] * 4, [5] * 12])
def test_small_classes_are_pooled(labels):
    labels = torch.tensor(labels)
    real, generated = normal(len(labels), 2), normal(len(labels), 2, seed=1).requires_grad_()
    distance = by_class(moments, real, generated, labels)
    distance.backward()
    assert (
        torch.isfinite(distance)
        and torch.isfinite(generated.grad).all()
        and (generated.grad.abs().sum(dim=1) > 0).all()
    )


def test_single_rows_are_not_matched_one_by_one():
    labels = torch.arange(40)
    real = normal(40, 2)
    assert by_class(moments, real, real.flip(0), labels) < 1e-12


def distances(real: torch.Tensor) -> dict:
    """Every rung as training sees it, with fixed directions."""
    made = {name: make(real, seeded()) for name, make in DISTANCES.items()}
    directions = torch.nn.functional.normalize(normal(real.shape[1], 20, seed=9).to(real), dim=0)
    return made | {"sliced": lambda *tables: sliced(*tables, directions)}


@pytest.mark.parametrize("name", DISTANCES)
def test_gradient_of_every_rung_agrees_with_finite_differences(name):
    labels = torch.tensor([0] * 9 + [1] * 12)
    real, generated = normal(21, 3), (normal(21, 3, seed=1) * 1.5 + 0.5).requires_grad_()
    distance = distances(real)[name]
    assert torch.autograd.gradcheck(lambda rows: by_class(distance, real, rows, labels), (generated,))


@pytest.mark.parametrize("name", DISTANCES)
def test_every_rung_falls_when_rows_follow_its_gradient(name):
    real, generated = normal(60, 3), (normal(60, 3, seed=1) * 0.3 + 2).requires_grad_()
    distance, group = distances(real)[name], torch.zeros(60, dtype=torch.long)
    before = distance(real, generated, group)
    before.backward()
    assert distance(real, generated - generated.grad, group) < before


@pytest.mark.parametrize("name", DISTANCES)
def test_every_distance_weighs_classes_by_their_frequency(name):
    labels = torch.tensor([0] * 30 + [1] * 10)
    real, generated = normal(40, 2), normal(40, 2, seed=1) + 1
    distance = distances(real)[name]
    parts = [by_class(distance, real[labels == c], generated[labels == c], labels[labels == c] * 0) for c in (0, 1)]
    expected = (0.75 * parts[0] + 0.25 * parts[1]).item()
    assert by_class(distance, real, generated, labels).item() == pytest.approx(expected, rel=1e-6)


def test_what_each_rung_sees():
    real = normal(600, 2)
    real = (real - real.mean(dim=0)) / real.std(dim=0, correction=0)
    correlated = real @ torch.tensor([[1.0, 0.8], [0.0, 0.6]], dtype=torch.float64)
    correlated = (correlated - correlated.mean(dim=0)) / correlated.std(dim=0, correction=0)
    same, signs = normal(600, 2, seed=1), torch.sign(normal(600, 2, seed=2))
    group, least = torch.zeros(600, dtype=torch.long), dict.fromkeys(DISTANCES, 0.02) | {"mmd": 0.003}

    def seen(generated: torch.Tensor) -> set[str]:
        rungs = distances(real).items()
        return {name for name, distance in rungs if distance(real, generated, group) > least[name]}

    assert seen(same) == set()
    assert seen(correlated) == {"bures", "sliced", "mmd"}
    assert seen(signs) == {"sliced", "mmd"}


def test_bures_is_the_transport_cost_of_a_symmetric_linear_map():
    real = normal(50, 3)
    half = normal(3, 3, seed=2)
    stretch = half @ half.T + 0.1 * torch.eye(3, dtype=torch.float64)
    generated = real @ stretch + torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    cost = (real - generated).square().sum(dim=1).mean() / 3
    assert bures(real, generated).item() == pytest.approx(cost.item(), rel=1e-4)
    assert bures(real, generated[:1].expand(7, 3)).item() == pytest.approx(
        ((real.mean(dim=0) - generated[0]).square().sum() + real.var(dim=0, correction=0).sum()).item() / 3, rel=1e-2
    )


def test_bures_without_correlation_is_the_distance_of_moments():
    signs = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)
    generated = signs * torch.tensor([2.0, 0.5]) + torch.tensor([1.0, 0.0])
    assert bures(signs, generated).item() == pytest.approx(moments(signs, generated).item(), rel=1e-4)


@pytest.mark.parametrize("width", [1, 40, 100])
def test_bures_bears_fewer_rows_than_columns_and_constant_ones(width):
    real, generated = normal(9, width).float(), normal(9, width, seed=1).float()
    generated[:, 0] = 3.0
    generated.requires_grad_()
    distance = bures(real, generated, torch.zeros(9, dtype=torch.long))
    distance.backward()
    assert distance > 0 and torch.isfinite(generated.grad).all() and generated.grad.abs().max() < 1e3
    assert bures(real, real).abs() < 1e-4


def test_sliced_distance_of_a_shift_is_its_mean_square():
    real, shift = normal(100, 3), torch.tensor([1.0, 2.0, -3.0], dtype=torch.float64)
    generated = (real + shift)[torch.randperm(100, generator=seeded())]
    group = torch.zeros(100, dtype=torch.long)
    assert sliced(real, generated, group, torch.eye(3).double()).item() == pytest.approx(14 / 3)
    drawn = [Sliced(real, seeded(seed))(real, generated, group).item() for seed in range(20)]
    assert np.mean(drawn) == pytest.approx(14 / 3, rel=0.1)


def test_sliced_directions_come_from_the_generator_and_differ_between_calls():
    real, generated, group = normal(20, 5), normal(20, 5, seed=1), torch.zeros(20, dtype=torch.long)
    one, other = Sliced(real, seeded(3)), Sliced(real, seeded(3))
    first = one(real, generated, group)
    assert first == other(real, generated, group) != one(real, generated, group)


def test_mmd_is_unbiased_and_near_its_value_for_gaussians():
    real, generated, group = normal(1000, 1), normal(1000, 1, seed=1) + 1, torch.zeros(1000, dtype=torch.long)
    mmd = MMD(real, seeded())

    def mean_kernel(shift: float) -> float:
        # The difference of two rows is N(shift, 2).
        points, weights = np.polynomial.hermite_e.hermegauss(60)
        values = 1 / (1 + (shift + math.sqrt(2) * points) ** 2 / (2 * mmd.bandwidth**2))
        return float(weights @ values / weights.sum())

    exact = 2 * (mean_kernel(0) - mean_kernel(1))
    assert mmd(real, generated, group).item() == pytest.approx(exact, rel=0.15)
    small = [mmd(normal(8, 1, seed=s), normal(8, 1, seed=s + 500), group[:8]).item() for s in range(1, 400)]
    assert abs(np.mean(small)) < 3 * np.std(small) / math.sqrt(len(small))


def test_mmd_bandwidth_looks_at_real_rows_only():
    real = normal(100, 2)
    assert MMD(real, seeded()).bandwidth == pytest.approx(torch.pdist(real).median().item())
    assert MMD(torch.ones(5, 2), seeded()).bandwidth == MMD(torch.ones(1, 2), seeded()).bandwidth == 1.0


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("labels", [[0], [0, 1, 2], [0] * 20 + [1], [5] * 12])
def test_every_rung_bears_few_rows(name, labels):
    labels = torch.tensor(labels)
    real, generated = normal(len(labels), 2).float(), normal(len(labels), 2, seed=1).float().requires_grad_()
    distance = by_class(DISTANCES[name](real, seeded()), real, generated, labels)
    distance.backward()
    assert torch.isfinite(distance) and torch.isfinite(generated.grad).all()
