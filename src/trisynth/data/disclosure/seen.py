"""Bitmap of keyed digests that recognises real values without storing them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Marks per real value: one in so many of all other values is marked, too, and hides which ones are real.
_BUCKETS = 16


@dataclass(frozen=True)
class Seen:
    """Bitmap of keyed digests of real values: a set without false negatives, but with false positives.

    Every real value is marked, and so is one in 16 of all other values. A mark therefore does not prove that a value is
    real: whoever tests all telephone numbers against the bitmap is left with a sixteenth of them.

    Parameters
    ----------
    bits : ndarray of uint8
        Packed marks; the number of marks is a power of two.
    key : str
        Key of the digests, 16 characters.
    """

    bits: np.ndarray
    key: str

    @classmethod
    def learn(cls, values: Sequence, rng: np.random.Generator) -> "Seen":
        """Mark real values: texts or floats."""
        key = "".join("0123456789abcdef"[digit] for digit in rng.integers(16, size=16))
        size = 8
        while size < _BUCKETS * len(values):
            size *= 2
        marks = np.zeros(size, dtype=bool)
        marks[_digests(values, key) % np.uint64(size)] = True
        return cls(np.packbits(marks), key)

    def has(self, values: Sequence) -> np.ndarray:
        """Return which values are marked, as booleans of shape (n,)."""
        marks = np.unpackbits(self.bits).astype(bool)
        return marks[_digests(values, self.key) % np.uint64(len(marks))]


def _digests(values: Sequence, key: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind == "f":
        # Adding zero makes -0.0 and 0.0 the same value.
        return _mixed((values + 0.0).view(np.uint64) ^ np.uint64(int(key, 16)))
    return pd.util.hash_array(values.astype(object), hash_key=key, categorize=False)


def _mixed(words: np.ndarray) -> np.ndarray:
    """Mix 64-bit words so that each bit depends on all (splitmix64, Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
