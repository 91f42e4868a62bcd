"""Decision regions and their weights against enumeration, and their purpose: labels that are rules."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from tables import apart

from trisynth.generators.base import Generator
from trisynth.generators.circuit import Circuit
from trisynth.generators.circuit.decision_regions import GrownTree
from trisynth.generators.circuit.em import Rows, with_ones
from trisynth.generators.circuit.latent_tree import LatentTree, Tree
from trisynth.generators.circuit.refinement import LabelledRows
from trisynth.generators.circuit.region_evidence import RegionEvidence, RegionParameters

SIZES = (3, 4, 2, 3)
STARTS = np.concatenate([[0], np.cumsum(SIZES)])
EVERY_TOKENS = np.array(list(product(*map(range, SIZES)))) + STARTS[:-1]
FREE = [False] * len(SIZES)


def random_circuit(k: int = 3, seed: int = 0) -> LatentTree:
    rng = np.random.default_rng(seed)
    leaves = np.concatenate([rng.dirichlet(np.ones(size), k).T for size in SIZES])
    moves = rng.dirichlet(np.full(k, 0.5), (len(SIZES), k))
    return LatentTree(Tree.of(np.array([1, -1, 1, 2])), rng.dirichlet(np.ones(k)), moves, with_ones(leaves, float))


def random_regions(n: int = 4, seed: int = 1) -> np.ndarray:
    """RegionEvidence of one to all tokens of each column; the first is everything."""
    allowed = np.random.default_rng(seed).random((n, STARTS[-1])) < 0.6
    allowed[:, STARTS[:-1]] = True
    allowed[0] = True
    return allowed


def inside(allowed: np.ndarray) -> np.ndarray:
    """Indicators of the rows that lie in each region, shape (regions, rows)."""
    return np.stack([region[EVERY_TOKENS].all(axis=1) for region in allowed])


def test_the_probability_of_a_region_is_the_sum_over_its_rows():
    circuit, allowed = random_circuit(), random_regions()
    probability = np.exp(circuit.log_likelihood(EVERY_TOKENS))
    found = np.exp(RegionEvidence.of(allowed, STARTS, FREE).log_probabilities([circuit]))[:, 0]
    assert found == pytest.approx(inside(allowed) @ probability)
    assert found[0] == pytest.approx(1.0)


def test_a_cell_that_is_not_missing_shows_the_region_without_the_missing_token():
    circuit, allowed = random_circuit(), random_regions()
    evidence = RegionEvidence.of(allowed, STARTS, [True, False, False, True])
    present = allowed.copy()
    present[:, STARTS[[0, 3]]] = False
    probability = np.exp(circuit.log_likelihood(EVERY_TOKENS))
    found = np.exp(evidence.extended(circuit).log_likelihood(evidence.cells[1]))
    assert found == pytest.approx(inside(present) @ probability)


def test_parts_are_the_circuit_given_the_region():
    circuit, allowed = random_circuit(), random_regions()
    evidence = RegionEvidence.of(allowed, STARTS, FREE)
    parts, numbers, own = (
        RegionParameters.of(circuit, evidence, STARTS),
        evidence.subtree_numbers(circuit.tree),
        evidence.set_numbers(),
    )
    probability, member = np.exp(circuit.log_likelihood(EVERY_TOKENS)), inside(allowed)

    def normal(weights: np.ndarray, axis: int) -> np.ndarray:
        return weights / weights.sum(axis=axis, keepdims=True)

    for region in range(len(allowed)):
        root = normal(parts.root[numbers[region, 1]], 0)
        moves = [normal(parts.transitions[v][numbers[region, v]], 1) if v != 1 else np.eye(3) for v in range(4)]
        leaves = np.concatenate([normal(parts.leaves[v][own[region, v]], 0) for v in range(4)])
        there = LatentTree(circuit.tree, root, np.stack(moves), with_ones(leaves, float))
        expected = probability * member[region] / (probability @ member[region])
        assert np.exp(there.log_likelihood(EVERY_TOKENS)) == pytest.approx(expected, abs=1e-9)


def ruled(n: int, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Four columns of few values, one with gaps, and a label that is a rule of three of them."""
    rng = np.random.default_rng(seed)
    a, b, c, d = (rng.integers(0, size, n) for size in (3, 4, 2, 3))
    yes = np.where(a == 0, b >= 2, np.where(c == 0, b == 1, (a == 1) & (b != 1)))
    X = pd.DataFrame({"a": np.array(list("pqr"))[a], "b": b.astype(float), "c": c == 1, "d": np.array(list("xyz"))[d]})
    X.loc[rng.random(n) < 0.1, "b"] = np.nan
    return X, pd.Series(np.where(yes, "yes", "no"), name="y")


