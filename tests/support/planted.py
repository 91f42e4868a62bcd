"""Tables whose truth is known, a generator that knows it, and one that fails."""

import numpy as np
import pandas as pd

from trisynth.generators.base import Generator

WIDTH = 20


def scarce(labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Sample rows of two classes that differ in the difference of two columns, beside columns of noise."""
    X = rng.normal(size=(len(labels), WIDTH))
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1] + 0.7 * (labels - 0.5)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(WIDTH)])


class Oracle(Generator):
    """Generator that knows the density of ``scarce``."""

    def _fit(self, table, labels, rng):
        self.width_ = table.shape[1]

    def _sample(self, labels, rng):
        return scarce(labels, rng)


class Broken(Oracle):
    """Generator that fails on every table."""

    def _fit(self, table, labels, rng):
        raise FloatingPointError("overflow")
