"""Decision regions: leaves of a decision tree for the label, in which each label's circuit is reweighted.

A tree of latent variables passes all that columns have in common through one state at a time, which blurs a label that
is a rule of several columns. A decision tree for the label therefore splits the table into regions, and each label's
circuit is multiplied by one weight per region, w = p(region | label) / circuit's probability of the region. The product
is a distribution in which every region has its empirical probability. It is still a circuit: a mixture over disjoint
regions as in cutset networks (Rahman, Kothalkar and Gogate 2014), but of one circuit restricted to each of them.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from trisynth.encoders.discretizer import TableDiscretizer
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.refinement import LabelledRows
from trisynth.generators.circuit.region_evidence import RegionEvidence

# Candidates for the smallest number of rows in a leaf, and for the nats per label that a split must gain.
_MIN_SAMPLES_LEAF, _COSTS = (3, 30), (1.0, 2.0, 4.0, 8.0, 16.0)
# Pseudo-counts, split as the circuit predicts, that are added to the rows on either side of a split.
_PRIOR_STRENGTH = 2.0
# Labels with fewer rows keep their circuit.
_FEW = 8
# Most entries of the transitions within regions: memory, and time to build the sampler.
_CELLS = 16_000_000
# Most pairs of row and region that are evaluated together.
_PAIRS = 200_000


@dataclass(frozen=True)
class DecisionRegions:
    """Binary tree over tokens whose leaves are the regions; node 0 holds all rows.

    Parameters
    ----------
    column : ndarray of int, shape (nodes,)
        Column of the split; -1 marks a leaf.
    children : ndarray of int, shape (nodes, 2)
    allowed : ndarray of bool, shape (nodes, tokens)
        Tokens of the rows that reach the node.
    log_weights : ndarray, shape (nodes, k)
        Logarithm of the factor of each label's circuit in the node.
    """

    column: np.ndarray
    children: np.ndarray
    allowed: np.ndarray
    log_weights: np.ndarray

    @classmethod
    def single(cls, tokens: int, labels: int) -> "DecisionRegions":
        """Build one region for all rows."""
        return cls(np.array([-1]), np.zeros((1, 2), int), np.ones((1, tokens), bool), np.zeros((1, labels)))

    @property
    def leaves(self) -> np.ndarray:
        """Nodes without a split."""
        return np.flatnonzero(self.column < 0)

    def compatible(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find all compatible pairs of row and leaf, ordered by row; a cell below 0 is compatible with every leaf.

        Parameters
        ----------
        tokens : ndarray of int, shape (n, d)

        Returns
        -------
        rows, leaves : ndarray of int, shape (pairs,)
        """
        rows, nodes = np.arange(len(tokens)), np.zeros(len(tokens), int)
        done: list[tuple[np.ndarray, np.ndarray]] = []
        while len(rows):
            open_ = self.column[nodes] >= 0
            done.append((rows[~open_], nodes[~open_]))
            rows, nodes = rows[open_], nodes[open_]
            cells = tokens[rows, self.column[nodes]]
            sides = [(cells < 0) | self.allowed[self.children[nodes, side], cells] for side in (0, 1)]
            following = [(rows[to], self.children[nodes[to], side]) for side, to in enumerate(sides)]
            rows, nodes = (np.concatenate(parts) for parts in zip(*following, strict=True))
        found, leaves = (np.concatenate(parts) for parts in zip(*done, strict=True))
        order = np.argsort(found, kind="stable")
        return found[order], leaves[order]

    def pairs(self, evidence: RegionEvidence, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Combine every row with the evidence of every compatible leaf.

        Parameters
        ----------
        evidence : RegionEvidence
            Of ``leaves``.
        tokens : ndarray of int, shape (n, d)
            -1 is unknown, -2 is unknown but not missing.

        Returns
        -------
        rows, leaves : ndarray of int, shape (pairs,)
            See ``compatible``.
        shown : ndarray of int, shape (pairs, d)
            Tokens, and for unknown cells the evidence of the region.
        """
        rows, leaves = self.compatible(tokens)
        known, place = tokens[rows], np.searchsorted(self.leaves, leaves)
        inside = evidence.cells[(known == -2).astype(int), place[:, None], np.arange(tokens.shape[1])]
        return rows, leaves, np.where(known < 0, inside, known)

    def chunks(self, n: int) -> list[slice]:
        """Divide ``n`` rows into parts whose pairs with leaves fit into memory."""
        size = max(1, _PAIRS // len(self.leaves))
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]


@dataclass(frozen=True)
class Complexity:
    """Size of a decision tree: smallest number of rows in a leaf, and nats that a split must gain for each label."""

    min_samples_leaf: int
    cost: float


def select(
    circuits: list[LatentTree],
    discretizer: TableDiscretizer,
    train: LabelledRows,
    validation: LabelledRows,
    hidden: int | None,
) -> tuple[DecisionRegions, Complexity | None]:
    """Select the regions under which the validation rows are most likely, and return their complexity as well.

    There is one region, and no complexity, unless the mean gain over the rows exceeds its standard error, as one of
    ten candidates gains by chance.

    Parameters
    ----------
    circuits : list of LatentTree
    discretizer : TableDiscretizer
    train, validation : LabelledRows
        Real rows to grow trees from and others to select by.
    hidden : int or None
        Column that no split may use, a numeric target.
    """
    best, selected, most = DecisionRegions.single(int(discretizer.starts[-1]), len(circuits)), None, 0.0
    # Labels of one row each follow no rule.
    for least in _MIN_SAMPLES_LEAF if len(train.rows) > 2 * len(circuits) else ():
        grown = GrownTree.of(circuits, discretizer, train, least, hidden)
        for cost in _COSTS:
            regions = grown.pruned(cost)
            rows, leaves = regions.compatible(validation.rows.tokens)
            gain = regions.log_weights[leaves, validation.labels[rows]]
            mean = validation.rows.mean(gain)
            lower = mean - np.sqrt(validation.rows.mean((gain - mean) ** 2) / len(validation.rows))
            if lower > most and fits_memory(regions, discretizer, circuits):
                best, selected, most = regions, Complexity(least, cost), lower
    return best, selected


def regrow(
    circuits: list[LatentTree],
    discretizer: TableDiscretizer,
    real: LabelledRows,
    hidden: int | None,
    complexity: Complexity,
) -> DecisionRegions:
    """Grow regions of a selected complexity from other rows."""
    grown, cost = GrownTree.of(circuits, discretizer, real, complexity.min_samples_leaf, hidden), complexity.cost
    while not fits_memory(regions := grown.pruned(cost), discretizer, circuits):
        cost *= 2
    return regions


def fits_memory(regions: DecisionRegions, discretizer: TableDiscretizer, circuits: list[LatentTree]) -> bool:
    """Decide whether the circuits' transitions within all regions fit into memory."""
    numbers = leaf_evidence(regions, discretizer).subtree_numbers(circuits[0].tree)
    distinct = int((numbers.max(axis=0) + 1).sum())
    return len(regions.leaves) == 1 or distinct * len(circuits) * circuits[0].states ** 2 <= _CELLS


def leaf_evidence(regions: DecisionRegions, discretizer: TableDiscretizer) -> RegionEvidence:
    """Build the evidence of the leaves."""
    missing = [column.imputable for column in discretizer.columns]
    return RegionEvidence.of(regions.allowed[regions.leaves], discretizer.starts, missing)


@dataclass(frozen=True)
class GrownTree:
    """Unpruned decision tree and the gain of each split.

    Parameters
    ----------
    regions : DecisionRegions
    gains : ndarray, shape (nodes, k)
        Log-likelihood that the split of each node adds to the rows of each label, 0 at leaves.
    present : ndarray of bool, shape (nodes, k)
        Labels with rows in the node.
    """

    regions: DecisionRegions
    gains: np.ndarray
    present: np.ndarray

    @classmethod
    def of(
        cls,
        circuits: list[LatentTree],
        discretizer: TableDiscretizer,
        real: LabelledRows,
        min_samples_leaf: int,
        hidden: int | None,
    ) -> "GrownTree":
        """Grow a decision tree for the label of the real rows, and weight the circuits in its nodes."""
        real = real.take(np.flatnonzero(real.rows.weights))
        place = ordering(discretizer, real, len(circuits))
        features = place[real.rows.tokens].astype(np.float32)
        if hidden is not None:
            features[:, hidden] = 0.0
        # The seed decides between equal splits only.
        tree = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=min_samples_leaf, random_state=0)
        tree = tree.fit(features, real.labels, sample_weight=real.rows.weights).tree_
        nodes, k = tree.node_count, len(circuits)
        column = np.where(tree.children_left < 0, -1, tree.feature)
        children = np.stack([tree.children_left, tree.children_right], axis=1)
        allowed, parent = np.ones((nodes, len(place)), bool), np.zeros(nodes, int)
        for node in np.flatnonzero(column >= 0):
            start, stop = discretizer.starts[column[node] : column[node] + 2]
            left = place[start:stop] <= tree.threshold[node]
            for child, side in zip(children[node], (left, ~left), strict=True):
                allowed[child] = allowed[node]
                allowed[child, start:stop] &= side
                parent[child] = node
        counts = np.zeros((nodes, k))
        for label in range(k):
            mine = real.labels == label
            counts[:, label] = tree.decision_path(features[mine]).T @ real.rows.weights[mine]
        evidence = RegionEvidence.of(allowed, discretizer.starts, [False] * len(discretizer.columns))
        log_probabilities = evidence.log_probabilities(circuits)
        # Fraction of the parent's probability, between 0 and 1 in spite of rounding.
        model = np.exp(np.clip(log_probabilities - log_probabilities[parent], -50.0, 0.0))
        inner = children[column >= 0]
        model[inner] /= model[inner].sum(axis=1, keepdims=True)
        fractions = (counts + _PRIOR_STRENGTH * model) / (counts[parent] + _PRIOR_STRENGTH)
        steps = np.log(fractions) - np.log(model)
        steps[0] = 0.0
        steps[:, np.bincount(real.labels, minlength=k) < _FEW] = 0.0
        log_weights, gains = np.zeros((nodes, k)), np.zeros((nodes, k))
        for node in range(1, nodes):
            log_weights[node] = log_weights[parent[node]] + steps[node]
            gains[parent[node]] += counts[node] * steps[node]
        return cls(DecisionRegions(column, children, allowed, log_weights), gains, counts > 0)

    def pruned(self, cost: float) -> DecisionRegions:
        """Prune by cost complexity: a subtree stays if it gains more than ``cost`` per split and label present."""
        regions = self.regions
        gain = np.sum(self.gains - cost * self.present, axis=1)
        worth, kept = np.zeros(len(gain)), np.zeros(len(gain), bool)
        for node in np.flatnonzero(regions.column >= 0)[::-1]:
            value = gain[node] + worth[regions.children[node]].sum()
            kept[node] = value > 0
            worth[node] = max(value, 0.0)
        used = np.zeros(len(gain), bool)
        used[0] = True
        for node in np.flatnonzero(kept):
            used[regions.children[node]] |= used[node]
        kept &= used
        number = np.cumsum(used) - 1
        children = np.where(kept[:, None], number[regions.children], 0)
        column = np.where(kept, regions.column, -1)
        return DecisionRegions(column[used], children[used], regions.allowed[used], regions.log_weights[used])


