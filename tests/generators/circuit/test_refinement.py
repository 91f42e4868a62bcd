"""L_total without sampling noise: its terms against enumeration and samples, its gradient against differences."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from trisynth.encoders.table import TableEncoder
from trisynth.generators.circuit import Circuit, refinement
from trisynth.generators.circuit.em import Prior, Rows
from trisynth.generators.circuit.moments import Moments, token_marginals
from trisynth.generators.circuit.refinement import LabelledRows, TotalLoss, refine
from trisynth.objective import Loss, by_class, moments, unit_scale


def table(n: int = 600, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """A skewed number, one with gaps, one of few values and a category, all moved by the label."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    a = np.exp(rng.normal(size=n) + y)
    b = np.where(rng.random(n) < 0.2, np.nan, np.log(a) + 0.5 * rng.normal(size=n))
    c = np.clip(rng.integers(0, 3, n) + y, 0, 3).astype(float)
    d = np.where(rng.random(n) < 0.6, np.where(a > 1.5, "p", "q"), "r")
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": d}), pd.Series(np.where(y, "ill", "well"), name="y")


@cache
def fitted() -> Circuit:
    return Circuit(n_states=4, refinement_steps=0).fit(*table())


def parts(loss: Loss, n: int = 600, seed: int = 5) -> tuple[TotalLoss, list, LabelledRows, np.ndarray]:
    """L_total of the fitted circuits in double precision, on rows that are not the training rows."""
    circuit = fitted()
    X, y = table(n, seed)
    labels = np.searchsorted(circuit.labels_.astype(str), y.to_numpy().astype(str))
    real = LabelledRows(
        Rows(circuit.discretizer_.encode(circuit.schema_.canonical(X)), np.linspace(0.5, 1.5, n)), labels
    )
    total = TotalLoss(loss, circuit.discretizer_, circuit.class_priors_)
    double = [
        type(c)(c.tree, *(getattr(c, name).astype(float) for name in ("root", "transitions", "leaves")))
        for c in circuit.circuits_
    ]
    return total, double, real, total.token_frequencies(real)


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0.3, 0.7)])
def test_counts_are_derivatives_by_the_logarithm_of_each_parameter(weights):
    total, circuits, real, laws = parts(Loss(*weights))
    counts, terms = total.counts(circuits, real, laws)
    unit = real.rows.weights.sum() * total.scales["rec"] * len(circuits[0].transitions)
    rng = np.random.default_rng(0)
    inner = circuits[0].tree.order[1:]
    for label, name in product(range(2), ("root", "transitions", "leaves")):
        step = rng.normal(size=getattr(circuits[label], name).shape)
        if name == "leaves":
            step[-1] = 0.0
        if name == "transitions":
            step[np.setdiff1d(np.arange(len(step)), inner)] = 0.0
        sides = []
        for sign in (1, -1):
            moved = list(circuits)
            own = circuits[label]
            values = {part: getattr(own, part) for part in ("root", "transitions", "leaves")}
            values[name] = values[name] * np.exp(sign * 1e-5 * step)
            moved[label] = type(own)(own.tree, **values)
            sides.append(total.terms(moved, real, laws)["total"])
        slope = -(sides[0] - sides[1]) / 2e-5 * unit
        mine = step[:-1] if name == "leaves" else step
        assert np.sum(getattr(counts[label], name) * mine) == pytest.approx(slope, rel=1e-3, abs=1e-3 * unit / 600)
    assert terms["total"] == pytest.approx(sum(v for k, v in terms.items() if k.endswith("_weighted")))


def test_moments_are_those_of_the_encoder_s_columns():
    circuit = fitted()
    laws = np.stack([token_marginals(c, circuit.discretizer_.starts) for c in circuit.circuits_], axis=1)
    mean, spread = Moments.of(circuit.discretizer_).of_distributions(laws)
    X, _ = table()
    encoder = TableEncoder().fit(X)
    # Rows of one label, not yet rounded to the columns' steps.
    drawn = circuit._sample(np.zeros(200_000, int), np.random.default_rng(1))
    scale = unit_scale(torch.tensor(encoder.transform(X)), encoder.blocks_).numpy()
    centre = np.where(np.arange(encoder.width_) < 3, encoder.transform(X).mean(axis=0), 0.0)
    matrix = (encoder.transform(drawn) - centre) / scale
    # The encoder puts the indicator of missing cells after all numbers, the moments put it after its column.
    order = [0, 1, 3, 2, 4, 5, 6]
    assert mean[:, 0] == pytest.approx(matrix.mean(axis=0)[order], abs=0.03)
    assert spread[:, 0] == pytest.approx(matrix.std(axis=0)[order], abs=0.03)


