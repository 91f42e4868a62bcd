"""A decision tree whose leaves weigh the circuits anew: what depends on many columns at once, such as a rule.

A tree of latent variables passes all that columns have in common through one state at a time, and a label that is a
rule of several columns gets blurred. So the table is cut into boxes by a decision tree for the label, and each label's
circuit is multiplied by one weight per box, w = p(box | label) / circuit's probability of the box. The product is still
a distribution, in which every box has the share that the rows say, and still a circuit: a mixture over disjoint
boxes, as in cutset networks (Rahman, Kothalkar and Gogate 2014), but of one circuit restricted to each of them.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from trisynth.generators.circuit.boxes import Boxes
from trisynth.generators.circuit.codec import Codec
from trisynth.generators.circuit.latent_tree import LatentTree
from trisynth.generators.circuit.refinement import Labelled

# Smallest rows of a leaf to try, and nats that a cut must gain for each label to stay.
_LEAST, _COSTS = (3, 30), (1.0, 2.0, 4.0, 8.0, 16.0)
# Rows of the circuit that are added to those on either side of a cut.
_STRENGTH = 2.0
# A label with fewer rows cannot tell where it occurs.
_FEW = 8
# Numbers that the transitions inside boxes may take: memory, and time to make tables for drawing.
_CELLS = 16_000_000
# Row and box pairs that are looked at together.
_PAIRS = 200_000


@dataclass(frozen=True)
class Cuts:
    """A binary tree over tokens; node 0 holds all rows.

    Parameters
    ----------
    column : ndarray of int, shape (nodes,)
        Column that is cut; -1 marks a leaf.
    children : ndarray of int, shape (nodes, 2)
    allowed : ndarray of bool, shape (nodes, tokens)
        Tokens of the rows that get to the node.
    log_weights : ndarray, shape (nodes, k)
        Log of what each label's circuit is multiplied by inside the node's box.
    """

    column: np.ndarray
    children: np.ndarray
    allowed: np.ndarray
    log_weights: np.ndarray

    @classmethod
    def none(cls, tokens: int, labels: int) -> "Cuts":
        """One leaf for all rows."""
        return cls(np.array([-1]), np.zeros((1, 2), int), np.ones((1, tokens), bool), np.zeros((1, labels)))

    @property
    def leaves(self) -> np.ndarray:
        """Nodes without a cut."""
        return np.flatnonzero(self.column < 0)

    def reached(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of rows and leaves that agree, rows in order; a cell below 0 agrees with everything.

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

    def pairs(self, boxes: Boxes, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every row with every leaf that agrees with it, as evidence.

        Parameters
        ----------
        boxes : Boxes
            Those of ``leaves``.
        tokens : ndarray of int, shape (n, d)
            -1 is unknown, -2 is unknown but not missing.

        Returns
        -------
        rows, leaves : ndarray of int, shape (pairs,)
            See ``reached``.
        shown : ndarray of int, shape (pairs, d)
            Tokens, and for unknown cells what ``boxes`` show.
        """
        rows, leaves = self.reached(tokens)
        known, place = tokens[rows], np.searchsorted(self.leaves, leaves)
        inside = boxes.cells[(known == -2).astype(int), place[:, None], np.arange(tokens.shape[1])]
        return rows, leaves, np.where(known < 0, inside, known)

    def chunks(self, n: int) -> list[slice]:
        """Parts of ``n`` rows whose pairs with leaves fit into memory."""
        size = max(1, _PAIRS // len(self.leaves))
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]


@dataclass(frozen=True)
class Recipe:
    """How cuts are grown: the smallest rows of a leaf, and nats that a cut must gain for each label."""

    least: int
    cost: float


def choose(
    circuits: list[LatentTree], codec: Codec, train: Labelled, check: Labelled, hidden: int | None
) -> tuple[Cuts, Recipe | None]:
    """Cuts under which the ``check`` rows are most likely, and how they were grown; none unless their gain is sure.

    A gain is sure if its mean over the rows is above its standard error: among ten trials one gains by chance.

    Parameters
    ----------
    circuits : list of LatentTree
    codec : Codec
    train, check : Labelled
        Real rows to grow from and others to choose by.
    hidden : int or None
        Column that no cut may use, a numeric target.
    """
    best, chosen, most = Cuts.none(int(codec.starts[-1]), len(circuits)), None, 0.0
    # Labels of one row each have no rule.
    for least in _LEAST if len(train.rows) > 2 * len(circuits) else ():
        grown = Grown.of(circuits, codec, train, least, hidden)
        for cost in _COSTS:
            cuts = grown.pruned(cost)
            rows, leaves = cuts.reached(check.rows.tokens)
            gain = cuts.log_weights[leaves, check.labels[rows]]
            mean = check.rows.mean(gain)
            sure = mean - np.sqrt(check.rows.mean((gain - mean) ** 2) / len(check.rows))
            if sure > most and fits(cuts, codec, circuits):
                best, chosen, most = cuts, Recipe(least, cost), sure
    return best, chosen


def again(circuits: list[LatentTree], codec: Codec, real: Labelled, hidden: int | None, recipe: Recipe) -> Cuts:
    """Cuts by a chosen recipe from other rows."""
    grown, cost = Grown.of(circuits, codec, real, recipe.least, hidden), recipe.cost
    while not fits(cuts := grown.pruned(cost), codec, circuits):
        cost *= 2
    return cuts


