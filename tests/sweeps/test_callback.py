"""The observation of a sweep costs little, however many jobs it has."""

import pytest
from omegaconf import OmegaConf

from trisynth.sweeps import callback
from trisynth.sweeps.callback import pause


@pytest.mark.parametrize(("spent", "seconds"), [(0.0, 0.5), (0.0001, 0.5), (0.002, 2.0), (0.009, 9.0), (0.5, 10.0)])
def test_looks_take_one_thousandth_of_the_time(spent, seconds):
    assert pause(spent) == pytest.approx(seconds)


def test_more_trials_make_another_search():
    def decided(trials):
        hydra = ["hydra/sweeper=search", f"hydra.sweeper.n_trials={trials}", "hydra.launcher.n_jobs=2"]
        return callback.deciding(OmegaConf.create({"hydra": {"overrides": {"task": ["seed=0"], "hydra": hydra}}}))

    assert decided(4) == ["seed=0", "hydra/sweeper=search", "hydra.sweeper.n_trials=4"]
    assert decided(4) != decided(9)
