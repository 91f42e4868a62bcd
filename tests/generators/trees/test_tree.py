"""A copied tree sends rows where scikit-learn's tree does."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from trisynth.generators.trees.tree import Tree


@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize("model", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_the_leaves_are_those_of_scikit_learn(model, gaps):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 4)).astype(np.float32)
    outcome = (features[:, 0] * features[:, 1] > 0).astype(int) + (features[:, 2] > 1)
    features[rng.random(features.shape) < gaps] = np.nan
    fitted = model(min_samples_leaf=5, random_state=0).fit(features[:300], outcome[:300])
    leaf = Tree.of(fitted.tree_).apply(np.ascontiguousarray(features.T))
    nodes = fitted.apply(features)
    pairs = set(zip(leaf, nodes, strict=True))
    assert len(pairs) == len(set(nodes)) == len(set(leaf))
    assert sorted(set(leaf)) == list(range(fitted.get_n_leaves()))


def test_a_root_is_one_leaf():
    assert not Tree.root().apply(np.zeros((3, 7), dtype=np.float32)).any()
    assert not len(Tree.root().features)