def test_the_distance_is_what_the_sampled_objective_tends_to():
    circuit = fitted()
    total, circuits, real, _ = parts(Loss(1, 1, 0))
    real = LabelledRows(Rows(real.rows.tokens, np.ones(600)), real.labels)
    exact = total.terms(circuits, real, total.token_frequencies(real))["dist"]
    encoder = TableEncoder().fit(table()[0])
    scale = unit_scale(torch.tensor(encoder.transform(table()[0])), encoder.blocks_)
    many, rng = 200, np.random.default_rng(3)
    # A real cell counts as its token, that is, as any value of the token's distribution.
    discretizer, tokens = circuit.discretizer_, np.repeat(real.rows.tokens, many, axis=0)
    cells = [c.decode(tokens[:, j] - discretizer.starts[j], rng) for j, c in enumerate(discretizer.columns)]
    generated = circuit._sample(np.repeat(real.labels, many), np.random.default_rng(2))
    labels = torch.tensor(np.repeat(real.labels, many))
    rows = torch.tensor(encoder.transform(discretizer.table(cells)))
    sampled = by_class(moments, rows / scale, torch.tensor(encoder.transform(generated)) / scale, labels)
    assert exact == pytest.approx(float(sampled), rel=0.1, abs=3e-4)


def test_model_term_is_the_log_loss_of_predicted_probabilities():
    total, circuits, real, laws = parts(Loss(1, 0, 1))
    X, _ = table(600, 5)
    p = fitted().predict_proba(X)[np.arange(600), real.labels]
    expected = -np.average(np.log(p), weights=real.rows.weights)
    assert total.terms(circuits, real, laws)["model"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("weights", "term"), [((1, 1, 0), "dist"), ((1, 0, 1), "model"), ((0, 1, 0), "dist")])
def test_steps_lower_the_total_and_the_term_they_are_for(weights, term):
    total, circuits, real, _ = parts(Loss(*weights))
    starts = fitted().discretizer_.starts
    priors = [Prior.of(c, fitted().smoothing_, starts, 1.0) for c in circuits]
    descent = refine(total, circuits, priors, real, 10)
    history = descent.history
    assert all(np.diff(history["total"]) < 0)
    assert history[term][-1] < 0.8 * history[term][0]
    assert descent.steps == len(history["total"]) - 1
    for circuit in descent.circuits:
        assert circuit.transitions.sum(axis=2) == pytest.approx(np.ones(circuit.transitions.shape[:2]), abs=1e-5)
        assert np.add.reduceat(circuit.leaves[:-1], starts[:-1]) == pytest.approx(1.0, abs=1e-5)


def test_validation_rows_choose_the_best_step():
    total, circuits, real, _ = parts(Loss(1, 0, 1))
    priors = [Prior.of(c, fitted().smoothing_, fitted().discretizer_.starts, 1.0) for c in circuits]
    descent = refine(total, circuits, priors, real.take(slice(100)), 30, real.take(slice(100, None)))
    seen = descent.history["validation_total"]
    assert descent.steps == int(np.argmin(seen))
    laws = total.token_frequencies(real.take(slice(100, None)))
    assert total.terms(descent.circuits, real.take(slice(100, None)), laws)["total"] == pytest.approx(min(seen))


def test_a_circuit_without_beta_and_gamma_is_em_alone():
    X, y = table(300)
    plain = Circuit(n_states=4, refinement_steps=0).fit(X, y)
    native = Circuit(n_states=4, loss=Loss(1.0, 0.0, 0.0)).fit(X, y)
    assert not native.history_ and np.array_equal(plain.log_likelihood(X, y), native.log_likelihood(X, y))
    heavy = Circuit(n_states=4, loss=Loss(1.0, 1.0, 1.0)).fit(X, y)
    assert {"rec", "dist", "model", "total", "rec_weighted", "validation_total"} <= heavy.history_.keys()


def test_a_numeric_target_is_hidden_from_the_model_term():
    X, _ = table(300)
    y = (X["a"].fillna(0) * 2).rename("amount")
    circuit = Circuit(n_states=4, loss=Loss(1.0, 0.0, 1.0)).fit(X, y)
    # With the target in sight its quantile bin would be certain.
    assert circuit.history_["model"][0] > 0.05


def test_a_label_without_weight_moves_nothing():
    X, y = table(300)
    circuit = Circuit(n_states=4).fit(X, y, weights=(y == "ill").astype(float))
    assert all(np.isfinite(values).all() for values in circuit.history_.values())
    assert circuit.predict_proba(X)[:, 0] == pytest.approx(1.0)


def test_many_rows_keep_the_likelihood_of_those_beyond_the_first(monkeypatch):
    total, circuits, real, _ = parts(Loss(1, 0.1, 0.1))
    priors = [Prior.of(c, fitted().smoothing_, fitted().discretizer_.starts, 1.0) for c in circuits]
    monkeypatch.setattr(refinement, "_ROWS", 200)
    found = refine(total, circuits, priors, real, 10)
    laws = total.token_frequencies(real)
    before, after = (total.terms(c, real, laws)["total"] for c in (circuits, found.circuits))
    assert found.steps and after < before
