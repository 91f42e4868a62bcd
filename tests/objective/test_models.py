"""Every L_model against closed forms, finite differences and what it is known for."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from trisynth.encoders.table import Block
from trisynth.generators.neural.device import one_thread as single_thread
from trisynth.objective import Loss, Objective
from trisynth.objective.adversarial import DiscriminativeClassifier
from trisynth.objective.auxiliary import Auxiliary
from trisynth.objective.models import MODELS
from trisynth.objective.train_on_synthetic import TrainOnSynthetic, held_out

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


def in_double(model):
    """The same model, so that finite differences can be trusted."""
    model.network.weights = [weight.detach().double() for weight in model.network.weights]
    model.network.centre = model.network.centre.double()
    return model


def test_auxiliary_model_learns_the_real_rows():
    real, labels = two_classes()
    auxiliary = Auxiliary(real, labels, None, seeded())
    assert (auxiliary.predict(real).argmax(dim=1) == labels).float().mean() > 0.97
    assert auxiliary(real, labels) < 0.1 < 1 < auxiliary(real, 1 - labels)


def test_auxiliary_model_pulls_rows_into_the_requested_class():
    real, labels = two_classes()
    auxiliary = Auxiliary(real, labels, None, seeded())
    generated, asked = real.clone().requires_grad_(), 1 - labels
    before = auxiliary(generated, asked)
    before.backward()
    assert auxiliary(generated - 10 * generated.grad, asked) < before
    # Class 1 lies higher in every column: asking for it moves rows up.
    step = -generated.grad.sum(dim=1)
    assert (step[asked == 1] > 0).all() and (step[asked == 0] < 0).all()


@pytest.mark.parametrize("target", [None, 1])
def test_gradient_of_the_auxiliary_loss_agrees_with_finite_differences(target):
    rows, labels = (normal(5, 3, seed=2) + 0.1).requires_grad_(), torch.arange(5) % 2
    auxiliary = in_double(Auxiliary(normal(60, 3).float(), torch.arange(60) % 2, target, seeded()))
    assert torch.autograd.gradcheck(lambda rows: auxiliary(rows, labels), (rows,))


def test_regression_scores_the_target_by_the_other_columns():
    real = normal(400, 3).float()
    real[:, 2] = real[:, 0] - real[:, 1]
    auxiliary = Auxiliary(real, torch.zeros(400, dtype=torch.long), 2, seeded())
    labels = torch.zeros(400, dtype=torch.long)
    assert auxiliary(real, labels) < 0.05 * real[:, 2].var()
    broken = real.clone()
    broken[:, 2] = real[:, 2].flip(0)
    assert torch.equal(auxiliary.predict(broken), auxiliary.predict(real))
    assert auxiliary(broken, labels) > real[:, 2].var()


def test_one_class_leaves_nothing_to_say():
    real, _ = two_classes()
    labels = torch.zeros(len(real), dtype=torch.long)
    total = Objective(Loss(1, 0, 1), real, labels, NUMBERS, seeded())
    assert total(torch.tensor(1.0), real, labels, real).item() == pytest.approx(1.0)
    assert total.terms["model"] == 0


def test_auxiliary_model_depends_on_its_generator_only():
    real, labels = two_classes(60)
    state = torch.get_rng_state()
    first, again = (Auxiliary(real, labels, None, seeded(3)) for _ in range(2))
    other = Auxiliary(real, labels, None, seeded(4))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.network.weights, again.network.weights, strict=True))
    assert not torch.equal(first.network.weights[0], other.network.weights[0])


# The classifier that learns beside the generator


@pytest.mark.parametrize("target", [None, 1])
def test_gradient_of_the_adversarial_score_agrees_with_finite_differences(target):
    rows, labels = (normal(5, 3, seed=2) + 0.1).requires_grad_(), torch.arange(5) % 2
    real = normal(60, 3).float()
    model = DiscriminativeClassifier(real, torch.arange(60) % 2, target, seeded())
    for _ in range(20):
        model.learn(real + 1, torch.arange(60) % 2, real)
    in_double(model)
    assert torch.autograd.gradcheck(lambda rows: model.score(rows, labels), (rows,))


@pytest.mark.parametrize("target", [None, 1])
def test_adversarial_score_starts_even_and_its_gradient_is_not_the_classifiers(target):
    real, labels = two_classes(60)
    model = DiscriminativeClassifier(real, labels, target, seeded())
    generated = (real + 1).requires_grad_()
    assert model.score(generated, labels).item() == pytest.approx(math.log(2) if target is None else 0.25)
    model(generated, labels, real).backward()
    before = [weight.clone() for weight in model.network.weights]
    assert generated.grad.abs().sum() > 0
    model(generated, labels, real)
    assert any(not torch.equal(a, b) for a, b in zip(before, model.network.weights, strict=True))


def test_trained_classifier_estimates_the_density_ratio_in_each_class():
    # Class 0: N(0, 1) against N(1, 1); class 1: both N(0, 1).
    labels = torch.arange(4000) % 2
    real, generated = normal(4000, 1).float(), normal(4000, 1, seed=1).float() + (labels == 0)[:, None]
    model = DiscriminativeClassifier(real, labels, None, seeded())
    for _ in range(300):
        model.learn(generated, labels, real)
    points = torch.linspace(-1, 2, 4)[:, None]
    outputs = model.network(points).log_softmax(dim=1)
    # log q(x, y) / p(x, y) = x - 1/2 in class 0.
    torch.testing.assert_close(outputs[:, 2] - outputs[:, 0], points[:, 0] - 0.5, atol=0.25, rtol=0)
    torch.testing.assert_close(outputs[:, 3] - outputs[:, 1], torch.zeros(4), atol=0.25, rtol=0)


def test_only_the_auxiliary_model_rewards_easy_rows():
    """At q = p the auxiliary model still pulls rows away from the other class, the adversarial one does not."""
    real, labels = two_classes(4000, gap=1.0)
    generated = (normal(4000, 3, seed=5).float() + labels[:, None]).requires_grad_()
    adversarial = DiscriminativeClassifier(real, labels, None, seeded())
    for _ in range(300):
        adversarial.learn(generated.detach(), labels, real)
    pulls = {}
    for name, score in {
        "auxiliary": Auxiliary(real, labels, None, seeded())(generated, labels),
        "adc": adversarial.score(generated, labels),
    }.items():
        (gradient,) = torch.autograd.grad(score, generated)
        pulls[name] = -(gradient.mean(dim=1) * (2 * labels - 1)).sum().item()
    assert pulls["auxiliary"] > 0.1 and abs(pulls["adc"]) < 0.2 * pulls["auxiliary"]


def test_adversarial_regression_sees_a_target_that_does_not_fit():
    real = normal(2000, 2).float()
    real[:, 1] = real[:, 0]
    broken = real.clone()
    broken[:, 1] = real[:, 1].flip(0)
    labels = torch.zeros(2000, dtype=torch.long)
    scores = {}
    for name, generated in {"same": real.flip(0), "broken": broken}.items():
        model = DiscriminativeClassifier(real, labels, 1, seeded())
        for _ in range(300):
            model.learn(generated, labels, real)
        scores[name] = model.score(generated, labels).item()
    assert scores["same"] == pytest.approx(0.25, abs=0.02) and scores["broken"] > 0.35


# Train on synthetic, test on real rows kept aside


def exact(model: TrainOnSynthetic) -> TrainOnSynthetic:
    """The same model, which stops only where rounding does."""
    model.tolerance = 1e-11
    return model


@pytest.mark.parametrize(("classes", "target"), [(2, None), (4, None), (1, 1)])
def test_implicit_gradient_agrees_with_finite_differences_of_the_whole_fit(classes, target):
    model = exact(TrainOnSynthetic(normal(60, 3), torch.arange(60) % classes, target, seeded()))
    rows, labels = (normal(12, 3, seed=2) * 1.5).requires_grad_(), torch.arange(12) % classes
    assert torch.autograd.gradcheck(lambda rows: model(rows, labels), (rows,), atol=1e-6, rtol=1e-4)


def test_training_is_content_with_an_implicit_gradient_of_three_digits():
    labels, gradients = torch.arange(600) % 3, []
    for finish in (exact, lambda model: model):
        model = finish(TrainOnSynthetic(normal(600, 10) + labels[:, None], labels, None, seeded()))
        rows = (normal(200, 10, seed=2) * 1.5).requires_grad_()
        gradients += torch.autograd.grad(model(rows, labels[:200]), rows)
    assert (gradients[0] - gradients[1]).norm() < 1e-3 * gradients[0].norm()


def test_inner_problem_is_that_of_logistic_regression():
    real, labels = two_classes(300, gap=1.0)
    model = exact(TrainOnSynthetic(real, labels, None, seeded()))
    generated = normal(200, 3, seed=4).float()
    value = model(generated, labels[:200])
    inputs, _ = model._problem(generated, labels[:200])
    # Two columns of weights share the penalty that scikit-learn's one column bears.
    fitted = LogisticRegression(C=1 / (200 * model.ridge / 2), fit_intercept=False, tol=1e-10, max_iter=1000)
    fitted.fit(inputs.numpy(), labels[:200].numpy())
    found = (model.weights[:, 1] - model.weights[:, 0]).numpy()
    np.testing.assert_allclose(found, fitted.coef_[0], atol=1e-4)
    expected = -np.log(fitted.predict_proba(model.outer[0].numpy()))[model.outer[1].numpy() == 1].mean()
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_inner_problem_of_a_number_is_ridge_regression():
    model = exact(TrainOnSynthetic(normal(60, 3), torch.zeros(60, dtype=torch.long), 2, seeded()))
    generated, labels = normal(30, 3, seed=1), torch.zeros(30, dtype=torch.long)
    value = model(generated, labels)
    inputs, response = model._problem(generated, labels)
    fitted = Ridge(alpha=30 * model.ridge / 2, fit_intercept=False).fit(inputs.numpy(), response.numpy()[:, 0])
    np.testing.assert_allclose(model.weights[:, 0].numpy(), fitted.coef_, atol=1e-8)
    gap = fitted.predict(model.outer[0].numpy()) - model.outer[1].numpy()[:, 0]
    assert value.item() == pytest.approx(np.mean(gap**2))


def test_rows_that_teach_the_truth_cost_less_and_the_gradient_leads_there():
    real, labels = two_classes(400, gap=2.0)
    model = TrainOnSynthetic(real, labels, None, seeded())
    generated = normal(100, 3, seed=3).float().requires_grad_()
    scores = [model(generated, labels[:100])]
    for _ in range(30):
        (gradient,) = torch.autograd.grad(scores[-1], generated)
        generated = (generated - 20 * gradient).detach().requires_grad_()
        scores.append(model(generated, labels[:100]))
    assert scores[-1] < 0.5 * scores[0]
    assert model(real[:100], labels[:100]) < model(real[:100], 1 - labels[:100])


def test_held_out_rows_are_a_fraction_of_every_class_and_never_in_a_batch():
    labels = torch.tensor([0] * 50 + [1] * 20 + [2] * 4)
    real = torch.arange(74.0)[:, None].repeat(1, 3)
    total = Objective(Loss(1, 0, 1, model="train_on_synthetic"), real, labels, NUMBERS, seeded())
    aside = sorted(set(range(74)) - set(total.rows.tolist()))
    assert torch.bincount(labels[aside], minlength=3).tolist() == [10, 4, 0]
    model = total._model
    seen = (model.outer[0][:, 0] + model.centre[0]) * total.scale[0]
    np.testing.assert_allclose(sorted(seen.tolist()), aside, atol=1e-4)


@pytest.mark.parametrize("loss", [Loss(), Loss(1, 0, 0, model="train_on_synthetic"), Loss(1, 0, 1, model="adc")])
def test_all_other_losses_leave_all_rows_to_the_generator(loss):
    real, labels = two_classes(40)
    assert Objective(loss, real, labels, NUMBERS, seeded()).rows.tolist() == list(range(40))


def test_a_table_too_small_to_spare_a_row_keeps_all():
    assert not held_out(torch.tensor([0, 0, 0, 1]), 0.2, seeded()).any()
    model = TrainOnSynthetic(normal(4, 3), torch.tensor([0, 0, 0, 1]), None, seeded())
    assert model.rows.tolist() == [0, 1, 2, 3] and len(model.outer[0]) == 4


@pytest.mark.parametrize("labels", [[0] * 30, [0] * 20 + [2] * 10])
def test_a_batch_without_some_class_has_a_finite_score(labels):
    labels = torch.tensor(labels)
    model = TrainOnSynthetic(normal(90, 2), torch.arange(90) % 3, None, seeded())
    generated = (100 * normal(30, 2, seed=1)).requires_grad_()
    score = model(generated, labels)
    score.backward()
    assert torch.isfinite(score) and torch.isfinite(generated.grad).all()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("target", [None, 1])
def test_every_reading_depends_on_its_generator_only(name, target):
    real, labels = two_classes(60)
    state = torch.get_rng_state()

    def scores(seed: int) -> list[float]:
        model = MODELS[name](real, labels, target, seeded(seed))
        return [model(real + shift, labels, real).item() for shift in (0.5, 1.0)]

    assert scores(3) == scores(3) != scores(4)
    assert torch.equal(torch.get_rng_state(), state)
