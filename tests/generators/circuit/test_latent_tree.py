"""A latent tree against the sum over all of its states, and EM against its promise."""

from itertools import product

import numpy as np
import pytest

from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.em import Prior, Rows, expected_counts, fit_class_factors, fit_em, with_ones
from trisynth.generators.circuit.latent_tree import LatentTree, Tree, draw_categorical

PARENTS = np.array([1, -1, 1, 2])
SIZES = (2, 3, 2, 3)
STARTS = np.concatenate([[0], np.cumsum(SIZES)])
EVERY = np.array(list(product(*map(range, SIZES)))) + STARTS[:-1]


def random_tree(k: int = 3, seed: int = 0) -> LatentTree:
    rng = np.random.default_rng(seed)
    leaves = np.concatenate([rng.dirichlet(np.ones(size), k).T for size in SIZES])
    moves = rng.dirichlet(np.full(k, 0.5), (len(PARENTS), k))
    return LatentTree(Tree.of(PARENTS), rng.dirichlet(np.ones(k)), moves, with_ones(leaves, float))


def by_enumeration(circuit: LatentTree, tokens: np.ndarray) -> tuple[float, np.ndarray]:
    """p(tokens) and p(state of each column, tokens), summed state by state."""
    total, shares = 0.0, np.zeros((len(PARENTS), circuit.states))
    for states in product(range(circuit.states), repeat=len(PARENTS)):
        chance = 1.0
        for v, parent in enumerate(PARENTS):
            chance *= circuit.root[states[v]] if parent < 0 else circuit.transitions[v][states[parent], states[v]]
            chance *= circuit.leaves[tokens[v], states[v]]
        total += chance
        shares[range(len(PARENTS)), states] += chance
    return total, shares


def some_rows(n: int = 200, seed: int = 1) -> Rows:
    rng = np.random.default_rng(seed)
    chances = np.exp(random_tree(seed=seed).log_likelihood(EVERY))
    return Rows(EVERY[rng.choice(len(EVERY), n, p=chances / chances.sum())], np.ones(n))


def a_prior(k: int = 3) -> Prior:
    counts = np.ones((STARTS[-1], 1))
    smoothing = DirichletTree.build(STARTS, counts[:, 0], [True, True, False, True], [False, True, False, False])
    strength = 0.5 * (1.0 + smoothing.level[:, None]) ** 2
    moves = np.full((len(SIZES), k, k), 0.5 / k)
    return Prior(smoothing, np.full(k, 0.5), moves, smoothing.branches(counts), strength)


def test_log_likelihood_is_the_sum_over_states():
    circuit = random_tree()
    found = np.exp(circuit.log_likelihood(EVERY))
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert found == pytest.approx([by_enumeration(circuit, row)[0] for row in EVERY])


def test_unobserved_cells_are_summed_out():
    circuit, unknown = random_tree(), STARTS[-1]
    partly = np.array([unknown, EVERY[5][1], unknown, EVERY[5][3]])
    same = (EVERY[:, 1] == partly[1]) & (EVERY[:, 3] == partly[3])
    expected = np.exp(circuit.log_likelihood(EVERY[same])).sum()
    assert np.exp(circuit.log_likelihood(partly[None]))[0] == pytest.approx(expected)
    assert circuit.log_likelihood(np.full((1, 4), unknown)) == pytest.approx(0.0)


def test_an_impossible_row_has_no_likelihood():
    circuit = random_tree()
    circuit.leaves[0] = 0.0
    assert circuit.log_likelihood(EVERY[:1])[0] == -np.inf


def test_posterior_states_follow_the_enumerated_posterior():
    circuit, n = random_tree(), 40_000
    tokens = EVERY[7].copy()
    tokens[0] = STARTS[-1]
    total, shares = by_enumeration(circuit, tokens)
    states = circuit.draw_states(np.tile(tokens, (n, 1)), np.random.default_rng(0))
    drawn = np.stack([np.bincount(column, minlength=circuit.states) for column in states.T]) / n
    assert np.abs(drawn - shares / total).max() < 4 * 0.5 / np.sqrt(n)


def test_a_hub_of_many_columns_does_not_underflow():
    d, k = 300, 4
    leaves = with_ones(np.full((d, k), 1e-6))
    circuit = LatentTree(
        Tree.of(np.array([-1] + [0] * (d - 1))),
        np.full(k, 0.25, np.float32),
        np.full((d, k, k), 0.25, np.float32),
        leaves,
    )
    assert circuit.log_likelihood(np.arange(d)[None]) == pytest.approx(d * np.log(1e-6), rel=1e-5)


