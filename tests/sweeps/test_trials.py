"""A search: its distributions, the same trials at every start, and a database that shows them."""

import json
from functools import partial
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.utils import JobReturn, JobStatus
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.sweeps.folder import FOUND
from trisynth.sweeps.trials import search, space


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("a=interval(0,1)", FloatDistribution(0.0, 1.0)),
        ("a=tag(log, interval(0.01, 100))", FloatDistribution(0.01, 100.0, log=True)),
        ("a=int(interval(1,9))", IntDistribution(1, 9)),
        ("a=int(tag(log, interval(1,9)))", IntDistribution(1, 9, log=True)),
        ("a=range(0,10,5)", IntDistribution(0, 10, step=5)),
        ("a=range(0.0,1.0,0.25)", FloatDistribution(0.0, 1.0, step=0.25)),
        ("a=x,y", CategoricalDistribution(["x", "y"])),
        ("a=choice(1,2)", CategoricalDistribution([1, 2])),
        ("a=shuffle(range(3))", CategoricalDistribution([0, 1, 2])),
    ],
)
def test_overrides_with_several_values_are_distributions(override, expected):
    searched, fixed = space([override, "seed=3"])
    if "shuffle" in override:
        assert sorted(searched["a"].choices) == list(expected.choices)
    else:
        assert searched == {"a": expected}
    assert fixed == {"seed": "3"}


def test_the_command_line_replaces_what_is_declared():
    assert space(["a=interval(0,1)", "a=3"]) == ({}, {"a": "3"})
    assert space(["a=3", "a=interval(0,1)"]) == ({"a": FloatDistribution(0.0, 1.0)}, {})


@pytest.mark.parametrize("override", ["a=glob(*)", "a=interval(2,1)", "a=tag(log,interval(0,1))"])
def test_what_cannot_be_searched_is_one_line(override):
    with pytest.raises(InputError, match=r"^a="):
        space([override])


class Jobs:
    """A launcher whose jobs return values of two parabolas, and remember what was launched."""

    def __init__(self, objectives: int = 2, failing: int | None = None):
        self.batches, self.objectives, self.failing = [], objectives, failing

    def __call__(self, batch, first):
        self.batches.append((first, list(batch)))
        return [self._job(first + i, overrides) for i, overrides in enumerate(batch)]

    def _job(self, number, overrides):
        point = dict(override.split("=") for override in overrides)
        a, b = float(point["a"]), float(point["b"])
        found = ((a - 0.3) ** 2 + b * b, (b - 0.4) ** 2 + a, a * b)[: self.objectives]
        done = JobReturn(overrides, status=JobStatus.COMPLETED)
        done.return_value = None if number == self.failing else found[0] if self.objectives == 1 else found
        return done

    def launched(self):
        return [job for _, batch in self.batches for job in batch]


ARGUMENTS = ["a=interval(0,1)", "b=tag(log,interval(0.01,1))", "seed=0"]


def options(**changes):
    sampler = optuna.samplers.NSGAIISampler(seed=0, population_size=4)
    return {"sampler": sampler, "direction": ["minimize"] * 2, "n_trials": 15, "n_jobs": 2, **changes}


def test_the_same_seed_suggests_the_same_trials(tmp_path):
    first, second = Jobs(), Jobs()
    search(first, ARGUMENTS, tmp_path / "one", **options())
    search(second, ARGUMENTS, tmp_path / "two", **options())
    assert first.batches == second.batches
    assert [number for number, _ in first.batches] == list(range(0, 15, 2))
    assert all(job[-1] == "seed=0" for job in first.launched())
    one, two = ((tmp_path / name / "optimization_results.yaml").read_bytes() for name in ("one", "two"))
    assert one == two
    assert yaml.safe_load(one)["solutions"]


def test_one_objective_has_a_best_trial(tmp_path):
    sampler = optuna.samplers.TPESampler(seed=0)
    search(Jobs(1), ARGUMENTS, tmp_path, **options(sampler=sampler, direction="maximize"))
    found = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    assert set(found["best_params"]) == {"a", "b"} and found["best_value"] > 0.3


def test_a_failed_job_is_a_failed_trial_and_the_search_goes_on(tmp_path):
    jobs = Jobs(failing=3)
    search(jobs, ARGUMENTS, tmp_path, **options())
    assert len(jobs.launched()) == 15


def test_a_search_whose_jobs_all_fail_writes_nothing(tmp_path):
    jobs = Jobs()
    jobs._job = lambda number, overrides: JobReturn(overrides, status=JobStatus.COMPLETED)
    search(jobs, ARGUMENTS, tmp_path, **options())
    assert list(tmp_path.iterdir()) == []


def test_a_grid_visits_every_point_once(tmp_path):
    jobs = Jobs()
    sampler = partial(optuna.samplers.GridSampler, seed=0)
    search(jobs, ["a=0.1,0.2,0.3", "b=range(1,3)"], tmp_path, **options(sampler=sampler, n_trials=99))
    assert sorted(jobs.launched()) == [(f"a={a}", f"b={b}") for a in (0.1, 0.2, 0.3) for b in (1, 2)]
    with pytest.raises(InputError, match="has no list of values"):
        search(jobs, ARGUMENTS, tmp_path, **options(sampler=sampler))


