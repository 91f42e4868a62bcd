"""Parts of texts whose n-grams occur in enough rows, which a network may be trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.statistics.ngrams import UNKNOWN, common


@dataclass(frozen=True)
class Segment:
    """Successive words of one text.

    Parameters
    ----------
    row : int
        Number of the text.
    words : ndarray of int
    first, last : bool
        Whether the text begins, or ends, with them.
    """

    row: int
    words: np.ndarray
    first: bool
    last: bool


def segments(
    sequences: Sequence[np.ndarray], size: int, order: int, rare: int, persons: np.ndarray | None = None
) -> list[Segment]:
    """Divide texts where an n-gram of fewer than ``rare`` texts ends, and at hidden words, which are left out.

    Parameters
    ----------
    sequences : sequence of ndarray of int
        Symbols of ``statistics.ngrams``, then words.
    size : int
        Number of symbols.
    order : int
        Length of the longest n-grams. Those that begin in an earlier part do not count.
    rare : int
        0 leaves texts whole.
    persons : ndarray of int, shape (len(sequences),), optional
        Number of the person of each text, to count persons instead of texts.
    """
    if rare < 2:
        return [Segment(row, words, True, True) for row, words in enumerate(sequences)]
    held = common(sequences, size, order, rare, persons)
    found, start = [], 0
    for row, words in enumerate(sequences):
        stop = start + len(words) + 2
        # Place 0 is the start of the text, and the last one its end.
        of_lengths = [each[start:stop] for each in held]
        first, begin, length = True, 0, 1
        for i in range(len(words) + 1):
            hidden = i < len(words) and words[i] == UNKNOWN
            shown = length == 0 or of_lengths[min(length, order - 1) - 1][i + 1]
            if hidden or not shown:
                found.append(Segment(row, words[begin:i], first, False))
                first, begin, length = False, i, 0
            if hidden:
                begin = i + 1
            else:
                length += 1
        found.append(Segment(row, words[begin:], first, True))
        start = stop
    # A part without words that neither begins nor ends a text has nothing to learn from.
    return [each for each in found if len(each.words) or each.first or each.last]
