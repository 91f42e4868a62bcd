"""Encoder of texts to term frequencies, for classifiers and distances; it cannot be reversed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from trisynth.data import texts
from trisynth.errors import InputError

# Terms of a column, the most frequent ones of the training rows.
_TERMS = 1_000


@dataclass(frozen=True)
class TextBlock:
    """Adjacent columns of the matrix that encode one column of texts.

    Parameters
    ----------
    name : str
    start, stop : int
        Columns of the matrix.
    vectorizer : TfidfVectorizer or None
        Fitted on training texts; None where no word is in two of them.
    """

    name: str
    start: int
    stop: int
    vectorizer: TfidfVectorizer | None

    @classmethod
    def learn(cls, name: str, cells: pd.Series, start: int) -> "TextBlock":
        """Learn terms and their inverse document frequencies from training cells."""
        # Terms of one training text would put it far from every other row, and from its own copies without rare words.
        options = {"max_features": _TERMS, "min_df": 2, "sublinear_tf": True, "token_pattern": r"\w+"}
        # A dtype can be saved, its class cannot.
        vectorizer = TfidfVectorizer(dtype=np.dtype("float64"), **options)
        try:
            vectorizer.fit(texts.values(cells))
        except ValueError:
            # scikit-learn refuses texts without any word of two texts.
            return cls(name, start, start, None)
        return cls(name, start, start + len(vectorizer.vocabulary_), vectorizer)

    @property
    def elements(self) -> list[str]:
        """Names of the columns of the matrix, such as ``note[fever]``."""
        terms = [] if self.vectorizer is None else self.vectorizer.get_feature_names_out()
        return [f"{self.name}[{term}]" for term in terms]

    def encoded(self, cells: pd.Series) -> np.ndarray:
        """Return weights of Euclidean norm 1, or 0 where no term is known, shape (n, stop - start)."""
        if self.vectorizer is None:
            return np.zeros((len(cells), 0))
        return self.vectorizer.transform(texts.values(cells)).toarray()

    def decoded(self, weights: np.ndarray) -> pd.Series:
        """Refuse: weights of terms have no order."""
        raise InputError("X", self.name, "holds texts, which cannot be restored from numbers; use generator=ngram")
