"""The arm that follows a recommendation adds what is recommended."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.dataset import Dataset, Spec
from trisynth.evaluation.arms import Balanced, Combined
from trisynth.generators.copula import Copula
from trisynth.recommend.arm import Advised

COUNTS = {"a": 30, "b": 9, "c": 1}


class Recommending(Copula):
    """A generator with a recommendation."""


@pytest.mark.parametrize(
    ("amount", "same_as"), [(0.0, Combined(0.0)), (1.0, Combined(1.0)), (0.5, Combined(0.5)), ("balance", Balanced())]
)
def test_the_recommended_amount_is_added(amount, same_as):
    generator = Recommending()
    generator.advice_ = {"amount": amount}
    assert Advised().needs(COUNTS, lambda: generator) == same_as.needs(COUNTS)


def test_without_a_recommendation_the_ratio_counts():
    assert Advised(ratio=2.0).needs(COUNTS, Copula) == 80
    assert Advised().needs(COUNTS) == 40


def test_rows_are_put_beside_the_real_ones():
    x = np.arange(6.0)
    y = pd.Series(pd.Categorical(list("aaabbb")), name="y")
    real = Dataset(pd.DataFrame({"x": x}), y, Spec("small", "y"))
    assert len(Advised().compose(real, real.take([0, 1]), 0)) == 8
    assert len(Advised().compose(real, real.take([]), 0)) == 6