@pytest.mark.parametrize(
    "change",
    [{"n_trials": 0}, {"n_jobs": "2"}, {"direction": "up"}, {"direction": []}, {"direction": ["minimize"] * 3}],
)
def test_wrong_settings_are_one_line(tmp_path, change):
    with pytest.raises(InputError, match=r"^hydra\.sweeper\."):
        search(Jobs(), ARGUMENTS, tmp_path, **options(**change))


def test_a_database_shows_the_trials_and_is_continued(tmp_path):
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    plain, shown = Jobs(), Jobs()
    search(plain, ARGUMENTS, tmp_path / "plain", **options())
    search(shown, ARGUMENTS, tmp_path / "mine", **options(storage=storage, n_trials=8))
    study = optuna.load_study(storage=storage, study_name="mine")
    assert len(study.trials) == 8
    # Started again with more trials, from results that exist.
    search(shown, ARGUMENTS, tmp_path / "mine", **options(storage=storage))
    assert shown.launched()[8:] == plain.launched()
    study = optuna.load_study(storage=storage, study_name="mine")
    assert [trial.number for trial in study.trials] == list(range(15))
    found = [(tmp_path / name / "optimization_results.yaml").read_bytes() for name in ("plain", "mine")]
    assert found[0] == found[1]


@pytest.mark.filterwarnings("ignore")  # of the dashboard's own imports
def test_the_dashboard_shows_a_search(tmp_path):
    dashboard = pytest.importorskip("optuna_dashboard")
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    search(Jobs(), ARGUMENTS, tmp_path, **options(storage=storage, study_name="mine", n_trials=4))
    application = dashboard.wsgi(storage)

    def answer(path):
        statuses, environment = [], {"PATH_INFO": path}
        setup_testing_defaults(environment)
        content = b"".join(application(environment, lambda status, *_: statuses.append(status)))
        assert statuses == ["200 OK"]
        return json.loads(content)

    (study,) = answer("/api/studies")["study_summaries"]
    assert study["study_name"] == "mine" and len(study["directions"]) == 2
    shown = answer(f"/api/studies/{study['study_id']}")["trials"]
    assert [trial["state"] for trial in shown] == ["Complete"] * 4 and all(len(t["values"]) == 2 for t in shown)


def test_another_search_of_the_same_name_is_refused(tmp_path):
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    search(Jobs(), ARGUMENTS, tmp_path, **options(storage=storage, study_name="mine"))
    other = optuna.samplers.NSGAIISampler(seed=1, population_size=4)
    with pytest.raises(InputError, match=r"^hydra.sweeper.study_name='mine': names a different search in"):
        search(Jobs(), ARGUMENTS, tmp_path, **options(storage=storage, study_name="mine", sampler=other))
    with pytest.raises(InputError, match="names a different search in"):
        search(Jobs(1), ARGUMENTS, tmp_path, **options(storage=storage, study_name="mine", direction="minimize"))


def test_a_search_that_is_refused_leaves_no_database(tmp_path):
    def refused(*_):
        raise InputError("hydra.launcher.address", "127.0.0.1:1", "cannot be reached")

    file = tmp_path / "search.db"
    given = options(storage=f"sqlite:///{file}", study_name="mine", n_trials=4)
    with pytest.raises(InputError, match="cannot be reached"):
        search(refused, ARGUMENTS, tmp_path, **given)
    assert list(tmp_path.iterdir()) == []
    # A database that was there stays.
    search(Jobs(), ARGUMENTS, tmp_path, **given)
    with pytest.raises(InputError, match="cannot be reached"):
        search(refused, ARGUMENTS, tmp_path, **given)
    assert len(optuna.load_study(storage=given["storage"], study_name="mine").trials) == 4


@pytest.mark.parametrize("storage", ["sqlite:////proc/nowhere/x.db", "nonsense://x"])
def test_an_unusable_database_is_one_line(tmp_path, storage):
    with pytest.raises(InputError, match=r"^hydra.sweeper.storage=") as caught:
        search(Jobs(), ARGUMENTS, tmp_path, **options(storage=storage))
    assert "\n" not in str(caught.value)


def test_a_broken_database_is_one_line(tmp_path):
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(InputError, match=r"cannot be used \(.*\); finished jobs are kept"):
        search(Jobs(), ARGUMENTS, tmp_path, **options(storage=f"sqlite:///{tmp_path / 'broken.db'}"))


def test_a_sampler_of_the_configuration_is_one_of_optuna(command):
    from pathlib import Path

    from trisynth.config import CONF

    for path in Path(CONF / "hydra/sweeper/sampler").glob("*.yaml"):
        content = yaml.safe_load(path.read_text())
        if "_target_" in content:
            assert hasattr(optuna.samplers, content["_target_"].rpartition(".")[2])
    assert FOUND == "optimization_results.yaml"


@pytest.mark.parametrize("method", sorted(file.stem for file in (CONF / "hydra/sweeper/sampler").glob("*.yaml")))
def test_every_method_has_a_seed_so_that_a_search_can_be_continued(method):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = ["hydra/sweeper=search", f"hydra/sweeper/sampler={method}"]
        assert compose("config", overrides, return_hydra_config=True).hydra.sweeper.sampler.seed == 0
