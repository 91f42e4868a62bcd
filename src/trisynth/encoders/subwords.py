"""Sub-words: byte pair encoding of the words of training texts (Sennrich, Haddow and Birch 2016)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class SubWords:
    """Parts of words: all characters of the training texts, then joined parts that are frequent.

    Parameters
    ----------
    parts : tuple of str
    """

    parts: tuple[str, ...]

    @classmethod
    def learn(cls, words: Mapping[str, int], size: int) -> "SubWords":
        """Learn at most ``size`` parts, but every character, from words with their numbers of occurrences.

        Each step joins the most frequent pair of adjacent parts, of equal ones the first in the order of characters,
        until none occurs twice.
        """
        cells = [list(word) for word in sorted(words)]
        counts = [words[word] for word in sorted(words)]
        pairs: Counter[tuple[str, str]] = Counter()
        places: dict[tuple[str, str], set[int]] = defaultdict(set)
        for i, cell in enumerate(cells):
            for pair in pairwise(cell):
                pairs[pair] += counts[i]
                places[pair].add(i)
        parts = sorted({character for cell in cells for character in cell})
        while len(parts) < size and pairs:
            most = max(pairs.values())
            if most < 2:
                break
            best = min(pair for pair, n in pairs.items() if n == most)
            parts.append("".join(best))
            for i in places.pop(best):
                for pair in pairwise(cells[i]):
                    pairs[pair] -= counts[i]
                    if pairs[pair] <= 0:
                        del pairs[pair]
                cells[i] = _joined(cells[i], best)
                for pair in pairwise(cells[i]):
                    pairs[pair] += counts[i]
                    places[pair].add(i)
        # Two joins may make the same part.
        return cls(tuple(dict.fromkeys(parts)))

    def encode(self, words: Iterable[str]) -> list[list[int]]:
        """Return the numbers of the parts of each word, the parts that were learned first being joined first."""
        number = {part: i for i, part in enumerate(self.parts)}
        return [_encoded(word, number) for word in words]

    def decode(self, numbers: Sequence[int]) -> str:
        """Join parts to a text."""
        return "".join(self.parts[i] for i in numbers)


def _encoded(word: str, number: Mapping[str, int]) -> list[int]:
    cell = [character for character in word if character in number]
    while len(cell) > 1:
        ranks = [number.get(a + b, len(number)) for a, b in pairwise(cell)]
        best = min(ranks)
        if best == len(number):
            break
        at = ranks.index(best)
        cell = _joined(cell, (cell[at], cell[at + 1]))
    return [number[part] for part in cell]


def _joined(cell: list[str], pair: tuple[str, str]) -> list[str]:
    found: list[str] = []
    i = 0
    while i < len(cell):
        if i + 1 < len(cell) and (cell[i], cell[i + 1]) == pair:
            found.append(cell[i] + cell[i + 1])
            i += 2
        else:
            found.append(cell[i])
            i += 1
    return found
