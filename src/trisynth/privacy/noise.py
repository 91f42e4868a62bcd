"""Sources of noise: the operating system, or a seed for tests."""

import os

import numpy as np
from scipy.special import ndtri

# Noise is a multiple of its standard deviation's power of two, divided by this power of two: the sum of a whole number
# and of such noise is exact, so that the last bits of a noisy count tell nothing about the count.
_BITS = 24
# The same for sums of fractions, which are smaller; they are rounded to the grid, so finely that their sensitivity
# stays what it is.
_FINE = 36
# Distance of the numbers that a random word gives.
_STEP = 2.0**-53


class Noise:
    """Noise from the operating system's randomness, whose state nobody can learn or repeat."""

    private = True

    def uniform(self, size: int) -> np.ndarray:
        """Draw numbers strictly between 0 and 1, shape (size,)."""
        words = np.frombuffer(os.urandom(8 * size), dtype=np.uint64)
        return _inside(words >> np.uint64(11))

    def gaussian(self, sigma: float, size: int, bits: int = _BITS) -> np.ndarray:
        """Draw Gaussian noise of shape (size,), rounded to a grid that depends on ``sigma`` and ``bits`` alone."""
        # The sign apart, so that both tails reach equally far.
        u = self.uniform(size)
        z = ndtri(self._tails(np.minimum(u, 1 - u))) * np.where(u < 0.5, 1.0, -1.0)
        grid = _grid(sigma, bits)
        return np.rint(z * sigma / grid) * grid

    def added(self, values: np.ndarray, sigma: float, whole: bool = True) -> np.ndarray:
        """Add Gaussian noise to values, whole numbers or not; the last bits of the result tell nothing about them."""
        if not whole:
            grid = _grid(sigma, _FINE)
            values = np.rint(values / grid) * grid
        return values + self.gaussian(sigma, values.size, _BITS if whole else _FINE).reshape(values.shape)

    def _tails(self, small: np.ndarray) -> np.ndarray:
        """Refine numbers by a second word: in the tails, one word reaches only some places of the grid."""
        return np.maximum(small + (self.uniform(len(small)) - 0.5) * _STEP, _STEP**2)

    def gumbel(self, size: int) -> np.ndarray:
        """Draw standard Gumbel noise of shape (size,)."""
        return -np.log(-np.log(self.uniform(size)))


class SeededNoise(Noise):
    """Noise from a seed, for tests: whoever knows the seed can remove it.

    Parameters
    ----------
    rng : Generator
    """

    private = False

    def __init__(self, rng: np.random.Generator):
        self._rng = rng

    def uniform(self, size: int) -> np.ndarray:
        """Draw numbers strictly between 0 and 1, shape (size,)."""
        return _inside(self._rng.integers(0, 2**53, size))

    def added(self, values: np.ndarray, sigma: float, whole: bool = True) -> np.ndarray:
        """Add Gaussian noise as it is, since it can be removed in any case."""
        return values + self.gaussian(sigma, values.size).reshape(values.shape)

    def _tails(self, small: np.ndarray) -> np.ndarray:
        return small


def _grid(sigma: float, bits: int) -> float:
    # Coarser than whole numbers, it would show the last digits of a count.
    return min(2.0 ** (np.floor(np.log2(sigma)) - bits), 1.0)


def _inside(numbers: np.ndarray) -> np.ndarray:
    """Divide whole numbers below 2^53; rounding must not lift the last one to 1, whose noise is infinite."""
    return np.minimum((numbers.astype(float) + 0.5) * _STEP, 1 - _STEP)
