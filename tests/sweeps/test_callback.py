"""The observation of a sweep costs little, however many jobs it has."""

import pytest

from trisynth.sweeps.callback import pause


@pytest.mark.parametrize(("spent", "seconds"), [(0.0, 0.5), (0.001, 0.5), (0.02, 2.0), (0.09, 9.0), (5.0, 10.0)])
def test_looks_take_one_hundredth_of_the_time(spent, seconds):
    assert pause(spent) == pytest.approx(seconds)
