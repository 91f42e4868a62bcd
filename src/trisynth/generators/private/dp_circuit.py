"""Private circuit: EM of a latent tree for each class, on the cells of noisy tables instead of rows."""

import numpy as np

from trisynth.errors import InputError, require_whole
from trisynth.generators.circuit.em import Counts, with_ones
from trisynth.generators.circuit.latent_tree import LatentTree, Tree
from trisynth.generators.private.pairwise import PairwiseGenerator
from trisynth.generators.private.tables import pairs, spanning, tree
from trisynth.privacy import Budget

# Pseudo-rows of each distribution of a circuit, and the part of the likelihood of a cell below which EM has ended.
_SMOOTHING, _STILL = 0.5, 1e-5
# States at most: a column has at most 33 groups.
_MOST = 256
# At the start: standard deviation of the logarithm of a transition, and the part of a leaf that is not its state's own.
_SPREAD, _OPEN = 0.5, 0.1


class DPCircuit(PairwiseGenerator):
    """Latent trees, one for each class, by EM on noisy tables of (column, column, label).

    The tables are those of ``RakedPairs``, under the same plan. A cell of a table is a weighted row whose other columns
    are unobserved, so that the cost depends on the number of cells and not of rows. The tree is that of the chosen
    pairs; at the start a state stands for an equal part of its column. EM sums over the variables between two columns,
    and no others.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.
    n_states : int, default=16
        States of a latent variable.
    max_iter : int, default=40
        Maximum number of EM iterations.

    Notes
    -----
    Sources: the circuit is that of ``Circuit``, a hidden Chow-Liu tree (Liu & Van den Broeck 2021). Pairs of columns as
    evidence are a composite likelihood (Lindsay 1988, https://doi.org/10.1090/conm/080/999014): a row is a part of
    every table. The choice of pairs is that of MST (McKenna, Miklau & Sheldon 2021,
    https://doi.org/10.29012/jpc.778). The combination is ours.
    """

    def __init__(self, privacy: Budget | None = None, n_states: int = 16, max_iter: int = 40):
        super().__init__(privacy)
        self.n_states = n_states
        self.max_iter = max_iter

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        require_whole("generator.n_states", self.n_states, 1)
        if self.n_states > _MOST:
            raise InputError(
                "generator.n_states", self.n_states, f"must be at most {_MOST}; a column has fewer groups than that"
            )
        require_whole("generator.max_iter", self.max_iter, 0)

    def _model(self, ones, totals, tables, edges, sigma, rng) -> None:
        self.starts_ = np.concatenate([[0], np.cumsum([one.shape[1] for one in ones])])
        near = {
            pair: pairs.fitted(pair, pairs.shrunk(tables[pair], spanning.independent(pair, ones), sigma), ones)
            for pair in edges
        }
        rooted = tree.rooted([(*pair, near[pair]) for pair in edges], ones)
        parents = np.full(len(ones), -1)
        for edge in rooted:
            # A latent tree has one root: columns that no table joins hang on the first one, independently of it.
            parents[edge.child] = edge.parent if edge.parent >= 0 or edge is rooted[0] else rooted[0].child
        shape, conditional = Tree.of(parents), {edge.child: edge.table for edge in rooted if edge.parent >= 0}
        self.circuits_ = [self._initial(shape, label, ones, conditional, rng) for label in range(len(totals))]
        model = {pair: [] for pair in tables if pair not in near}
        for label, circuit in enumerate(self.circuits_):
            latent = _latent_pairs(circuit)
            for pair in model:
                model[pair].append(totals[label] * self._cells(circuit, latent, pair))
        # Noisy tables beside the tree are drawn towards it, in cells of few rows most.
        targets = near | {
            pair: pairs.fitted(pair, pairs.shrunk(tables[pair], np.array(found), sigma), ones)
            for pair, found in model.items()
        }
        self.circuits_ = [
            self._climbed(circuit, {pair: table[label] for pair, table in targets.items()})
            for label, circuit in enumerate(self.circuits_)
        ]

    def _initial(
        self, shape: Tree, label: int, ones: list[np.ndarray], conditional: dict, rng: np.random.Generator
    ) -> LatentTree:
        """Build a circuit whose states are equal parts of each column, with the dependence along the tree."""
        states = [_parts(one[label], self.n_states) for one in ones]
        transitions = np.empty((len(ones), self.n_states, self.n_states))
        for v, (one, own) in enumerate(zip(ones, states, strict=True)):
            transitions[v] = one[label] @ own
            if v in conditional:
                transitions[v] = states[shape.parents[v]].T @ conditional[v][label] @ own + 1e-3 * transitions[v]
        # Parts of one group begin alike; only what differs can learn to tell further columns apart.
        transitions *= np.exp(_SPREAD * rng.standard_normal(transitions.shape))
        first = shape.order[0]
        leaves = np.concatenate(
            [
                one[label][:, None] * ((1 - _OPEN) * own + _OPEN / self.n_states)
                for one, own in zip(ones, states, strict=True)
            ]
        )
        return self._maximised(shape, Counts(ones[first][label] @ states[first], transitions, leaves))

    def _maximised(self, shape: Tree, counts: Counts) -> LatentTree:
        """Maximise the expected log-likelihood with a little smoothing (the M-step)."""
        root = counts.root + _SMOOTHING / self.n_states
        transitions = counts.transitions + _SMOOTHING / self.n_states
        leaves = np.empty_like(counts.leaves)
        for start, stop in zip(self.starts_, self.starts_[1:], strict=False):
            part = counts.leaves[start:stop]
            part = part + (part.sum(1, keepdims=True) + 1e-6) / max(part.sum(), 1e-6) * _SMOOTHING
            leaves[start:stop] = part / part.sum(0)
        transitions /= transitions.sum(2, keepdims=True)
        return LatentTree(
            shape, (root / root.sum()).astype(np.float32), transitions.astype(np.float32), with_ones(leaves)
        )

    def _climbed(self, circuit: LatentTree, targets: dict[pairs.Pair, np.ndarray]) -> LatentTree:
        """Run EM; without a table the circuit stays."""
        paths = {pair: _path(circuit.tree.parents, *pair) for pair in targets}
        before, most = -np.inf, max(sum(table.sum() for table in targets.values()), 1e-9)
        for _ in range(self.max_iter if targets else 0):
            counts = self._expected(circuit, targets, paths)
            if counts.log_likelihood - before < _STILL * most:
                break
            before, circuit = counts.log_likelihood, self._maximised(circuit.tree, counts)
        return circuit

    def _expected(self, circuit: LatentTree, targets: dict[pairs.Pair, np.ndarray], paths: dict) -> Counts:
        """Compute expected counts, of each table those of the variables between its columns (the E-step)."""
        marginals, latent = circuit.state_marginals().astype(float), _latent_pairs(circuit)
        root, transitions = np.zeros(circuit.states), np.zeros(circuit.transitions.shape)
        leaves, log_likelihood, first = np.zeros((int(self.starts_[-1]), circuit.states)), 0.0, circuit.tree.order[0]

        def joint(a: int, b: int) -> np.ndarray:
            if a == b:
                return np.diag(marginals[a])
            return latent[a, b] if a < b else latent[b, a].T

        def given(a: int, b: int) -> np.ndarray:
            """Return p(z_a | z_b), columns for the states of b."""
            return joint(a, b) / np.maximum(marginals[b], 1e-30)

        for (i, j), table in targets.items():
            own, other = (slice(self.starts_[v], self.starts_[v + 1]) for v in (i, j))
            one, two = circuit.leaves[own].astype(float), circuit.leaves[other].astype(float)
            model = np.maximum(one @ latent[i, j] @ two.T, 1e-30)
            ratio = table / model
            log_likelihood += float((table * np.log(model)).sum())
            leaves[own] += one * (ratio @ two @ latent[i, j].T)
            leaves[other] += two * (ratio.T @ one @ latent[i, j])
            weight = one.T @ ratio @ two
            for near, far in zip(paths[i, j], paths[i, j][1:], strict=False):
                found = joint(near, far) * (given(i, near).T @ weight @ given(j, far))
                down = circuit.tree.parents[far] == near
                transitions[far if down else near] += found if down else found.T
            if first in paths[i, j]:
                root += marginals[first] * ((given(i, first).T @ weight) * given(j, first).T).sum(1)
        return Counts(root, transitions, leaves, log_likelihood)

    def _cells(self, circuit: LatentTree, latent: dict, pair: pairs.Pair) -> np.ndarray:
        """Return the probabilities of the groups of two columns."""
        first, second = (circuit.leaves[self.starts_[i] : self.starts_[i + 1]].astype(float) for i in pair)
        return first @ latent[pair] @ second.T

    def _draw(self, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        inner = len(self.starts_) - 1
        found = np.empty((inner, len(labels)), int)
        for label in np.unique(labels):
            own = np.flatnonzero(labels == label)
            circuit = self.circuits_[label]
            states = np.empty((inner, len(own)), int)
            for v in circuit.tree.order:
                parent = circuit.tree.parents[v]
                shares = circuit.root[None] if parent < 0 else circuit.transitions[v]
                states[v] = tree.pick(shares, np.zeros(len(own), int) if parent < 0 else states[parent], rng)
                leaves = circuit.leaves[self.starts_[v] : self.starts_[v + 1]].T
                found[v, own] = tree.pick(leaves, states[v], rng)
        return list(found)

    def _fitted(self, label: int, codes: list[int]) -> tuple[list[float], dict[pairs.Pair, float]]:
        circuit, rows = self.circuits_[label], self.totals_[label]
        leaves = [circuit.leaves[start + code] for start, code in zip(self.starts_, codes, strict=False)]
        ones = (circuit.state_marginals() * leaves).sum(1) * rows
        latent = _latent_pairs(circuit)
        return ones.tolist(), {(i, j): float(rows * leaves[i] @ table @ leaves[j]) for (i, j), table in latent.items()}


def _path(parents: np.ndarray, first: int, last: int) -> list[int]:
    """Return the variables of a tree from one to another, both included."""
    up, down = [first], [last]
    for way in (up, down):
        while parents[way[-1]] >= 0:
            way.append(int(parents[way[-1]]))
    while len(up) > 1 and len(down) > 1 and up[-2] == down[-2]:
        up.pop()
        down.pop()
    return [*up, *down[-2::-1]]


def _parts(rows: np.ndarray, states: int) -> np.ndarray:
    """Return p(state | group), shape (groups, states), of states that are equal parts of neighbouring groups."""
    reach = np.concatenate([[0.0], np.cumsum(rows + 1e-9)])
    reach *= states / reach[-1]
    low, high = np.maximum(reach[:-1, None], np.arange(states)), np.minimum(reach[1:, None], np.arange(states) + 1)
    found = np.maximum(high - low, 0.0) + 1e-12
    return found / found.sum(1, keepdims=True)


def _latent_pairs(circuit: LatentTree) -> dict[pairs.Pair, np.ndarray]:
    """Return p(z_i, z_j) of all pairs of latent variables, by products of transitions along the tree."""
    marginals = circuit.state_marginals().astype(float)
    found: dict[pairs.Pair, np.ndarray] = {}
    seen: list[int] = []
    for v in circuit.tree.order:
        parent = circuit.tree.parents[v]
        for other in seen:
            joint = np.diag(marginals[parent]) if other == parent else found[min(other, parent), max(other, parent)]
            # Rows are states of the other variable.
            joint = joint if other <= parent else joint.T
            joint = joint @ circuit.transitions[v]
            found[min(other, v), max(other, v)] = joint if other < v else joint.T
        seen.append(v)
    return found
