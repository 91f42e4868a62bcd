"""One chain of trees: each column given the earlier ones, grown on some training rows and pruned by the others."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from trisynth.generators.trees.donors import Numbers, Residuals
from trisynth.generators.trees.draws import Draws
from trisynth.generators.trees.growing import Predictors, pooled
from trisynth.generators.trees.pruning import ends, pruned
from trisynth.generators.trees.selection import Setting
from trisynth.generators.trees.tree import Tree

# Codes of a response that splits tell apart.
_CODES = 32


@dataclass(frozen=True)
class Response:
    """One column of the training rows as a chain predicts it.

    Parameters
    ----------
    earlier : list of ndarray, shape (n,)
        Features: the earlier columns, codes or scores, and the linear predictions.
    cells : ndarray, shape (n,)
        Codes of a category, values of a number without a linear part, or residuals.
    scores : ndarray of shape (n,) or None
        Normal scores of the values, or scaled residuals; None for a category.
    labels : ndarray of shape (n,) or None
        Labels of the class step.
    weights : ndarray, shape (n,)
    residual : bool
    """

    earlier: list
    cells: np.ndarray
    scores: np.ndarray | None
    labels: np.ndarray | None
    weights: np.ndarray
    residual: bool


@dataclass(frozen=True)
class Step:
    """One fitted column of a chain.

    Parameters
    ----------
    tree : Tree
    predictors : Predictors
    draws : Draws
        Codes of a category, or items of ``cells``.
    cells : Numbers, Residuals or None
    """

    tree: Tree
    predictors: Predictors
    draws: Draws
    cells: Numbers | Residuals | None

    def draw(
        self, earlier: list[np.ndarray], labels: np.ndarray, rng: np.random.Generator, even: bool = True
    ) -> np.ndarray:
        """Draw a code, number or residual for each row of the features, arrays of shape (n,)."""
        leaf = self.tree.apply(self.predictors.features(earlier, self.tree.features))
        items = self.draws.draw(leaf, labels, rng, even)
        return items if self.cells is None else self.cells.decode(items, rng)


@dataclass
class Grown:
    """A tree before its leaves are filled, so that they can be made larger without growing it again.

    Parameters
    ----------
    response : Response
        Of the rows that the tree was grown on, without its features.
    predictors : Predictors
    tree : sklearn.tree._tree.Tree or None
        None for a single leaf.
    node : ndarray of int, shape (n,)
        Leaf of each row.
    keep : ndarray of bool, shape (nodes,)
        Splits that pruning keeps.
    """

    response: Response
    predictors: Predictors
    tree: object
    node: np.ndarray
    keep: np.ndarray

    @classmethod
    def grow(cls, response: Response, used: np.ndarray, size: int, prune: bool, features: float, seed: int) -> "Grown":
        """Grow a tree on the rows that ``used`` marks, and prune it by the others."""
        own = _rows(response, used)
        n = len(own.cells)
        if n < 2 * size or not own.earlier:
            flat = Predictors({}, np.zeros(len(own.earlier)))
            return cls(_without_features(own), flat, None, np.zeros(n, int), np.ones(1, bool))
        if own.scores is None:
            every = pooled(response.cells, min(_CODES, n // 4))
            outcome = every[used]
            predictors = Predictors.learn(own.earlier, outcome, own.weights)
            model = DecisionTreeClassifier
        else:
            outcome = np.column_stack([own.scores, np.abs(own.scores)])
            predictors = Predictors.learn(own.earlier, own.scores, own.weights)
            model = DecisionTreeRegressor
        table = predictors.features(own.earlier, range(len(own.earlier))).T
        grown = model(min_samples_leaf=size, max_features=features, random_state=seed)
        tree = grown.fit(table, outcome, own.weights).tree_
        node, keep = tree.apply(np.ascontiguousarray(table)), tree.children_left >= 0
        if prune and not used.all():
            others = _rows(response, ~used)
            unseen = tree.apply(np.ascontiguousarray(predictors.features(others.earlier, range(len(own.earlier))).T))
            if own.scores is None:
                codes = np.arange(every.max() + 1)
                parts = [(part[:, None] == codes).astype(float) for part in (outcome, every[~used])]
            else:
                parts = [outcome, np.column_stack([others.scores, np.abs(others.scores)])]
            keep = pruned(tree, node, unseen, *parts)
        return cls(_without_features(own), predictors, tree, node, keep)

    def fill(self, setting: Setting) -> Step:
        """Fill the leaves, none of fewer than ``setting.size`` rows."""
        own, tree, leaf = self.response, Tree.root(), self.node
        labels, strength = own.labels, setting.class_strength
        if self.tree is not None:
            keep = self.keep if setting.pruned else self.tree.children_left >= 0
            end = ends(self.tree, keep, setting.size)
            tree = Tree.cut(self.tree, end)
            leaf = np.unique(end[self.node], return_inverse=True)[1]
        if own.scores is None:
            return Step(
                tree,
                self.predictors,
                Draws.learn(leaf, own.cells, own.weights, labels, strength),
                None,
            )
        if own.residual:
            cells, items = Residuals.learn(leaf, own.cells)
        else:
            cells = Numbers.learn(leaf, own.cells, own.weights)
            items = cells.items(leaf, own.cells)
        return Step(tree, self.predictors, Draws.learn(leaf, items, own.weights, labels, strength), cells)


def _without_features(response: Response) -> Response:
    """Return a response of which only the leaves are still to be filled."""
    return replace(response, earlier=[])


def _rows(response: Response, rows: np.ndarray) -> Response:
    """Return some rows of a response."""
    return Response(
        [cells[rows] for cells in response.earlier],
        *(None if part is None else part[rows] for part in (response.cells, response.scores, response.labels)),
        response.weights[rows],
        response.residual,
    )
