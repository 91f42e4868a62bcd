"""Series of unequal lengths with a known distribution: episodes whose length and dynamics depend on their class.

An episode of class c has SHORTEST + Poisson(RATE[c]) steps of two channels. Each channel is a stationary autoregression
of order one with unit variance, x[t] = phi x[t - 1] + sqrt(1 - phi^2) e[t], with its own coefficient PHI[c].
"""

import numpy as np
import pandas as pd
from scipy.stats import norm, poisson

from trisynth import seeds
from trisynth.data import sequences
from trisynth.errors import require_whole
from trisynth.places import reader

SHORTEST = 4
RATE = {"brief": 6.0, "usual": 12.0, "long": 20.0}
PHI = {"brief": (0.2, 0.8), "usual": (0.6, 0.5), "long": (0.8, 0.1)}


@reader
def simulate(n: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Simulate episodes; the classes are equally probable.

    Parameters
    ----------
    n : int, default=1500
        Number of rows.
    seed : int, default=0

    Returns
    -------
    DataFrame, shape (n, 2)
        ``episode``, sequences of two channels, and ``course``, the class.
    """
    require_whole("dataset.read.n", n, 1)
    rng = seeds.stream(seed, "episodes")
    label = rng.integers(len(RATE), size=n)
    lengths = SHORTEST + rng.poisson(np.array(list(RATE.values()))[label])
    phi = np.array(list(PHI.values()))[label]
    noise = rng.standard_normal((n, int(lengths.max(initial=1)), 2))
    for step in range(1, noise.shape[1]):
        noise[:, step] = phi * noise[:, step - 1] + np.sqrt(1 - phi**2) * noise[:, step]
    cells = [each[:size] for each, size in zip(noise, lengths, strict=True)]
    return pd.DataFrame({"episode": sequences.column(cells), "course": np.array(list(RATE))[label]})


def posterior(X: pd.DataFrame, lengths: bool = True) -> np.ndarray:
    """Compute the probabilities of the classes given an episode, shape (n, 3), in the order of ``RATE``.

    Without ``lengths``, only the steps count, and not their number.
    """
    cells, sizes = sequences.values(X["episode"]), sequences.lengths(X["episode"])
    found = np.zeros((len(X), len(RATE)))
    for c, name in enumerate(RATE):
        phi = np.array(PHI[name])
        dynamics = [norm.logpdf(each[1:], phi * each[:-1], np.sqrt(1 - phi**2)).sum() for each in cells]
        found[:, c] = np.array(dynamics) + lengths * poisson.logpmf(sizes - SHORTEST, RATE[name])
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


def bayes_accuracy(n: int = 20_000, seed: int = 1, lengths: bool = True) -> float:
    """Estimate the accuracy of the best rule on ``n`` simulated episodes."""
    rows = simulate(n, seed)
    truth = pd.Categorical(rows["course"], categories=list(RATE)).codes
    return float((posterior(rows, lengths).argmax(axis=1) == truth).mean())
