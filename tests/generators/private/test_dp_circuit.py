"""The private circuit meets noisy tables beyond its tree."""

import numpy as np
import pytest
from cycles import FACTS, cycle, misfit

from trisynth.errors import InputError
from trisynth.generators.circuit.em import Rows, expected_counts
from trisynth.generators.circuit.latent_tree import LatentTree, Tree
from trisynth.generators.private.dp_circuit import DPCircuit, _latent_pairs, _parts, _path
from trisynth.generators.private.tables import pairs
from trisynth.privacy import Budget

pytest.importorskip("dp_accounting", reason="needs the extra privacy")


@pytest.mark.parametrize("epsilon", [None, 1.0])
def test_em_meets_pairs_that_the_tree_of_columns_does_not_have(epsilon):
    frame = cycle(6000)
    budget = Budget(epsilon, epsilon and 1e-6, seeded=bool(epsilon))
    first, fitted = (
        misfit(frame, DPCircuit(budget, max_iter=steps).fit(frame, target="y", facts=FACTS).sample(6000, seed=1))
        for steps in (0, 40)
    )
    assert fitted < 0.05 < first


def test_pairs_of_states_are_those_of_the_enumerated_tree():
    rng, k = np.random.default_rng(0), 2
    parents = np.array([1, 3, 1, -1])
    transitions, root = rng.dirichlet(np.ones(k), (4, k)), rng.dirichlet(np.ones(k))
    whole = np.einsum("d,db,ba,bc->abcd", root, transitions[1], transitions[0], transitions[2])
    found = _latent_pairs(LatentTree(Tree.of(parents), root, transitions, np.ones((1, k))))
    assert set(found) == {(i, j) for i in range(4) for j in range(i + 1, 4)}
    for pair, table in found.items():
        np.testing.assert_allclose(table, whole.sum(tuple(v for v in range(4) if v not in pair)))


def test_counts_of_a_table_are_those_of_its_cells_as_partial_rows():
    rng, k, sizes = np.random.default_rng(3), 3, [2, 3, 4]
    parents = np.array([1, -1, 1])
    made = DPCircuit(n_states=k)
    made.starts_ = np.array([0, 2, 5, 9])
    leaves = np.concatenate([rng.dirichlet(np.ones(size), k).T for size in sizes] + [np.ones((1, k))])
    circuit = LatentTree(Tree.of(parents), rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(k), (3, k)), leaves)
    table = rng.random((2, 4))
    found = made._expected(circuit, {(0, 2): table}, {(0, 2): _path(parents, 0, 2)})
    a, b = np.nonzero(table)
    rows = Rows(np.stack([a, np.full(8, 9), 5 + b], axis=1), table[a, b])
    due = expected_counts(circuit, rows)
    np.testing.assert_allclose(found.log_likelihood, due.log_likelihood)
    np.testing.assert_allclose(found.root, due.root)
    np.testing.assert_allclose(found.transitions, due.transitions, atol=1e-12)
    np.testing.assert_allclose(found.leaves[[0, 1, 5, 6, 7, 8]], due.leaves[[0, 1, 5, 6, 7, 8]])


def test_a_path_meets_at_the_nearest_common_parent():
    parents = np.array([1, 3, 1, -1, 3])
    assert _path(parents, 0, 2) == [0, 1, 2] and _path(parents, 0, 4) == [0, 1, 3, 4]
    assert _path(parents, 3, 0) == [3, 1, 0] and _path(parents, 1, 1) == [1]


def test_states_are_equal_parts_of_neighbouring_groups():
    parts = _parts(np.array([2.0, 1.0, 1.0]), 2)
    np.testing.assert_allclose(parts, [[1, 0], [0, 1], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(_parts(np.array([1.0]), 4), np.full((1, 4), 0.25), atol=1e-6)


def test_columns_that_no_table_joins_stay_independent():
    frame = cycle(3000)[["a", "y"]]
    made = DPCircuit(Budget(1.0, 1e-6, seeded=True)).fit(frame, target="y", facts={n: FACTS[n] for n in ("a", "y")})
    assert pairs.TABLES not in made.ledger_.charged or not made.ledger_.charged[pairs.TABLES]
    drawn = made.sample(3000, seed=1)
    real, own = (part["a"].value_counts(normalize=True).sort_index() for part in (frame, drawn))
    assert np.abs(real - own).max() < 0.05


@pytest.mark.parametrize(("name", "value"), [("n_states", 0), ("n_states", 100_000), ("max_iter", -1)])
def test_numbers_beyond_a_circuit_are_refused(name, value):
    with pytest.raises(InputError, match=rf"generator\.{name}={value}"):
        DPCircuit(Budget(1.0, 1e-6), **{name: value}).fit(cycle(50), target="y", facts=FACTS)