CELLS = [list("pqr"), [0.0, 1.0, 2.0, 3.0, np.nan], [False, True], list("xyz")]
EVERY = pd.DataFrame(list(product(*CELLS)), columns=list("abcd"))


@cache
def fitted() -> Circuit:
    return Circuit(n_states=2).fit(*ruled(2_000))


@cache
def joint() -> pd.DataFrame:
    """Every row and label, and its probability."""
    parts = []
    for label in fitted().labels_:
        probability = np.exp(fitted().log_likelihood(EVERY, pd.Series(label, index=EVERY.index, dtype=object)))
        parts.append(EVERY.assign(y=label, p=probability))
    return pd.concat(parts, ignore_index=True)


def test_a_rule_is_kept_where_states_are_too_few():
    X, y = ruled(2_000, seed=1)
    assert len(fitted().region_evidence_) > 3
    plain = Circuit(n_states=2, decision_regions=False).fit(*ruled(2_000))
    assert len(plain.region_evidence_) == 1 and plain.diagnostics()["decision_regions"] == 1

    def accuracy(circuit: Circuit) -> float:
        return float(np.mean(circuit.labels_[circuit.predict_proba(X).argmax(axis=1)] == y))

    # A tenth of the rows lost the number that the rule looks at.
    assert accuracy(fitted()) > 0.93 > 0.88 > accuracy(plain)
    drawn, labels = apart(fitted().sample(4_000))
    drawn = drawn.assign(y=labels)[drawn["b"].notna()]
    rule = ruled(4_000, seed=2)
    table = rule[0].assign(y=rule[1]).dropna().groupby(["a", "b", "c"]).y.first()
    agree = table.reindex(pd.MultiIndex.from_frame(drawn[["a", "b", "c"]])).to_numpy() == drawn["y"].to_numpy()
    assert agree.mean() > 0.93


def test_reweighted_probabilities_sum_to_one_and_to_their_margins():
    assert joint().p.sum() == pytest.approx(1.0, abs=1e-4)
    for columns in (["a"], ["b", "c"], ["a", "c", "d"]):
        given = EVERY[columns].drop_duplicates(ignore_index=True)
        sums = joint().groupby(columns, dropna=False).p.sum().rename("p").reset_index()
        known = given.dropna().merge(sums, on=columns)
        found = np.exp(fitted().log_likelihood(known[columns]))
        assert found == pytest.approx(known.p, rel=1e-4)
    bayes = joint().pivot_table("p", ["a", "c"], "y", "sum")
    found = fitted().predict_proba(bayes.index.to_frame(index=False))
    assert found == pytest.approx(bayes.div(bayes.sum(axis=1), axis=0).to_numpy(), abs=1e-4)


def test_samples_follow_the_reweighted_distribution():
    n = 60_000
    X, _ = apart(fitted().sample({"yes": n}, seed=1))
    drawn = X.groupby(list("abcd"), dropna=False).size() / n
    table = joint()[joint().y == "yes"].groupby(list("abcd"), dropna=False).p.sum()
    assert drawn.sub(table / table.sum(), fill_value=0).abs().max() < 0.005