def test_expected_counts_are_the_enumerated_ones():
    circuit, rows = random_tree(), some_rows(5)
    counts = expected_counts(circuit, rows)
    root = sum(shares[1] / total for total, shares in (by_enumeration(circuit, row) for row in rows.tokens))
    assert counts.root == pytest.approx(root)
    assert counts.transitions[PARENTS >= 0].sum(axis=(1, 2)) == pytest.approx(np.full(3, 5.0))
    assert counts.leaves.sum() == pytest.approx(20.0)
    assert counts.log_likelihood == pytest.approx(circuit.log_likelihood(rows.tokens).sum())


def test_an_unobserved_cell_counts_for_no_leaf():
    circuit, rows = random_tree(), some_rows(40)
    tokens = rows.tokens.copy()
    tokens[::3, 0] = tokens[1::4, 2] = tokens[::5, 3] = -1
    counts = expected_counts(circuit, Rows(tokens, rows.weights))
    named = expected_counts(circuit, Rows(np.where(tokens < 0, len(circuit.leaves) - 1, tokens), rows.weights))
    for one, other in zip(vars(counts).values(), vars(named).values(), strict=True):
        assert np.array_equal(one, other)
    assert counts.leaves.sum() == pytest.approx((tokens >= 0).sum())
    root = sum(shares[1] / total for total, shares in (by_enumeration(circuit, row) for row in tokens))
    assert counts.root == pytest.approx(root)
    assert counts.log_likelihood == pytest.approx(circuit.log_likelihood(tokens).sum())


@pytest.mark.parametrize("token", [-2, -(2**40), 11, 2**40])
def test_a_token_without_a_leaf_is_refused(token):
    circuit, rows = random_tree(), some_rows(5)
    tokens = rows.tokens.copy()
    tokens[3, 1] = token
    with pytest.raises(ValueError, match="tokens must lie between -1 and 10"):
        expected_counts(circuit, Rows(tokens, rows.weights))


def test_a_weight_of_two_counts_like_a_row_twice():
    circuit, rows = random_tree(), some_rows(6)
    twice = rows.take(np.array([0, 1, 1, 2, 3, 3, 4, 5]))
    weighted = Rows(rows.tokens, np.array([1.0, 2, 1, 2, 1, 1]))
    for one, other in zip(
        vars(expected_counts(circuit, twice)).values(), vars(expected_counts(circuit, weighted)).values(), strict=True
    ):
        assert one == pytest.approx(other)


def test_em_never_lowers_the_penalised_likelihood():
    rows, prior, circuit = some_rows(), a_prior(), random_tree(seed=5)
    values = []
    for _ in range(25):
        counts = expected_counts(circuit, rows)
        values.append(counts.log_likelihood + prior.log_density(circuit))
        circuit = prior.m_step(circuit.tree, counts, float)
    assert np.diff(values).min() > -1e-9
    assert values[-1] - values[0] > 10


def test_tilt_never_lowers_the_likelihood_of_its_class_and_keeps_the_leaves():
    rows, base = some_rows(seed=2), random_tree(seed=5)
    values = [
        fit_class_factors(base, rows, base.leaves, 1e-9, passes).log_likelihood(rows.tokens).sum()
        for passes in range(0, 16, 3)
    ]
    assert np.diff(values).min() > -1e-3
    assert values[-1] - values[0] > 10
    assert fit_class_factors(base, rows, base.leaves, 1e9, 3).log_likelihood(EVERY) == pytest.approx(
        base.log_likelihood(EVERY), abs=1e-4
    )


def test_batches_reach_the_likelihood_of_whole_passes(monkeypatch):
    rows, check = some_rows(900), some_rows(400, seed=1)
    whole = fit_em(random_tree(seed=5), a_prior(), rows, check, 30)
    monkeypatch.setattr("trisynth.generators.circuit.em._BATCH", 100)
    batched = fit_em(random_tree(seed=5), a_prior(), rows, check, 30)
    assert batched.score > check.mean(random_tree(seed=5).log_likelihood(check.tokens)) + 0.05
    assert batched.score == pytest.approx(whole.score, abs=0.02)


def test_neighbouring_bins_lend_strength_and_categories_do_not():
    counts, prior = np.zeros((8, 1)), np.ones(8)
    counts[0] = 40.0
    for ordered in (True, False):
        tree = DirichletTree.build(np.array([0, 8]), prior, [ordered], [False])
        strength = 4.0 * (1.0 + tree.level[:, None]) ** 2
        leaves = tree.map_estimate(counts, tree.branches(prior[:, None]), strength)[:, 0]
        assert leaves.sum() == pytest.approx(1.0)
        assert leaves[0] == leaves.max()
        assert (leaves[1] > 2 * leaves[7]) == ordered


def test_draw_never_returns_a_weightless_column():
    weights = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert np.array_equal(
        draw_categorical(np.tile(weights, (500, 1)), np.random.default_rng(0)), np.tile([1, 2, 0], 500)
    )
