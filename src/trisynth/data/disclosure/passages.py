"""Passages of few training texts, which drawn texts must not repeat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Words of a passage; it is about one sentence.
RUN = 8
_PRIME, _OTHER_PRIME = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True)
class Passages:
    """Hashes of the runs of eight words, and of the whole texts, that fewer than ``rare`` training rows hold.

    Parameters
    ----------
    runs, texts : ndarray of uint64, sorted
    """

    runs: np.ndarray
    texts: np.ndarray

    @classmethod
    def learn(cls, cells: Sequence[np.ndarray], rare: int, persons: np.ndarray | None = None) -> "Passages":
        """Learn from training texts, each an array of the numbers of its words; hidden words are left out.

        With the number of the person of each text, persons count instead of rows.
        """
        hashes, rows, _ = _runs(cells)
        whole = _whole(cells)
        persons = np.arange(len(whole)) if persons is None else persons
        return cls(_few(hashes, persons[rows], rare), _few(whole, persons, rare))

    def equal(self, cells: Sequence[np.ndarray]) -> np.ndarray:
        """Return which texts equal a rare training text; an empty one does not count."""
        return _among(_whole(cells), self.texts) & np.array([len(each) > 0 for each in cells], bool)

    def kept(self, cells: Sequence[np.ndarray]) -> np.ndarray:
        """Return the number of words before each text completes a rare run: all of them where it has none."""
        found = np.array([len(each) for each in cells], dtype=int)
        hashes, rows, starts = _runs(cells)
        bad = _among(hashes, self.runs)
        np.minimum.at(found, rows[bad], starts[bad] + RUN - 1)
        return found


def _among(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return which hashes are among sorted ones; much faster than numpy's ``isin`` for many calls."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    return known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] == hashes


def _few(hashes: np.ndarray, rows: np.ndarray, rare: int) -> np.ndarray:
    """Return the hashes that fewer than ``rare`` rows have."""
    order = np.lexsort((rows, hashes))
    hashes, rows = hashes[order], rows[order]
    first = np.ones(len(hashes), bool)
    first[1:] = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])
    distinct, counts = np.unique(hashes[first], return_counts=True)
    return distinct[counts < rare]


def _runs(cells: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the hash of each run, its text, and its first word's place there."""
    sizes = np.array([len(each) for each in cells], dtype=int)
    words = np.concatenate([np.zeros(0, np.int64), *cells]).astype(np.uint64)
    rows = np.repeat(np.arange(len(cells)), sizes)
    place = np.arange(len(words)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    at = np.flatnonzero(np.repeat(sizes, sizes) - place >= RUN)
    hashes = np.zeros(len(at), np.uint64)
    for step in range(RUN):
        hashes = _mixed(hashes + words[at + step])
    return hashes, rows[at], place[at]


def _whole(cells: Sequence[np.ndarray]) -> np.ndarray:
    """Return the hash of each whole text."""
    sizes = np.array([len(each) for each in cells], dtype=int)
    words = np.concatenate([np.zeros(0, np.int64), *cells]).astype(np.uint64)
    place = np.arange(len(words)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    mixed = _mixed(words + _mixed(place.astype(np.uint64) * _OTHER_PRIME))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return sums[np.cumsum(sizes)] - sums[np.cumsum(sizes) - sizes]


def _mixed(words: np.ndarray) -> np.ndarray:
    hashes = (words + np.uint64(1)) * _PRIME
    return hashes ^ (hashes >> np.uint64(29))