def ordering(discretizer: TableDiscretizer, real: LabelledRows, k: int) -> np.ndarray:
    """Compute the number of each token that splits compare: its own, or a category's rank along the labels.

    With two labels, the order of categories by their fraction of one label contains the best split (Fisher 1958). With
    more labels, categories are ordered along the first axis of a correspondence analysis.
    """
    starts = discretizer.starts
    place = np.arange(starts[-1])
    everywhere = np.bincount(real.labels, real.rows.weights, k)
    everywhere = np.maximum(everywhere / everywhere.sum(), np.finfo(float).tiny)
    for j, column in enumerate(discretizer.columns):
        if column.ordered or column.size < 3:
            continue
        cells = (real.rows.tokens[:, j] - starts[j]).astype(np.int64) * k + real.labels
        counts = np.bincount(cells, real.rows.weights, column.size * k).reshape(-1, k)
        rows = counts.sum(axis=1, keepdims=True)
        deviations = ((counts + everywhere) / (rows + 1) - everywhere) / np.sqrt(everywhere)
        direction = np.linalg.svd(np.sqrt(rows) * deviations, full_matrices=False)[2][0]
        # The sign of a direction is arbitrary; the order must not be.
        direction *= np.sign(direction[np.argmax(np.abs(direction))]) or 1.0
        place[starts[j] + np.argsort(deviations @ direction, kind="stable")] = starts[j] + np.arange(column.size)
    return place
