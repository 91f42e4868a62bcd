"""Convolutional classifier of rows with images or series, with the interface of scikit-learn.

Networks are imported where they are needed: tables do without them.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError, require_whole


class ConvolutionalClassifier(ClassifierMixin, BaseEstimator):
    """Strided convolutions over each array of an encoded row; a perceptron joins them with all other columns.

    Rows without arrays pass through the perceptron alone.

    Parameters
    ----------
    encoder : TableEncoder or None, default=None
        Fitted; made the matrix of the rows. ``fit_predict`` sets it.
    features : int, default=32
        Units of the last hidden layer.
    steps : int, default=400
        Optimiser steps, each on 128 rows.
    random_state : int, default=0

    Attributes
    ----------
    classes_ : ndarray
    """

    def __init__(
        self, encoder: TableEncoder | None = None, features: int = 32, steps: int = 400, random_state: int = 0
    ):
        self.encoder, self.features, self.steps, self.random_state = encoder, features, steps, random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "ConvolutionalClassifier":
        """Train the network on rows ``X``, shape (n, width), and their classes ``y``, shape (n,)."""
        from trisynth.evaluation.networks import fitted_classifier

        if self.encoder is None:
            raise InputError("encoder", None, "must be a fitted TableEncoder, which knows the shapes of arrays")
        require_whole("features", self.features, 1)
        require_whole("steps", self.steps, 1)
        self.classes_, codes = np.unique(y, return_inverse=True)
        rng = np.random.default_rng(self.random_state)
        self.logits_ = fitted_classifier(self.encoder, np.asarray(X, float), codes, self.features, self.steps, rng)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (m, classes)."""
        logits = self.logits_(np.asarray(X, float))
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
