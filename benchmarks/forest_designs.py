"""Designs of the sequential forest that were tried and not adopted."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from trisynth.generators.trees import chain
from trisynth.generators.trees.chain import Grown
from trisynth.generators.trees.sequential_forest import SequentialForest

_grow = Grown.grow.__func__


def filled_by_all(cls, response: chain.Response, used: np.ndarray, *arguments) -> Grown:
    """Grow a tree on some rows, as ``Grown.grow``, and let all rows fill its leaves: no row is left unseen."""
    grown = _grow(cls, response, used, *arguments)
    every, node = chain._without_features(response), np.zeros(len(used), dtype=np.intp)
    if grown.tree is not None:
        table = grown.predictors.features(response.earlier, range(len(response.earlier))).T
        node = grown.tree.apply(np.ascontiguousarray(table))
    return Grown(every, grown.predictors, grown.tree, node, grown.keep)


class Resampled(SequentialForest):
    """A forest of which each row is one of four candidates, chosen by an estimate of the ratio of densities.

    As in discriminator rejection sampling (Azadi et al. 2019), boosted trees learn to tell draws of each chain from the
    training rows that the chain was not grown on; candidates are chosen with a probability in proportion to the odds of
    being real.
    """

    _candidates, _drawn = 4, 2

    def _merge(self, grown, parts, table, labels, rng) -> None:
        self.ratio_ = None
        super()._merge(grown, parts, table, labels, rng)
        X, y = [], []
        for place, part in enumerate(parts):
            unseen = np.flatnonzero(~part)
            asked = np.repeat(labels[unseen], self._drawn)
            drawn = super()._chain(place, asked, rng)
            X += [_matrix(table.iloc[unseen], labels[unseen]), _matrix(drawn, asked)]
            y += [np.ones(len(unseen)), np.zeros(len(asked))]
        model = HistGradientBoostingClassifier(max_iter=300, early_stopping=True, l2_regularization=1.0, random_state=0)
        self.ratio_ = model.fit(np.concatenate(X), np.concatenate(y))

    def _chain(self, chain: int, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        if self.ratio_ is None:
            return super()._chain(chain, labels, rng)
        asked = np.tile(labels, self._candidates)
        rows = super()._chain(chain, asked, rng)
        odds = self.ratio_.decision_function(_matrix(rows, asked)).reshape(self._candidates, len(labels))
        chosen = (odds + rng.gumbel(size=odds.shape)).argmax(axis=0)
        return rows.iloc[chosen * len(labels) + np.arange(len(labels))].reset_index(drop=True)


def _matrix(table: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
    """Return labels, codes of categories and numbers as columns."""
    cells = [labels.astype(float)]
    for name in table:
        column = table[name]
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        cells.append((column.cat.codes if categorical else column).to_numpy(float))
    return np.column_stack(cells)
