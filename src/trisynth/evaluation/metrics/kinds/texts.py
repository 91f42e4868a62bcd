"""Metrics of modelled texts: perplexity, diversity, distribution of n-grams, and copied passages.

Each is left out of the result where the rows hold no such column; several columns are averaged. Words of fewer than two
training texts count as one word, so that all perplexities are over the same words. White space does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.data import texts
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import CopyingMetric, FidelityMetric
from trisynth.evaluation.metrics.context import Context
from trisynth.statistics.ngrams import UNKNOWN, NGrams

# Training texts that a word must occur in, and the symbol of the others.
_FEWEST, _OTHER = 2, UNKNOWN + 1
# Multiplier of a rolling hash of 64 bits.
_PRIME = np.uint64(0x9E3779B97F4A7C15)

Sequences = Sequence[np.ndarray]


def columns(context: Context) -> list[str]:
    """Return the names of the columns of modelled texts; none without synthetic rows."""
    X = context.train.X
    return [name for name in X if texts.is_text(X[name].dtype)] if len(context.synthetic) else []


def words(text: str) -> list[str]:
    """Split a text into words and marks."""
    return [token.strip() for token in texts.tokens(text) if not token.isspace()]


def sequences(context: Context, name: str, most: int) -> tuple[Sequences, Sequences, Sequences, int]:
    """Return training, held-out and synthetic texts as numbers of words, and the number of symbols.

    At most ``most`` held-out and synthetic texts are used, as many of both.
    """
    n = min(most, len(context.test), len(context.synthetic))
    parts = [texts.values(part.X[name]) for part in (context.train, context.test, context.synthetic)]
    rows = texts.rows_of_words(parts[0])
    known = sorted(word for word, count in rows.items() if word and count >= _FEWEST)
    number = {word: i for i, word in enumerate(known, _OTHER + 1)}
    train, test, synthetic = (
        [np.array([number.get(word, _OTHER) for word in words(text)], dtype=np.int64) for text in part]
        for part in (parts[0], parts[1][:n], parts[2][:n])
    )
    return train, test, synthetic, len(known) + _OTHER + 1


@dataclass(frozen=True)
class Perplexity(FidelityMetric):
    """Perplexity by n-gram models: of synthetic texts under the real distribution, and the other way round.

    ``text_perplexity`` is that of synthetic texts under a model of the held-out texts: exp of the mean negative
    logarithm of the probability of a word. It is low for fluent texts, and for a few texts that repeat.
    ``reverse_perplexity`` is that of held-out texts under a model of the synthetic ones; it is high if parts of the
    real distribution are missing (Zhao et al. 2018). Both models are interpolated Kneser-Ney over as many texts.

    Parameters
    ----------
    order : int, default=3
    max_rows : int, default=2000
        Maximum number of texts of either side.
    """

    order: int = 3
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("order", self.order, 1)
        require_whole("max_rows", self.max_rows, 1)

    def _score(self, context):
        found = []
        for name in columns(context):
            _, test, synthetic, size = sequences(context, name, self.max_rows)
            found.append((self._of(synthetic, test, size), self._of(test, synthetic, size)))
        if not found:
            return {}
        return dict(zip(("text_perplexity", "reverse_perplexity"), map(float, np.mean(found, axis=0)), strict=True))

    def _of(self, cells: Sequences, reference: Sequences, size: int) -> float:
        model = NGrams.learn(reference, np.zeros(len(reference), int), size, self.order)
        return float(np.exp(-model.log_probabilities(cells, np.zeros(len(cells), int)).mean()))


@dataclass(frozen=True)
class NGramDistribution(FidelityMetric):
    """Diversity of n-grams, and the divergence of their distribution from that of held-out texts.

    ``distinct_gap`` is the absolute difference of the fractions of n-grams that are distinct (distinct-n, Li et al.
    2016) in as many synthetic and held-out texts, and ``ngram_js`` the Jensen-Shannon divergence in bits of the
    frequencies of n-grams; both are means over n = 1, ..., ``longest``.

    Parameters
    ----------
    longest : int, default=2
    max_rows : int, default=2000
        Maximum number of texts of either side.
    """

    longest: int = 2
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("longest", self.longest, 1)
        require_whole("max_rows", self.max_rows, 1)

    def _score(self, context):
        gaps, divergences = [], []
        for name in columns(context):
            _, test, synthetic, _ = sequences(context, name, self.max_rows)
            for n in range(1, self.longest + 1):
                real, drawn = grams(test, n), grams(synthetic, n)
                if not len(real) or not len(drawn):
                    continue
                gaps.append(abs(len(np.unique(real)) / len(real) - len(np.unique(drawn)) / len(drawn)))
                divergences.append(_jensen_shannon(real, drawn))
        return {"distinct_gap": float(np.mean(gaps)), "ngram_js": float(np.mean(divergences))} if gaps else {}


@dataclass(frozen=True)
class CopiedRun(CopyingMetric):
    """Longest passages that synthetic texts share with training texts, in words.

    ``copied_run`` is the mean over synthetic texts of the longest run of words that also stands in one training text,
    and ``copied_run_base`` that of as many held-out texts, the value without copying. Runs are counted up to
    ``longest`` words. The metric detects copies; it does not establish privacy.

    Parameters
    ----------
    longest : int, default=40
    max_rows : int, default=2000
        Maximum number of texts of either side.
    """

    longest: int = 40
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("longest", self.longest, 1)
        require_whole("max_rows", self.max_rows, 1)

    def _score(self, context):
        found = []
        for name in columns(context):
            n = min(self.max_rows, len(context.test), len(context.synthetic))
            parts = [texts.values(part.X[name]) for part in (context.train, context.test, context.synthetic)]
            number: dict[str, int] = {}
            train, test, synthetic = (
                [np.array([number.setdefault(w, len(number)) for w in words(text)], np.int64) for text in part]
                for part in (parts[0], parts[1][:n], parts[2][:n])
            )
            found.append([runs.mean() for runs in longest_runs(train, [synthetic, test], self.longest)])
        if not found:
            return {}
        return dict(zip(("copied_run", "copied_run_base"), map(float, np.mean(found, axis=0)), strict=True))


@dataclass(frozen=True)
class IdenticalTexts(CopyingMetric):
    """Fraction of synthetic texts that equal a training text, and its value without copying.

    White space does not count, nor do empty texts. Short texts repeat each other, and honest ones equal training texts,
    too. They equal held-out texts as often for each distinct text: ``identical_texts_base`` is the fraction of
    synthetic texts that equal a held-out text, times the number of distinct training texts over that of distinct
    held-out ones, at most 1. The metric detects copies; it does not establish privacy.
    """

    def _score(self, context):
        found = []
        for name in columns(context):
            parts = [texts.values(part.X[name]) for part in (context.train, context.test, context.synthetic)]
            train, test, synthetic = ([" ".join(words(text)) for text in part] for part in parts)
            drawn = [text for text in synthetic if text]
            train, test = {*train} - {""}, {*test} - {""}
            equal, base = (sum(text in part for text in drawn) / max(len(drawn), 1) for part in (train, test))
            found.append((equal, min(base * len(train) / max(len(test), 1), 1.0)))
        if not found:
            return {}
        scores = np.mean(found, axis=0)
        return dict(zip(("identical_texts", "identical_texts_base"), map(float, scores), strict=True))


def longest_runs(train: Sequences, parts: Sequence[Sequences], longest: int) -> list[np.ndarray]:
    """Compute for each text of each part its longest run of words that stands in a training text."""
    real, others = _Runs(train), [_Runs(part) for part in parts]
    found = [np.zeros(len(part), int) for part in parts]
    for n in range(1, longest + 1):
        for runs in (real, *others):
            runs.extend(n)
        seen = [np.isin(runs.hashes, real.hashes) for runs in others]
        for runs, lengths, held in zip(others, found, seen, strict=True):
            # What does not stand there is no part of a longer run that does.
            runs.keep(held)
            lengths[runs.rows] = n
        real.keep(np.isin(real.hashes, np.concatenate([runs.hashes for runs in others])))
        if not len(real.hashes):
            break
    return found


class _Runs:
    """Runs of equally many words of texts: where they begin, in which text, and their hashes."""

    def __init__(self, cells: Sequences):
        sizes = np.array([len(each) for each in cells], dtype=int)
        self._words = np.concatenate([np.zeros(0, np.int64), *cells]).astype(np.uint64)
        self._starts, self.rows = np.arange(len(self._words)), np.repeat(np.arange(len(cells)), sizes)
        self._left = np.repeat(np.cumsum(sizes), sizes) - self._starts
        self.hashes = np.zeros(len(self._words), np.uint64)

    def extend(self, n: int) -> None:
        """Add the ``n``-th word to each run; those that end before are dropped."""
        self.keep(self._left >= n)
        self.hashes = _mixed(self.hashes, self._words[self._starts + n - 1])

    def keep(self, held: np.ndarray) -> None:
        """Drop all other runs."""
        self._starts, self.rows, self._left = self._starts[held], self.rows[held], self._left[held]
        self.hashes = self.hashes[held]


def _mixed(hashes: np.ndarray, words: np.ndarray) -> np.ndarray:
    hashes = (hashes + words + np.uint64(1)) * _PRIME
    return hashes ^ (hashes >> np.uint64(29))


def grams(cells: Sequences, n: int) -> np.ndarray:
    """Return hashes of the runs of ``n`` words of all texts."""
    runs = _Runs(cells)
    for k in range(1, n + 1):
        runs.extend(k)
    return runs.hashes


def _jensen_shannon(a: np.ndarray, b: np.ndarray) -> float:
    values, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    p = np.bincount(codes[: len(a)], minlength=len(values)) / len(a)
    q = np.bincount(codes[len(a) :], minlength=len(values)) / len(b)
    middle = (p + q) / 2
    return float(sum((part[part > 0] * np.log2(part[part > 0] / middle[part > 0])).sum() for part in (p, q)) / 2)
