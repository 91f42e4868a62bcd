"""The experiment as a whole: nothing leaks, nothing is fitted twice, and equal jobs give equal bytes."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trisynth.cache import Store
from trisynth.data import load, split
from trisynth.experiment import steps
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment
from trisynth.generators.base import Generator

BRIEF = {
    "vae": ("generator.epochs=2", "generator.min_steps=4"),
}
RIVALS = ("real", "duplicated", "oversampled", "class_weight", "threshold")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def fits(monkeypatch):
    """Calls of ``Generator.fit``, but for those that make the floor and ceiling of the metrics."""
    calls = []
    original = Generator.fit

    def counted(self, X, y=None, *, seed=0, **given):
        calls.append((type(self).__name__, seed))
        return original(self, X, y, seed=seed, **given)

    monkeypatch.setattr(Generator, "fit", counted)
    monkeypatch.setattr(steps, "references", lambda *_: {})
    return calls


def entries(store: Store, kind: str) -> dict[str, bytes]:
    """Every stored file of a kind but manifests, by its path."""
    root = store.root / kind
    return {str(p.relative_to(root)): p.read_bytes() for p in root.glob("*/*") if p.name != "manifest.json"}


def experiment(j: Job, store: Store) -> Experiment:
    return Experiment(j, build(j), store)


def job(config, *overrides, task="classes") -> Job:
    return Job.from_config(config(*overrides, task=task))


def changed_test_rows(monkeypatch, j: Job) -> Iterator[None]:
    """First load the table as it is; then with other values in exactly those rows that the split will test."""
    dataset = load(j.dataset, j.raw)
    marked = replace(dataset, X=dataset.X.assign(age=np.arange(len(dataset), dtype=float)))
    _, test = split(marked, j.seed, j.test_size)
    tested = test.X["age"].astype(int).to_numpy()
    X = dataset.X.copy()
    X["age"], X["dose"] = X["age"].astype("float64"), X["dose"].astype("float64")
    X.loc[tested, "age"], X.loc[tested, "dose"] = 1e6, -1e6
    plain = dataset.X.assign(age=dataset.X["age"].astype("float64"), dose=dataset.X["dose"].astype("float64"))
    monkeypatch.setattr(steps.data, "load", lambda *_: replace(dataset, X=plain))
    yield
    monkeypatch.setattr(steps.data, "load", lambda *_: replace(dataset, X=X))
    yield


@pytest.mark.parametrize("generator", ["copula", "smote", "independent", "vae"])
def test_test_rows_reach_nothing_that_learns(config, tmp_path, monkeypatch, generator):
    j = job(config, f"generator={generator}", *BRIEF.get(generator, ()))
    seen = []
    for i, _ in enumerate(changed_test_rows(monkeypatch, j)):
        store = Store(tmp_path / str(i))
        steps_of_job = experiment(j, store)
        digest, _ = steps_of_job.rows(len(steps_of_job.parts[0]))
        matrix = steps_of_job.encoder.transform(steps_of_job.parts[0].X)
        seen.append((digest, entries(store, "generator"), entries(store, "rows"), np.asarray(matrix).tobytes()))
        tested = steps_of_job.parts[1].X["age"].max()
    assert tested == 1e6
    assert seen[0] == seen[1]


def test_a_planted_leak_is_found(config, tmp_path, monkeypatch):
    j = job(config)
    seen = []
    original = steps.data.split

    def leaky(dataset, seed, test_size):
        train, test = original(dataset, seed, test_size)
        return replace(train, X=pd.concat([train.X[:-1], test.X[:1]], ignore_index=True)), test

    monkeypatch.setattr(steps.data, "split", leaky)
    for i, _ in enumerate(changed_test_rows(monkeypatch, j)):
        store = Store(tmp_path / str(i))
        experiment(j, store).generator()
        seen.append(entries(store, "generator"))
    assert seen[0] != seen[1]


def test_generators_times_seeds_is_the_number_of_fits(config, store, fits):
    generators, seeds, classifiers = ("independent", "copula", "smote"), (0, 1), ("logistic", "knn")
    for classifier in classifiers:
        for generator in generators:
            for seed in seeds:
                j = job(config, f"generator={generator}", f"seed={seed}", f"classifier={classifier}")
                experiment(j, store).run()
    assert sorted(fits) == sorted((name, seed) for name in ("Independent", "Copula", "SMOTE") for seed in seeds)
    assert len(entries(store, "generator")) == len(generators) * len(seeds)


def test_arms_without_synthetic_rows_are_scored_once_for_all_generators(config, store, monkeypatch):
    scored = []
    original = steps.classifiers.fit_predict

    def counted(cfg, arm, *rest):
        scored.append(type(arm).__name__)
        return original(cfg, arm, *rest)

    monkeypatch.setattr(steps.classifiers, "fit_predict", counted)
    results = [
        experiment(job(config, f"generator={g}", "arms=default"), store).run() for g in ("independent", "copula")
    ]
    once = {"Real", "Duplicated", "Oversampled", "ClassWeight", "Threshold"}
    assert {name: scored.count(name) for name in set(scored)} == {
        **dict.fromkeys(once, 1),
        **dict.fromkeys(("Synthetic", "Combined", "Balanced"), 2),
    }
    for name in RIVALS:
        first, second = ({k: v for k, v in r.metrics.items() if k.startswith(f"{name}/")} for r in results)
        assert first == second != {}


def written(result, folder) -> bytes:
    return (result.write(folder) / "result.json").read_bytes()


def test_the_same_job_gives_the_same_bytes_in_any_order(config, tmp_path):
    jobs = [job(config, f"generator={g}", f"classifier={c}") for g in ("copula", "smote") for c in ("logistic", "knn")]
    ordered = {j.key: written(experiment(j, Store(tmp_path / "a")).run(), tmp_path / "a") for j in jobs}
    backwards = {j.key: written(experiment(j, Store(tmp_path / "b")).run(), tmp_path / "b") for j in reversed(jobs)}
    assert len(ordered) == 4
    assert ordered == backwards


def test_another_classifier_leaves_the_synthetic_rows(config, tmp_path):
    a, b = (experiment(job(config, f"classifier={c}"), Store(tmp_path / c)).run() for c in ("logistic", "knn"))
    assert a.digests == b.digests
    assert a.key != b.key


def test_another_seed_moves_split_and_rows(config, store):
    a, b = (experiment(job(config, f"seed={seed}"), store).run() for seed in (0, 1))
    assert all(a.digests[name] != b.digests[name] for name in ("real_train", "real_test", "synthetic"))


def test_loss_weights_cost_a_generator_without_loss_nothing(config, store, fits):
    results = [experiment(job(config, f"loss.alpha={alpha}"), store).run() for alpha in (0, 1, 2)]
    assert len(fits) == 1
    assert len({result.key for result in results}) == 1


def test_metrics_stand_side_by_side(config, store):
    result = experiment(job(config, "arms=default"), store).run()
    names = result.metrics
    for arm in (*RIVALS, "synthetic", "combined", "balanced"):
        assert 0 <= names[f"{arm}/f1_macro"] <= 1
    assert names["gain/f1_macro"] == names["combined/f1_macro"] - names["real/f1_macro"]
    assert names["gain/accuracy"] == names["combined/accuracy"] - names["real/accuracy"]
    assert {"fidelity/ks", "fidelity/ks_floor", "fidelity/ks_ceiling"} <= names.keys()
    assert all(isinstance(value, float | int) and np.isfinite(value) for value in names.values())
    train = sum(result.counts["real"].values())
    assert sum(result.counts["synthetic"].values()) == train
    assert sum(result.counts["combined"].values()) == 2 * train
    assert len(set(result.counts["balanced"].values())) == 1


def test_a_numeric_target_runs_through(config, store):
    result = experiment(job(config, "generator=copula", "arms=default", task="number"), store).run()
    assert set(result.counts) == {"real", "synthetic", "combined", "duplicated"}
    assert result.metrics["real/r2"] > 0.5
    assert "real/f1_macro" not in result.metrics


def test_only_the_configured_arms_run(config, store):
    result = experiment(job(config, "~arms.combined"), store).run()
    assert set(result.counts) == {"real", "synthetic"}
    assert not [name for name in result.metrics if name.startswith("gain/")]


def test_global_random_states_and_inputs_stay(config, store):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    fitted = experiment(job(config, "generator=copula"), store)
    rows = fitted.dataset.X.copy()
    fitted.arm("combined")
    pd.testing.assert_frame_equal(fitted.dataset.X, rows)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
