"""The observation of a sweep costs little, however many jobs it has."""

import pytest

from trisynth.sweeps.callback import pause


@pytest.mark.parametrize(("spent", "seconds"), [(0.0, 0.5), (0.0001, 0.5), (0.002, 2.0), (0.009, 9.0), (0.5, 10.0)])
def test_looks_take_one_thousandth_of_the_time(spent, seconds):
    assert pause(spent) == pytest.approx(seconds)