@pytest.mark.parametrize("given", [{"a": "p"}, {"b": np.nan}, {"a": "q", "c": True}, {"b": 1.0, "d": "z"}])
@pytest.mark.parametrize("label", [None, "yes"])
def test_conditional_rows_follow_the_reweighted_distribution(given, label):
    n, table = 20_000, joint()
    table = table if label is None else table[table.y == label]
    for name, value in given.items():
        # A missing cell is replaced by a value.
        table = table[table[name].notna()] if value is np.nan else table[table[name] == value]
    rows = pd.DataFrame({name: [value] * n for name, value in given.items()})
    X, y = apart(fitted().conditional(rows, None if label is None else pd.Series([label] * n), seed=3))
    keys = ["a", "b", "c", "d", "y"]
    drawn = X.assign(y=y.to_numpy()).groupby(keys, dropna=False).size() / n
    expected = table.groupby(keys, dropna=False).p.sum() / table.p.sum()
    assert drawn.sub(expected, fill_value=0).abs().max() < 0.017


def test_each_region_has_nearly_its_empirical_probability():
    circuit = fitted()
    X, y = ruled(2_000)
    leaves = circuit.decision_regions_.leaves
    shares = np.exp(
        circuit.region_evidence_.log_probabilities(circuit.circuits_) + circuit.decision_regions_.log_weights[leaves]
    )
    assert shares.sum(axis=0) == pytest.approx(1.0, abs=1e-4)
    tokens = circuit.discretizer_.encode(circuit.schema_.canonical(X))
    rows, reached = circuit.decision_regions_.compatible(tokens)
    assert np.array_equal(rows, np.arange(len(X)))
    assert circuit.decision_regions_.allowed[reached[:, None], tokens].all()
    for label, name in enumerate(circuit.labels_):
        real = np.mean(reached[y == name][:, None] == leaves, axis=0)
        assert shares[:, label] == pytest.approx(real, abs=0.02)


def test_an_unknown_cell_reaches_every_leaf_that_agrees_with_the_rest():
    cuts = fitted().decision_regions_
    tokens = fitted().discretizer_.encode(fitted().schema_.canonical(EVERY.iloc[[7]]))
    tokens[0, 1] = -1
    _, leaves = cuts.compatible(tokens)
    agree = cuts.allowed[cuts.leaves][:, np.delete(tokens[0], 1)].all(axis=1)
    assert set(leaves) == set(cuts.leaves[agree])
    assert len(cuts.compatible(np.full((1, 4), -1))[0]) == len(cuts.leaves)


def test_no_split_survives_a_cost_above_all_gains_and_noise_gives_none():
    X, y = ruled(600)
    circuit = fitted()
    real = LabelledRows(
        Rows(circuit.discretizer_.encode(circuit.schema_.canonical(X)), np.ones(600)),
        (y == "yes").to_numpy().astype(int),
    )
    grown = GrownTree.of(circuit.circuits_, circuit.discretizer_, real, 3, None)
    sizes = [len(grown.pruned(cost).leaves) for cost in (0.5, 2.0, 8.0, 1e9)]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1
    noise = pd.Series(np.random.default_rng(0).permutation(y), name="y")
    assert len(Circuit(n_states=2).fit(X, noise).region_evidence_) == 1


def test_a_label_of_few_rows_keeps_its_circuit():
    X, y = ruled(2_000)
    y.iloc[:3] = "rare"
    circuit = Circuit(n_states=2).fit(X, y)
    assert len(circuit.region_evidence_) > 3
    assert not circuit.decision_regions_.log_weights[:, 1].any() and circuit.decision_regions_.log_weights[:, 2].any()


def test_a_numeric_target_is_not_split():
    X, y = ruled(2_000)
    amount = pd.Series(np.where(y == "yes", 10.0, 0.0) + np.random.default_rng(0).normal(size=2_000), name="amount")
    circuit = Circuit(n_states=2).fit(X, amount)
    assert len(circuit.region_evidence_) > 3
    assert circuit.discretizer_.names.index("amount") not in circuit.decision_regions_.column


def test_a_saved_circuit_has_its_regions(tmp_path):
    fitted().save(tmp_path / "circuit")
    loaded = Generator.load(tmp_path / "circuit")
    assert np.array_equal(loaded.log_likelihood(EVERY), fitted().log_likelihood(EVERY))
    assert apart(loaded.sample(50))[0].equals(apart(fitted().sample(50))[0])
