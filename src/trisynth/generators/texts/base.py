"""Base of the generators of texts: vocabulary, protection of passages of few rows, filter by label."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import pandas as pd

from trisynth.data import texts
from trisynth.data.disclosure.passages import Passages
from trisynth.data.kinds import Kind, Text
from trisynth.errors import require_flag
from trisynth.generators.base import Generator
from trisynth.generators.texts.label_filter import LabelFilter
from trisynth.statistics.ngrams import UNKNOWN

_LOG = logging.getLogger(__name__)
# Texts that are drawn at once, so that memory does not grow with the number of requested rows.
_CHUNK = 4096
# Draws of a text that repeats a training text, or a passage, of few rows, or that the filter denies.
_TRIES = 12
# Texts that are drawn after a fit to measure what the filter denies.
_MEASURED = 500

Texts = list[np.ndarray]


class TextGenerator(Generator):
    """Base of generators that draw texts token by token given the label.

    Words that few training rows hold are not drawn; see ``rare``. A text that repeats one of few rows, or a run of
    eight of its words, is drawn again from a few words before that run, up to twelve times, and then ends before it.
    With a filter, a text is drawn again as often where a classifier of the real training texts assigns it to another
    label; the last one is kept. Several columns are independent given the label.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (Text,)
    # Subclasses take it as an argument.
    label_filter: bool = False

    @abstractmethod
    def _learn(
        self,
        column: Text,
        sequences: Texts,
        labels: np.ndarray,
        rng: np.random.Generator,
        persons: np.ndarray | None = None,
    ) -> None:
        """Learn the texts of a column; symbols are those of ``statistics.ngrams``, then the words of its vocabulary."""

    @abstractmethod
    def _drawn(self, name: str, labels: np.ndarray, starts: Sequence | None, rng: np.random.Generator) -> Texts:
        """Draw a text of symbols for each label, from its start where one is given; must not change ``self``."""

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        require_flag("label_filter", self.label_filter)

    def _fit(
        self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, persons: np.ndarray | None = None
    ) -> None:
        self.vocabularies_, self.longest_, self.passages_, self.filters_, self.denied_ = {}, {}, {}, {}, {}
        for column in self.schema_.columns:
            cells = texts.values(table[column.name])
            split = [texts.tokens(text) for text in cells]
            known = sorted({token for tokens in split for token in tokens if texts.HIDDEN not in token})
            number = {token: i for i, token in enumerate(known, UNKNOWN + 1)}
            sequences = [np.array([number.get(token, UNKNOWN) for token in tokens], dtype=np.int64) for tokens in split]
            self.vocabularies_[column.name] = known
            self.longest_[column.name] = max(map(len, sequences), default=0)
            if column.rare:
                words = _words(known)
                plain = [_plain(each, words) for each in sequences]
                self.passages_[column.name] = Passages.learn(plain, column.rare, persons)
            self._learn(column, sequences, labels, rng, persons)
            if self.label_filter and (found := LabelFilter.learn(cells, labels)):
                self.filters_[column.name] = found
        self.target_cells_ = self._target_cells(table, labels) if self.numeric_target_ else []
        for name in self.filters_:
            measured = rng.choice(labels, _MEASURED)
            self.denied_[name] = self._texts(name, measured, rng)[1] / _MEASURED

    def _target_cells(self, table: pd.DataFrame, labels: np.ndarray) -> list[np.ndarray]:
        cells = table[self.target_column_].to_numpy(float)
        return [cells[labels == label] for label in range(labels.max() + 1)]

    def diagnostics(self) -> dict[str, float]:
        """Return the fraction of texts that the filter denies, at the first draw and after the last, of 500."""
        if not self.denied_:
            return {}
        first, last = np.mean(list(self.denied_.values()), axis=0)
        return {"denied": float(first), "denied_at_last": float(last)}

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        drawn: dict = {}
        for name in self.vocabularies_:
            write, cells = self._writer(name), list[str]()
            denied = np.zeros(2, int)
            for start in range(0, len(labels), _CHUNK):
                sequences, counts = self._texts(name, labels[start : start + _CHUNK], rng)
                cells += map(write, sequences)
                denied += counts
            drawn[name] = texts.column(cells, name)
            if denied[0]:
                line = (
                    "%s: the filter rejected %d of %d texts; they were drawn again, and %d are kept although rejected"
                )
                _LOG.info(line, name, denied[0], len(labels), denied[1])
        if self.numeric_target_:
            drawn[self.target_column_] = [rng.choice(self.target_cells_[label]) for label in labels]
        return pd.DataFrame(drawn)

    def _writer(self, name: str, words: bool = True) -> Callable[[np.ndarray], str]:
        """Return a function that writes symbols as a text, with a blank between two words that would be read as one.

        Such words follow each other where neither did so in a real text, or where a hidden word was between them.
        Symbols that are no whole ``words`` are written as they are.
        """
        vocabulary = self.vocabularies_[name]
        tokens = np.array(["", "", "", *vocabulary], dtype=object)
        before, after = np.array([(False, False)] * 3 + [texts.joins(token) for token in vocabulary]).T

        def write(sequence: np.ndarray) -> str:
            shown = sequence[sequence > UNKNOWN]
            parts = tokens[shown]
            if words:
                parts[1:] = np.where(after[shown[:-1]] & before[shown[1:]], " ", "").astype(object) + parts[1:]
            return "".join(parts)

        return write

    def _texts(self, name: str, labels: np.ndarray, rng: np.random.Generator) -> tuple[Texts, np.ndarray]:
        """Draw texts as symbols, and count those that the filter denies at first and at last.

        None of them repeats a passage of few training rows.
        """
        drawn = self._drawn(name, labels, None, rng)
        passages, accepted = self.passages_.get(name), self.filters_.get(name)
        denied = np.zeros(2, int)
        if passages is None and accepted is None:
            return drawn, denied
        number, write = _words(self.vocabularies_[name]), self._writer(name)
        left = np.arange(len(drawn))
        for attempt in range(_TRIES + 1):
            plain = [_plain(drawn[i], number) for i in left]
            kept = np.array([len(each) for each in plain], int)
            equal = repeated = np.zeros(len(left), bool)
            if passages is not None:
                sizes, kept, equal = kept, passages.kept(plain), passages.equal(plain)
                repeated = kept < sizes
            wrong = np.zeros(len(left), bool)
            if accepted is not None:
                # A text with a passage of few rows is drawn again in any case.
                wrong = ~accepted.admits([write(drawn[i]) for i in left], labels[left]) & ~equal & ~repeated
            denied[min(attempt, 1)] = wrong.sum()
            again = wrong | equal | repeated
            if attempt == _TRIES or not again.any():
                break
            # With each attempt twice as many words before the passage are drawn again.
            first = np.where(wrong | equal, 0, kept - (2**attempt >> 1))
            starts = [_first(drawn[left[i]], number, first[i]) for i in np.flatnonzero(again)]
            left = left[again]
            for i, text in zip(left, self._drawn(name, labels[left], starts, rng), strict=True):
                drawn[i] = text
        if passages is not None:
            for i, size in zip(left[repeated], kept[repeated], strict=True):
                drawn[i] = _first(drawn[i], number, size)
            for i in left[passages.equal([_plain(drawn[i], number) for i in left])]:
                drawn[i] = drawn[i][:0]
        return drawn, denied


def _first(text: np.ndarray, number: np.ndarray, words: int) -> np.ndarray:
    """Return a text up to and with its first words."""
    return text[: np.flatnonzero(number[text])[words - 1] + 1] if words > 0 else text[:0]


def _words(vocabulary: list[str]) -> np.ndarray:
    """Return the number of the word of each symbol, 0 where it is no word: blanks around words do not count."""
    stripped = np.array(["", "", "", *(token.strip() for token in vocabulary)], dtype=object)
    return np.unique(stripped.astype(str), return_inverse=True)[1]


def _plain(sequence: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return the numbers of the words of a sequence, without white space and hidden words."""
    found = number[sequence]
    return found[found > 0]
