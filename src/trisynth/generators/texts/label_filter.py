"""Filter of drawn texts by a classifier of real ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

# Terms of the classifier, the most frequent ones of the training texts.
_TERMS = 5_000
_OPTIONS = {"sublinear_tf": True, "token_pattern": r"\w+"}


@dataclass(frozen=True)
class LabelFilter:
    """Logistic regression on tf-idf weights of the real training texts, whose labels weigh the same.

    A text is admitted if its label is the most probable one, as in the filter of Anaby-Tavor et al. (2020).

    Parameters
    ----------
    terms : list of str
    frequencies : ndarray, shape (terms,)
        Inverse document frequencies.
    labels : ndarray of int, shape (k,)
    weights : ndarray, shape (k, terms)
    bias : ndarray, shape (k,)
    """

    terms: list[str]
    frequencies: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def learn(cls, cells: Sequence[str], labels: np.ndarray) -> "LabelFilter | None":
        """Learn from real training texts; None where they have one label, or no word in common."""
        vectorizer = TfidfVectorizer(max_features=_TERMS, min_df=2, **_OPTIONS)
        if len(np.unique(labels)) < 2:
            return None
        try:
            encoded = vectorizer.fit_transform(cells)
        except ValueError:
            # scikit-learn refuses texts without any word of two texts.
            return None
        fitted = LogisticRegression(class_weight="balanced", max_iter=500).fit(encoded, labels)
        weights, bias = fitted.coef_, fitted.intercept_
        if len(fitted.classes_) == 2:
            # Of two labels, scikit-learn keeps the weights of the second.
            weights, bias = np.vstack([0 * weights, weights]), np.append(0.0, bias)
        terms = vectorizer.get_feature_names_out().tolist()
        return cls(terms, vectorizer.idf_, fitted.classes_, weights, bias)

    def admits(self, cells: Sequence[str], labels: np.ndarray) -> np.ndarray:
        """Return which texts have the label that the classifier predicts."""
        vectorizer = TfidfVectorizer(vocabulary=self.terms, **_OPTIONS)
        vectorizer.idf_ = self.frequencies
        scores = vectorizer.transform(cells) @ self.weights.T + self.bias
        return self.labels[scores.argmax(axis=1)] == labels
