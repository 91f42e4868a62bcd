"""Designs of the sequential forest that were tried and not adopted."""

import numpy as np

from trisynth.generators.trees import chain
from trisynth.generators.trees.chain import Grown

_grow = Grown.grow.__func__


def filled_by_all(cls, response: chain.Response, used: np.ndarray, *arguments) -> Grown:
    """Grow a tree on some rows, as ``Grown.grow``, and let all rows fill its leaves: no row is left unseen."""
    grown = _grow(cls, response, used, *arguments)
    every, node = chain._without_features(response), np.zeros(len(used), dtype=np.intp)
    if grown.tree is not None:
        table = grown.predictors.features(response.earlier, range(len(response.earlier))).T
        node = grown.tree.apply(np.ascontiguousarray(table))
    return Grown(every, grown.predictors, grown.tree, node, grown.keep)
