"""Classifier two-sample test: can a model tell real held-out rows from synthetic ones (Lopez-Paz and Oquab 2017)?"""

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from trisynth import seeds
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.copying import row_hashes
from trisynth.evaluation.metrics.utility import auc

_FOLDS = 5
_MOST = 5_000
_REPEATS = 10
_RARE = 0.05


def c2st(context: Context) -> dict[str, float]:
    """Cross-validated AUC of boosted trees and of a linear model; 0.5 means that they cannot tell.

    As many synthetic as held-out rows, at most 5,000 each, the target among the features. The linear model sees
    little but means: a table of independent columns passes it, which is why the trees are the headline.

    A row that repeats up to ten times on one side and is absent from the other stays in one fold. Otherwise the
    trees recognise the twins of rows they were trained on: a bootstrap of 1,000 real rows would read 0.60. A row
    that repeats more often is a collapse and is left to be found, and where real rows repeat of themselves (tables of
    few categories) repeats are part of the law.

    Parameters
    ----------
    context : Context

    Returns
    -------
    dict of str to float
        ``c2st_boosting`` and ``c2st_linear``; empty where the rows are too few for five folds.
    """
    _, real, synthetic = context.tables
    n = min(len(real), len(synthetic), _MOST)
    rng = seeds.stream(context.seed, "metrics.c2st")
    chosen = [table.iloc[rng.permutation(len(table))[:n]] for table in (real, synthetic)]
    table = pd.concat(chosen, ignore_index=True)
    fake = np.repeat([False, True], n)
    folds = _folds(row_hashes(table), fake, rng)
    trees = HistGradientBoostingClassifier(
        max_iter=80,
        max_leaf_nodes=15,
        learning_rate=0.1,
        early_stopping=False,
        random_state=seeds.integer(context.seed, "metrics.c2st.trees"),
    )
    models = {
        "c2st_boosting": (trees, _ordinal(context, table)),
        "c2st_linear": (LogisticRegression(max_iter=500), _indicators(context, table)),
    }
    scores = {name: _fold_aucs(model, matrix, fake, folds) for name, (model, matrix) in models.items()}
    return {name: float(np.mean(values)) for name, values in scores.items() if values}


def _fold_aucs(model: ClassifierMixin, matrix: np.ndarray, fake: np.ndarray, folds: np.ndarray) -> list[float]:
    scores = []
    for fold in range(_FOLDS):
        held = folds == fold
        if all(0 < fake[part].sum() < part.sum() for part in (held, ~held)):
            model.fit(matrix[~held], fake[~held])
            scores.append(auc(fake[held], model.predict_proba(matrix[held])[:, 1]))
    return scores


def _folds(hashes: np.ndarray, fake: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fold of each row: random and equally many of each side, but one-sided twins share theirs where twins are rare."""
    folds = np.empty(len(fake), dtype=int)
    for side in (False, True):
        folds[fake == side] = rng.permutation(np.sum(fake == side)) % _FOLDS
    _, first, row, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    fakes = np.bincount(row, fake, minlength=len(counts))
    if np.mean((counts - fakes)[row[~fake]] > 1) > _RARE:
        return folds
    together = ((fakes == 0) | (fakes == counts)) & (counts <= _REPEATS)
    return np.where(together[row], folds[first[row]], folds)


def _ordinal(context: Context, table: pd.DataFrame) -> np.ndarray:
    """Numbers as they are and categories by their codes; a missing cell lies below all others, where trees find it."""
    columns = []
    for name in table:
        if name in context.scales:
            below = table[name].min() - context.scales[name]
            columns.append(np.nan_to_num(table[name].fillna(below).to_numpy()))
        else:
            columns.append(table[name].cat.codes.to_numpy())
    return np.column_stack(columns).astype(float)


def _indicators(context: Context, table: pd.DataFrame) -> np.ndarray:
    """Numbers in standard deviations with missing indicators, and one column for each category."""
    blocks = []
    for name in context.numbers:
        values = table[name].to_numpy() / context.scales[name]
        centre = np.nansum(values) / max(np.sum(~np.isnan(values)), 1)
        blocks += [np.nan_to_num(values - centre)[:, None], np.isnan(values)[:, None]]
    for name in context.categories:
        codes, size = context.bins(name, table)
        blocks.append(np.eye(size)[codes])
    return np.hstack(blocks).astype(float)
