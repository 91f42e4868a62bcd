"""Tables and figures of searches at planted numbers."""

import itertools

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.report.__main__ import main
from trisynth.statistics.fronts import front, hypervolume
from trisynth.studies import searches
from trisynth.studies.pareto_tables import agreement_table, chosen_table, hypervolume_table

AIMS = {"synthetic/roc_auc": (1.0, 0.5), "fidelity/c2st_boosting": (0.5, 1.0), "copying/memorised": (0.0, 1.0)}


def searched(seeds=3, trials=12, datasets=("pima",), samplers=("evolution", "random"), lift=0.02) -> pd.DataFrame:
    """Results of searches whose test rows repeat the validation rows, the ROC AUC less 0.1."""
    rows = []
    for dataset, seed in itertools.product(datasets, range(seeds)):
        for place, sampler in enumerate(samplers):
            rng = np.random.default_rng(100 * seed)
            own = []
            for trial in range(trials):
                beta, gamma = np.exp(rng.normal(size=2))
                auc = 0.75 + 0.1 * np.tanh(beta - 1) - place * lift
                metrics = dict(zip(AIMS, (auc, 0.6 + 0.1 * np.tanh(gamma), 0.05 + 0.02 * rng.random()), strict=True))
                own.append(row(dataset, seed, metrics, f"{sampler}{seed}{trial}", beta, gamma) | {"trial": trial})
            mask = front(np.array([[r[f"regret/{name}"] for name in AIMS] for r in own]))
            for found, unbeaten in zip(own, mask, strict=True):
                rows.append({"part": "validation", "sampler": sampler, "front": unbeaten} | found)
                if unbeaten:
                    later = {name: found[name] - 0.1 * (name == "synthetic/roc_auc") for name in AIMS}
                    again = row(dataset, seed, later, found["key"] + "t", found["loss.beta"], found["loss.gamma"])
                    rows.append({"part": "test", "sampler": sampler, "front": True, "trial": found["trial"]} | again)
        plain = dict(zip(AIMS, (0.70, 0.65, 0.06), strict=True))
        rows.append({"part": "test", "sampler": "default", "front": False} | row(dataset, seed, plain, "d", 0.1, 0.1))
    return pd.DataFrame(rows)


def row(dataset, seed, metrics, key, beta, gamma) -> dict:
    regrets = {f"regret/{n}": max((metrics[n] - best) / (worst - best), 0) for n, (best, worst) in AIMS.items()}
    weights = {"loss.alpha": 1.0, "loss.beta": beta, "loss.gamma": gamma}
    identity = {"key": key, "dataset": dataset, "generator": "vae", "classifier": "logistic", "seed": seed}
    return identity | weights | metrics | regrets


def cells(table, column, **where) -> list:
    names = [c.key for c in table.columns]
    return [row[names.index(column)] for row in table.rows if all(row[names.index(k)] == v for k, v in where.items())]


def test_volumes_are_those_of_the_trials_and_their_difference_is_paired():
    jobs = searched()
    table = hypervolume_table(jobs)
    (mean,) = (cell.mean for cell in cells(table, "validation", search="NSGA-II"))
    own = [hypervolume(searches.regrets(t)) for key, t in searches.searches(jobs).items() if key[2] == "evolution"]
    assert mean == pytest.approx(np.mean(own))
    # All points lose the same in one objective: the front of the validation rows is that of the test rows.
    assert [cell.mean for cell in cells(table, "kept", search="random search")] == [1.0]
    (plain,) = cells(table, "test", search="default weights")
    assert plain.mean == pytest.approx((1 - 0.3 / 0.5) * (1 - 0.15 / 0.5) * (1 - 0.06))
    (less,) = cells(table, "validation", search="NSGA-II minus random search")
    (one,), (other,) = (cells(table, "validation", search=name) for name in ("NSGA-II", "random search"))
    assert less.mean == pytest.approx(one.mean - other.mean)
    assert less.mean > 0 and less.half < one.half


def test_weights_that_evolution_repeats_count_once():
    jobs = searched(seeds=1)
    trial = jobs[(jobs["part"] == "validation") & (jobs["sampler"] == "evolution") & jobs["front"]].iloc[[0]]
    again = pd.concat([trial.assign(trial=99), jobs[jobs["key"] == trial["key"].item() + "t"].assign(trial=99)])
    before, after = (hypervolume_table(j) for j in (jobs, pd.concat([jobs, again])))
    assert cells(before, "front", search="NSGA-II")[0].mean == cells(after, "front", search="NSGA-II")[0].mean


def test_what_choosing_gains_is_read_on_test_rows():
    table = chosen_table(searched())
    (validation,) = cells(table, "validation", search="NSGA-II", objective="ROC AUC, synthetic")
    (test,) = cells(table, "test", search="NSGA-II", objective="ROC AUC, synthetic")
    (gain,) = cells(table, "gain", search="NSGA-II", objective="ROC AUC, synthetic")
    assert test.mean == pytest.approx(validation.mean - 0.1)
    assert gain.mean == pytest.approx((test.mean - 0.70) / 0.5)


def test_planted_agreements_are_found():
    table = agreement_table(searched(trials=40))
    assert cells(table, "correlation", one="ROC AUC, synthetic", other="β")[0].mean < -0.95
    assert cells(table, "correlation", one="C2ST", other="γ")[0].mean > 0.95
    assert abs(cells(table, "correlation", one="Memorised share", other="β")[0].mean) < 0.5
    assert cells(table, "correlation", one="ROC AUC, synthetic, validation")[0].mean == pytest.approx(1.0)


def test_course_only_rises_and_ends_at_the_volume():
    for trials in searches.searches(searched()).values():
        volumes = searches.course(trials)
        assert (np.diff(volumes) >= 0).all()
        assert volumes[-1] == pytest.approx(hypervolume(searches.regrets(trials)))


@pytest.mark.parametrize("jobs", [searched(), searched(seeds=1, samplers=("random",)), searched(datasets=("a", "b"))])
def test_figures_and_tables_of_any_searches(jobs, tmp_path):
    jobs.to_csv(tmp_path / "results.csv", index=False)
    assert main(["study", "pareto", str(tmp_path / "results.csv"), str(tmp_path / "first")]) == 0
    names = {path.name for path in (tmp_path / "first").iterdir()}
    assert {"fronts.png", "fronts.pdf", "tested.png", "tested.pdf", "hypervolume.tex", "chosen.md"} <= names
    for name in ("hypervolume.csv", "chosen.csv", "agreement.csv"):
        assert len((tmp_path / "first" / name).read_text().splitlines()) > 1


def test_the_command_writes_the_same_bytes_twice(tmp_path):
    searched(seeds=2, trials=6).to_csv(tmp_path / "results.csv", index=False)
    for name in ("first", "second"):
        assert main(["study", "pareto", str(tmp_path / "results.csv"), str(tmp_path / name)]) == 0
    for path in (tmp_path / "first").iterdir():
        if path.suffix in (".png", ".pdf", ".csv"):
            assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


def test_results_of_no_search_are_one_line(tmp_path, capsys):
    with pytest.raises(InputError, match="not the results of a search"):
        searches.objectives(pd.DataFrame({"dataset": ["pima"]}))
    jobs = searched().drop(columns="trial")
    jobs.to_csv(tmp_path / "results.csv", index=False)
    assert main(["study", "pareto", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 2
    assert "run python -m trisynth.search first" in capsys.readouterr().err
