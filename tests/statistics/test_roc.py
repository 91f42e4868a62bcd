"""ROC AUC and its standard error, against scikit-learn and the spread of repeated samples."""

import numpy as np
from sklearn.metrics import roc_auc_score

from trisynth.statistics.roc import delong


def test_interval_is_that_of_the_roc_auc():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        positive, negative = rng.normal(0.5, 1, 60), rng.normal(0, 1, 80).round(1)
        auc, error = delong(positive, negative)
        labels = np.repeat([1, 0], [60, 80])
        assert np.isclose(auc, roc_auc_score(labels, np.concatenate([positive, negative])))
        found.append((auc, error))
    aucs, errors = np.array(found).T
    assert np.isclose(errors.mean(), aucs.std(), rtol=0.15)
