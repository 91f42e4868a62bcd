"""Class-conditional n-gram model of texts."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import texts
from trisynth.data.kinds import Kind, Text
from trisynth.errors import require_whole
from trisynth.generators.base import Generator
from trisynth.statistics.ngrams import UNKNOWN, NGrams

# Texts that are drawn at once.
_CHUNK = 4096


class NGram(Generator):
    """Texts of words that are drawn one after another given the label and the words before.

    Each column of texts has an interpolated Kneser-Ney model for each label (Ney, Essen and Kneser 1994), over words,
    marks and white space. Its end is drawn like a word. Several columns are independent given the label. Words that few
    training rows hold are not drawn; see ``rare``.

    Parameters
    ----------
    order : int, default=3
        Length of the longest n-grams: a word is drawn given ``order - 1`` others. The higher it is, the longer are the
        passages that equal those of training texts.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (Text,)

    def __init__(self, order: int = 3):
        self.order = order

    def check(self) -> None:
        """Refuse an order that is not a whole number above 0."""
        require_whole("order", self.order, 1)

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.models_, self.vocabularies_, self.longest_ = {}, {}, {}
        for column in self.schema_.columns:
            split = [texts.tokens(text) for text in texts.values(table[column.name])]
            known = sorted({token for tokens in split for token in tokens if texts.HIDDEN not in token})
            number = {token: i for i, token in enumerate(known, UNKNOWN + 1)}
            sequences = [np.array([number.get(token, UNKNOWN) for token in tokens], dtype=np.int64) for tokens in split]
            self.models_[column.name] = NGrams.learn(sequences, labels, len(known) + UNKNOWN + 1, self.order)
            self.vocabularies_[column.name] = known
            self.longest_[column.name] = max(map(len, sequences), default=0)
        self.target_cells_ = self._target_cells(table, labels) if self.numeric_target_ else []

    def _target_cells(self, table: pd.DataFrame, labels: np.ndarray) -> list[np.ndarray]:
        cells = table[self.target_column_].to_numpy(float)
        return [cells[labels == label] for label in range(labels.max() + 1)]

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        drawn: dict = {}
        for name, model in self.models_.items():
            words = np.array(["", "", "", *self.vocabularies_[name]], dtype=object)
            cells: list[str] = []
            for start in range(0, len(labels), _CHUNK):
                sequences = model.sample(labels[start : start + _CHUNK], self.longest_[name], rng)
                cells += ["".join(words[sequence]) for sequence in sequences]
            drawn[name] = texts.column(cells, name)
        if self.numeric_target_:
            drawn[self.target_column_] = [rng.choice(self.target_cells_[label]) for label in labels]
        return pd.DataFrame(drawn)
