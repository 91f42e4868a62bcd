"""Random numbers that rows are drawn with: independent, or even, that is spread over what they are drawn from.

A generator that has the argument ``draws`` turns uniform or normal numbers into rows. Even numbers are each distributed
as independent ones, so that a single row is too, but together they meet the distribution more closely: rows in one
leaf, state or class take one number from each of as many equal parts. Statistics of an even sample vary less from
sample to sample than those of as many independent rows. Its rows are therefore not independent, and a standard error
that is estimated from repeated even samples is too small.
"""

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from trisynth.errors import InputError

DRAWS = ("independent", "even")
# Dimensions of Sobol points; the setup costs more with each. Further ones are spread one by one (a Latin hypercube).
_SOBOL_DIMENSIONS = 512
# Even numbers keep this distance from 0 and 1, where the inverse normal is infinite.
_EDGE = 2.0**-32


def check_draws(draws: object) -> None:
    """Refuse what is not one of ``DRAWS``."""
    if draws not in DRAWS:
        raise InputError("draws", draws, f"must be {' or '.join(DRAWS)}")


def uniform_by_group(groups: np.ndarray, rng: np.random.Generator, even: bool) -> np.ndarray:
    """Draw uniform numbers, shape (n,); even ones lie one in each of as many equal parts as a group has rows."""
    uniform = rng.random(len(groups))
    if not even:
        return uniform
    order = rng.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    counts = np.bincount(groups)
    first = np.cumsum(counts) - counts
    sorted_groups = groups[order]
    uniform[order] = (np.arange(len(groups)) - first[sorted_groups] + uniform[order]) / counts[sorted_groups]
    return uniform


def even_uniforms(labels: np.ndarray, dimensions: int, rng: np.random.Generator) -> np.ndarray:
    """Draw scrambled Sobol points (Owen 1995; Matousek 1998), one set for each label, in random order.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    dimensions : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, dimensions)
        Above 0 and below 1.
    """
    found = np.empty((len(labels), dimensions))
    first = min(dimensions, _SOBOL_DIMENSIONS)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if first:
            # The first points of a power of two are the balanced ones that scipy does not warn about.
            points = qmc.Sobol(first, scramble=True, rng=rng).random_base2(int(len(rows) - 1).bit_length())
            found[rows, :first] = points[: len(rows)]
        for column in range(first, dimensions):
            found[rows, column] = (rng.permutation(len(rows)) + rng.random(len(rows))) / len(rows)
    return np.clip(found, _EDGE, 1 - _EDGE)


def even_normals(labels: np.ndarray, dimensions: int, rng: np.random.Generator) -> np.ndarray:
    """Draw standard normal numbers from ``even_uniforms``."""
    return ndtri(even_uniforms(labels, dimensions, rng))
