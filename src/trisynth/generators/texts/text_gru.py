"""Class-conditional recurrent language model of texts over sub-words."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trisynth import seeds
from trisynth.data import texts
from trisynth.encoders.subwords import SubWords
from trisynth.errors import require_whole
from trisynth.generators.neural import device
from trisynth.generators.neural.checks import check_fractions, check_rates, check_sizes
from trisynth.generators.neural.networks.language import Language
from trisynth.generators.neural.optimizer import NetworkOptimizer
from trisynth.generators.texts.base import TextGenerator
from trisynth.generators.texts.segments import Segment, segments
from trisynth.statistics.ngrams import END, START, UNKNOWN

# Symbol before and after a part of a text; sub-words have the numbers above it. And what stands for no symbol.
_BREAK, _NONE = 3, -100
# Length of n-grams that must occur in enough rows, as in NGram; words that a continued text is drawn given.
_ORDER = 3
# Most symbols of a training sequence, most held-out ones, their fraction of the rows, and epochs without a gain.
_LONGEST, _HELD, _FRACTION, _PATIENCE = 256, 200, 0.1, 3


class TextGRU(TextGenerator):
    """Texts of sub-words that are drawn one after another by a recurrent network given the label.

    Each column of texts has a network of gated recurrent units (Cho et al. 2014), whose input is the label and the
    sub-word before. Sub-words are found by byte pair encoding of the training words (Sennrich, Haddow and Birch 2016).
    A tenth of the training texts is held out, and the network of the epoch with the lowest loss there is kept; three
    epochs without a lower one end the training. Where words of few rows are protected, drawn words that no training
    text has are left out.

    Words and passages of few rows are protected as in ``TextGenerator``. So are n-grams of two and three words that few
    rows have: the network is trained on the parts of texts between them, and learns where a part ends. Given the label,
    a drawn part does not depend on the part before it.

    Parameters
    ----------
    sub_words : int, default=800
        Maximum number of sub-words; single characters are kept beyond it.
    embedding, units : int, default=64, 128
        Length of the vector that represents a sub-word, and number of units of the network.
    dropout : float, default=0.1
    epochs : int, default=6
        Maximum number of epochs.
    min_steps : int, default=150
        Minimum number of steps of all epochs together: if the texts give fewer, an epoch passes over them more than
        once.
    batch_size : int, default=32
    learning_rate : float, default=0.01
        Of Adam at the start; falls to zero along a cosine.
    device : {"cpu", "cuda"}
    label_filter : bool, default=False
        Draw a text again, up to twelve times, if a classifier trained on the real texts rejects its label.

    Attributes
    ----------
    history_ : dict of str to list of float
        Loss of each epoch on training and on held-out texts, in nats for each sub-word.
    """

    def __init__(
        self,
        sub_words: int = 800,
        embedding: int = 64,
        units: int = 128,
        dropout: float = 0.1,
        epochs: int = 6,
        min_steps: int = 150,
        batch_size: int = 32,
        learning_rate: float = 0.01,
        device: str = "cpu",
        label_filter: bool = False,
    ):
        self.sub_words, self.embedding, self.units, self.dropout = sub_words, embedding, units, dropout
        self.epochs, self.min_steps, self.batch_size, self.learning_rate = epochs, min_steps, batch_size, learning_rate
        self.device, self.label_filter = device, label_filter

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        names = ("sub_words", "embedding", "units", "epochs", "batch_size")
        check_sizes(**{name: getattr(self, name) for name in names})
        require_whole("min_steps", self.min_steps, 1)
        check_rates(learning_rate=self.learning_rate)
        check_fractions(dropout=self.dropout)
        device.check_name(self.device)

    def _fit(self, table, labels, rng, persons=None):
        self.sub_words_, self.codes_, self.weights_, self.steps_, self.history_ = {}, {}, {}, {}, {}
        super()._fit(table, labels, rng, persons)

    def _learn(self, column, sequences, labels, rng, persons=None):
        name, vocabulary = column.name, self.vocabularies_[column.name]
        counts = Counter(word for sequence in sequences for word in sequence.tolist() if word > UNKNOWN)
        known = SubWords.learn({vocabulary[word - UNKNOWN - 1]: n for word, n in counts.items()}, self.sub_words)
        if not column.rare:
            # New words may be made of sub-words.
            vocabulary += known.parts
        codes = [np.array(each, dtype=np.int64) + _BREAK + 1 for each in known.encode(vocabulary)]
        self.sub_words_[name], self.codes_[name] = known, codes
        size = len(vocabulary) + UNKNOWN + 1
        parts = segments(sequences, size, _ORDER, column.rare, persons)
        self.steps_[name] = max(
            (sum(len(codes[w - UNKNOWN - 1]) for w in s if w > UNKNOWN) for s in sequences), default=0
        )
        with device.one_thread():
            self._train(name, parts, labels, rng)

    def _train(self, name: str, parts: list[Segment], labels: np.ndarray, rng: np.random.Generator) -> None:
        place, generator = device.checked_device(self.device), seeds.torch_generator(rng)
        held = rng.permutation(len(labels))[: min(int(_FRACTION * len(labels)), _HELD)]
        chosen = np.isin([part.row for part in parts], held)
        windows = [list(self._windows(name, part)) for part in parts]
        train = [(w, labels[p.row]) for p, ws, out in zip(parts, windows, chosen, strict=True) for w in ws if not out]
        tested = [(w, labels[p.row]) for p, ws, out in zip(parts, windows, chosen, strict=True) for w in ws if out]
        network = self._network(name, generator).to(place)
        steps = max(-(-len(train) // self.batch_size), -(-self.min_steps // self.epochs))
        optimizer = NetworkOptimizer(network, self.epochs * steps, self.learning_rate)
        best, waited = np.inf, 0
        history = {"loss": [], "held_out": []}
        batches = _batches(train, self.batch_size, rng)
        for _ in range(self.epochs):
            network.train()
            losses = []
            for _ in range(steps):
                loss = _loss(network, *next(batches), place)
                optimizer.step(loss)
                losses.append(float(loss.detach()))
            network.eval()
            with torch.inference_mode():
                size = max(1, -(-len(tested) // self.batch_size))
                groups = [tested[i::size] for i in range(size)] if tested else []
                scores = [float(_loss(network, *_padded(group), place)) for group in groups]
            history["loss"].append(float(np.mean(losses)))
            history["held_out"].append(float(np.mean(scores)) if scores else history["loss"][-1])
            if history["held_out"][-1] < best:
                best, waited, self.weights_[name] = history["held_out"][-1], 0, device.to_arrays(network)
            elif (waited := waited + 1) == _PATIENCE:
                break
        # Of several columns, the curves of the last are kept.
        self.history_ = history

    def _network(self, name: str, generator: torch.Generator) -> Language:
        symbols = len(self.sub_words_[name].parts) + _BREAK + 1
        return Language(symbols, len(self.labels_), self.embedding, self.units, generator, self.dropout)

    def _windows(self, name: str, part: Segment) -> Iterator[np.ndarray]:
        """Yield the symbols of a part, its ends included, in as many pieces as it needs."""
        inner = [self.codes_[name][word - UNKNOWN - 1] for word in part.words]
        ends = [START if part.first else _BREAK], [END if part.last else _BREAK]
        symbols = np.concatenate([ends[0], *inner, ends[1]]).astype(np.int64)
        for start in range(0, len(symbols) - 1, _LONGEST):
            yield symbols[start : start + _LONGEST + 1]

    def _writer(self, name, words=True):
        # Without protected passages, sub-words are drawn, which join to words.
        return super()._writer(name, words and name in self.passages_)

    def _drawn(self, name, labels, starts, rng):
        place, vocabulary = device.checked_device(self.device), self.vocabularies_[name]
        # The initial weights are overwritten, so their seed does not matter.
        network = device.from_arrays(self._network(name, torch.Generator()), self.weights_[name]).to(place).eval()
        begun = [[]] * len(labels) if starts is None else [start.tolist() for start in starts]
        given = [
            np.concatenate([[_BREAK], *(self.codes_[name][w - UNKNOWN - 1] for w in start[1 - _ORDER :])])
            if start
            else np.array([START])
            for start in begun
        ]
        with torch.inference_mode(), device.one_thread():
            drawn = self._symbols(network, given, self.steps_[name], torch.tensor(labels, device=place), rng)
        known = self.sub_words_[name]
        parts = [symbols[symbols > _BREAK] - _BREAK - 1 for symbols in drawn]
        if name not in self.passages_:
            # The last words of the vocabulary are the sub-words, and no text has a start.
            return [part + len(vocabulary) - len(known.parts) + UNKNOWN + 1 for part in parts]
        number = {token: i for i, token in enumerate(vocabulary, UNKNOWN + 1)}
        words = [[number[token] for token in texts.tokens(known.decode(part)) if token in number] for part in parts]
        return [np.array([*start, *each], dtype=np.int64) for start, each in zip(begun, words, strict=True)]

    def _symbols(
        self, network: Language, given: list[np.ndarray], longest: int, labels: Tensor, rng: np.random.Generator
    ) -> list[np.ndarray]:
        """Draw the symbols that follow those given, at most ``longest``."""
        n, place = len(given), labels.device
        drawn = np.full((n, longest), END, dtype=np.int64)
        rows, last = np.arange(n), torch.tensor([len(each) - 1 for each in given], device=place)
        padded = torch.tensor(_matrix(given, END), device=place)
        state = network.states(padded, labels)[torch.arange(n, device=place), last]
        # These are never drawn.
        network.bias[[START, UNKNOWN]] = -torch.inf
        for step in range(longest):
            ends = network(state).softmax(dim=1).cumsum(dim=1)
            at = torch.tensor(rng.random(len(rows), dtype=np.float32), device=place)[:, None] * ends[:, -1:]
            chosen = torch.searchsorted(ends, at, right=True).clamp(max=ends.shape[1] - 1)
            drawn[rows, step] = symbols = chosen[:, 0].cpu().numpy()
            going = symbols != END
            if not going.all():
                left = torch.tensor(np.flatnonzero(going), device=place)
                rows, chosen, state, labels = rows[going], chosen[left], state[left], labels[left]
            if not len(rows):
                break
            # A new part does not depend on the one before.
            state = torch.where(chosen == _BREAK, 0.0, state)
            state = network.states(chosen, labels, state)[:, 0]
        return list(drawn)


def _batches(
    sequences: list[tuple[np.ndarray, int]], size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield padded batches endlessly; every sequence comes once before any comes again, those of a batch alike long."""
    while True:
        order = rng.permutation(len(sequences))
        order = order[np.argsort([len(sequences[i][0]) for i in order], kind="stable")]
        groups = np.array_split(order, -(-len(order) // size))
        for i in rng.permutation(len(groups)):
            yield _padded([sequences[j] for j in groups[i]])


def _padded(group: list[tuple[np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray]:
    return _matrix([symbols for symbols, _ in group], _NONE), np.array([label for _, label in group])


def _matrix(rows: list[np.ndarray], empty: int) -> np.ndarray:
    """Stack rows of unequal lengths, with ``empty`` behind the shorter ones."""
    found = np.full((len(rows), max(map(len, rows))), empty, dtype=np.int64)
    for i, row in enumerate(rows):
        found[i, : len(row)] = row
    return found


def _loss(network: Language, symbols: np.ndarray, labels: np.ndarray, place: torch.device) -> Tensor:
    """Return the mean cross entropy of each symbol given those before it."""
    given = torch.tensor(symbols, device=place)
    inputs = given[:, :-1].clamp(min=0)
    logits = network(network.states(inputs, torch.tensor(labels, device=place)))
    return functional.cross_entropy(logits.flatten(0, 1), given[:, 1:].flatten(), ignore_index=_NONE)
