"""Sines with a known distribution, as in the evaluation of TimeGAN (Yoon et al. 2019), and a version with classes.

Each channel of a row is a sine of its own frequency and phase, x[t] = (1 + sin(frequency t + phase)) / 2 for
t = 0, 1, ..., with frequency and phase uniform between 0 and 0.1 and independent of each other.
"""

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data import tensors
from trisynth.errors import require_whole
from trisynth.places import reader

# Range of frequencies, in radians a step, and of phases, in radians.
RANGE = (0.0, 0.1)
# Frequencies of the classes of ``classified``.
CLASSES = {"slow": (0.2, 0.4), "middle": (0.35, 0.6), "fast": (0.55, 0.9)}
NOISE = 0.05


@reader
def sines(n: int = 10_000, steps: int = 24, channels: int = 5, seed: int = 0) -> pd.DataFrame:
    """Simulate rows without a target.

    Parameters
    ----------
    n : int, default=10_000
        Number of rows.
    steps : int, default=24
    channels : int, default=5
    seed : int, default=0

    Returns
    -------
    DataFrame, shape (n, 1)
        ``series``, tensors of shape (steps, channels).
    """
    for name, value in {"n": n, "steps": steps, "channels": channels}.items():
        require_whole(f"dataset.read.{name}", value, 1)
    rng = seeds.stream(seed, "sines")
    frequency, phase = rng.uniform(*RANGE, size=(2, n, 1, channels))
    series = (1 + np.sin(frequency * np.arange(steps)[:, None] + phase)) / 2
    return pd.DataFrame({"series": tensors.column(series)})


@reader
def classified(n: int = 1500, steps: int = 24, seed: int = 0) -> pd.DataFrame:
    """Simulate noisy sines of three classes that differ in their frequency, with overlaps.

    Parameters
    ----------
    n : int, default=1500
        Number of rows; the classes are equally probable.
    steps : int, default=24
    seed : int, default=0

    Returns
    -------
    DataFrame, shape (n, 2)
        ``series``, tensors of shape (steps,): a sine of random amplitude and phase, and noise of standard deviation
        0.05; ``speed``, the class.
    """
    require_whole("dataset.read.n", n, 1)
    require_whole("dataset.read.steps", steps, 2)
    rng = seeds.stream(seed, "sines.classified")
    label = rng.integers(len(CLASSES), size=n)
    low, high = np.array(list(CLASSES.values())).T
    frequency = low[label] + (high - low)[label] * rng.random(n)
    amplitude, phase = rng.uniform(0.5, 1.0, n), rng.uniform(0, 2 * np.pi, n)
    series = amplitude[:, None] * np.sin(frequency[:, None] * np.arange(steps) + phase[:, None])
    series += NOISE * rng.standard_normal(series.shape)
    return pd.DataFrame({"series": tensors.column(series), "speed": np.array(list(CLASSES))[label]})
