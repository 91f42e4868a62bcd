"""Reference values of every score: independent columns as the floor, the training rows themselves as the ceiling."""

from collections.abc import Callable

from trisynth.data.dataset import Dataset
from trisynth.generators.base import Generator
from trisynth.generators.copy import Copy
from trisynth.generators.independent import Independent


def references(train: Dataset, seed: int, compare: Callable[[Dataset], dict[str, float]]) -> dict[str, float]:
    """Compute floor and ceiling of every score, for as many rows as there are training rows.

    The floor, ``independent``, has the right marginal distributions and no dependence; the ceiling, ``copy``,
    has all the fidelity that the sample size allows, and no privacy at all.

    Parameters
    ----------
    train : Dataset
        Real training rows.
    seed : int
        Seed of both generators.
    compare : callable
        Scores of a synthetic data set by name.

    Returns
    -------
    dict of str to float
        ``<score>_floor`` and ``<score>_ceiling``.
    """
    found = {}
    for suffix, generator in (("floor", Independent()), ("ceiling", Copy())):
        scores = compare(_rows(generator, train, seed))
        found |= {f"{name}_{suffix}": value for name, value in scores.items()}
    return found


def _rows(generator: Generator, train: Dataset, seed: int) -> Dataset:
    return train.drawn(generator.fit(train, seed=seed).sample(len(train), seed))
