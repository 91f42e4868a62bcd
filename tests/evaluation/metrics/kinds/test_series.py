"""Predictability of series, and the kernel distance, where their values are known."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data import tensors
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.kinds.series import KernelDistance, PredictiveScore, squared_mmd

FACTS = {"s": Column("tensor", shape=(8,), axes=("time",))}


def walks(phi: float, seed: int, n: int = 300) -> Dataset:
    """Stationary autoregressions of order one and unit variance."""
    noise = np.random.default_rng(seed).normal(size=(n, 8))
    for step in range(1, 8):
        noise[:, step] = phi * noise[:, step - 1] + (1 - phi**2) ** 0.5 * noise[:, step]
    return Dataset(pd.DataFrame({"s": tensors.column(noise)}), None, Spec("walks", None, columns=FACTS))


def score(metric, synthetic: Dataset) -> float:
    train = walks(0.9, 0)
    (found,) = metric.score(Context(train, walks(0.9, 1), synthetic, TableEncoder().fit(train.X), seed=0)).values()
    return found


def test_who_learned_from_the_same_law_predicts_as_well_as_that_allows():
    metric = PredictiveScore(repeats=1, steps=200)
    # The mean absolute value of the innovations.
    best = (1 - 0.9**2) ** 0.5 * (2 / np.pi) ** 0.5
    assert best - 0.02 < score(metric, walks(0.9, 2)) < best + 0.06
    assert score(metric, walks(-0.9, 2)) > 1


def test_equal_distributions_have_no_kernel_distance_and_others_have():
    assert abs(score(KernelDistance(), walks(0.9, 2))) < 0.01 < 0.03 < score(KernelDistance(), walks(0.0, 2))


def test_the_kernel_distance_of_two_gaussians_is_the_one_in_closed_form():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2000, 1)), 1 + rng.normal(size=(2000, 1))
    # E k of two normal variables whose difference has mean m and variance 2, bandwidth 1.
    mean = {m: 3**-0.5 * np.exp(-(m**2) / 6) for m in (0, 1)}
    assert squared_mmd(a, b, 1.0) == pytest.approx(2 * mean[0] - 2 * mean[1], abs=0.01)
