"""L_total without sampling noise: its terms against enumeration and samples, its gradient against differences."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from trisynth.generators.circuit import Circuit
from trisynth.generators.em import Prior, Rows
from trisynth.generators.moments import Moments, token_law
from trisynth.generators.refinement import Labelled, TotalLoss, descend
from trisynth.objective import Loss, by_class, moments, unit_scale
from trisynth.preprocessing.encoder import TableEncoder


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
    return Circuit(states=4, loss=None).fit(*table())


def parts(loss: Loss, n: int = 600, seed: int = 5) -> tuple[TotalLoss, list, Labelled, np.ndarray]:
    """L_total of the fitted circuits in double precision, on rows that are not the training rows."""
    circuit = fitted()
    X, y = table(n, seed)
    labels = np.searchsorted(circuit.labels_.astype(str), y.to_numpy().astype(str))
    real = Labelled(Rows(circuit.codec_.encode(circuit.schema_.canonical(X)), np.linspace(0.5, 1.5, n)), labels)
    total = TotalLoss(loss, circuit.codec_, circuit.priors_)
    double = [
        type(c)(c.tree, *(getattr(c, name).astype(float) for name in ("root", "transitions", "leaves")))
        for c in circuit.circuits_
    ]
    return total, double, real, total.real_laws(real)


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
