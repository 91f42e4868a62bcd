"""The common circuit's size and smoothing, chosen by validation likelihood at the cost of a few short climbs."""

from dataclasses import dataclass, replace

import numpy as np

from trisynth.generators.circuit.codec import Codec
from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.em import Prior, Rows, climb, hard_counts
from trisynth.generators.circuit.latent_tree import LatentTree, Tree

# Numbers of states to try, training rows that each is worth, and nats per row that twice as many must gain.
_STATES, _ROWS_PER_STATE, _WORTH = (8, 16, 32, 64), 16, 0.05
# Growth rates of the leaves' prior with the depth of a split, the usual one first.
_GROWTHS = (2.0, 1.0, 3.0)
# Rows and most passes of a trial.
_TRIAL_ROWS, _TRIAL_PASSES = 5_000, 12
# Pseudo-counts of a leaf's topmost split, and of the root and of all transitions from one state.
_LEAF, _ROOT, _MOVE = 0.5, 0.5, 0.5
# Share of the columns' dependence that a trial starts from.
_COUPLED = 0.2


@dataclass(frozen=True)
class Choice:
    """A circuit fitted on a few rows, the prior it was fitted with, and how that was chosen.

    Parameters
    ----------
    circuit : LatentTree
    prior : Prior
    growth : float
        The leaves' prior grows with the depth of a split to this power.
    score : float
        Mean validation log-likelihood.
    """

    circuit: LatentTree
    prior: Prior
    growth: float
    score: float


def choose(
    codec: Codec,
    smoothing: DirichletTree,
    tree: Tree,
    train: Rows,
    validation: Rows,
    states: int | None,
    rng: np.random.Generator,
) -> Choice:
    """The best of a few circuits: states are doubled while it pays, then the growth of the leaves' prior is varied.

    Parameters
    ----------
    codec, smoothing, tree
        Tokens, the tree of their prior, and the tree of the columns.
    train, validation : Rows
        At most 5,000 and 2,500 rows are used.
    states : int or None
        A number is not varied.
    rng : Generator
    """
    some, check = train.take(slice(_TRIAL_ROWS)), validation.take(slice(_TRIAL_ROWS // 2))

    def trial(k: int, growth: float) -> Choice:
        prior = weak_prior(codec, smoothing, k, growth)
        found = climb(ranked(codec, tree, prior, some, rng), prior, some, check, _TRIAL_PASSES)
        return Choice(found.circuit, prior, growth, found.score)

    options = [k for k in _STATES if k * _ROWS_PER_STATE <= len(train)] or [max(1, len(train) // _ROWS_PER_STATE)]
    options = options if states is None else [states]
    best = trial(options[0], _GROWTHS[0])
    for k in options[1:]:
        found = trial(k, _GROWTHS[0])
        if found.score <= best.score + _WORTH:
            break
        best = found
    for growth in _GROWTHS[1:]:
        found = trial(best.circuit.states, growth)
        if found.score > best.score:
            best = found
            break
    # Another prior moves the best number of states.
    if best.growth != _GROWTHS[0] and 2 * best.circuit.states in options:
        found = trial(2 * best.circuit.states, best.growth)
        best = found if found.score > best.score + _WORTH else best
    return best


def weak_prior(codec: Codec, smoothing: DirichletTree, states: int, growth: float) -> Prior:
    """Half a row for each state's transitions and for the top of each leaf, whose mean is the column's own law."""
    d = len(codec.columns)
    marginal = smoothing.branches(codec.counts[:, None].astype(float))
    strength = _LEAF * (1.0 + smoothing.level[:, None]) ** growth
    return Prior(smoothing, np.full(states, _ROOT), np.full((d, states, states), _MOVE / states), marginal, strength)


def ranked(codec: Codec, tree: Tree, prior: Prior, rows: Rows, rng: np.random.Generator) -> LatentTree:
    """A circuit whose states are ranks within the column, most of their dependence between columns taken out."""
    k = len(prior.root)
    states = np.empty_like(rows.tokens)
    for j, (column, start) in enumerate(zip(codec.columns, codec.starts, strict=False)):
        reach, token = np.cumsum(column.counts), rows.tokens[:, j] - start
        rank = (reach[token] - column.counts[token] * rng.random(len(rows))) / reach[-1]
        states[:, j] = np.minimum((rank * k).astype(int), k - 1)
    counts = hard_counts(tree, states, rows, k, codec.starts[-1])
    blurred = _COUPLED * counts.transitions + (1 - _COUPLED) * rows.weights.sum() / k**2
    return prior.maximum(tree, replace(counts, transitions=blurred))
