"""The tree of a known distribution is found, and chance dependence is not mistaken for one."""

import numpy as np
import pandas as pd
import pytest

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.chow_liu import chow_liu, coarsened, mutual_information, spanning_tree


def edges(parents: np.ndarray) -> set[frozenset]:
    return {frozenset((int(v), int(p))) for v, p in enumerate(parents) if p >= 0}


def test_mutual_information_of_a_known_joint():
    joint = np.array([[40, 10], [10, 40]])
    codes = np.repeat([(a, b) for a in range(2) for b in range(2)], joint.ravel(), axis=0)
    share = joint / 100
    expected = np.sum(share * np.log(share / 0.25)) - 1 / 200
    assert mutual_information(codes)[0, 1] == pytest.approx(expected, abs=1e-6)


def test_independent_columns_have_no_information_on_average():
    rng = np.random.default_rng(0)
    found = [mutual_information(rng.integers(0, 6, (200, 2)))[0, 1] for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)


@pytest.mark.parametrize("parents", [[-1, 0, 1, 2, 3], [2, 2, -1, 2, 2], [-1, 0, 0, 1, 1]])
def test_a_tree_structured_distribution_is_recovered(parents):
    rng = np.random.default_rng(0)
    columns = {}
    for v in np.argsort(parents, kind="stable"):
        noise = rng.normal(size=3000)
        columns[v] = noise if parents[v] < 0 else 0.7 * columns[parents[v]] + 0.7 * noise
    table = pd.DataFrame({f"c{v}": columns[v] for v in range(5)})
    table["c4"] = pd.cut(table["c4"], 6).astype(str).astype("category")
    discretizer = TableDiscretizer.learn(table, 32)
    assert edges(chow_liu(discretizer, discretizer.encode(table), rng)) == edges(np.array(parents))


def test_spanning_tree_is_a_tree_even_without_dependence():
    for d in (1, 2, 6):
        parents = spanning_tree(np.zeros((d, d)))
        assert (parents < 0).sum() == 1
        assert len(edges(parents)) == d - 1


def test_coarse_parts_are_balanced_or_the_commonest():
    counts = np.arange(1, 101)
    tokens = np.repeat(np.arange(100), counts)
    parts = np.bincount(coarsened(tokens, counts, ordered=True))
    assert len(parts) == 15 and parts.max() < 2 * parts.min()
    found = coarsened(np.arange(100), counts, ordered=False)
    assert found[99] == 0 and found[98] == 1 and (found[:86] == 14).all()
