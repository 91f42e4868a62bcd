"""Filter of drawn texts by a classifier of real ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

# Terms of the classifier, the most frequent ones of the training texts.
_TERMS = 5_000


@dataclass(frozen=True)
class LabelFilter:
    """Logistic regression on tf-idf weights of the real training texts, whose labels weigh the same.

    A text is admitted if its label is the most probable one, as in the filter of Anaby-Tavor et al. (2020).

    Parameters
    ----------
    vectorizer : TfidfVectorizer
    classifier : LogisticRegression
    """

    vectorizer: TfidfVectorizer
    classifier: LogisticRegression

    @classmethod
    def learn(cls, cells: Sequence[str], labels: np.ndarray) -> "LabelFilter | None":
        """Learn from real training texts; None where they have one label, or no word in common."""
        vectorizer = TfidfVectorizer(max_features=_TERMS, min_df=2, sublinear_tf=True, token_pattern=r"\w+")
        if len(np.unique(labels)) < 2:
            return None
        try:
            weights = vectorizer.fit_transform(cells)
        except ValueError:
            # scikit-learn refuses texts without any word of two texts.
            return None
        return cls(vectorizer, LogisticRegression(class_weight="balanced", max_iter=500).fit(weights, labels))

    def admits(self, cells: Sequence[str], labels: np.ndarray) -> np.ndarray:
        """Return which texts have the label that the classifier predicts."""
        return self.classifier.predict(self.vectorizer.transform(cells)) == labels
