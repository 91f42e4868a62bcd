"""The observation of a sweep costs little, however many jobs it has."""

import pytest
import yaml
from omegaconf import OmegaConf

from trisynth.sweeps import callback, folder
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


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            {"best_params": {"loss.alpha": 0.123456, "generator": "vae"}, "best_value": 0.61234},
            "best trial: loss.alpha=0.1235 generator=vae with real/r2 0.6123\nexact values: ",
        ),
        ({"solutions": [{}, {}]}, "Pareto front: 2 of the trials, in "),
    ],
)
def test_a_search_ends_with_what_it_found_and_its_file(tmp_path, found, line):
    path = tmp_path / folder.FOUND
    path.write_text(yaml.safe_dump(found, sort_keys=False))
    assert callback.best_trial(path, "real/r2") == f"{line}{path}"


@pytest.mark.parametrize(
    ("ended", "results", "lost"),
    [
        ({"0": "a", "1": "b", "2": "c"}, "abc", 0),
        ({"0": "a", "2": None}, "a", 1),
        ({}, "", 3),
        ({"0": "a", "1": "b", "2": "b"}, "a", 1),
        # Statuses and results of another sweep, which has more jobs.
        ({"0": "a", "1": "b", "2": "c", "3": "d", "4": "e", "5": "f"}, "abcdef", 0),
        ({"1": "b", "2": "c", "3": "d", "4": "e", "5": "f"}, "abcdef", 1),
    ],
)
def test_lost_jobs_are_those_of_this_sweep(ended, results, lost):
    assert callback.lost_jobs({name: {"key": key} for name, key in ended.items()}, 3, set(results)) == lost
