"""The cheapest pairing of real and generated rows, against closed forms."""

import itertools

import pytest
import torch

from trisynth.objective.transport import transport_cost


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pairing_is_the_cheapest_within_classes():
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    real, generated = torch.randn(2, 7, 3, generator=seeded(), dtype=torch.float64)
    cost = 0.0
    for rows in (range(4), range(4, 7)):
        orders = itertools.permutations(rows)
        cost += min((real[list(rows)] - generated[list(order)]).square().sum().item() for order in orders)
    assert transport_cost(real, generated, labels).item() == pytest.approx(cost / 7)
    assert transport_cost(real, generated, torch.zeros(7, dtype=torch.long)).item() <= cost / 7


def test_pairing_does_not_depend_on_the_order_and_sees_a_shift():
    real = torch.randn(50, 2, generator=seeded(), dtype=torch.float64)
    labels = torch.zeros(50, dtype=torch.long)
    order = torch.randperm(50, generator=seeded())
    assert transport_cost(real, real[order], labels).item() < 1e-20
    # The squared 2-Wasserstein distance of a shifted sample is the shift's squared length.
    assert transport_cost(real, real[order] + torch.tensor([3.0, 4.0]), labels).item() == pytest.approx(25.0)


def test_pairing_pulls_every_row_to_its_partner():
    real, generated = torch.tensor([[0.0], [10.0]]), torch.tensor([[9.0], [1.0]], requires_grad=True)
    transport_cost(real, generated, torch.zeros(2, dtype=torch.long)).backward()
    assert generated.grad.ravel().tolist() == [-1.0, 1.0]
