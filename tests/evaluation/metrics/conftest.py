"""Small tables with a known distribution, and contexts made of them."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from trisynth.data.dataset import Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.evaluation.metrics.context import Context


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture
def draw():
    """Maker of n rows: four numbers and a category driven by one factor, and a target that depends on it."""

    def make(n, seed, shift=0.0, integer=False):
        rng = np.random.default_rng(seed)
        factor = rng.normal(size=n)
        X = pd.DataFrame({f"x{i}": factor + rng.normal(size=n) + shift for i in range(4)})
        if integer:
            X["x0"] = X["x0"].round().astype(int)
        X["kind"] = pd.Categorical(np.where(factor + rng.normal(size=n) > 0, "a", "b"), categories=["a", "b", "c"])
        y = pd.Series(pd.Categorical(np.where(factor > 0.5, "yes", "no"), categories=["no", "yes"]), name="y")
        return Dataset(X, y, Spec("law", "y"))

    return make


@pytest.fixture
def context():
    """Maker of a context with an encoder fitted on the training rows."""

    def make(train, test, synthetic, seed=0):
        return Context(train, test, synthetic, TableEncoder().fit(train.X), seed)

    return make


@pytest.fixture
def columns():
    """Maker of a dataset from columns, the one called ``y`` being its target."""

    def make(**values):
        table = pd.DataFrame(values)
        y = table.pop("y")
        task = "regression" if y.dtype == float else "classification"
        return Dataset(table, y if task == "regression" else y.astype("category"), Spec("small", "y", task=task))

    return make
