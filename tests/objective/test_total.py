"""L_total: scales, starts, weights, and the end of a run that diverges."""

import math

import numpy as np
import pytest
import torch

from trisynth.encoders.table import Block
from trisynth.generators.neural.device import one_thread as single_thread
from trisynth.objective import Diverged, Loss, Objective, unit_scale
from trisynth.objective.distances import DISTANCES
from trisynth.objective.models import MODELS

NUMBERS = [Block(name, "number", i, i + 1) for i, name in enumerate("abc")]


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


def objective(loss: Loss, real: torch.Tensor, labels: torch.Tensor, **extra) -> Objective:
    return Objective(loss, real, labels, NUMBERS, seeded(), **extra)


def test_every_block_has_unit_variance_in_all():
    category = torch.nn.functional.one_hot(torch.tensor([0] * 98 + [1, 2]), 3)
    real = torch.cat([5 * normal(100, 1), torch.full((100, 1), 0.1), category], dim=1)
    blocks = [Block("a", "number", 0, 1), Block("b", "number", 1, 2), Block("c", "category", 2, 5)]
    scale = unit_scale(real, blocks)
    variance = (real / scale).var(dim=0, correction=0)
    assert variance[0].item() == pytest.approx(1) and variance[2:].sum().item() == pytest.approx(1)
    assert scale[1] == 1 and len(set(scale[2:].tolist())) == 1


def test_terms_depend_neither_on_units_nor_on_the_batch_size():
    real, labels = two_classes()
    generated = real + 1
    units = torch.tensor([1.0, 100.0, 0.01])
    terms = []
    for factor, times in ((torch.ones(3), 1), (units, 1), (torch.ones(3), 3)):
        total = objective(Loss(1, 1, 1), real * factor, labels)
        many = [(rows * factor).repeat(times, 1) for rows in (real, generated)]
        total(torch.tensor(2.0), many[0], labels.repeat(times), many[1])
        terms.append([total.terms[name] for name in ("dist", "model")])
    np.testing.assert_allclose(terms[1:], [terms[0]] * 2, rtol=1e-3)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("model", MODELS)
def test_every_term_is_one_at_the_start(distance, model):
    real, labels = two_classes()
    total = objective(Loss(0.5, 2, 3, distance, model), real, labels)
    value = total(torch.tensor(7.0), real, labels, real + 1, native=torch.tensor(0.25))
    assert value.item() == pytest.approx(0.5 + 2 + 3 + 0.25)
    value = total(torch.tensor(3.5), real, labels, real + 1)
    if (distance, model) == ("moments", "auxiliary"):
        assert value.item() == pytest.approx(0.5 / 2 + 2 + 3)
    assert total.terms["rec"] == 3.5 and total.terms["rec_weighted"] == pytest.approx(0.25)
    assert total.terms["total"] == pytest.approx(value.item())


def test_a_term_that_starts_at_zero_stays_small():
    real, labels = two_classes()
    total = objective(Loss(1, 1, 0), real, labels)
    assert total(torch.tensor(1.0), real, labels, real.clone()).item() == pytest.approx(1.0)


def test_terms_of_weight_zero_are_not_computed():
    real, labels = two_classes()
    total = objective(Loss(2, 0, 0), real, labels)
    assert not total.needs_generated
    assert total(torch.tensor(5.0), real, labels).item() == 2
    assert set(total.terms) == {"rec", "rec_weighted", "total"}


@pytest.mark.parametrize(
    ("term", "choice"),
    [("rec", {}), ("native", {})]
    + [("dist", {"distance": name}) for name in DISTANCES]
    + [("model", {"model": name}) for name in MODELS],
)
@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_the_term_that_diverged_is_named(term, choice, bad):
    real, labels = two_classes()
    loss = Loss(1, float(term == "dist"), float(term == "model"), **choice)
    rec = torch.tensor(math.nan if term == "rec" else 1.0)
    generated = torch.full_like(real, bad if term in ("dist", "model") else 0.0)
    native = torch.tensor(math.inf if term == "native" else 0.0)
    with pytest.raises(Diverged, match=f"'{term}' became (nan|inf)") as error:
        objective(loss, real, labels)(rec, real, labels, generated, native=native)
    assert error.value.term == term


MIXED = [Block("a", "number", 0, 1), Block("a", "missing", 1, 2), Block("c", "category", 2, 5)]


def mixed_rows(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Two columns of a table in three blocks of five encoded columns, and one class."""
    real = torch.cat([3 * normal(n, 2), normal(n, 3, seed=1)], dim=1).float()
    return real, torch.zeros(n, dtype=torch.long)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_likelihood_and_kl_term_are_per_column_and_share_a_unit(factor):
    real, labels = mixed_rows()
    total = Objective(Loss(3, 0, 0), real, labels, MIXED, seeded())
    log_density, kl = torch.full((60,), -8.0), torch.tensor(2.0)
    first = total.negative_elbo(log_density, kl, real, labels, kl_factor=factor)
    # Two columns: L_rec is 8 / 2 nats, which is also its start value.
    assert total.terms["rec"] == 4 and first.item() == pytest.approx(3 + 2 / (factor * 2 * 4))
    second = total.negative_elbo(2 * log_density, None, real, labels)
    assert second.item() == pytest.approx(6) and "native" not in total.terms


def test_squared_errors_are_per_block_of_scaled_columns():
    real, labels = mixed_rows()
    total = Objective(Loss(1, 0, 0), real, labels, MIXED, seeded())
    total.weighted_squared_error(2 * total.scale.expand(60, 5), torch.full((60, 1), 0.5), real, labels)
    assert total.terms["rec"] == pytest.approx(0.5 * 5 * 2**2 / 3)


def test_a_gan_has_a_transport_cost_per_block_and_its_own_loss_as_it_is():
    real, labels = mixed_rows()
    total = Objective(Loss(1, 0, 0), real, labels, MIXED, seeded())
    loss = total.adversarial(torch.tensor(0.7), real, labels, real.flip(0) + 2 * total.scale)
    # A shift of a whole sample is its own cheapest transport.
    assert total.terms["rec"] == pytest.approx(5 * 2**2 / 3, rel=1e-4)
    assert loss.item() == pytest.approx(1 + 0.7)
    unpaired = Objective(Loss(1, 0, 0, pairing="none"), real, labels, MIXED, seeded())
    assert unpaired.adversarial(torch.tensor(0.7), real, labels, None).item() == pytest.approx(0.7)
    assert set(unpaired.terms) == {"native", "total"}
