"""Model selection for the common circuit: number of states and smoothing by validation likelihood of short fits."""

from dataclasses import dataclass, replace

import numpy as np

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.dirichlet_tree import DirichletTree
from trisynth.generators.circuit.em import Prior, Rows, fit_em, hard_counts
from trisynth.generators.circuit.latent_tree import LatentTree, Tree

# Candidate numbers of states, fewest training rows per state, and nats per row that a doubling must gain.
_STATES, _ROWS_PER_STATE, _MIN_GAIN = (8, 16, 32, 64), 16, 0.05
# Growth rates of the leaves' prior with the depth of a split, the default first.
_GROWTHS = (2.0, 1.0, 3.0)
# Rows and most EM iterations of a trial.
_TRIAL_ROWS, _TRIAL_MAX_ITER = 5_000, 12
# Pseudo-counts of a leaf's topmost split, and of the root and of all transitions from one state.
_LEAF, _ROOT, _MOVE = 0.5, 0.5, 0.5
# Fraction of the columns' dependence in the initial parameters.
_COUPLED = 0.2


@dataclass(frozen=True)
class Selected:
    """Circuit fitted to a few rows, with its prior and validation score.

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


def select_model(
    discretizer: TableDiscretizer,
    smoothing: DirichletTree,
    tree: Tree,
    train: Rows,
    validation: Rows,
    n_states: int | None,
    rng: np.random.Generator,
) -> Selected:
    """Select the best of a few circuits: states are doubled while it helps, then the growth of the prior is varied.

    Parameters
    ----------
    discretizer : TableDiscretizer
    smoothing : DirichletTree
    tree : Tree
        Of the columns.
    train, validation : Rows
        At most 5,000 and 2,500 rows are used.
    n_states : int or None
        Number of states; None selects it.
    rng : Generator
    """
    some, check = train.take(slice(_TRIAL_ROWS)), validation.take(slice(_TRIAL_ROWS // 2))

    def trial(k: int, growth: float) -> Selected:
        prior = weak_prior(discretizer, smoothing, k, growth)
        found = fit_em(rank_initialised(discretizer, tree, prior, some, rng), prior, some, check, _TRIAL_MAX_ITER)
        return Selected(found.circuit, prior, growth, found.score)

    options = [k for k in _STATES if k * _ROWS_PER_STATE <= len(train)] or [max(1, len(train) // _ROWS_PER_STATE)]
    options = options if n_states is None else [n_states]
    best = trial(options[0], _GROWTHS[0])
    for k in options[1:]:
        found = trial(k, _GROWTHS[0])
        if found.score <= best.score + _MIN_GAIN:
            break
        best = found
    for growth in _GROWTHS[1:]:
        found = trial(best.circuit.states, growth)
        if found.score > best.score:
            best = found
            break
    # Another prior may change the best number of states.
    if best.growth != _GROWTHS[0] and 2 * best.circuit.states in options:
        found = trial(2 * best.circuit.states, best.growth)
        best = found if found.score > best.score + _MIN_GAIN else best
    return best


def weak_prior(discretizer: TableDiscretizer, smoothing: DirichletTree, states: int, growth: float) -> Prior:
    """Build a weak prior whose mean is the column's marginal, with half a pseudo-row per state and leaf."""
    d = len(discretizer.columns)
    marginal = smoothing.branches(discretizer.counts[:, None].astype(float))
    strength = _LEAF * (1.0 + smoothing.level[:, None]) ** growth
    return Prior(smoothing, np.full(states, _ROOT), np.full((d, states, states), _MOVE / states), marginal, strength)


def rank_initialised(
    discretizer: TableDiscretizer, tree: Tree, prior: Prior, rows: Rows, rng: np.random.Generator
) -> LatentTree:
    """Initialise a circuit with ranks within the column as states, and with a fraction of their dependence."""
    k = len(prior.root)
    states = np.empty_like(rows.tokens)
    for j, (column, start) in enumerate(zip(discretizer.columns, discretizer.starts, strict=False)):
        reach, token = np.cumsum(column.counts), rows.tokens[:, j] - start
        rank = (reach[token] - column.counts[token] * rng.random(len(rows))) / reach[-1]
        states[:, j] = np.minimum((rank * k).astype(int), k - 1)
    counts = hard_counts(tree, states, rows, k, discretizer.starts[-1])
    blurred = _COUPLED * counts.transitions + (1 - _COUPLED) * rows.weights.sum() / k**2
    return prior.m_step(tree, replace(counts, transitions=blurred))