def fits(cuts: Cuts, codec: Codec, circuits: list[LatentTree]) -> bool:
    """Whether the circuits' transitions inside all leaves fit into memory."""
    numbers = leaf_boxes(cuts, codec).shared(circuits[0].tree)
    laws = int((numbers.max(axis=0) + 1).sum())
    return len(cuts.leaves) == 1 or laws * len(circuits) * circuits[0].states ** 2 <= _CELLS


def leaf_boxes(cuts: Cuts, codec: Codec) -> Boxes:
    """Boxes of the leaves."""
    return Boxes.of(cuts.allowed[cuts.leaves], codec.starts, [column.fillable for column in codec.columns])


@dataclass(frozen=True)
class Grown:
    """A whole tree and what each cut gains.

    Parameters
    ----------
    cuts : Cuts
    gains : ndarray, shape (nodes, k)
        Log-likelihood that the cut of each node adds to the rows of each label, 0 at leaves.
    present : ndarray of bool, shape (nodes, k)
        Labels with rows in the node.
    """

    cuts: Cuts
    gains: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, circuits: list[LatentTree], codec: Codec, real: Labelled, least: int, hidden: int | None) -> "Grown":
        """The decision tree for the label of the real rows, with at least so many of them in each leaf."""
        real = real.take(np.flatnonzero(real.rows.weights))
        place = ordering(codec, real, len(circuits))
        features = place[real.rows.tokens].astype(np.float32)
        if hidden is not None:
            features[:, hidden] = 0.0
        # Chance decides among equal cuts only.
        tree = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=least, random_state=0)
        tree = tree.fit(features, real.labels, sample_weight=real.rows.weights).tree_
        nodes, k = tree.node_count, len(circuits)
        column = np.where(tree.children_left < 0, -1, tree.feature)
        children = np.stack([tree.children_left, tree.children_right], axis=1)
        allowed, parent = np.ones((nodes, len(place)), bool), np.zeros(nodes, int)
        for node in np.flatnonzero(column >= 0):
            start, stop = codec.starts[column[node] : column[node] + 2]
            left = place[start:stop] <= tree.threshold[node]
            for child, side in zip(children[node], (left, ~left), strict=True):
                allowed[child] = allowed[node]
                allowed[child, start:stop] &= side
                parent[child] = node
        counts = np.zeros((nodes, k))
        for label in range(k):
            mine = real.labels == label
            counts[:, label] = tree.decision_path(features[mine]).T @ real.rows.weights[mine]
        chances = Boxes.of(allowed, codec.starts, [False] * len(codec.columns)).log_chances(circuits)
        # Share of the parent's circuit rows, between 0 and 1 in spite of rounding.
        model = np.exp(np.clip(chances - chances[parent], -50.0, 0.0))
        inner = children[column >= 0]
        model[inner] /= model[inner].sum(axis=1, keepdims=True)
        shares = (counts + _STRENGTH * model) / (counts[parent] + _STRENGTH)
        steps = np.log(shares) - np.log(model)
        steps[0] = 0.0
        steps[:, np.bincount(real.labels, minlength=k) < _FEW] = 0.0
        log_weights, gains = np.zeros((nodes, k)), np.zeros((nodes, k))
        for node in range(1, nodes):
            log_weights[node] = log_weights[parent[node]] + steps[node]
            gains[parent[node]] += counts[node] * steps[node]
        return cls(Cuts(column, children, allowed, log_weights), gains, counts > 0)

    def pruned(self, cost: float) -> Cuts:
        """Cuts whose part of the tree gains more than ``cost`` for each cut and label with rows there."""
        cuts = self.cuts
        gain = np.sum(self.gains - cost * self.present, axis=1)
        worth, kept = np.zeros(len(gain)), np.zeros(len(gain), bool)
        for node in np.flatnonzero(cuts.column >= 0)[::-1]:
            value = gain[node] + worth[cuts.children[node]].sum()
            kept[node] = value > 0
            worth[node] = max(value, 0.0)
        used = np.zeros(len(gain), bool)
        used[0] = True
        for node in np.flatnonzero(kept):
            used[cuts.children[node]] |= used[node]
        kept &= used
        number = np.cumsum(used) - 1
        children = np.where(kept[:, None], number[cuts.children], 0)
        column = np.where(kept, cuts.column, -1)
        return Cuts(column[used], children[used], cuts.allowed[used], cuts.log_weights[used])


def ordering(codec: Codec, real: Labelled, k: int) -> np.ndarray:
    """A number for each token that cuts compare: its own, or for categories that of its place along the labels.

    With two labels the order of categories by their share of one label contains the best cut (Fisher 1958); with more
    labels we take the first direction of correspondence analysis.
    """
    starts = codec.starts
    place = np.arange(starts[-1])
    everywhere = np.bincount(real.labels, real.rows.weights, k)
    everywhere = np.maximum(everywhere / everywhere.sum(), np.finfo(float).tiny)
    for j, column in enumerate(codec.columns):
        if column.ordered or column.size < 3:
            continue
        cells = (real.rows.tokens[:, j] - starts[j]).astype(np.int64) * k + real.labels
        counts = np.bincount(cells, real.rows.weights, column.size * k).reshape(-1, k)
        rows = counts.sum(axis=1, keepdims=True)
        shares = ((counts + everywhere) / (rows + 1) - everywhere) / np.sqrt(everywhere)
        direction = np.linalg.svd(np.sqrt(rows) * shares, full_matrices=False)[2][0]
        # The sign of a direction is arbitrary; the order must not be.
        direction *= np.sign(direction[np.argmax(np.abs(direction))]) or 1.0
        place[starts[j] + np.argsort(shares @ direction, kind="stable")] = starts[j] + np.arange(column.size)
    return place
