"""Named, independent random streams from one seed.

A stream is addressed by its name, independent of the order of calls, so that a new metric or another classifier cannot
change the numbers that a generator draws. Nothing in the package reads or writes a global
random state.
"""

import hashlib

import numpy as np

from trisynth.errors import InputError

# Keeps derived integers inside what scikit-learn and torch accept as a seed.
_LARGEST = 2**31 - 1


def stream(seed: int, *names: object) -> np.random.Generator:
    """Create the random generator of the stream ``names`` under ``seed``.

    Parameters
    ----------
    seed : int
        The experiment's seed; any integer >= 0.
    *names : object
        The stream's address, such as ``"generator.fit"`` or ``"fold", 3``; compared by their text.

    Returns
    -------
    numpy.random.Generator
        Independent of every stream with another address or seed (SeedSequence, O'Neill 2015).

    Raises
    ------
    InputError
        If the seed is not a whole number, or is below 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError("seed", seed, "must be a whole number, 0 or more")
    address = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    words = np.frombuffer(address, dtype=np.uint32)
    return np.random.default_rng(np.random.SeedSequence([seed, *words.tolist()]))


def integer(seed: int, *names: object) -> int:
    """Draw the integer seed of the stream ``names``, for libraries that take ``random_state``."""
    return int(stream(seed, *names).integers(_LARGEST))


def torch_generator(rng: np.random.Generator, device: str = "cpu"):
    """Create a ``torch.Generator`` seeded by the next draw of ``rng``; torch's global state is not touched."""
    import torch

    return torch.Generator(device=device).manual_seed(int(rng.integers(_LARGEST)))
