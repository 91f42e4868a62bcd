"""Class-conditional n-gram model of texts."""

from trisynth.errors import require_whole
from trisynth.generators.texts.base import TextGenerator
from trisynth.statistics.ngrams import UNKNOWN, NGrams


class NGram(TextGenerator):
    """Texts of words that are drawn one after another given the label and the words before.

    Each column of texts has an interpolated Kneser-Ney model for each label (Ney, Essen and Kneser 1994), over words,
    marks and white space. The end of a text is drawn like a word. N-grams of few rows are not drawn as such: a shorter
    one is drawn there. Words and passages of few rows are protected as in ``TextGenerator``.

    Parameters
    ----------
    order : int, default=3
        Length of the longest n-grams: a word is drawn given ``order - 1`` others. The higher it is, the longer are the
        passages that equal those of training texts.
    label_filter : bool, default=False
        Draw a text again, up to twelve times, if a classifier trained on the real texts rejects its label.
    """

    def __init__(self, order: int = 3, label_filter: bool = False):
        self.order, self.label_filter = order, label_filter

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        require_whole("order", self.order, 1)

    def _fit(self, table, labels, rng, persons=None):
        self.models_ = {}
        super()._fit(table, labels, rng, persons)

    def _learn(self, column, sequences, labels, rng, persons=None):
        size = len(self.vocabularies_[column.name]) + UNKNOWN + 1
        self.models_[column.name] = NGrams.learn(sequences, labels, size, self.order, column.rare, persons)

    def _drawn(self, name, labels, starts, rng):
        return self.models_[name].sample(labels, self.longest_[name], rng, starts)
