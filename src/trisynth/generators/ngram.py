"""Class-conditional n-gram model of texts."""

from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import texts
from trisynth.data.disclosure.passages import Passages
from trisynth.data.kinds import Kind, Text
from trisynth.errors import require_whole
from trisynth.generators.base import Generator
from trisynth.statistics.ngrams import UNKNOWN, NGrams

# Texts that are drawn at once.
_CHUNK = 4096
# Draws of a text that repeats a training text, or a passage, of few rows.
_TRIES = 8


class NGram(Generator):
    """Texts of words that are drawn one after another given the label and the words before.

    Each column of texts has an interpolated Kneser-Ney model for each label (Ney, Essen and Kneser 1994), over words,
    marks and white space. Its end is drawn like a word. Several columns are independent given the label. Words that few
    training rows hold are not drawn; see ``rare``. Nor are n-grams of few rows: a shorter one is drawn there. A text
    that repeats one of few rows, or a run of eight of its words, is drawn again up to eight times, and then ends
    before it.

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
        self.models_, self.vocabularies_, self.longest_, self.passages_ = {}, {}, {}, {}
        for column in self.schema_.columns:
            split = [texts.tokens(text) for text in texts.values(table[column.name])]
            known = sorted({token for tokens in split for token in tokens if texts.HIDDEN not in token})
            number = {token: i for i, token in enumerate(known, UNKNOWN + 1)}
            sequences = [np.array([number.get(token, UNKNOWN) for token in tokens], dtype=np.int64) for tokens in split]
            size = len(known) + UNKNOWN + 1
            self.models_[column.name] = NGrams.learn(sequences, labels, size, self.order, column.rare)
            self.vocabularies_[column.name] = known
            self.longest_[column.name] = max(map(len, sequences), default=0)
            if column.rare:
                number = _words(known)
                self.passages_[column.name] = Passages.learn([_plain(each, number) for each in sequences], column.rare)
        self.target_cells_ = self._target_cells(table, labels) if self.numeric_target_ else []

    def _target_cells(self, table: pd.DataFrame, labels: np.ndarray) -> list[np.ndarray]:
        cells = table[self.target_column_].to_numpy(float)
        return [cells[labels == label] for label in range(labels.max() + 1)]

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        drawn: dict = {}
        for name in self.models_:
            tokens = np.array(["", "", "", *self.vocabularies_[name]], dtype=object)
            cells: list[str] = []
            for start in range(0, len(labels), _CHUNK):
                sequences = self._texts(name, labels[start : start + _CHUNK], rng)
                cells += ["".join(tokens[sequence]) for sequence in sequences]
            drawn[name] = texts.column(cells, name)
        if self.numeric_target_:
            drawn[self.target_column_] = [rng.choice(self.target_cells_[label]) for label in labels]
        return pd.DataFrame(drawn)

    def _texts(self, name: str, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Draw texts as numbers of tokens; none repeats a passage of few training rows."""
        model, longest, passages = self.models_[name], self.longest_[name], self.passages_.get(name)
        drawn = model.sample(labels, longest, rng)
        if passages is None:
            return drawn
        number = _words(self.vocabularies_[name])
        left = np.arange(len(drawn))
        for attempt in range(_TRIES + 1):
            plain = [_plain(drawn[i], number) for i in left]
            kept, equal = passages.kept(plain), passages.equal(plain)
            bad = equal | (kept < [len(each) for each in plain])
            left, plain, kept = left[bad], [each for each, b in zip(plain, bad, strict=True) if b], kept[bad]
            if not len(left) or attempt == _TRIES:
                break
            for i, text in zip(left, model.sample(labels[left], longest, rng), strict=True):
                drawn[i] = text
        cut = [each[:size] for each, size in zip(plain, kept, strict=True)] if len(left) else []
        for i, text, size, repeated in zip(left, cut, kept, passages.equal(cut), strict=True):
            place = np.flatnonzero(number[drawn[i]])
            drawn[i] = drawn[i][:0] if repeated else drawn[i][: place[size - 1] + 1] if len(text) else drawn[i][:0]
        return drawn


def _words(vocabulary: list[str]) -> np.ndarray:
    """Return the number of the word of each symbol, 0 where it is no word: blanks around words do not count."""
    stripped = np.array(["", "", "", *(token.strip() for token in vocabulary)], dtype=object)
    return np.unique(stripped.astype(str), return_inverse=True)[1]


def _plain(sequence: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return the numbers of the words of a sequence, without white space and hidden words."""
    found = number[sequence]
    return found[found > 0]
