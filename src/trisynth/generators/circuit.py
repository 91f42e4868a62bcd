"""The flagship: one latent-tree circuit per class, each leaning on the circuit of all rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.generators.alias import AliasTable
from trisynth.generators.base import Generator
from trisynth.generators.chow_liu import chow_liu, coarse
from trisynth.generators.codec import Codec
from trisynth.generators.dirichlet_tree import DirichletTree
from trisynth.generators.em import Prior, Rows, Statistics, climb, expected_counts, hard_counts
from trisynth.generators.latent_tree import LatentTree, Tree, draw

_STATES = (8, 16, 32, 64)
_SLOPES = (1.0, 2.0, 3.0)
_STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0)
_MOST = 10_000
_TRIAL = 12
_ROWS = 16_384
_COUPLED = 0.2
_CLASS_PASSES = 15
_LEVEL = 0.0


class Circuit(Generator):
    def __init__(self, states=None, bins=64, smoothing=0.5, slope=None, strength=None, validation=0.1, passes=40):
        self.states = states
        self.bins = bins
        self.smoothing = smoothing
        self.slope = slope
        self.strength = strength
        self.validation = validation
        self.passes = passes

    def _fit(self, table, labels, rng):
        with threadpool_limits(limits=1):
            self._learn(table, labels, rng)

    def _learn(self, table, labels, rng):
        weights = getattr(self, "_weights", None)
        self.codec_ = codec = Codec.learn(table, self.bins)
        rows = Rows(codec.encode(table), weights)
        starts = codec.starts
        parts = [
            coarse(rows.tokens[:, j] - starts[j], column.counts, column.ordered)
            for j, column in enumerate(codec.columns)
        ]
        tree = Tree.of(chow_liu(np.stack(parts, axis=1), None, rng))
        self.tree_ = tree
        self.smoother_ = DirichletTree.build(
            starts, codec.counts, [c.ordered for c in codec.columns], [c.missing for c in codec.columns]
        )
        n = len(rows.tokens)
        held = np.zeros(n, bool)
        held[rng.permutation(n)[: int(self.validation * n)]] = True
        train, validation = rows.take(~held), rows.take(held) if held.any() else rows
        pooled, prior = self._pooled(train, validation, rng)
        strength, passes, alarm = self._strength(pooled, train, validation, labels[~held], labels[held] if held.any() else labels)
        circuit = pooled.circuit
        for _ in range(3):
            circuit = prior.maximum(tree, expected_counts(circuit, rows.tokens, rows.weights))
        self.memorisation_, self.strength_ = alarm, strength
        self.circuits_ = [self._adapt(circuit, rows.take(labels == c), strength, passes) for c in range(labels.max() + 1)]
        shares = np.bincount(labels, weights)
        self.priors_ = shares / shares.sum()

    def _prior(self, states, slope):
        marginal = self.smoother_.branches(self.codec_.counts[:, None].astype(float))
        d = len(self.codec_.columns)
        return Prior(
            self.smoother_,
            np.full(states, 0.5),
            np.full((d, states, states), 0.5 / states),
            marginal,
            (self.smoothing * (1.0 + self.smoother_.level) ** slope)[:, None],
        )

    def _start(self, prior, rows, rng):
        k = len(prior.root)
        codec = self.codec_
        states = np.empty_like(rows.tokens)
        for j, (column, start) in enumerate(zip(codec.columns, codec.starts, strict=False)):
            reach, token = np.cumsum(column.counts), rows.tokens[:, j] - start
            rank = (reach[token] - column.counts[token] * rng.random(len(token))) / reach[-1]
            states[:, j] = np.minimum((rank * k).astype(int), k - 1)
        counts = hard_counts(self.tree_, states, rows.tokens, (k, codec.starts[-1]))
        blurred = _COUPLED * counts.transitions + (1 - _COUPLED) * len(states) / k**2
        return prior.maximum(self.tree_, replace(counts, transitions=blurred))

    def _pooled(self, train, validation, rng):
        n = len(train.tokens)
        some = train.take(rng.permutation(n)[:_MOST])
        check = validation.take(np.arange(len(validation.tokens))[:_MOST // 5])
        best = None
        self.tried_ = []
        def attempt(k, slope):
            nonlocal best
            prior = self._prior(k, slope)
            found = climb(self._start(prior, some, rng), prior, some, check, _TRIAL)
            self.tried_.append((k, slope, found.score))
            if best is None or found.score > best[0].score:
                best = (found, prior, k, slope)
                return True
            return False
        slopes = [2.0] if self.slope is None else [self.slope]
        ks = [k for k in _STATES if k == _STATES[0] or k * 8 <= n] if self.states is None else [self.states]
        for k in ks:
            if not attempt(k, slopes[0]):
                break
        if self.slope is None:
            for s in (1.0, 3.0):
                if attempt(best[2], s):
                    for k in ks:
                        if k == best[2] * 2:
                            attempt(k, s)
                    break
        found, prior, self.states_, self.slope_ = best
        return climb(found.circuit, prior, train, validation, self.passes), prior

    def _class_prior(self, circuit, tokens, strength):
        leaves = circuit.leaves[:-1].astype(float)
        if self.numeric_target_:
            j = self.codec_.names.index(self.target_column_)
            a, b = self.codec_.starts[j : j + 2]
            seen = np.zeros(len(leaves), bool)
            seen[tokens[:, j]] = True
            leaves[a:b] *= seen[a:b, None]
        pi = np.empty((len(circuit.transitions), len(circuit.root)))
        for v in self.tree_.order:
            pa = self.tree_.parents[v]
            pi[v] = circuit.root if pa < 0 else pi[pa] @ circuit.transitions[v]
        pi = np.maximum(pi, 1e-4)
        up = np.where(self.tree_.parents[:, None] >= 0, pi[self.tree_.parents], 1.0)
        col = np.searchsorted(self.codec_.starts, self.smoother_.low, side="right") - 1
        base = strength * pi[col]
        if _LEVEL is None:
            own, total = self.smoother_.sums(leaves)
            st = base * np.maximum(total, 1e-6)
        else:
            st = base * ((1.0 + self.smoother_.level) ** _LEVEL)[:, None]
        return Prior(
            self.smoother_,
            strength * circuit.root.astype(float),
            strength * circuit.transitions.astype(float) * up[:, :, None],
            self.smoother_.branches(leaves),
            st,
        )

    def _tilt(self, base, rows, passes=8):
        circuit = base
        anchor = self._class_prior(base, rows.tokens, _M0)
        A0 = base.transitions.astype(float)
        t = np.ones(A0.shape[:2])
        for _ in range(passes):
            counts = expected_counts(circuit, rows.tokens, rows.weights)
            root = counts.root + anchor.root
            trans = np.empty_like(A0)
            for v in range(len(A0)):
                N = counts.transitions[v] + anchor.transitions[v]
                col, par = N.sum(0), N.sum(1)
                for _ in range(20):
                    A = A0[v] * t[v]
                    A /= A.sum(1, keepdims=True)
                    t[v] *= col / np.maximum(par @ A, 1e-12)
                    t[v] /= t[v].max()
                trans[v] = A
            leaves = circuit.leaves
            if _TLEAF:
                pr = self._class_prior(base, rows.tokens, _TLEAF)
                leaves = np.concatenate([self.smoother_.maximum(counts.leaves, pr.branches, pr.strength), np.ones((1, len(root)))]).astype(np.float32)
            circuit = LatentTree(self.tree_, (root / root.sum()).astype(np.float32), trans.astype(np.float32), leaves)
        return circuit

    def _adapt(self, circuit, rows, strength, passes):
        if _TILT:
            circuit = self._tilt(circuit, rows)
            if strength == np.inf:
                return circuit
        prior = self._class_prior(circuit, rows.tokens, strength)
        for _ in range(passes):
            circuit = prior.maximum(self.tree_, expected_counts(circuit, rows.tokens, rows.weights))
        return circuit

    def _strength(self, pooled, train, validation, labels, held):
        options = _STRENGTHS if self.strength is None else (self.strength,)
        best = (-np.inf,)
        every = range(int(max(labels.max(), held.max())) + 1)
        current = {c: pooled.circuit for c in every}
        n = len(validation.tokens)
        for m in options:
            total = np.zeros(n)
            fit = 0.0
            for c in every:
                mine = labels == c
                if mine.any():
                    current[c] = self._adapt(pooled.circuit if _COLD else current[c], train.take(mine), m, _CLASS_PASSES if _COLD else 5)
                total[held == c] = current[c].log_likelihood(validation.tokens[held == c])
                fit += current[c].log_likelihood(train.tokens[mine]).sum()
            score = np.average(total, weights=validation.weights)
            if score > best[0]:
                best = (score, m, fit / len(train.tokens) - score)
        return best[1], _CLASS_PASSES, best[2]

    def _sample(self, labels, rng):
        k = self.states_
        tree, starts = self.tree_, self.codec_.starts
        root = AliasTable.of(np.stack([c.root for c in self.circuits_]))
        moves = [AliasTable.of(np.concatenate([c.transitions[v] for c in self.circuits_])) for v in range(len(tree.parents))]
        leaves = [
            AliasTable.of(np.concatenate([c.leaves[a:b].T for c in self.circuits_]))
            for a, b in zip(starts[:-1], starts[1:], strict=True)
        ]
        drawn = [np.empty(len(labels), float if c.categories is None else np.int32) for c in self.codec_.columns]
        labels = labels.astype(np.int32)
        for start in range(0, len(labels), _ROWS):
            chunk = labels[start : start + _ROWS]
            first = chunk * np.int32(k)
            state = [None] * len(tree.parents)
            for v in tree.order:
                parent = tree.parents[v]
                state[v] = first + (root.draw(chunk, rng) if parent < 0 else moves[v].draw(state[parent], rng))
                tokens = leaves[v].draw(state[v], rng)
                drawn[v][start : start + _ROWS] = self.codec_.columns[v].decode(tokens, rng)
        return self._table(drawn)

    def _table(self, drawn):
        columns = {}
        for name, column, cells in zip(self.codec_.names, self.codec_.columns, drawn, strict=True):
            if column.categories is not None:
                cells = pd.Categorical.from_codes(cells, categories=column.categories)
            columns[name] = cells
        return pd.DataFrame(columns)

    def _joint(self, tokens):
        tokens = np.where(tokens < 0, self.codec_.starts[-1], tokens)
        found = np.stack([c.log_likelihood(tokens) for c in self.circuits_], axis=1)
        return found + np.log(self.priors_)

    def predict_proba(self, X):
        joint = self._joint(self.codec_.encode(self.schema_.canonical(X)))
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


_COLD = True
_TILT = True
_M0 = 5.0
_TLEAF = 0
